/** What the queue takes in, in which order it lets go, and what it counts. */
import { describe, expect, test } from 'vitest';

import { readDestinations } from '../../src/queue/destinations.ts';
import { createOfflineQueue, type OfflineQueueDeps } from '../../src/queue/offline-queue.ts';
import { createMemoryStore } from '../../src/storage/memory.ts';
import { anEvent, testUlid } from '../../src/testing/an-event.ts';
import { createTestTime } from '../../src/testing/test-time.ts';

const SERVER = 'https://team.example';
const PLACEMENT = { state: 'queued', reason: null, server: SERVER, projectRoot: '/srv/demo' } as const;
const HELD = { ...PLACEMENT, state: 'held', reason: 'team', server: null } as const;
const ALL = { teamSlug: 'acme', server: SERVER, limit: 1000, maxBytes: 4_000_000 };

function setUp(deps: Partial<OfflineQueueDeps> = {}) {
  const store = createMemoryStore();
  const queue = createOfflineQueue({ store, time: createTestTime(1_770_487_445_999), ...deps });
  const put = (...clocks: readonly number[]) =>
    queue.enqueue(
      clocks.map((clock) => anEvent({ lamport_clock: clock })),
      PLACEMENT,
    );
  const rows = () => store.read((reader) => reader.events());
  const clocks = async (): Promise<readonly number[]> => (await rows()).map((row) => row.lamportClock);
  return { store, queue, put, rows, clocks };
}

describe('taking in', () => {
  test('gives each event the next value of the clock and writes the very text that is sent (FR-006, FR-024)', async () => {
    const { store, queue, rows } = setUp();
    await store.transact((tx) => tx.raiseClock(41));

    const answer = await queue.append(2, PLACEMENT, (lamport_clock, index) =>
      anEvent({ lamport_clock, aggregate_id: `WP0${index + 1}` }),
    );

    const events = [42, 43].map((clock, index) => anEvent({ lamport_clock: clock, aggregate_id: `WP0${index + 1}` }));
    expect(answer).toEqual({ kind: 'appended', envelopes: events, waiting: 2 });
    expect(await rows()).toMatchObject([
      {
        eventId: testUlid(42),
        eventType: 'WPStatusChanged',
        aggregateId: 'WP01',
        teamSlug: 'acme',
        projectUuid: anEvent().project_uuid,
        data: JSON.stringify(events[0]),
        enqueuedAt: 1_770_487_445,
        ...PLACEMENT,
      },
      { eventId: testUlid(43), aggregateId: 'WP02' },
    ]);
    expect(await store.read((reader) => reader.clock())).toBe(43);
  });

  test('keeps the first of two events with one id, and raises the clock above what came from elsewhere', async () => {
    const { store, queue, put, rows } = setUp();
    await put(7);

    const again = [anEvent({ lamport_clock: 7, aggregate_id: 'WP09' }), anEvent({ lamport_clock: 9 })];
    expect(await queue.enqueue(again, PLACEMENT)).toEqual({ kind: 'appended', envelopes: again, waiting: 2 });

    expect((await rows()).map((row) => row.aggregateId)).toEqual(['WP01', 'WP01']);
    expect(await store.read((reader) => reader.clock())).toBe(9);
  });

  test('the clock stays above what came from elsewhere when that has left again', async () => {
    const { store, queue, put } = setUp();
    await put(9);
    await store.transact((tx) => tx.remove([testUlid(9)]));

    await queue.append(1, PLACEMENT, (lamport_clock) => anEvent({ lamport_clock }));

    expect(await store.read((reader) => reader.events())).toMatchObject([{ lamportClock: 10 }]);
  });

  test('what waits already needs no room in a full queue', async () => {
    const { queue, put } = setUp({ cap: 2 });
    await put(1, 2);

    expect(await put(1, 2)).toMatchObject({ kind: 'appended', waiting: 2 });
    expect(await queue.size()).toMatchObject({ queued: 2, dropped: 0 });
  });
});

describe('a full queue', () => {
  test('refuses all of what does not fit and counts each, held ones taking room too, parked ones none (EC-4)', async () => {
    const { queue, put, clocks } = setUp({ cap: 3 });
    await put(1, 2);
    await queue.enqueue([anEvent({ lamport_clock: 3, team_slug: null })], HELD);

    expect(await put(4, 5)).toEqual({ kind: 'full', waiting: 3 });
    expect(await queue.size()).toEqual({ queued: 2, held: 1, parked: 0, dropped: 2, cap: 3 });

    await queue.park([testUlid(1)], 'refused');
    expect(await put(6)).toMatchObject({ kind: 'appended', waiting: 3 });
    expect(await put(7)).toEqual({ kind: 'full', waiting: 3 });
    expect(await queue.size()).toEqual({ queued: 2, held: 1, parked: 1, dropped: 3, cap: 3 });
    expect(await clocks()).toEqual([1, 2, 3, 6]);
  });

  test('makes exactly the room that is needed where the oldest give way, and counts them', async () => {
    const { queue, put, clocks } = setUp({ cap: 3, overflow: 'evict-oldest' });
    await put(1, 2, 3);
    await queue.park([testUlid(1)], 'refused');

    expect(await put(4, 5)).toMatchObject({ kind: 'appended', waiting: 3 });

    expect(await clocks(), 'what is set aside stays').toEqual([1, 3, 4, 5]);
    expect(await queue.size()).toMatchObject({ queued: 3, parked: 1, dropped: 1 });
  });

  test('gives up nothing for more than it could ever hold', async () => {
    const { queue, put, clocks } = setUp({ cap: 2, overflow: 'evict-oldest' });
    await put(1);

    expect(await put(2, 3, 4)).toEqual({ kind: 'full', waiting: 1 });
    expect(await clocks()).toEqual([1]);
    expect(await queue.size()).toMatchObject({ dropped: 3 });
    expect(await put(5, 6), 'as many as it holds').toMatchObject({ kind: 'appended', waiting: 2 });
    expect(await clocks()).toEqual([5, 6]);
  });
});

describe('letting go', () => {
  test('takes what is ready for one team and server in the order of the clock, not of arrival (FR-033)', async () => {
    const { queue, put } = setUp();
    await put(5, 3, 4);
    await queue.enqueue([anEvent({ lamport_clock: 1, team_slug: 'lions' })], PLACEMENT);
    await queue.enqueue([anEvent({ lamport_clock: 2 })], { ...PLACEMENT, server: 'https://other.example' });
    await queue.enqueue([anEvent({ lamport_clock: 6 })], { ...PLACEMENT, state: 'held', reason: 'disabled' });
    const taken = async (more: object): Promise<readonly number[]> =>
      (await queue.nextBatch({ ...ALL, ...more })).map((row) => row.lamportClock);

    expect(await taken({})).toEqual([3, 4, 5]);
    expect(await taken({ limit: 2 })).toEqual([3, 4]);
    expect(await taken({ maxBytes: 20 }), 'the first always goes').toEqual([3]);
    const [first] = await queue.nextBatch(ALL);
    expect(await taken({ after: first })).toEqual([4, 5]);
  });

  test('settles and does what belongs to it in one transaction, or neither', async () => {
    const { store, queue, put, rows, clocks } = setUp();
    await put(1, 2);
    const success = (n: number) => [{ eventId: testUlid(n), verdict: 'success' }] as const;

    await expect(
      queue.settle(await rows(), success(1), () => {
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    expect(await clocks()).toEqual([1, 2]);
    expect(await queue.settle(await rows(), success(2), (tx) => tx.setValue('seen', 'yes'))).toMatchObject({
      removed: 1,
    });

    expect(await clocks()).toEqual([1]);
    expect(await store.read((reader) => reader.value('seen'))).toBe('yes');
    expect(await queue.settle(await rows(), success(1))).toMatchObject({ removed: 1 });
  });

  test('sets aside with the reason and keeps what it sets aside', async () => {
    const { queue, put, rows } = setUp();
    await put(1, 2);

    await queue.park([testUlid(2)], 'no event');

    expect(await rows()).toMatchObject([
      { state: 'queued', reason: null },
      { state: 'parked', reason: 'no event' },
    ]);
  });
});

test('destinations count what waits by team and server, the largest first; nobody knows the team "local"', async () => {
  const { store, queue, put } = setUp();
  await queue.enqueue(
    [anEvent({ lamport_clock: 1, team_slug: null }), anEvent({ lamport_clock: 2, team_slug: 'local' })],
    HELD,
  );
  await queue.enqueue([anEvent({ lamport_clock: 3 })], { ...PLACEMENT, server: 'https://other.example' });
  await put(4, 5, 6, 7);
  await queue.park([testUlid(7)], 'refused');

  expect(await store.read(readDestinations)).toEqual([
    { teamSlug: 'acme', server: SERVER, count: 3 },
    { teamSlug: null, server: null, count: 2 },
    { teamSlug: 'acme', server: 'https://other.example', count: 1 },
  ]);
});
