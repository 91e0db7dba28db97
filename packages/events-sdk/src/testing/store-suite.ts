/**
 * Every promise of the `EventStore` port as a case a store passes or not, without a test framework:
 * a new adapter runs them under whatever runner it likes.
 */

import { READING_PROMISES } from './store-suite-reading.ts';
import type { StoreUnderTest } from './store-suite-rows.ts';
import { WRITING_PROMISES } from './store-suite-writing.ts';

export { aStoredEvent } from './store-suite-rows.ts';
export type { StoreUnderTest } from './store-suite-rows.ts';

/** One promise. `run` rejects when it is broken. */
export interface StoreCase {
  readonly title: string;
  run(): Promise<void>;
}

/** The cases; each opens a fresh store and cleans it up. */
export function eventStoreCases(open: () => Promise<StoreUnderTest>): readonly StoreCase[] {
  return Object.entries({ ...READING_PROMISES, ...WRITING_PROMISES }).map(([title, check]) => ({
    title,
    async run() {
      const opened = await open();
      try {
        await check(opened.store, opened);
      } finally {
        await opened.cleanup();
      }
    },
  }));
}
