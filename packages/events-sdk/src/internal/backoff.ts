/**
 * How long to wait after a failure that may pass: exponential with full jitter (FR-032), so that many
 * machines that failed together do not come back together. Pure: the caller keeps count and time.
 */
import { BACKOFF_MAX_MS, BACKOFF_MIN_MS } from '../contract/limits.ts';

/** The longest wait before try `attempt + 1`: 500 ms after the first failure (`attempt` 0), doubling up to 30 s. */
export function backoffCeiling(attempt: number): number {
  const doublings = Math.max(0, Math.floor(attempt));
  return Math.min(BACKOFF_MAX_MS, BACKOFF_MIN_MS * 2 ** doublings);
}

/**
 * A wait in whole milliseconds, evenly spread from 0 to {@link backoffCeiling}, or to `maxMs` where that is less.
 * `random` gives numbers in [0, 1).
 */
export function backoffDelay(attempt: number, random: () => number, maxMs: number = BACKOFF_MAX_MS): number {
  return Math.floor(random() * (Math.min(maxMs, backoffCeiling(attempt)) + 1));
}
