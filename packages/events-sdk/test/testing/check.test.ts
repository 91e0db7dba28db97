/** The suites' own assertions: a suite that cannot fail proves nothing. */
import { describe, expect, test } from 'vitest';

import { deepEqual, equal, notEqual, ok, rejects } from '../../src/testing/check.ts';
import { eventStoreCases } from '../../src/testing/store-suite.ts';
import { createMemoryStore } from '../../src/storage/memory.ts';

const SAME: readonly [unknown, unknown][] = [
  [[], []],
  [{ a: [1, { b: null }] }, { a: [1, { b: null }] }],
  [Object.assign(Object.create(null) as object, { a: 1 }), Object.assign(Object.create(null) as object, { a: 1 })],
  [[undefined], [undefined]],
  [Number.NaN, Number.NaN],
];
const DIFFERENT: readonly [unknown, unknown][] = [
  [[1], [1, 2]],
  [
    [1, 2],
    [2, 1],
  ],
  [{ a: 1 }, { a: 1, b: undefined }],
  [{ a: undefined }, { b: undefined }],
  [[], {}],
  [0, -0],
  ['1', 1],
  [null, undefined],
  [new Date(0), new Date(0)],
];

describe('the assertions of the suites', () => {
  test.each(SAME)('take %j for the same as %j', (a, b) => {
    expect(() => deepEqual(a, b)).not.toThrow();
  });

  test.each(DIFFERENT)('tell %j from %j, either way round', (a, b) => {
    expect(() => deepEqual(a, b)).toThrow(/^Expected/);
    expect(() => deepEqual(b, a)).toThrow(/^Expected/);
  });

  test('say what was expected and what came', () => {
    expect(() => equal(1, 2)).toThrow('Expected 2, got 1.');
    expect(() => notEqual('a', 'a')).toThrow('Expected anything but "a".');
    expect(() => ok(undefined)).toThrow('Expected a value, got none.');
  });

  test('take no rejection, or another one, for a failure', async () => {
    await expect(rejects(Promise.resolve(3))).rejects.toThrow('Expected a rejection, got 3.');
    await expect(rejects(Promise.reject(new Error('other')), () => false)).rejects.toThrow('not as expected');
    await rejects(Promise.reject(new Error('this')), (error) => error instanceof Error);
  });

  test('let the store suite fail for a store that forgets', async () => {
    const open = async () => {
      const store = createMemoryStore();
      return { store, reopen: async () => createMemoryStore(), cleanup: () => store.close() };
    };
    const found = eventStoreCases(open).find(({ title }) => title === 'has everything after it was opened again');

    await expect(found?.run()).rejects.toThrow(/^Expected/);
  });
});
