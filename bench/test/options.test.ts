/** What `npm run bench -- …` understands. */
import { expect, test } from 'vitest';

import { readOptions } from '../src/options.ts';

const NAMES = ['append', 'drain', 'growth'];

test('without a word everything is measured', () => {
  expect(readOptions([], NAMES)).toEqual({ isQuick: false, only: undefined });
});

test('sections are named in one list or in several', () => {
  expect(readOptions(['--quick', '--only', 'drain,growth'], NAMES)).toEqual({
    isQuick: true,
    only: ['drain', 'growth'],
  });
  expect(readOptions(['--only', 'drain', '--only', 'append'], NAMES).only).toEqual(['drain', 'append']);
});

test('an unknown section is refused with the list of those there are', () => {
  expect(() => readOptions(['--only', 'drian'], NAMES)).toThrow('There is no drian. There is: append, drain, growth.');
});
