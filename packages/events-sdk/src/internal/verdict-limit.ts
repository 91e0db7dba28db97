/** How much of an answer is read: a server may send more than it was asked about, and must not keep us busy with it. */
import { MAX_EVENTS_PER_BATCH } from '../contract/limits.ts';

/** An answer has one verdict an event, a thousand at most; what stands behind some times that many is not looked at. */
export const MAX_VERDICTS_READ = 4 * MAX_EVENTS_PER_BATCH;
