/** A server that fails every third request, in each way an answer can fail: everything arrives all the same, once. */
import { expect, test } from 'vitest';

import { createMemoryCredentialStore, createTokenManager, type TokenEndpoint } from '../../src/auth/index.ts';
import { createSyncEngine } from '../../src/engine/sync-engine.ts';
import { silentLogger } from '../../src/internal/logger.ts';
import { anEvent } from '../../src/testing/an-event.ts';
import { createTestTime } from '../../src/testing/test-time.ts';
import type { BatchItem, PushAnswer, Transport } from '../../src/transport/port.ts';
import { credentials, NOW, tokenPair } from '../auth/samples.ts';
import { setupBackground } from './background-setup.ts';
import { setupEngine } from './setup.ts';

// The first makes batches small, so that there are enough of them for all the others.
const ANSWERS: readonly PushAnswer[] = [
  { kind: 'failure', reason: 'too-large', message: 'big', limits: { maxEvents: 60 } },
  { kind: 'unauthorized' },
  { kind: 'forbidden', message: 'no' },
  { kind: 'retryable', reason: 'unreachable', message: 'gone' },
  { kind: 'retryable', reason: 'timeout', message: 'slow' },
  { kind: 'retryable', reason: 'throttled', message: 'wait', retryAfterMs: 2000 },
  { kind: 'retryable', reason: 'throttled', message: 'wait' },
  { kind: 'retryable', reason: 'server-error', message: 'broken' },
  { kind: 'retryable', reason: 'aborted', message: 'stopped' },
  { kind: 'failure', reason: 'bad-request', message: 'bad' },
  { kind: 'failure', reason: 'too-large', message: 'big' },
  { kind: 'failure', reason: 'protocol', message: 'old' },
  { kind: 'failure', reason: 'unexpected', message: 'odd' },
  { kind: 'ok', verdicts: [] },
  { kind: 'ok', verdicts: [{ eventId: '01KGVZ3Q8M00000000000ZZZZZ', verdict: 'success' }] },
];

/** Fails every third request with the next of all answers; how often an event was taken for the first time. */
function everyThirdFails(): { answer: (batch: readonly BatchItem[]) => PushAnswer; taken: Map<string, number> } {
  const taken = new Map<string, number>();
  let pushes = 0;
  return {
    taken,
    answer(batch) {
      pushes += 1;
      if (pushes % 3 === 0) return ANSWERS[(pushes / 3 - 1) % ANSWERS.length] ?? { kind: 'unauthorized' };
      return {
        kind: 'ok',
        verdicts: batch.map(({ eventId }) => {
          const times = taken.get(eventId) ?? 0;
          taken.set(eventId, times + 1);
          return { eventId, verdict: times === 0 ? 'success' : 'duplicate' };
        }),
      };
    },
  };
}

const EVENTS = 4_000;

test('syncs until the queue is empty deliver each of 4,000 events once (US2-2)', async () => {
  const { engine, transport, waiting, time } = await setupEngine({ queued: EVENTS });
  const { answer, taken } = everyThirdFails();
  transport.answerNext(...Array.from({ length: 1000 }, () => answer));

  const stops = new Set<string>();
  for (let syncs = 0; syncs < 100 && (await waiting()).length > 0; syncs += 1) {
    stops.add((await engine.syncNow()).stoppedBy);
    await time.advance(2000);
  }

  expect(await waiting()).toEqual([]);
  expect(transport.pushes.length / 3, 'each answer was given').toBeGreaterThan(ANSWERS.length);
  expect(taken.size).toBe(EVENTS);
  expect([...taken.values()].every((times) => times === 1)).toBe(true);
  expect([...stops].toSorted()).toEqual([
    'aborted',
    'drained',
    'forbidden',
    'no-progress',
    'protocol',
    'server-error',
    'throttled',
    'unreachable',
  ]);
});

test('background delivery does the same by itself (FR-031)', async () => {
  const { background, transport, waiting, time } = await setupBackground({ queued: EVENTS });
  const { answer, taken } = everyThirdFails();
  transport.answerNext(...Array.from({ length: 1000 }, () => answer));

  await background.start();
  // A refusal of the account is only tried again after five minutes.
  await time.advance(20 * 60_000);

  expect(await waiting()).toEqual([]);
  expect(transport.pushes.length / 3, 'each answer was given').toBeGreaterThan(ANSWERS.length);
  expect(taken.size).toBe(EVENTS);
  expect([...taken.values()].every((times) => times === 1)).toBe(true);
  expect(await background.stop()).toEqual({ delivered: EVENTS, pending: 0, rejected: 0 });
});

test('fifty syncs whose token is refused at the same time renew it once (EC-6)', async () => {
  let renewals = 0;
  const endpoint: TokenEndpoint = {
    obtain: () => Promise.reject(new Error('nobody signs in here')),
    refresh: () => {
      renewals += 1;
      return Promise.resolve({
        kind: 'tokens',
        tokens: tokenPair({ access: 'access-2', refresh: 'refresh-2' }),
        teamSlug: 'acme',
      });
    },
  };
  const time = createTestTime(NOW);
  const session = createTokenManager({
    store: createMemoryCredentialStore(credentials()),
    endpoint,
    time,
  });
  let refusals = 0;
  let open = (): void => {};
  const allArrived = new Promise<void>((resolve) => {
    open = resolve;
  });
  const transport: Transport = {
    async push(batch, { accessToken }) {
      if (accessToken !== 'access-1')
        return { kind: 'ok', verdicts: batch.map(({ eventId }) => ({ eventId, verdict: 'success' })) };
      refusals += 1;
      if (refusals === 50) open();
      await allArrived;
      return { kind: 'unauthorized' };
    },
  };
  const homes = await Promise.all(Array.from({ length: 50 }, () => setupEngine()));

  const reports = await Promise.all(
    homes.map(async ({ store, queue, lease, put }) => {
      await put([anEvent()], { server: credentials().server });
      const deps = { store, queue, transport, session, lease, logger: silentLogger, time };
      return createSyncEngine({ ...deps, lookUpProject: () => Promise.resolve(null) }).syncNow();
    }),
  );

  expect(reports.every(({ stoppedBy, sent }) => stoppedBy === 'drained' && sent === 1)).toBe(true);
  expect(refusals).toBe(50);
  expect(renewals).toBe(1);
});
