/** Why an event has not left: one gate at a time, as delivery would meet them. */
import { expect, test } from 'vitest';

import type { AuthStatus } from '../../src/auth/token-manager.ts';
import { explainEvents, type ExplainDeps } from '../../src/engine/explain.ts';
import { acquireLease } from '../../src/engine/lease.ts';
import { noteFloor } from '../../src/engine/pace.ts';
import { createMemoryStore } from '../../src/storage/memory.ts';
import type { EventStore, NewStoredEvent } from '../../src/storage/port.ts';
import { projectTeamKey, VALUE } from '../../src/storage/values.ts';
import { anEvent, testUlid } from '../../src/testing/an-event.ts';
import { TEST_SESSION } from '../../src/testing/fake-session.ts';

const NOW = 1_770_000_000_000;
const UUID = anEvent().project_uuid ?? '';
const SIGNED_IN: Pick<AuthStatus, 'session' | 'state'> = { session: TEST_SESSION, state: 'active' };
const PROJECT = { uuid: UUID, slug: 'demo', teamSlug: null, syncEnabled: true };

async function aStore(row: Partial<NewStoredEvent> = {}): Promise<EventStore> {
  const store = createMemoryStore();
  const envelope = anEvent({ team_slug: TEST_SESSION.teamSlug });
  await store.transact((tx) =>
    tx.insert({
      eventId: testUlid(1),
      eventType: 'WPStatusChanged',
      aggregateId: 'WP01',
      lamportClock: 1,
      teamSlug: TEST_SESSION.teamSlug,
      projectUuid: UUID,
      data: JSON.stringify(envelope),
      state: 'queued',
      reason: null,
      server: TEST_SESSION.server,
      projectRoot: '/project',
      enqueuedAt: NOW / 1000 - 60,
      ...row,
    }),
  );
  return store;
}

async function gateOf(store: EventStore, more: Partial<ExplainDeps> = {}) {
  const [event] = await explainEvents({
    store,
    auth: SIGNED_IN,
    lookUpProject: async () => PROJECT,
    isGone: () => false,
    isAutomatic: true,
    now: NOW,
    ...more,
  });
  return event;
}

test('an event that may leave is ready, or waits for a person where nothing is delivered by itself', async () => {
  const store = await aStore();

  expect(await gateOf(store)).toMatchObject({ gate: 'ready', recordedAt: NOW - 60_000 });
  expect(await gateOf(store, { isAutomatic: false })).toMatchObject({ gate: 'delivery-off' });
});

test('without a usable sign-in that is the gate', async () => {
  const store = await aStore();

  expect(await gateOf(store, { auth: { session: null, state: 'logged-out' } })).toMatchObject({ gate: 'logged-out' });
  expect(await gateOf(store, { auth: { session: TEST_SESSION, state: 'expired' } })).toMatchObject({ gate: 'expired' });
});

test.for([
  ['another team', { teamSlug: 'umbrella', data: JSON.stringify(anEvent({ team_slug: 'umbrella' })) }],
  ['another server', { server: 'https://elsewhere.example' }],
] as const)('an event of %s waits for that account', async ([, row]) => {
  expect(await gateOf(await aStore(row))).toMatchObject({ gate: 'other-account' });
});

test('a project without identity, switched off, or of another team holds its events (FR-028d)', async () => {
  const open = { teamSlug: null, state: 'held', data: JSON.stringify(anEvent({ team_slug: null })) } as const;
  const noProject = await aStore({ ...open, projectUuid: null, reason: 'project' });
  const known = await aStore({ ...open, reason: 'team' });
  await known.transact((tx) => tx.setValue(projectTeamKey(UUID), 'umbrella'));

  expect(await gateOf(noProject, { lookUpProject: async () => null })).toMatchObject({ gate: 'project' });
  expect(
    await gateOf(await aStore(), { lookUpProject: async () => ({ ...PROJECT, syncEnabled: false }) }),
  ).toMatchObject({ gate: 'disabled' });
  expect(await gateOf(known)).toMatchObject({ gate: 'team-changed' });
});

test('what a sign-in has meanwhile made possible is ready, though no delivery has looked yet (FR-028b)', async () => {
  const store = await aStore({
    teamSlug: null,
    state: 'held',
    reason: 'team',
    server: null,
    data: JSON.stringify(anEvent({ team_slug: null })),
  });

  expect(await gateOf(store)).toMatchObject({ gate: 'ready', teamSlug: TEST_SESSION.teamSlug });
  expect(await gateOf(store, { auth: { session: null, state: 'logged-out' } })).toMatchObject({ gate: 'logged-out' });
});

test("a refused event carries the server's words, one set aside says so", async () => {
  expect(await gateOf(await aStore({ state: 'parked', reason: 'lane unknown' }))).toMatchObject({
    gate: 'parked',
    detail: 'lane unknown',
  });
  expect(await gateOf(await aStore({ state: 'parked', reason: 'unreadable' }))).toMatchObject({ gate: 'unreadable' });
});

test('a server that asked for a pause is left alone until then; a failed delivery says why and when', async () => {
  const paused = await aStore();
  await paused.transact((tx) =>
    noteFloor(tx, TEST_SESSION.server, { by: 'throttled', message: 'slow down', retryAfterMs: 5_000 }, NOW),
  );
  const failed = await aStore();
  await failed.transact((tx) =>
    tx.setValue(VALUE.lastSync, JSON.stringify({ at: NOW - 1, sent: 0, stoppedBy: 'unreachable', message: 'gone' })),
  );

  expect(await gateOf(paused)).toMatchObject({ gate: 'throttled', until: NOW + 5_000, detail: 'slow down' });
  expect(await gateOf(failed)).toMatchObject({ gate: 'failed', since: NOW - 1, detail: 'gone' });
});

test('while another process delivers, that is what it waits for', async () => {
  const store = await aStore();
  const owner = { pid: 4711, startedAt: 'x', host: 'here', role: 'courier' };
  await acquireLease({ store, owner, time: { now: () => NOW - 10 }, newToken: () => 'token', isGone: () => false });

  expect(await gateOf(store)).toMatchObject({ gate: 'delivering', since: NOW - 10, detail: 'courier, process 4711' });
  expect(await gateOf(store, { isGone: () => true })).toMatchObject({ gate: 'ready' });
});
