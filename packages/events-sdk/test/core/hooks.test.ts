/** What a host may hear, what it may change, and that neither hurts the work. */
import { expect, test } from 'vitest';

import type { BackgroundStatus } from '../../src/engine/background-sync.ts';
import { featureCreated, wpStatusChanged } from '../../src/events/builders.ts';
import type { Hooks } from '../../src/client/hooks.ts';
import type { SpecKittyEvents } from '../../src/contract/spec-kitty-events.ts';
import { createFakeRealtime } from '../../src/testing/fake-realtime.ts';
import { createFakeSession } from '../../src/testing/fake-session.ts';
import { MOVE, setupClient } from './client-setup.ts';
import { PROJECT } from './setup.ts';

const WRONG = wpStatusChanged({ wpId: 'nonsense', previousStatus: 'planned', newStatus: 'doing' });

/** Hooks that write down what they were told. */
function listening() {
  const heard: unknown[] = [];
  const hooks: Hooks<SpecKittyEvents> = {
    onEvent: ({ event_type, event_id }, { status }) => heard.push(['event', status, event_type, event_id]),
    onDrop: ({ type }, { reason }) => heard.push(['drop', reason, type]),
    onPush: ({ events, way, answer }) => heard.push(['push', way, events, answer.kind]),
  };
  return { heard, hooks };
}

test('tells of each event once it is stored, with its envelope and what became of it', async () => {
  const { heard, hooks } = listening();
  const rows: number[] = [];
  const { client, store } = setupClient({
    hooks: {
      ...hooks,
      async onEvent(envelope, outcome) {
        hooks.onEvent?.(envelope, outcome);
        rows.push(await store.read((reader) => reader.count()));
      },
    },
  });

  const outcome = await client.emit(MOVE);
  await client.emitAll([
    MOVE,
    featureCreated({ featureSlug: '001-demo', featureNumber: '001', targetBranch: 'main', wpCount: 1 }),
  ]);
  await client.status();

  const id = 'envelope' in outcome ? outcome.envelope.event_id : '';
  expect(heard).toMatchObject([
    ['event', 'queued', 'WPStatusChanged', id],
    ['event', 'queued', 'WPStatusChanged', expect.any(String)],
    ['event', 'queued', 'FeatureCreated', expect.any(String)],
  ]);
  expect(rows).toEqual([1, 3, 3]);
});

test('tells of each event that was not recorded, and why', async () => {
  const { heard, hooks } = listening();
  const { client } = setupClient({ hooks, cap: 1 });

  await client.emit(WRONG);
  await client.emitAll([MOVE, MOVE]);

  expect(heard).toEqual([
    ['drop', 'invalid', 'WPStatusChanged'],
    ['drop', 'full', 'WPStatusChanged'],
    ['drop', 'full', 'WPStatusChanged'],
  ]);
});

test('tells of each request with its size, its time and its answer', async () => {
  const seen: unknown[] = [];
  const { client, transport, time } = setupClient({ hooks: { onPush: (push) => seen.push(push) } });
  await client.emitAll([MOVE, MOVE]);
  transport.answerNext(async () => {
    await time.advance(40);
    return { kind: 'retryable', reason: 'unreachable', message: 'No route.' };
  });
  const startedAt = time.now();

  await client.syncNow();

  expect(seen).toEqual([
    {
      events: 2,
      way: 'batch',
      startedAt,
      endedAt: startedAt + 40,
      answer: expect.objectContaining({ kind: 'retryable' }),
    },
  ]);
});

test('tells of what leaves over a realtime link, and how background delivery stands', async () => {
  const { heard, hooks } = listening();
  const states: BackgroundStatus[] = [];
  const { client, time } = setupClient({
    hooks: { ...hooks, onStatus: (status) => states.push(status) },
    openRealtime: () => Promise.resolve(createFakeRealtime()),
  });
  const background = await client.background({ random: () => 0 });
  await background.start();
  await time.advance(1_000);

  await client.emit(MOVE);
  await time.advance(1_000);
  await client.close();

  expect(heard).toContainEqual(['push', 'link', 1, 'ok']);
  expect(states.map(({ link }) => link.state)).toContain('connected');
  expect(states.at(-1)?.phase).toBe('ended');
});

test('hooks that throw, reject or never end cost nothing but one warning each', async () => {
  const broken = (): never => {
    throw new Error('the host is at fault');
  };
  const { client, warnings, transport } = setupClient({
    hooks: {
      onEvent: () => Promise.reject(new Error('late')),
      onDrop: broken,
      onPush: () => new Promise(() => {}),
    },
  });

  const outcomes = [
    await client.emit(MOVE),
    await client.emit(MOVE),
    await client.emit(WRONG),
    await client.emit(WRONG),
  ];
  const counts = await client.flush();

  expect(outcomes.map(({ status }) => status)).toEqual(['queued', 'queued', 'dropped', 'dropped']);
  expect(counts).toEqual({ delivered: 2, pending: 0, rejected: 0 });
  expect(transport.accepted).toHaveLength(2);
  expect(warnings.toSorted()).toEqual(['event-dropped-invalid', 'hook-failed', 'hook-failed']);
});

test('a logger that throws changes no outcome (FR-029)', async () => {
  const broken = (): never => {
    throw new Error('the log is full');
  };
  const { client } = setupClient({ logger: { warn: broken, debug: broken } });

  expect(await client.emit(WRONG)).toMatchObject({ status: 'dropped', reason: 'invalid' });
  expect(await client.emit(MOVE)).toMatchObject({ status: 'queued' });
});

const ERROR = { type: 'ErrorLogged', payload: { error_type: 'runtime', error_message: 'token=hunter2' } } as const;

test('beforeStore changes what is stored and sent; its secret is nowhere (SEC-2)', async () => {
  const { client, store, transport } = setupClient({
    beforeStore: (draft) =>
      draft.type === 'ErrorLogged'
        ? { ...draft, payload: { ...draft.payload, error_message: draft.payload.error_message.replace(/=.*/, '=***') } }
        : draft,
  });

  const outcome = await client.emit(ERROR);
  const rows = await store.read((reader) => reader.events());
  await client.flush();

  expect(outcome).toMatchObject({ status: 'queued', envelope: { payload: { error_message: 'token=***' } } });
  expect(rows[0]?.data).toContain('token=***');
  expect(JSON.stringify([outcome, rows, transport.pushes])).not.toContain('hunter2');
});

test('beforeStore may withhold events: the others of the call are recorded, in order', async () => {
  const { heard, hooks } = listening();
  const { client, store, warnings } = setupClient({
    hooks,
    beforeStore: (draft) => (draft.type === 'ErrorLogged' ? null : draft),
  });

  const outcomes = await client.emitAll([MOVE, ERROR, MOVE]);

  expect(outcomes).toMatchObject([
    { status: 'queued' },
    { status: 'dropped', reason: 'filtered' },
    { status: 'queued' },
  ]);
  expect(await store.read((reader) => reader.clock())).toBe(2);
  expect(heard).toContainEqual(['drop', 'filtered', 'ErrorLogged']);
  expect(warnings).toEqual([]);
});

test('what beforeStore answers is checked like any draft', async () => {
  const { client, store } = setupClient({
    beforeStore: (draft) => ({ ...draft, payload: {} }) as typeof draft,
  });

  expect(await client.emit(MOVE)).toMatchObject({ status: 'dropped', reason: 'invalid' });

  expect(await store.read((reader) => reader.clock())).toBe(0);
});

test('beforeStore cannot make another event of it', async () => {
  const { client } = setupClient({ beforeStore: () => ERROR });

  expect(await client.emit(MOVE)).toMatchObject({ status: 'dropped', reason: 'invalid' });
});

test.each([
  [
    'throws',
    (): never => {
      throw new Error('hunter2');
    },
  ],
  ['answers a promise', () => Promise.reject(new Error('hunter2')) as never],
  ['answers nothing', () => undefined as never],
])('a beforeStore that %s lets nothing of the call through, and says so once', async (_what, beforeStore) => {
  const { client, store, warnings } = setupClient({ beforeStore });

  expect(await client.emitAll([MOVE, MOVE])).toMatchObject([
    { status: 'dropped', reason: 'filtered', message: '2 events not recorded: beforeStore has failed.' },
    { status: 'dropped', reason: 'filtered' },
  ]);
  await client.emitAll([MOVE, MOVE]);

  expect(await store.read((reader) => reader.count())).toBe(0);
  expect(warnings).toEqual(['event-dropped-filtered']);
});

test('a dry run checks, stamps and tells, but opens no store and no way out', async () => {
  const { heard, hooks } = listening();
  const { client, opened } = setupClient({ dryRun: true, hooks });

  const outcome = await client.emit(MOVE);
  const wrong = await client.emit(WRONG);
  const report = await client.syncNow();
  const background = await client.background();

  expect(outcome).toMatchObject({
    status: 'dry-run',
    held: null,
    envelope: { event_type: 'WPStatusChanged', team_slug: 'acme', payload: { wp_id: 'WP01' } },
  });
  expect(wrong).toMatchObject({ status: 'dropped', reason: 'invalid' });
  expect(report).toMatchObject({ stoppedBy: 'aborted', message: 'A dry run delivers nothing.' });
  expect(await background.start()).toEqual({ kind: 'running' });
  expect(await client.requestDrain()).toBe(false);
  expect(await client.flush()).toEqual({ delivered: 0, pending: -1, rejected: 0 });
  expect(await client.close({ deadlineMs: 100 })).toEqual({ delivered: 0, pending: -1, rejected: 0 });
  expect(heard.map((each) => (each as readonly unknown[]).slice(0, 2))).toEqual([
    ['event', 'dry-run'],
    ['drop', 'invalid'],
  ]);
  expect(opened).toMatchObject({ stores: 0, transports: 0, closed: 0 });
});

test('a dry run says what an event would wait for', async () => {
  const facts = {
    nodeId: '',
    session: null,
    project: PROJECT,
    projectRoot: null,
    gitBranch: null,
    headCommitSha: null,
    repoSlug: null,
  };
  const { client } = setupClient({
    dryRun: true,
    session: createFakeSession(null),
    facts: () => Promise.resolve(facts),
  });

  expect(await client.emit(MOVE)).toMatchObject({ status: 'dry-run', held: 'team' });
});
