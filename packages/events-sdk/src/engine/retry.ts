/**
 * The one rule for trying again (FR-032): how long to wait after a pass that ended early. Pure; whoever waits counts
 * the failures and owns the time.
 */
import { BACKOFF_MAX_MS, FLUSH_INTERVAL_MS, OFFLINE_CYCLE_MS } from '../contract/limits.ts';
import { backoffDelay } from '../internal/backoff.ts';
import type { SyncStop } from './report.ts';
import type { DeliveryStop } from './stops.ts';

/** While a server cannot be reached, one request may take this long, in milliseconds. */
export const OFFLINE_ATTEMPT_MS = 10_000;

/** A failed attempt: why it ended, how many failed before it, how long it took. */
export interface FailedAttempt {
  readonly stop: DeliveryStop;
  readonly failuresBefore: number;
  readonly tookMs: number;
}

/** Asking again soon will not change these answers: a person has to act. */
const SETTLED_NO: ReadonlySet<SyncStop> = new Set(['forbidden', 'refused']);

/**
 * Milliseconds until the next attempt: full jitter from 500 ms to 30 s, on top of the floor a server named, so that
 * those who were told the same time do not come back together. While the server cannot be reached, the attempt and the
 * wait together stay within 30 s (US7-1).
 */
export function retryDelay({ stop, failuresBefore, tookMs }: FailedAttempt, random: () => number): number {
  if (SETTLED_NO.has(stop.by)) return FLUSH_INTERVAL_MS;
  if (stop.retryAfterMs !== undefined) return stop.retryAfterMs + backoffDelay(failuresBefore, random);
  if (stop.by !== 'unreachable') return backoffDelay(failuresBefore, random);
  // The next attempt may begin just before the network is back, and then takes its whole time in vain.
  const most = Math.min(OFFLINE_CYCLE_MS - OFFLINE_ATTEMPT_MS, OFFLINE_CYCLE_MS - tookMs);
  return backoffDelay(failuresBefore, random, Math.max(0, Math.min(BACKOFF_MAX_MS, most)));
}
