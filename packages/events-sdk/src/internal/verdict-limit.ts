import { MAX_EVENTS_PER_BATCH } from '../contract/limits.ts';

/** An answer has one verdict an event, a thousand at most; what stands behind some times that many is not looked at. */
export const MAX_VERDICTS_READ = 4 * MAX_EVENTS_PER_BATCH;
