/** Full jitter: any wait from none up to a ceiling that doubles from 500 ms to 30 s (FR-032). */
import { expect, test } from 'vitest';

import { backoffCeiling, backoffDelay } from '../../src/internal/backoff.ts';

const ALMOST_ONE = 1 - 2 ** -32;

test('the ceiling doubles from half a second up to half a minute, and stays there', () => {
  expect([0, 1, 2, 3, 4, 5, 6, 7, 100].map(backoffCeiling)).toEqual([
    500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000,
  ]);
  expect([-1, 0.9, 1.9].map(backoffCeiling)).toEqual([500, 500, 1_000]);
});

test('the wait is evenly spread from nothing to the ceiling, both included', () => {
  expect(backoffDelay(0, () => 0)).toBe(0);
  expect(backoffDelay(0, () => ALMOST_ONE)).toBe(500);
  expect(backoffDelay(2, () => 0.5)).toBe(1_000);
  expect(backoffDelay(50, () => ALMOST_ONE)).toBe(30_000);
});

test('a lower limit of the caller holds, a higher one does not', () => {
  expect(backoffDelay(6, () => ALMOST_ONE, 4_000)).toBe(4_000);
  expect(backoffDelay(0, () => ALMOST_ONE, 4_000)).toBe(500);
  expect(backoffDelay(6, () => ALMOST_ONE, 0)).toBe(0);
});
