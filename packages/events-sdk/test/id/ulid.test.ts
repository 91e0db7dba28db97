import { describe, expect, test } from 'vitest';

import { ULID_PATTERN } from '../../src/contract/envelope.ts';
import { createUlidFactory, isUlid } from '../../src/id/ulid.ts';

const clockAt = (ms: number): { ms: number; now(): number } => ({
  ms,
  now() {
    return this.ms;
  },
});
const timeOf = (id: string): string => id.slice(0, 10);

describe('event ids', () => {
  test('are ULIDs, never repeat, and rise within a millisecond (FR-004)', () => {
    const next = createUlidFactory({ time: clockAt(1_770_000_000_000) });

    const ids = Array.from({ length: 50_000 }, () => next());

    expect(ids.every((id) => ULID_PATTERN.test(id))).toBe(true);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.toSorted()).toEqual(ids);
  });

  test('sort by time (FR-004)', () => {
    const time = clockAt(1_770_000_000_000);
    const next = createUlidFactory({ time });
    const first = next();
    time.ms += 1;

    expect(next() > first).toBe(true);
  });

  test('return to the present after a wall clock that was years ahead', () => {
    const time = clockAt(2_080_000_000_000);
    const next = createUlidFactory({ time });
    next();
    time.ms = 1_770_000_000_000;

    expect(timeOf(next())).toBe(timeOf(createUlidFactory({ time })()));
  });

  test('keep rising through a small step back', () => {
    const time = clockAt(1_770_000_000_000);
    const next = createUlidFactory({ time });
    const first = next();
    time.ms -= 500;

    expect(next() > first).toBe(true);
  });

  test('stay distinct when the random part runs over', () => {
    const next = createUlidFactory({ time: clockAt(5), random: () => 0.9999 });

    const ids = [next(), next(), next()];

    expect(new Set(ids).size).toBe(3);
    expect(ids.toSorted()).toEqual(ids);
  });

  test.each([0, -1, Number.NaN, 1.5, Number.POSITIVE_INFINITY])('survive the wall time %s', (ms) => {
    expect(createUlidFactory({ time: clockAt(ms) })()).toMatch(ULID_PATTERN);
  });

  test.each(['', '01hnzx8jgfacfa36rbxdheqn6e', '01HNZX8JGFACFA36RBXDHEQN6', 7])('refuses %s as an id', (value) => {
    expect(isUlid(value)).toBe(false);
  });
});
