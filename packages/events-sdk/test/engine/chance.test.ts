import { expect, test } from 'vitest';

import { systemChance } from '../../src/internal/chance.ts';

test('the runtime gives numbers from 0 up to, but not including, 1, and not always the same', () => {
  const numbers = Array.from({ length: 1000 }, systemChance);

  expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true);
  expect(new Set(numbers).size).toBeGreaterThan(900);
});
