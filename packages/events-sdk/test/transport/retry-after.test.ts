/** The two forms of `Retry-After`, wherever the machine stands (RFC 9110 §10.2.3). */
import { afterEach, beforeEach, expect, test } from 'vitest';

import { MAX_RETRY_AFTER_MS, readRetryAfter } from '../../src/transport/retry-after.ts';

const NOW = Date.UTC(2026, 1, 7, 18);
const zone = process.env['TZ'];
// Far from Greenwich: a date that names no zone must not be read as the machine's own time.
beforeEach(() => {
  process.env['TZ'] = 'America/New_York';
});
afterEach(() => {
  if (zone === undefined) delete process.env['TZ'];
  else process.env['TZ'] = zone;
});

test.each([
  ['12', 12_000],
  [' 7 ', 7_000],
  ['1.25', 1_250],
  ['0.0004', 1],
  ['Sat, 07 Feb 2026 18:00:30 GMT', 30_000],
  ['Sat, 07 Feb 2026 18:00:30 UTC', 30_000],
  ['Sat, 07 Feb 2026 19:00:30 +0100', 30_000],
  ['Sat, 07 Feb 2026 13:00:30 -0500', 30_000],
  ['Saturday, 07-Feb-2026 18:00:30', 30_000],
  ['Sat Feb  7 18:00:30 2026', 30_000],
  ['Sat, 07 Feb 2026 17:59:59 GMT', 0],
  ['7200', MAX_RETRY_AFTER_MS],
])('%j asks for %i ms', (value, ms) => {
  expect(readRetryAfter(value, NOW)).toBe(ms);
});

test.each([null, '', '-3', '3 s', '1.', 'around Sat, 07 Feb 2026 18:00:30 GMT', 'Sat, 07 Feb 2026'])(
  '%j asks for nothing',
  (value) => {
    expect(readRetryAfter(value, NOW)).toBeUndefined();
  },
);
