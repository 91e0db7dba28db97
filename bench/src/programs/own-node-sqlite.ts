/** `emit` with the native store. */
import { ownStore } from './own-store.ts';
import { run } from './program.ts';

await run(ownStore('node-sqlite'));
