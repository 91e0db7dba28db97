import { describe, expect, test } from 'vitest';

import type { PushAnswer } from '../../src/transport/port.ts';
import { acquireLease, requestDrain } from '../../src/engine/lease.ts';
import { anEvent, testUlid } from '../../src/testing/an-event.ts';
import { TEST_SESSION } from '../../src/testing/fake-session.ts';
import { setupEngine, THIS_PROCESS } from './setup.ts';

const PROJECT = '3f1c9a52-7f0e-4c55-9d0b-2a6c1b7e4d10';
const TOO_LARGE: PushAnswer = { kind: 'failure', reason: 'too-large', message: 'Too large.' };
const BAD_REQUEST: PushAnswer = { kind: 'failure', reason: 'bad-request', message: 'payload: wp_id missing' };

describe('draining', () => {
  test('sends what waits in clock order and removes what was accepted (US2-2)', async () => {
    const { engine, transport, waiting } = await setupEngine({ queued: 3 });

    const report = await engine.syncNow();

    expect(transport.accepted).toEqual([testUlid(1), testUlid(2), testUlid(3)]);
    expect(report).toMatchObject({ sent: 3, duplicates: 0, remaining: 0, batches: 1, stoppedBy: 'drained' });
    expect(await waiting()).toEqual([]);
  });

  test('sends at most a thousand events a batch and tells its progress', async () => {
    const { engine, transport } = await setupEngine({ queued: 2001 });
    const progress: number[] = [];

    await engine.syncNow({ onProgress: ({ offered }) => void progress.push(offered) });

    expect(transport.pushes.map(({ batch }) => batch.length)).toEqual([1000, 1000, 1]);
    expect(progress).toEqual([1000, 2000, 2001]);
  });

  test('is not disturbed by an observer that throws', async () => {
    const { engine } = await setupEngine({ queued: 2 });

    const report = await engine.syncNow({
      onProgress: () => {
        throw new Error('observer');
      },
    });

    expect(report).toMatchObject({ sent: 2, stoppedBy: 'drained' });
  });

  test('counts a duplicate as delivered (US2-2)', async () => {
    const { engine, transport, waiting } = await setupEngine({ queued: 1 });
    transport.answerNext({ kind: 'ok', verdicts: [{ eventId: testUlid(1), verdict: 'duplicate' }] });

    expect(await engine.syncNow()).toMatchObject({ sent: 0, duplicates: 1, stoppedBy: 'drained' });
    expect(await waiting()).toEqual([]);
  });

  test('keeps a rejected event with its reason and one more count', async () => {
    const { engine, transport, store } = await setupEngine({ queued: 2 });
    transport.answerNext({
      kind: 'ok',
      verdicts: [
        { eventId: testUlid(1), verdict: 'rejected', reason: 'lamport below server' },
        { eventId: testUlid(2), verdict: 'success' },
      ],
    });

    const report = await engine.syncNow();

    expect(report.rejected).toEqual([
      {
        eventId: testUlid(1),
        eventType: 'WPStatusChanged',
        reason: 'lamport below server',
        retryCount: 1,
        parked: false,
      },
    ]);
    expect(report).toMatchObject({ sent: 1, remaining: 1 });
    expect(await store.read((reader) => reader.event(testUlid(1)))).toMatchObject({
      retryCount: 1,
      reason: 'lamport below server',
    });
  });

  test('offers a rejected event once a pass, and parks it at the fifth rejection', async () => {
    const { engine, transport, store } = await setupEngine({ queued: 1 });
    const no: PushAnswer = { kind: 'ok', verdicts: [{ eventId: testUlid(1), verdict: 'rejected', reason: 'no' }] };
    transport.answerNext(no, no, no, no, no);

    for (let pass = 0; pass < 5; pass += 1) await engine.syncNow();

    expect(transport.pushes).toHaveLength(5);
    expect(await store.read((reader) => reader.event(testUlid(1)))).toMatchObject({ state: 'parked', retryCount: 5 });
    expect(await engine.syncNow()).toMatchObject({ batches: 0, parked: 1, remaining: 0, stoppedBy: 'drained' });
  });

  test('leaves a pending event as it is', async () => {
    const { engine, transport, store } = await setupEngine({ queued: 1 });
    transport.answerNext({ kind: 'ok', verdicts: [{ eventId: testUlid(1), verdict: 'pending' }] });

    expect(await engine.syncNow()).toMatchObject({ pending: 1, remaining: 1, stoppedBy: 'drained' });
    expect(await store.read((reader) => reader.event(testUlid(1)))).toMatchObject({ state: 'queued', retryCount: 0 });
  });

  test('stops when the server decides nothing, instead of looping', async () => {
    const { engine, transport } = await setupEngine({ queued: 2 });
    transport.answerNext({ kind: 'ok', verdicts: [{ eventId: testUlid(99), verdict: 'success' }] });

    expect(await engine.syncNow()).toMatchObject({ stoppedBy: 'no-progress', remaining: 2 });
    expect(transport.pushes).toHaveLength(1);
  });

  test('changes no row when the server cannot be reached, and keeps the floor it named', async () => {
    const { engine, transport, store } = await setupEngine({ queued: 1 });
    transport.answerNext({ kind: 'retryable', reason: 'throttled', message: 'Slow down.', retryAfterMs: 7000 });

    expect(await engine.syncNow()).toMatchObject({ stoppedBy: 'throttled', retryAfterMs: 7000, remaining: 1 });
    expect(await store.read((reader) => reader.event(testUlid(1)))).toMatchObject({ retryCount: 0, state: 'queued' });
  });

  test('ends between two batches when its signal aborts', async () => {
    const { engine, transport } = await setupEngine({ queued: 1500 });
    const abort = new AbortController();

    const report = await engine.syncNow({
      signal: abort.signal,
      onProgress: () => {
        abort.abort();
      },
    });

    expect(report).toMatchObject({ stoppedBy: 'aborted', sent: 1000, remaining: 500 });
    expect(transport.pushes).toHaveLength(1);
  });
});

describe('refused batches', () => {
  test('halves the actual batch on 413 and remembers the size for the rest of the pass', async () => {
    const { engine, transport } = await setupEngine({ queued: 8 });
    transport.answerNext(TOO_LARGE);

    expect(await engine.syncNow()).toMatchObject({ sent: 8, stoppedBy: 'drained' });
    expect(transport.pushes.map(({ batch }) => batch.length)).toEqual([8, 4, 4]);
  });

  test('parks a lone event the server finds too large, with its size, and delivers the rest', async () => {
    const { engine, transport, store } = await setupEngine({ queued: 2 });
    transport.answerNext(TOO_LARGE, TOO_LARGE);

    expect(await engine.syncNow()).toMatchObject({ sent: 1, parked: 1 });
    const parked = await store.read((reader) => reader.event(testUlid(1)));
    expect(parked?.state).toBe('parked');
    expect(parked?.reason).toMatch(/^too large for the server: \d+ bytes$/);
  });

  test('finds the one event a whole-batch 400 is about, parks it, and delivers the others in order', async () => {
    const { engine, transport, waiting } = await setupEngine({ queued: 5 });
    const refusesThird = (batch: readonly { eventId: string }[]): PushAnswer =>
      batch.some(({ eventId }) => eventId === testUlid(3))
        ? BAD_REQUEST
        : { kind: 'ok', verdicts: batch.map(({ eventId }) => ({ eventId, verdict: 'success' })) };
    transport.answerNext(...Array.from({ length: 20 }, () => refusesThird));

    const report = await engine.syncNow();

    expect(report).toMatchObject({ sent: 4, parked: 1, stoppedBy: 'drained' });
    expect(report.rejected).toEqual([
      {
        eventId: testUlid(3),
        eventType: 'WPStatusChanged',
        reason: 'payload: wp_id missing',
        retryCount: 0,
        parked: true,
      },
    ]);
    expect(await waiting()).toEqual([testUlid(3)]);
  });

  test('stops, with every event as it was, when the server refuses each one alone: then the server is at fault', async () => {
    const { engine, transport, store } = await setupEngine({ queued: 8 });
    transport.answerNext(...Array.from({ length: 40 }, () => BAD_REQUEST));

    expect(await engine.syncNow()).toMatchObject({
      stoppedBy: 'refused',
      message: BAD_REQUEST.message,
      remaining: 8,
      parked: 0,
    });
    expect(await store.read((reader) => reader.events().every((row) => row.retryCount === 0))).toBe(true);
  });

  test('uses the events a 400 names instead of searching', async () => {
    const { engine, transport } = await setupEngine({ queued: 3 });
    transport.answerNext({
      ...BAD_REQUEST,
      verdicts: [{ eventId: testUlid(2), verdict: 'rejected', reason: 'bad lane' }],
    });

    const report = await engine.syncNow();

    expect(report).toMatchObject({ sent: 2, remaining: 1 });
    expect(report.rejected).toMatchObject([{ eventId: testUlid(2), retryCount: 1 }]);
    expect(transport.pushes.map(({ batch }) => batch.length)).toEqual([3, 2]);
  });

  test.each([
    ['forbidden', { kind: 'forbidden', message: 'Not your team.' }],
    ['protocol', { kind: 'failure', reason: 'protocol', message: 'Client too old.' }],
  ] as const)('stops and changes nothing when the answer is %s', async (by, answer) => {
    const { engine, transport } = await setupEngine({ queued: 2 });
    transport.answerNext(answer);

    expect(await engine.syncNow()).toMatchObject({ stoppedBy: by, remaining: 2, message: answer.message });
  });
});

describe('authentication', () => {
  test('refreshes once on 401 and sends the same batch again', async () => {
    const { engine, transport, session } = await setupEngine({ queued: 2 });
    transport.answerNext({ kind: 'unauthorized' });

    expect(await engine.syncNow()).toMatchObject({ sent: 2, stoppedBy: 'drained' });
    expect(session.refreshes).toBe(1);
    expect(transport.pushes.map(({ context }) => context.accessToken)).toEqual(['token-1', 'token-2']);
    expect(transport.pushes[0]?.batch).toEqual(transport.pushes[1]?.batch);
  });

  test('stops at the second 401 in a row with every row as it was', async () => {
    const { engine, transport, store } = await setupEngine({ queued: 1 });
    transport.answerNext({ kind: 'unauthorized' }, { kind: 'unauthorized' });

    expect(await engine.syncNow()).toMatchObject({ stoppedBy: 'unauthorized', remaining: 1 });
    expect(await store.read((reader) => reader.event(testUlid(1)))).toMatchObject({ retryCount: 0 });
  });

  test('sends nothing when nobody is signed in (FR-025, SEC-3)', async () => {
    const { engine, transport } = await setupEngine({ queued: 1, session: null });

    expect(await engine.syncNow()).toMatchObject({ stoppedBy: 'logged-out', remaining: 1 });
    expect(transport.pushes).toEqual([]);
  });

  test('stops when another account signs in while a token is refreshed (SEC-1)', async () => {
    const { engine, transport, session } = await setupEngine({ queued: 1 });
    transport.answerNext({ kind: 'unauthorized' });
    session.refreshNext({ kind: 'token', accessToken: 'theirs', session: { ...TEST_SESSION, teamSlug: 'tigers' } });

    expect(await engine.syncNow()).toMatchObject({ stoppedBy: 'aborted' });
    expect(transport.pushes).toHaveLength(1);
  });
});

describe('gates', () => {
  test('sends only the events of its own team (SEC-1, SC-010)', async () => {
    const { engine, transport, put, waiting } = await setupEngine();
    await put([anEvent({ lamport_clock: 1 }), anEvent({ lamport_clock: 2, team_slug: 'tigers' })]);

    await engine.syncNow();

    expect(transport.accepted).toEqual([testUlid(1)]);
    expect(await waiting()).toEqual([testUlid(2)]);
  });

  test('sends an event only to the server it was emitted for (SEC-1)', async () => {
    const { engine, transport, put } = await setupEngine();
    await put([anEvent({ lamport_clock: 1 })], { server: 'https://other.example' });

    await engine.syncNow();

    expect(transport.pushes).toEqual([]);
  });

  test('sends nothing while the session has no team (FR-028b)', async () => {
    const { engine, transport } = await setupEngine({ queued: 1, session: { ...TEST_SESSION, teamSlug: null } });

    expect(await engine.syncNow()).toMatchObject({ stoppedBy: 'no-team', remaining: 1 });
    expect(transport.pushes).toEqual([]);
  });

  test('binds an event held for its team once there is one, persists it, and sends what it persisted (FR-028b)', async () => {
    const { engine, transport, put } = await setupEngine();
    await put([anEvent({ team_slug: null })], { state: 'held', reason: 'team', server: null });

    const report = await engine.syncNow();

    expect(report).toMatchObject({ sent: 1, held: 0 });
    expect(JSON.parse(transport.pushes[0]?.batch[0]?.data ?? '')).toMatchObject({
      team_slug: 'acme',
      project_uuid: PROJECT,
    });
  });

  test('treats the team "local" of the Python original as unknown', async () => {
    const { engine, transport, put } = await setupEngine();
    await put([anEvent({ team_slug: 'local' })], { server: null });

    await engine.syncNow();

    expect(JSON.parse(transport.pushes[0]?.batch[0]?.data ?? '')).toMatchObject({ team_slug: 'acme' });
  });

  test('holds back an event without a project until its project has an identity (FR-028d)', async () => {
    let uuid: string | null = null;
    const { engine, transport, put, store } = await setupEngine({
      lookUpProject: () =>
        Promise.resolve(uuid === null ? null : { uuid, slug: 'demo', teamSlug: null, syncEnabled: true }),
    });
    await put([anEvent({ project_uuid: null, project_slug: null })], { projectRoot: '/srv/demo' });

    expect(await engine.syncNow()).toMatchObject({ sent: 0, held: 1 });
    expect(transport.pushes).toEqual([]);
    expect(await store.read((reader) => reader.event(testUlid(1)))).toMatchObject({ state: 'held', reason: 'project' });

    uuid = PROJECT;
    expect(await engine.syncNow()).toMatchObject({ sent: 1, held: 0 });
    expect(JSON.parse(transport.pushes[0]?.batch[0]?.data ?? '')).toMatchObject({
      project_uuid: PROJECT,
      project_slug: 'demo',
    });
  });

  test('asks the project once more just before its events leave', async () => {
    const { engine, transport, put, store } = await setupEngine({
      lookUpProject: () => Promise.resolve({ uuid: PROJECT, slug: 'demo', teamSlug: null, syncEnabled: false }),
    });
    await put([anEvent()], { projectRoot: '/srv/demo' });

    await engine.syncNow();

    expect(transport.pushes).toEqual([]);
    expect(await store.read((reader) => reader.event(testUlid(1)))).toMatchObject({
      state: 'held',
      reason: 'disabled',
    });
  });

  test("holds a project's events when its known team is not the session's (SEC-1)", async () => {
    const { engine, transport, put, session, store } = await setupEngine();
    await put([anEvent({ lamport_clock: 1 })]);
    await engine.syncNow();
    session.signIn({ ...TEST_SESSION, teamSlug: 'tigers' });
    await put([anEvent({ lamport_clock: 2, team_slug: null })], { state: 'held', reason: 'team' });

    await engine.syncNow();

    expect(transport.accepted).toEqual([testUlid(1)]);
    expect(await store.read((reader) => reader.event(testUlid(2)))).toMatchObject({
      state: 'held',
      reason: 'team-changed',
    });
  });

  test('leaves an event held that was recorded under another server (SEC-1)', async () => {
    const { engine, transport, put, store } = await setupEngine();
    await put([anEvent({ lamport_clock: 1 })]);
    await engine.syncNow();
    const elsewhere = 'https://other.example';
    await put([anEvent({ lamport_clock: 2, team_slug: null })], {
      state: 'held',
      reason: 'team-changed',
      server: elsewhere,
    });

    await engine.syncNow();

    expect(transport.accepted).toEqual([testUlid(1)]);
    expect(
      await store.read((reader) => reader.event(testUlid(2))),
      'a row of this team on that server would wait for a sign-in that nobody has',
    ).toMatchObject({ state: 'held', reason: 'team-changed', teamSlug: null, server: elsewhere });
  });
});

describe('the lease', () => {
  test('keeps a second process from delivering at the same time', async () => {
    const { engine, store, time, lease, transport } = await setupEngine({ queued: 1 });
    await acquireLease({ store, time, ...lease, owner: { ...THIS_PROCESS, pid: 2 } });

    expect(await engine.syncNow()).toMatchObject({ stoppedBy: 'busy', remaining: 1 });
    expect(transport.pushes).toEqual([]);
  });

  test('is taken over from a process that is gone', async () => {
    const { engine, store, time, lease } = await setupEngine({ queued: 1, isGone: (owner) => owner.pid === 2 });
    await acquireLease({ store, time, ...lease, owner: { ...THIS_PROCESS, pid: 2 } });

    expect(await engine.syncNow()).toMatchObject({ stoppedBy: 'drained', sent: 1 });
  });

  test('expires without a heartbeat', async () => {
    const { engine, store, time, lease } = await setupEngine({ queued: 1 });
    await acquireLease({ store, time, ...lease, owner: { ...THIS_PROCESS, pid: 2 } });

    await time.advance(75_000);

    expect(await engine.syncNow()).toMatchObject({ stoppedBy: 'drained', sent: 1 });
  });

  test('is waited for as long as the caller allows', async () => {
    const { engine, store, time, lease } = await setupEngine({ queued: 1 });
    const other = await acquireLease({ store, time, ...lease, owner: { ...THIS_PROCESS, pid: 2 } });
    const sync = engine.syncNow({ waitForOthersMs: 5000 });
    await time.advance(1000);

    if (other.kind === 'held') await other.lease.release();
    await time.advance(1000);

    expect(await sync).toMatchObject({ stoppedBy: 'drained', sent: 1 });
  });

  test('is kept for another round when an event arrives and asks for it during the last one', async () => {
    const { engine, store, time, lease, put, transport } = await setupEngine({ queued: 1 });
    transport.answerNext(async (batch) => {
      await put([anEvent({ lamport_clock: 2, event_id: testUlid(500) })]);
      await requestDrain({ store, time, isGone: lease.isGone });
      return { kind: 'ok', verdicts: batch.map(({ eventId }) => ({ eventId, verdict: 'success' })) };
    });

    const report = await engine.syncNow();

    expect(report).toMatchObject({ sent: 2, remaining: 0, stoppedBy: 'drained' });
    expect(await requestDrain({ store, time, isGone: lease.isGone })).toBe(false);
  });

  test('stops sending as soon as another process has taken the lease over', async () => {
    const { engine, store, transport } = await setupEngine({ queued: 1500 });
    transport.answerNext(async (batch) => {
      const theirs = { owner: { ...THIS_PROCESS, pid: 9 }, token: 'theirs', since: 0, heartbeatAt: 0 };
      await store.transact((tx) => {
        tx.setValue('drainer_lease', JSON.stringify(theirs));
      });
      return { kind: 'ok', verdicts: batch.map(({ eventId }) => ({ eventId, verdict: 'success' })) };
    });

    expect(await engine.syncNow()).toMatchObject({ stoppedBy: 'busy', sent: 1000, remaining: 500 });
  });
});
