/** The numbers a run is told in. */
import { expect, test } from 'vitest';

import { table } from '../src/markdown.ts';
import { digits, median, medianOf, quantile, spread } from '../src/statistics.ts';

test('a sample is told by its middle, its least and its most', () => {
  expect(median([5, 1, 3])).toBe(3);
  expect(quantile([4, 1, 2, 3], 0.95)).toBe(4);
  expect(spread([12.34, 10, 1234])).toBe('12.3 (10.0–1,234)');
  expect(spread([])).toBe('–');
});

test('two samples are compared round by round, so that a slow round slows both', () => {
  expect(medianOf([10, 200, 30], [5, 100, 10], (a, b) => a / b)).toBe(2);
});

test('three digits are enough, with a sign', () => {
  expect([0.123, 12.34, 1234.5, -3.25].map(digits)).toEqual(['0.12', '12.3', '1,235', '-3.25']);
});

test('text columns stand left, numbers right', () => {
  expect(table(['what', 'ms'], [['a', '1']])).toBe('| what | ms |\n|---|--:|\n| a | 1 |');
});
