/** The storm's own book-keeping: every promise it watches over is seen broken when it is. */
import { expect, test } from 'vitest';

import { judge, type Evidence, type Known } from './judge.ts';

const event = (id: string, clock: number | null, node: string | null = 'here'): Known => ({ id, clock, node });

/** Two events delivered, a third one that was never acknowledged as well: all is well. */
const WELL: Evidence = {
  acknowledged: [event('a', 1), event('b', 2)],
  server: [event('a', 1), event('b', 2), event('c', 3)],
  queue: [],
};

test('the judge finds nothing where every acknowledged event was delivered once, and others besides', () => {
  expect(judge(WELL)).toEqual([]);
});

test('the judge does not ask for the clock of an event that was set aside before it had one', () => {
  const spilled = { ...WELL, acknowledged: [...WELL.acknowledged, event('c', null, null)] };

  expect(judge(spilled)).toEqual([]);
});

test.each<[string, Partial<Evidence>, unknown]>([
  ['an acknowledged event that is nowhere', { server: [event('a', 1)] }, [{ kind: 'lost', id: 'b' }]],
  [
    'an event that still waits after the last delivery',
    { server: [event('a', 1)], queue: [event('b', 2)] },
    [{ kind: 'undelivered', id: 'b' }],
  ],
  [
    'an event the server stored twice',
    { server: [...WELL.server, event('b', 2)] },
    [{ kind: 'stored-twice', id: 'b' }],
  ],
  [
    'an event whose clock is another one now',
    { server: [event('a', 1), event('b', 5)] },
    [{ kind: 'altered', id: 'b' }],
  ],
  [
    'a clock value given out twice, also when one of the two events is lost',
    { acknowledged: [event('a', 1), event('b', 1)], server: [event('a', 1)] },
    [
      { kind: 'lost', id: 'b' },
      { kind: 'clock-repeated', node: 'here', clock: 1, ids: ['a', 'b'] },
    ],
  ],
])('the judge reports %s', (_what, broken, faults) => {
  expect(judge({ ...WELL, ...broken })).toEqual(faults);
});

test('the same clock value on two nodes is no fault', () => {
  expect(judge({ ...WELL, server: [...WELL.server, event('d', 2, 'elsewhere')] })).toEqual([]);
});
