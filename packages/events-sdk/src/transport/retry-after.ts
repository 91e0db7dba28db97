/** The `Retry-After` header (RFC 9110 §10.2.3) as a floor for the next attempt. */

/** A server may ask for patience, not for silence: longer waits are cut to this. */
export const MAX_RETRY_AFTER_MS = 3_600_000;

/** Milliseconds to wait from `now`: 0 for a date in the past, undefined without a readable value. */
export function readRetryAfter(value: string | null, now: number): number | undefined {
  if (value === null) return undefined;
  const text = value.trim();
  const ms = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : millisecondsUntil(text, now);
  return ms === undefined ? undefined : Math.min(Math.max(0, Math.ceil(ms)), MAX_RETRY_AFTER_MS);
}

function millisecondsUntil(text: string, now: number): number | undefined {
  // All three HTTP date forms begin with the day's name; Date.parse alone would accept far more, even "1".
  if (!/^(mon|tue|wed|thu|fri|sat|sun)[a-z]*,? .*\d\d:\d\d:\d\d/i.test(text)) return undefined;
  // The oldest form names no zone and means GMT.
  const at = Date.parse(/(gmt|utc|[+-]\d{4})$/i.test(text) ? text : `${text} GMT`);
  return Number.isNaN(at) ? undefined : at - now;
}
