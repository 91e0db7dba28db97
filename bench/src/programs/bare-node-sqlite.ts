/** `node:sqlite` by hand. */
import { DatabaseSync } from 'node:sqlite';

import { bareStore } from './bare-store.ts';
import { run } from './program.ts';

await run(bareStore((path) => new DatabaseSync(path)));
