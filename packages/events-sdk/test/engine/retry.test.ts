/** When a pass that ended early is followed by the next (FR-032, US7-1). */
import { expect, test } from 'vitest';

import { retryDelay } from '../../src/engine/retry.ts';

const LATEST = (): number => 1 - 2 ** -32;

test.each(['forbidden', 'refused'] as const)(
  'what a person has to settle (%s) is asked again at the next flush',
  (by) => {
    const delay = retryDelay({ stop: { by, message: 'No.', retryAfterMs: 1 }, failuresBefore: 9, tookMs: 0 }, LATEST);

    expect(delay).toBe(300_000);
  },
);

test('a floor the server names comes before the backoff, not instead of it', () => {
  const stop = { by: 'throttled', message: 'Slow.', retryAfterMs: 7_000 } as const;

  expect(retryDelay({ stop, failuresBefore: 0, tookMs: 0 }, () => 0)).toBe(7_000);
  expect(retryDelay({ stop, failuresBefore: 2, tookMs: 0 }, LATEST)).toBe(9_000);
});

test('while the server cannot be reached, the attempt and the wait take half a minute together at most', () => {
  const stop = { by: 'unreachable', message: 'Gone.' } as const;
  const longest = (tookMs: number): number => retryDelay({ stop, failuresBefore: 50, tookMs }, LATEST);

  expect([0, 10_000, 25_000, 30_000, 90_000].map(longest)).toEqual([20_000, 20_000, 5_000, 0, 0]);
  expect(
    retryDelay({ stop: { by: 'server-error', message: 'Ill.' }, failuresBefore: 50, tookMs: 25_000 }, LATEST),
  ).toBe(30_000);
});
