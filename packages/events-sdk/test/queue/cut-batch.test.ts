/** A request holds as many events as fit, by count and by bytes, in their order; the first always goes. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { batchBytes } from '../../src/contract/batch.ts';
import { cutBatch, cutIntoBatches } from '../../src/queue/cut-batch.ts';

const events = (...texts: readonly string[]) => texts.map((data) => ({ data }));
const three = events('{"a":"1"}', '{"a":"2"}', '{"a":"3"}');
const NO_BOUND = 1_000_000;

test('cuts by count, and takes the first even where the count says none', () => {
  const cut = (maxEvents: number): number => cutBatch(three, { maxEvents, maxBytes: NO_BOUND }).length;

  expect([0, 1, 2, 3, 4].map(cut)).toEqual([1, 1, 2, 3, 3]);
});

test('cuts by bytes where the next one would be a byte too many, and takes the first whatever it weighs', () => {
  const cut = (maxBytes: number): number => cutBatch(three, { maxEvents: 10, maxBytes }).length;
  const two = batchBytes(three.slice(0, 2));

  expect([0, two - 1, two, batchBytes(three) - 1, batchBytes(three)].map(cut)).toEqual([1, 1, 2, 2, 3]);
});

test('weighs bytes, not letters', () => {
  const cats = events('"🐈🐈"', '"🐈🐈"', '"🐈🐈"');
  const cut = (maxBytes: number): number => cutBatch(cats, { maxEvents: 10, maxBytes }).length;

  expect([batchBytes(cats.slice(0, 2)), batchBytes(cats) - 1, batchBytes(cats)].map(cut)).toEqual([2, 2, 3]);
});

test('a batch of letters that all take three bytes is no byte too large', () => {
  const words = events('語語', '語語', '語語');

  expect(cutBatch(words, { maxEvents: 10, maxBytes: batchBytes(words) - 1 })).toHaveLength(2);
  expect(cutBatch(words, { maxEvents: 10, maxBytes: batchBytes(words) })).toHaveLength(3);
});

test('answers nothing of nothing, and the very same list where all of it fits', () => {
  expect(cutBatch([], { maxEvents: 10, maxBytes: 0 })).toEqual([]);
  expect(cutBatch(three, { maxEvents: 3, maxBytes: NO_BOUND })).toBe(three);
  expect(cutIntoBatches([], { maxEvents: 10, maxBytes: 0 })).toEqual([]);
});

test('in batches, every event goes once, in order, no batch is too large, and none could take the next event', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 40 });
  fc.assert(
    fc.property(fc.array(text, { maxLength: 30 }), fc.nat(8), fc.nat(300), (texts, maxEvents, maxBytes) => {
      const all = events(...texts);
      const batches = cutIntoBatches(all, { maxEvents, maxBytes });

      expect(batches.flat()).toEqual(all);
      for (const [index, batch] of batches.entries()) {
        const next = batches[index + 1]?.[0];
        const fits = (some: readonly { readonly data: string }[]): boolean =>
          some.length <= maxEvents && batchBytes(some) <= maxBytes;
        expect(batch.length === 1 || fits(batch)).toBe(true);
        if (next !== undefined) expect(fits([...batch, next])).toBe(false);
      }
    }),
  );
});
