/** Background delivery with a realtime link: events leave at once, and whatever the link does not answer as a batch. */
import { describe, expect, test } from 'vitest';

import { MAX_REMOTE_CLOCK } from '../../src/clock/lamport.ts';
import { MAX_RECONNECTS } from '../../src/contract/limits.ts';
import { GAVE_UP_PAUSE_MS } from '../../src/engine/link.ts';
import { readStatus } from '../../src/engine/status.ts';
import { anEvent, testUlid } from '../../src/testing/an-event.ts';
import { TEST_SESSION } from '../../src/testing/fake-session.ts';
import type { PushAnswer } from '../../src/transport/port.ts';
import { setupBackground, type BackgroundSetup } from './background-setup.ts';
import { createFakeRealtime, type ScriptedConnect } from '../../src/testing/fake-realtime.ts';

const NO_WAY = {
  kind: 'retryable',
  reason: 'unreachable',
  message: 'No way there.',
} as const satisfies ScriptedConnect;

async function setupLinked(options: BackgroundSetup = {}) {
  const realtime = createFakeRealtime();
  return { ...(await setupBackground({ realtime, ...options })), realtime };
}

describe('an open link', () => {
  test('carries new events at once and settles them by their acknowledgement, without pace', async () => {
    const { background, time, realtime, transport, emit, waiting } = await setupLinked();
    await background.start();
    await time.advance(300);

    for (let round = 0; round < 3; round += 1) {
      await emit();
      await time.advance(300);
    }

    expect(realtime.accepted).toEqual([testUlid(1), testUlid(2), testUlid(3)]);
    expect(transport.pushes).toEqual([]);
    expect(await waiting()).toEqual([]);
    await background.stop();
  });

  test('leaves unacknowledged events to a batch, and loses none (EC-1)', async () => {
    const { background, time, realtime, transport, emit, waiting } = await setupLinked();
    await background.start();
    await time.advance(300);
    realtime.answerNext((batch) => ({
      kind: 'ok',
      verdicts: [{ eventId: batch[0]?.eventId ?? '', verdict: 'success' }],
    }));

    await emit(3);
    await time.advance(1000);

    expect(realtime.pushes).toHaveLength(1);
    expect(transport.accepted).toEqual([testUlid(2), testUlid(3)]);
    expect(await waiting()).toEqual([]);
    await background.stop();
  });

  test('that breaks while it sends costs no event: they leave as a batch (EC-1)', async () => {
    const { background, time, realtime, transport, emit, waiting } = await setupLinked();
    await background.start();
    await time.advance(300);
    realtime.answerNext((): PushAnswer => {
      realtime.lose();
      return { kind: 'retryable', reason: 'unreachable', message: 'The link ended.' };
    });

    await emit(2);
    await time.advance(2000);

    expect(transport.accepted).toEqual([testUlid(1), testUlid(2)]);
    expect(await waiting()).toEqual([]);
    expect(background.status().link.state).toBe('connected');
    await background.stop();
  });

  test('takes over at once what waits for the pace of batches while it opens', async () => {
    const { background, time, realtime, transport, emit, waiting } = await setupLinked({
      queued: 1,
      random: () => 0.999,
    });
    realtime.connectNext(NO_WAY);
    await background.start();
    await time.advance(200);
    expect(transport.accepted).toEqual([testUlid(1)]);

    await emit();
    // The second attempt, 500 ms after the first; the pace would allow the second batch after 5 s.
    await time.advance(800);

    expect(realtime.accepted).toEqual([testUlid(2)]);
    expect(transport.pushes).toHaveLength(1);
    expect(await waiting()).toEqual([]);
    await background.stop();
  });

  test('leaves a long queue to batches of a thousand', async () => {
    const { background, time, realtime, transport } = await setupLinked({ queued: 1500 });

    await background.start();
    await time.advance(7000);

    expect(transport.pushes.map(({ batch }) => batch.length)).toEqual([1000, 500]);
    expect(realtime.pushes).toEqual([]);
    await background.stop();
  });

  test("brings the clock above other people's events, whatever is no clock among them", async () => {
    const { background, time, realtime, store } = await setupLinked();
    await background.start();
    await time.advance(300);

    for (const clock of [40, 70, -5, 1.5, '90', null, MAX_REMOTE_CLOCK + 1]) realtime.show({ lamport_clock: clock });
    realtime.show(null);
    realtime.show('text');
    await time.advance(300);

    expect(await store.read((reader) => reader.clock())).toBe(71);
    await background.stop();
  });

  test('is repaired when its clock is behind, as in a batch (EC-3)', async () => {
    const { background, time, realtime, emit } = await setupLinked();
    await background.start();
    await time.advance(300);
    realtime.answerNext((batch) => ({
      kind: 'ok',
      verdicts: batch.map(({ eventId }) => ({
        eventId,
        verdict: 'rejected',
        reason: 'lamport_clock: behind',
        serverClock: 50,
      })),
    }));

    await emit();
    await time.advance(300);

    expect(realtime.accepted).toEqual([testUlid(1)]);
    expect(JSON.parse(realtime.pushes[1]?.[0]?.data ?? '')).toMatchObject({ lamport_clock: 52 });
    await background.stop();
  });

  test('carries nothing of another account: it is closed and opened for the new one (SEC-1)', async () => {
    const { background, time, realtime, session, put } = await setupLinked();
    await background.start();
    await time.advance(300);
    session.signIn({ ...TEST_SESSION, username: 'bob@example.com', teamSlug: 'tigers' });

    await put([
      anEvent({ lamport_clock: 9, team_slug: 'tigers', project_uuid: '8c1f9a52-7f0e-4c55-9d0b-2a6c1b7e4d10' }),
    ]);
    await time.advance(6000);

    expect(realtime.attempts.map(({ accessToken }) => accessToken)).toEqual(['token-1', 'token-2']);
    expect(realtime.pushes).toEqual([]);
    await background.stop();
  });

  test('ends with the sign-in', async () => {
    const { background, time, realtime, session } = await setupLinked();
    await background.start();
    await time.advance(300);

    session.signIn(null);
    await time.advance(30_000);

    expect(realtime.openLinks).toBe(0);
    expect(background.status()).toMatchObject({ phase: 'needs-sign-in', link: { state: 'offline' } });
    await background.stop();
  });
});

describe('without an open link', () => {
  test('is tried ten times with growing waits, then events leave in batches (FR-036)', async () => {
    const { background, time, realtime, statuses } = await setupLinked({ random: () => 0.999 });
    realtime.connectUsually(NO_WAY);

    await background.start();
    await time.advance(600_000);

    expect(realtime.attempts).toHaveLength(MAX_RECONNECTS);
    expect(background.status().link).toMatchObject({ state: 'offline-batch', reason: 'gave-up' });
    expect(new Set(statuses.map(({ link }) => link.state))).toEqual(
      new Set(['offline', 'reconnecting', 'offline-batch']),
    );
    await background.stop();
  });

  test('a link that was given up is tried again when a batch shows that the server is there', async () => {
    const { background, time, realtime, emit } = await setupLinked({ random: () => 0 });
    realtime.connectUsually(NO_WAY);
    await background.start();
    await time.advance(GAVE_UP_PAUSE_MS + 1000);
    expect(background.status().link.reason).toBe('gave-up');

    realtime.connectUsually('open');
    await emit();
    await time.advance(1000);

    expect(background.status().link).toMatchObject({ state: 'connected', attempts: 0 });
    await background.stop();
  });

  test('events leave in batches while an attempt hangs', async () => {
    const { background, time, realtime, transport, emit } = await setupLinked();
    realtime.connectNext('hang');
    await background.start();
    await time.advance(300);

    await emit();
    await time.advance(300);

    expect(transport.accepted).toHaveLength(1);
    expect(background.status().link.state).toBe('reconnecting');
    await background.stop();
    expect(time.pending).toBe(0);
  });

  test('a refused token is renewed once for the link', async () => {
    const { background, time, realtime, session } = await setupLinked();
    realtime.connectNext({ kind: 'unauthorized' });

    await background.start();
    await time.advance(300);

    expect(session.refreshes).toBe(1);
    expect(realtime.attempts.map(({ accessToken }) => accessToken)).toEqual(['token-1', 'token-2']);
    expect(background.status().link.state).toBe('connected');
    await background.stop();
  });

  test.each<[string, readonly ScriptedConnect[], string]>([
    ['has no realtime endpoint', [{ kind: 'unsupported', message: 'Batches only.' }], 'unsupported'],
    ['refuses this account a link', [{ kind: 'forbidden', message: 'No.' }], 'forbidden'],
    ['refuses two tokens for a link', [{ kind: 'unauthorized' }, { kind: 'unauthorized' }], 'forbidden'],
  ])('a server that %s is not asked for one again, and gets batches', async (_name, script, reason) => {
    const { background, time, realtime, transport, emit, warnings } = await setupLinked();
    realtime.connectNext(...script);
    await background.start();
    await time.advance(60_000);

    await emit();
    await time.advance(60_000);

    expect(realtime.attempts).toHaveLength(script.length);
    expect(transport.accepted).toHaveLength(1);
    expect(background.status().link).toMatchObject({ state: 'offline-batch', reason });
    expect(warnings).toEqual([]);
    await background.stop();
  });

  test('a link that opens ends the wait after an unreachable server (US7-1)', async () => {
    const { background, time, realtime, transport } = await setupLinked({ queued: 1, random: () => 0.999 });
    realtime.connectNext({ ...NO_WAY, retryAfterMs: 700 });
    transport.answerNext(
      ...Array.from(
        { length: 5 },
        () =>
          (batch: readonly { eventId: string }[]): PushAnswer =>
            realtime.openLinks > 0
              ? { kind: 'ok', verdicts: batch.map(({ eventId }) => ({ eventId, verdict: 'success' })) }
              : NO_WAY,
      ),
    );

    await background.start();
    await time.advance(1100);
    // The next attempt of its own would be at 1.5 s; the link opens at 1.2 s.
    expect(background.status()).toMatchObject({ phase: 'waiting', queued: 1 });
    await time.advance(200);

    expect(background.status()).toMatchObject({ phase: 'idle', queued: 0 });
    await background.stop();
  });
});

test('what the store says of the link follows it, and it is offline once the process has stopped (FR-036)', async () => {
  const { background, time, realtime, store } = await setupLinked();
  const linkInStore = async () =>
    (await store.read((reader) => readStatus(reader, { cap: 10, now: time.now(), isGone: () => false }))).link;
  await background.start();
  await time.advance(300);
  expect(await linkInStore()).toMatchObject({ state: 'connected', reason: 'open' });

  await time.advance(600_000);
  expect(await linkInStore(), 'seen again and again').toMatchObject({ state: 'connected' });
  realtime.connectUsually(NO_WAY);
  realtime.lose();
  await time.advance(300);
  expect(await linkInStore()).toMatchObject({ state: 'reconnecting' });
  await background.stop();

  expect(await linkInStore()).toMatchObject({ state: 'offline', reason: 'stopped' });
});
