/** `emit` with the portable store. */
import { ownStore } from './own-store.ts';
import { run } from './program.ts';

await run(ownStore('sqljs'));
