/** better-sqlite3 by hand. */
import Database from 'better-sqlite3';

import { bareStore } from './bare-store.ts';
import { run } from './program.ts';

await run(bareStore((path) => new Database(path)));
