/** Refused events: what a person can decide about them. */
import { expect, test } from 'vitest';

import { createOfflineQueue } from '../../src/queue/offline-queue.ts';
import { createRejectedEvents } from '../../src/queue/rejected-events.ts';
import { createMemoryStore } from '../../src/storage/memory.ts';
import { anEvent, testUlid } from '../../src/testing/an-event.ts';
import { createTestTime } from '../../src/testing/test-time.ts';

const PLACEMENT = { state: 'queued', reason: null, server: 'https://kitty.example.com', projectRoot: null } as const;

/** Events 1 to 3: the first refused once, the second set aside after five refusals, the third untouched. */
async function setUp() {
  const store = createMemoryStore();
  const queue = createOfflineQueue({ store, time: createTestTime() });
  await queue.enqueue(
    [1, 2, 3].map((lamportClock) => anEvent({ lamport_clock: lamportClock })),
    PLACEMENT,
  );
  const refuse = async (number: number): Promise<void> => {
    const batch = await store.read((reader) => reader.events());
    await queue.settle(batch, [{ eventId: testUlid(number), verdict: 'rejected', reason: 'payload: wp_id missing' }]);
  };
  await refuse(1);
  for (let times = 0; times < 5; times += 1) await refuse(2);
  return { store, queue, rejected: createRejectedEvents(async () => store) };
}

test('lists what was refused, set aside or still to be tried again, and nothing else (US2-3)', async () => {
  const { rejected } = await setUp();

  expect(await rejected.list()).toMatchObject([
    { eventId: testUlid(1), state: 'queued', retryCount: 1, reason: 'payload: wp_id missing' },
    { eventId: testUlid(2), state: 'parked', retryCount: 5, reason: 'payload: wp_id missing' },
  ]);
});

test('sends chosen events again with all their tries before them', async () => {
  const { rejected, queue, store } = await setUp();

  const decision = await rejected.retry([testUlid(2), testUlid(2), 'nobody', testUlid(3)]);

  expect(decision).toEqual({ done: [testUlid(2)], unknown: ['nobody', testUlid(3)], unreadable: [] });
  expect(await store.read((reader) => reader.event(testUlid(2)))).toMatchObject({
    state: 'queued',
    retryCount: 0,
    reason: null,
  });
  expect(await queue.size()).toMatchObject({ queued: 3, parked: 0, dropped: 0 });
});

test('drops chosen events, or all, and counts them for ever', async () => {
  const { rejected, queue } = await setUp();

  expect(await rejected.drop([testUlid(1)])).toEqual({ done: [testUlid(1)], unknown: [], unreadable: [] });
  expect(await rejected.drop('all')).toEqual({ done: [testUlid(2)], unknown: [], unreadable: [] });

  expect(await rejected.list()).toEqual([]);
  expect(await queue.size()).toMatchObject({ queued: 1, parked: 0, dropped: 2 });
});

test('a row that is no event is not sent again: named, it is said; among all, it is passed over; dropped it can be', async () => {
  const { rejected, queue } = await setUp();
  await queue.park([testUlid(3)], 'unreadable');

  expect(await rejected.retry([testUlid(3)])).toEqual({ done: [], unknown: [], unreadable: [testUlid(3)] });
  expect(await rejected.retry('all')).toEqual({ done: [testUlid(1), testUlid(2)], unknown: [], unreadable: [] });
  expect(await rejected.list()).toMatchObject([{ eventId: testUlid(3), state: 'parked', reason: 'unreadable' }]);

  expect(await rejected.drop([testUlid(3), 'nobody'])).toEqual({
    done: [testUlid(3)],
    unknown: ['nobody'],
    unreadable: [],
  });
  expect(await queue.size()).toMatchObject({ queued: 2, parked: 0, dropped: 1 });
});

test('a server may say the word "unreadable" of an event: it is sent again all the same', async () => {
  const { rejected, queue, store } = await setUp();
  await queue.settle(await store.read((reader) => reader.events()), [
    { eventId: testUlid(3), verdict: 'rejected', reason: 'unreadable' },
  ]);

  expect(await rejected.retry([testUlid(3)])).toEqual({ done: [testUlid(3)], unknown: [], unreadable: [] });
});

test('dropping nobody counts nothing', async () => {
  const { rejected, store } = await setUp();

  expect(await rejected.drop(['nobody'])).toEqual({ done: [], unknown: ['nobody'], unreadable: [] });
  expect(await store.read((reader) => reader.value('dropped_events'))).toBeUndefined();
});
