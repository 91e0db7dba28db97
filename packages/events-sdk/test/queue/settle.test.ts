/** What a server's verdicts do to the rows of a batch, and what they leave alone. */
import { expect, test } from 'vitest';

import type { EventVerdict } from '../../src/contract/batch.ts';
import { createOfflineQueue } from '../../src/queue/offline-queue.ts';
import { settleBatch, type Settlement } from '../../src/queue/settle.ts';
import { createMemoryStore } from '../../src/storage/memory.ts';
import { projectTeamKey } from '../../src/storage/values.ts';
import { anEvent, testUlid } from '../../src/testing/an-event.ts';
import { createTestTime } from '../../src/testing/test-time.ts';

const PLACEMENT = { state: 'queued', reason: null, server: 'https://team.example', projectRoot: null } as const;
const PROJECT = anEvent().project_uuid ?? '';
const OTHER_PROJECT = '8c1f9a52-7f0e-4c55-9d0b-2a6c1b7e4d10';

/** A store with these events waiting, and their rows as a batch. */
async function setUp(...events: readonly Parameters<typeof anEvent>[0][]) {
  const store = createMemoryStore();
  await createOfflineQueue({ store, time: createTestTime() }).enqueue(
    events.map((event) => anEvent(event)),
    PLACEMENT,
  );
  const batch = await store.read((reader) => reader.events());
  const settle = (...verdicts: readonly EventVerdict[]): Promise<Settlement> =>
    store.transact((tx) => settleBatch(tx, batch, verdicts));
  const rows = () =>
    store.read((reader) =>
      reader.events().map(({ eventId, state, retryCount, reason }) => [eventId, state, retryCount, reason]),
    );
  const teamOf = (project: string) => store.read((reader) => reader.value(projectTeamKey(project)));
  return { store, settle, rows, teamOf };
}

const clocks = (...values: readonly number[]) => values.map((clock) => ({ lamport_clock: clock }));

test('success and duplicate remove a row and are counted apart; pending and silence leave it as it was (US2-2)', async () => {
  const { settle, rows } = await setUp(...clocks(1, 2, 3, 4));

  const settlement = await settle(
    { eventId: testUlid(1), verdict: 'success' },
    { eventId: testUlid(2), verdict: 'duplicate' },
    { eventId: testUlid(3), verdict: 'pending' },
  );

  expect(settlement).toEqual({ removed: 1, duplicates: 1, pending: [testUlid(3)], rejected: [], left: [testUlid(4)] });
  expect(await rows()).toEqual([
    [testUlid(3), 'queued', 0, null],
    [testUlid(4), 'queued', 0, null],
  ]);
});

test('a rejection is counted with the words of the server, and sets the event aside at the fifth (US2-3)', async () => {
  const { settle, rows } = await setUp({ lamport_clock: 1 });
  const rejected: EventVerdict = { eventId: testUlid(1), verdict: 'rejected', reason: 'wp_id missing' };

  for (const retryCount of [1, 2, 3, 4]) {
    expect((await settle(rejected)).rejected).toEqual([
      { eventId: testUlid(1), eventType: 'WPStatusChanged', reason: 'wp_id missing', retryCount, parked: false },
    ]);
    expect(await rows()).toEqual([[testUlid(1), 'queued', retryCount, 'wp_id missing']]);
  }

  expect((await settle(rejected)).rejected).toMatchObject([{ retryCount: 5, parked: true }]);
  expect(await rows()).toEqual([[testUlid(1), 'parked', 5, 'wp_id missing']]);
});

test('a rejection that says nothing is kept with words that say so', async () => {
  const { settle, rows } = await setUp({ lamport_clock: 1 });

  await settle({ eventId: testUlid(1), verdict: 'rejected' });

  expect(await rows()).toEqual([[testUlid(1), 'queued', 1, 'rejected without a reason']]);
});

test('counts on from what another process has counted since the batch was taken', async () => {
  const { store, settle, rows } = await setUp({ lamport_clock: 1 });
  await store.transact((tx) => tx.update(testUlid(1), { retryCount: 3 }));

  await settle({ eventId: testUlid(1), verdict: 'rejected', reason: 'no' });

  expect(await rows()).toEqual([[testUlid(1), 'queued', 4, 'no']]);
});

test('a row that is gone by now is brought back by no verdict', async () => {
  const { store, settle, rows } = await setUp(...clocks(1, 2, 3));
  await store.transact((tx) => tx.remove([testUlid(1), testUlid(2)]));

  const { rejected } = await settle(
    { eventId: testUlid(1), verdict: 'rejected', reason: 'no' },
    { eventId: testUlid(2), verdict: 'success' },
  );

  expect(rejected).toMatchObject([{ eventId: testUlid(1), retryCount: 1, parked: false }]);
  expect(await rows()).toEqual([[testUlid(3), 'queued', 0, null]]);
});

test('hears one verdict an event, and none on events that were not sent', async () => {
  const { store, settle, rows } = await setUp(...clocks(1, 2));
  await createOfflineQueue({ store, time: createTestTime() }).enqueue([anEvent({ lamport_clock: 9 })], PLACEMENT);

  const settlement = await settle(
    { eventId: testUlid(1), verdict: 'rejected', reason: 'no' },
    { eventId: testUlid(1), verdict: 'success' },
    { eventId: testUlid(9), verdict: 'success' },
  );

  expect(settlement).toMatchObject({ removed: 0, duplicates: 0, left: [testUlid(2)] });
  expect(await rows()).toEqual([
    [testUlid(1), 'queued', 1, 'no'],
    [testUlid(2), 'queued', 0, null],
    [testUlid(9), 'queued', 0, null],
  ]);
});

test('what the server has shows whose project it is; a refusal and a wait show nothing (SEC-1)', async () => {
  const learned = async (verdict: EventVerdict['verdict']): Promise<unknown> => {
    const { settle, teamOf } = await setUp({ lamport_clock: 1 }, { lamport_clock: 2, project_uuid: OTHER_PROJECT });
    await settle({ eventId: testUlid(1), verdict });
    return [await teamOf(PROJECT), await teamOf(OTHER_PROJECT)];
  };

  expect(await learned('success')).toEqual(['acme', undefined]);
  expect(await learned('duplicate')).toEqual(['acme', undefined]);
  expect(await learned('rejected')).toEqual([undefined, undefined]);
  expect(await learned('pending')).toEqual([undefined, undefined]);
});

test('a project keeps the team it was first delivered under, in this batch and ever (SEC-1)', async () => {
  const { store, settle, teamOf } = await setUp(
    { lamport_clock: 1 },
    { lamport_clock: 2, team_slug: 'tigers' },
    { lamport_clock: 3, team_slug: 'tigers', project_uuid: OTHER_PROJECT },
  );
  await store.transact((tx) => tx.setValue(projectTeamKey(OTHER_PROJECT), 'lions'));

  await settle(...[1, 2, 3].map((n): EventVerdict => ({ eventId: testUlid(n), verdict: 'success' })));

  expect([await teamOf(PROJECT), await teamOf(OTHER_PROJECT)]).toEqual(['acme', 'lions']);
});

test('asks the store once for the team of a project, however many of its events were delivered', async () => {
  const { store } = await setUp(...clocks(...Array.from({ length: 300 }, (_, at) => at + 1)));
  const asked: string[] = [];

  await store.transact((tx) => {
    const batch = tx.events();
    const verdicts = batch.map(({ eventId }): EventVerdict => ({ eventId, verdict: 'success' }));
    settleBatch({ ...tx, value: (key) => (asked.push(key), tx.value(key)) }, batch, verdicts);
  });

  expect(asked).toEqual([projectTeamKey(PROJECT)]);
});

test('an event that names no project or no team shows nothing of any (SEC-1)', async () => {
  const { settle, teamOf } = await setUp(
    { lamport_clock: 1, project_uuid: null },
    { lamport_clock: 2, team_slug: null },
    { lamport_clock: 3, project_uuid: OTHER_PROJECT },
  );

  await settle(...[1, 2, 3].map((n): EventVerdict => ({ eventId: testUlid(n), verdict: 'success' })));

  expect([await teamOf('null'), await teamOf(PROJECT), await teamOf(OTHER_PROJECT)]).toEqual([
    undefined,
    undefined,
    'acme',
  ]);
});
