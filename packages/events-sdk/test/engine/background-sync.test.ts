import { describe, expect, test } from 'vitest';

import { BATCH_INTERVAL_MS, FLUSH_INTERVAL_MS } from '../../src/contract/limits.ts';
import { createBackgroundSync } from '../../src/engine/background-sync.ts';
import { acquireLease, requestDrain } from '../../src/engine/lease.ts';
import { createSyncEngine } from '../../src/engine/sync-engine.ts';
import { anEvent, testUlid } from '../../src/testing/an-event.ts';
import { TEST_SESSION } from '../../src/testing/fake-session.ts';
import type { PushAnswer } from '../../src/transport/port.ts';
import { partsOfAnother, setupBackground } from './background-setup.ts';
import { THIS_PROCESS } from './setup.ts';

const UNREACHABLE: PushAnswer = { kind: 'retryable', reason: 'unreachable', message: 'No way there.' };

describe('in batches', () => {
  test('sends what waits at the start, and what another process records, without being told (FR-031)', async () => {
    const { background, time, transport, emit } = await setupBackground({ queued: 2 });

    await background.start();
    await time.advance(500);
    expect(transport.accepted).toHaveLength(2);
    await time.advance(BATCH_INTERVAL_MS);
    const [id] = await emit();
    await time.advance(400);

    expect(transport.accepted).toContain(id);
    await background.stop();
  });

  test('sends the second batch five seconds after the first (FR-033)', async () => {
    const { background, time, transport } = await setupBackground({ queued: 2500 });

    await background.start();
    await time.advance(BATCH_INTERVAL_MS - 500);
    expect(transport.pushes.map(({ batch }) => batch.length)).toEqual([1000]);
    await time.advance(1000);
    expect(transport.pushes).toHaveLength(2);
    await time.advance(BATCH_INTERVAL_MS);

    expect(transport.pushes.map(({ batch }) => batch.length)).toEqual([1000, 1000, 500]);
    await background.stop();
  });

  test("the pace is the home's: the next process keeps what the last one began (FR-033)", async () => {
    const { background, time, transport, engine, emit } = await setupBackground({ queued: 1 });
    await engine.syncNow();
    await emit();
    await time.advance(1000);

    await background.start();
    await time.advance(BATCH_INTERVAL_MS - 1500);
    expect(transport.pushes).toHaveLength(1);
    await time.advance(1000);

    expect(transport.pushes).toHaveLength(2);
    await background.stop();
  });

  test('a queue that is not empty is tried again after five minutes, what was refused too (US7-2)', async () => {
    const { background, time, transport } = await setupBackground({ queued: 1 });
    transport.answerNext({ kind: 'ok', verdicts: [{ eventId: testUlid(1), verdict: 'rejected', reason: 'no' }] });

    await background.start();
    await time.advance(FLUSH_INTERVAL_MS - 1000);
    expect(transport.pushes).toHaveLength(1);
    await time.advance(2000);

    expect(transport.accepted).toEqual([testUlid(1)]);
    await background.stop();
  });

  test('a new event does not wake what the server has refused: that keeps its attempts', async () => {
    const { background, time, transport, emit } = await setupBackground({ queued: 1 });
    transport.answerNext({ kind: 'ok', verdicts: [{ eventId: testUlid(1), verdict: 'rejected', reason: 'no' }] });
    await background.start();
    await time.advance(BATCH_INTERVAL_MS);

    const [id] = await emit();
    await time.advance(1000);

    expect(transport.pushes.map(({ batch }) => batch.map(({ eventId }) => eventId))).toEqual([[testUlid(1)], [id]]);
    await background.stop();
  });

  test('asks nobody while there is nothing to send', async () => {
    const { background, time, transport, reports } = await setupBackground();

    await background.start();
    await time.advance(2 * FLUSH_INTERVAL_MS);

    expect(transport.pushes).toEqual([]);
    expect(reports).toEqual([]);
    expect(background.status()).toMatchObject({ phase: 'idle', queued: 0 });
    await background.stop();
  });
});

describe('when a server is in trouble', () => {
  test('tries again within thirty seconds of its return, however long it was away (US7-1)', async () => {
    for (const awayMs of [1_000, 60_000, 600_000]) {
      const { background, time, transport } = await setupBackground({ queued: 3 });
      let isAway = true;
      transport.answerNext(
        ...Array.from(
          { length: 200 },
          () =>
            (batch: readonly { eventId: string }[]): PushAnswer =>
              isAway
                ? UNREACHABLE
                : { kind: 'ok', verdicts: batch.map(({ eventId }) => ({ eventId, verdict: 'success' })) },
        ),
      );
      await background.start();
      await time.advance(awayMs);
      expect(background.status()).toMatchObject({ phase: 'waiting', queued: 3 });

      isAway = false;
      await time.advance(30_000);

      expect(background.status()).toMatchObject({ phase: 'idle', queued: 0 });
      await background.stop();
    }
  });

  test('a request into nowhere is given up after ten seconds once the server was unreachable (US7-1)', async () => {
    const { background, time, transport } = await setupBackground({ queued: 1, random: () => 0 });
    const started: number[] = [];
    const hang = (_batch: unknown, { signal }: { signal?: AbortSignal }): Promise<PushAnswer> => {
      started.push(time.now());
      return new Promise((resolve) => {
        signal?.addEventListener('abort', () => {
          resolve({ kind: 'retryable', reason: 'aborted', message: 'Sending was stopped.' });
        });
      });
    };
    transport.answerNext(UNREACHABLE, hang, hang);

    await background.start();
    await time.advance(25_000);

    expect(transport.accepted).toEqual([testUlid(1)]);
    expect((started[1] ?? 0) - (started[0] ?? 0)).toBe(10_000);
    await background.stop();
  });

  test("a server's floor is kept by the next process, and by a person's sync", async () => {
    const { background, time, transport, engine } = await setupBackground({ queued: 1, random: () => 0 });
    transport.answerNext({ kind: 'retryable', reason: 'throttled', message: 'Slow down.', retryAfterMs: 60_000 });
    await engine.syncNow();

    await time.advance(10_000);
    expect(await engine.syncNow()).toMatchObject({
      stoppedBy: 'throttled',
      retryAfterMs: 50_000,
      message: 'Slow down.',
      remaining: 1,
    });
    await background.start();
    await time.advance(49_500);
    expect(transport.pushes).toHaveLength(1);
    await time.advance(1000);

    expect(transport.accepted).toEqual([testUlid(1)]);
    await background.stop();
  });

  test('success ends the growth of the wait (FR-032)', async () => {
    const { background, time, transport, emit } = await setupBackground({ queued: 1, random: () => 0.999 });
    transport.answerNext(UNREACHABLE, UNREACHABLE, UNREACHABLE, UNREACHABLE);
    await background.start();
    await time.advance(20_000);
    expect(transport.accepted).toHaveLength(1);

    transport.answerNext(UNREACHABLE);
    await emit();
    await time.advance(1000);

    expect(transport.accepted).toHaveLength(2);
    await background.stop();
  });

  test('so does a batch that is decided on before the next one fails (FR-032)', async () => {
    const { background, time, transport } = await setupBackground({ queued: 60, random: () => 0.999 });
    const accept = (batch: readonly { eventId: string }[]): PushAnswer => ({
      kind: 'ok',
      verdicts: batch.map(({ eventId }) => ({ eventId, verdict: 'success' })),
    });
    transport.answerNext(UNREACHABLE, UNREACHABLE, UNREACHABLE, accept, UNREACHABLE);
    await background.start();
    // At 0, 0.5 and 1.5 s in vain; fifty leave at 3.5 s; the others in vain at 8.5 s, and then within half a second.
    await time.advance(9300);

    expect(transport.pushes.map(({ batch }) => batch.length)).toEqual([60, 50, 50, 50, 10, 10]);
    await background.stop();
  });

  test('a network that is back ends the wait when the host says so, but not the floor of a server', async () => {
    const { background, time, transport } = await setupBackground({ queued: 1, random: () => 0.999 });
    transport.answerNext(...Array.from({ length: 6 }, () => UNREACHABLE));
    await background.start();
    await time.advance(20_000);
    const before = transport.pushes.length;
    transport.forgetAnswers();
    transport.answerNext({ kind: 'retryable', reason: 'throttled', message: 'Slow down.', retryAfterMs: 30_000 });

    background.wake('online');
    await time.advance(10);
    expect(transport.pushes).toHaveLength(before + 1);
    background.wake('online');
    await time.advance(10);

    expect(transport.pushes).toHaveLength(before + 1);
    await background.stop({ deadlineMs: 0 });
  });
});

describe('when the sign-in fails', () => {
  test('warns once, keeps every row and waits for another sign-in, then goes on by itself (US7-3)', async () => {
    const { background, time, transport, session, warnings, store } = await setupBackground({ queued: 2 });
    transport.answerNext({ kind: 'unauthorized' }, { kind: 'unauthorized' });

    await background.start();
    await time.advance(600_000);

    expect(transport.pushes).toHaveLength(2);
    expect(warnings).toEqual([
      'sync-unauthorized: Events wait for a sign-in. The server refuses a token it has just issued.',
    ]);
    expect(background.status()).toMatchObject({
      phase: 'needs-sign-in',
      link: { state: 'offline', reason: 'signed-out' },
    });
    expect(await store.read((reader) => reader.events().map(({ retryCount }) => retryCount))).toEqual([0, 0]);

    session.signIn(TEST_SESSION);
    await time.advance(6000);

    expect(transport.accepted).toHaveLength(2);
    await background.stop();
  });

  test('a token that runs out on the way is renewed, and the same batch leaves again (EC-6, FR-034)', async () => {
    const { background, time, transport, session, warnings } = await setupBackground({ queued: 2 });
    transport.answerNext({ kind: 'unauthorized' });

    await background.start();
    await time.advance(1000);

    expect(session.refreshes).toBe(1);
    expect(transport.pushes[1]?.batch).toEqual(transport.pushes[0]?.batch);
    expect(transport.accepted).toHaveLength(2);
    expect(warnings).toEqual([]);
    await background.stop();
  });

  test('sends nothing while nobody is signed in, and all of it once somebody is', async () => {
    const { background, time, transport, session, warnings } = await setupBackground({ queued: 1, session: null });

    await background.start();
    await time.advance(60_000);
    expect(transport.pushes).toEqual([]);
    session.signIn(TEST_SESSION);
    await time.advance(6000);

    expect(transport.accepted).toEqual([testUlid(1)]);
    expect(warnings).toHaveLength(1);
    await background.stop();
  });
});

describe('with other processes', () => {
  test('only one delivers; the next begins where a dead one left (FR-031)', async () => {
    const gone = new Set<number>();
    const first = await setupBackground({ queued: 1, isGone: ({ pid }) => gone.has(pid) });
    const { store, time, lease } = first;
    await acquireLease({ store, time, ...lease, owner: { ...THIS_PROCESS, pid: 2 } });

    expect(await first.background.start()).toMatchObject({ kind: 'busy', holder: { pid: 2 } });
    gone.add(2);
    expect(await first.background.start()).toEqual({ kind: 'running' });
    await time.advance(500);

    expect(first.transport.accepted).toHaveLength(1);
    await first.background.stop();
  });

  test('keeps its lease by a heartbeat, and gives up when another process has it', async () => {
    const { background, store, time, lease } = await setupBackground();
    await background.start();
    await time.advance(600_000);
    const other = { ...lease, owner: { ...THIS_PROCESS, pid: 2 } };
    expect(await acquireLease({ store, time, ...other })).toMatchObject({ kind: 'busy' });

    await store.transact((tx) => {
      tx.setValue('drainer_lease', null);
    });
    await acquireLease({ store, time, ...other });
    await time.advance(30_000);

    expect(background.status().phase).toBe('ended');
    expect(time.pending).toBe(0);
    expect(await background.stop()).toMatchObject({ delivered: 0 });
  });

  test('asked to make room it says so, and the one that asked begins as soon as it has gone (FR-031)', async () => {
    const first = await setupBackground();
    const { time } = first;
    const next = createBackgroundSync(partsOfAnother(first));
    await first.background.start();
    await time.advance(300);
    expect(first.background.status().isUnwanted).toBe(false);

    const started = next.start({ whenBusy: ({ pid }) => (pid === THIS_PROCESS.pid ? 'ask' : 'give-up') });
    await time.advance(300);
    expect(first.background.status()).toMatchObject({ phase: 'idle', isUnwanted: true });
    await first.background.stop();
    await time.advance(300);

    expect(await started).toEqual({ kind: 'running' });
    expect(next.status().isUnwanted, 'the request was about the other one').toBe(false);
    await next.stop();
  });

  test('whoever waits for another one gives up after its time, and at once when it is stopped itself', async () => {
    const { background, store, time, lease } = await setupBackground();
    await acquireLease({ store, time, ...lease, owner: { ...THIS_PROCESS, pid: 2 } });

    const started = background.start({ whenBusy: () => 'wait', waitMs: 1000 });
    await time.advance(1200);
    expect(await started).toMatchObject({ kind: 'busy', holder: { pid: 2 } });

    const again = background.start({ whenBusy: () => 'wait' });
    await time.advance(100);
    await background.stop();
    await time.advance(200);
    expect(await again).toMatchObject({ kind: 'busy' });
    expect(time.pending).toBe(0);
  });

  test("a person's sync is done by the one that delivers, at once and without pace, and its report is the answer (US7-4)", async () => {
    const setup = await setupBackground({ queued: 1 });
    const { background, time, transport, emit, engine } = setup;
    await background.start();
    await time.advance(500);
    await emit(2500);
    const other = createSyncEngine(partsOfAnother(setup));

    const [mine, joined] = [other.syncNow({ waitForOthersMs: 5000 }), engine.syncNow({ waitForOthersMs: 5000 })];
    await time.advance(1500);

    expect(await mine).toMatchObject({ stoppedBy: 'drained', remaining: 0 });
    expect(await joined).toEqual(await mine);
    expect(transport.accepted).toHaveLength(2501);
    await background.stop();
  });

  test('busy is the answer only when the one that delivers does not answer in time', async () => {
    const { engine, store, time, lease } = await setupBackground({ queued: 1 });
    await acquireLease({ store, time, ...lease, owner: { ...THIS_PROCESS, pid: 2 } });

    const sync = engine.syncNow({ waitForOthersMs: 3000 });
    await time.advance(3500);

    expect(await sync).toMatchObject({ stoppedBy: 'busy', remaining: 1 });
  });

  test("a person's sync is told what stands in the way while the sign-in is not accepted (US7-4)", async () => {
    const { background, engine, time, transport } = await setupBackground({ queued: 1 });
    transport.answerNext(...Array.from({ length: 4 }, (): PushAnswer => ({ kind: 'unauthorized' })));
    await background.start();
    await time.advance(1000);

    const sync = engine.syncNow({ waitForOthersMs: 5000 });
    await time.advance(1000);

    expect(await sync).toMatchObject({ stoppedBy: 'unauthorized', remaining: 1 });
    await background.stop();
  });
});

describe('stop', () => {
  test('offers what is new once more and says what was delivered, what waits and what was refused (FR-035)', async () => {
    const { background, time, transport, emit, store, lease } = await setupBackground({ queued: 2 });
    transport.answerNext({
      kind: 'ok',
      verdicts: [
        { eventId: testUlid(1), verdict: 'rejected', reason: 'no' },
        { eventId: testUlid(2), verdict: 'success' },
      ],
    });
    await background.start();
    await time.advance(500);
    const [last] = await emit();

    const stopped = background.stop();
    await time.advance(100);

    expect(await stopped).toEqual({ delivered: 2, pending: 1, rejected: 1 });
    expect(transport.accepted).toEqual([last]);
    expect(time.pending).toBe(0);
    expect(await requestDrain({ store, time, isGone: lease.isGone })).toBe(false);
    expect(background.status()).toMatchObject({ phase: 'ended', link: { state: 'offline', reason: 'stopped' } });
    await expect(background.start()).rejects.toMatchObject({ code: 'CLOSED' });
  });

  test('takes along what another process records, and asks for, at the very end', async () => {
    const { background, time, transport, emit, store, lease } = await setupBackground();
    await background.start();
    await time.advance(300);
    let asked: Promise<boolean> | undefined;
    background.subscribe(({ link }) => {
      if (link.reason !== 'stopped' || asked !== undefined) return;
      void emit();
      asked = requestDrain({ store, time, isGone: lease.isGone });
    });

    expect(await background.stop()).toEqual({ delivered: 1, pending: 0, rejected: 0 });

    expect(await asked, 'the other process was told that somebody sees to it').toBe(true);
    expect(transport.accepted).toHaveLength(1);
  });

  test('ends at its deadline, aborting a request that hangs (FR-035)', async () => {
    const { background, time, transport } = await setupBackground({ queued: 1 });
    let isAborted = false;
    transport.answerNext(
      (_batch, { signal }) =>
        new Promise((resolve) => {
          signal?.addEventListener('abort', () => {
            isAborted = true;
            resolve({ kind: 'retryable', reason: 'aborted', message: 'Sending was stopped.' });
          });
        }),
    );
    await background.start();
    await time.advance(500);

    const stopped = background.stop({ deadlineMs: 2000 });
    await time.advance(2000);

    expect(await stopped).toEqual({ delivered: 0, pending: 1, rejected: 0 });
    expect(isAborted).toBe(true);
    expect(time.pending).toBe(0);
  });

  test('does not wait for a transport that ignores its signal (FR-035)', async () => {
    const { background, time, transport } = await setupBackground({ queued: 1 });
    transport.answerNext(() => new Promise(() => {}));
    await background.start();
    await time.advance(500);

    const stopped = background.stop({ deadlineMs: 1000 });
    await time.advance(1000);

    expect(await stopped).toEqual({ delivered: 0, pending: 1, rejected: 0 });
  });

  test('does not try a server again that has just failed (FR-035)', async () => {
    const { background, time, transport } = await setupBackground({ queued: 1, random: () => 0.999 });
    transport.answerNext(UNREACHABLE, UNREACHABLE, UNREACHABLE);
    await background.start();
    await time.advance(200);
    const before = transport.pushes.length;

    const stopped = background.stop();
    await time.advance(10);

    expect(await stopped).toEqual({ delivered: 0, pending: 1, rejected: 0 });
    expect(transport.pushes).toHaveLength(before);
  });

  test('before start it has nothing to say', async () => {
    const { background } = await setupBackground({ queued: 1 });

    expect(await background.stop()).toEqual({ delivered: 0, pending: 1, rejected: 0 });
  });
});

test('an observer that throws disturbs nothing', async () => {
  const { background, time, transport } = await setupBackground({ queued: 1 });
  background.subscribe(() => {
    throw new Error('observer');
  });

  await background.start();
  await time.advance(500);

  expect(transport.accepted).toHaveLength(1);
  await background.stop();
});

test('an event released into the queue leaves although its clock value is old', async () => {
  const { background, time, transport, put, emit } = await setupBackground({ queued: 5 });
  await background.start();
  await time.advance(BATCH_INTERVAL_MS);
  await emit();
  await time.advance(BATCH_INTERVAL_MS);

  await put([anEvent({ lamport_clock: 2, event_id: testUlid(700) })]);
  await time.advance(1000);

  expect(transport.accepted).toContain(testUlid(700));
  await background.stop();
});

test.each([-7_200_000, 7_200_000])('a wall clock that is set by %i ms stops nothing', async (byMs) => {
  const skew = { ms: 0 };
  const { background, time, transport, emit, store, lease } = await setupBackground({ queued: 1, skew });
  await background.start();
  await time.advance(6000);

  skew.ms = byMs;
  const [id] = await emit();
  await time.advance(1000);

  expect(transport.accepted).toContain(id);
  await time.advance(25_000);
  const now = { now: () => time.now() + byMs };
  const other = { ...lease, owner: { ...THIS_PROCESS, pid: 2 } };
  expect(await acquireLease({ store, time: now, ...other }), 'its heartbeat goes on').toMatchObject({ kind: 'busy' });
  await background.stop();
});
