import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { MAX_BATCH_BYTES, MAX_EVENTS_PER_BATCH } from '../../src/contract/limits.ts';
import {
  afterAccepted,
  afterTooLarge,
  NO_LIMITS,
  readBatchLimits,
  type BatchLimits,
} from '../../src/engine/batch-limits.ts';
import { anEvent } from '../../src/testing/an-event.ts';
import { TEST_SESSION } from '../../src/testing/fake-session.ts';
import type { BatchItem, PushAnswer } from '../../src/transport/port.ts';
import { setupEngine } from './setup.ts';

const DAY_MS = 86_400_000;
const NOW = 1_000_000;

/** Sends full batches to a server that takes at most `serverBytes`; answers the limits and the refusals. */
function sendToServer(serverBytes: number, batches: number): { limits: BatchLimits; refusals: number } {
  let limits = NO_LIMITS;
  let refusals = 0;
  for (let sent = 0; sent < batches; sent += 1) {
    const bytes = limits.maxBytes;
    if (bytes > serverBytes) {
      refusals += 1;
      limits = afterTooLarge(limits, bytes, undefined, NOW);
    } else limits = afterAccepted(limits, bytes, NOW);
  }
  return { limits, refusals };
}

test('a limit the server names is believed; without one the refused size is halved', () => {
  expect(afterTooLarge(NO_LIMITS, 1_000_000, { maxBytes: 524_288, maxEvents: 500 }, NOW)).toMatchObject({
    maxBytes: 524_288,
    maxEvents: 500,
  });
  expect(afterTooLarge(NO_LIMITS, 1_000_000, undefined, NOW).maxBytes).toBeLessThanOrEqual(500_010);
});

test('a named limit that the refused batch already kept is not believed alone', () => {
  const limits = afterTooLarge(NO_LIMITS, 100_000, { maxBytes: 524_288 }, NOW);

  expect(limits.maxBytes).toBeLessThan(60_000);
});

test('a limit near the real one is found with few refusals and then left alone', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2_000, max: MAX_BATCH_BYTES - 1 }), (serverBytes) => {
      const { limits, refusals } = sendToServer(serverBytes, 200);

      expect(refusals, 'refused batches of 200').toBeLessThan(24);
      expect(limits.maxBytes).toBeLessThanOrEqual(serverBytes);
      expect(limits.maxBytes).toBeGreaterThan(serverBytes * 0.7);
      expect(sendToServer(serverBytes, 400).refusals, 'no refusals once it is found').toBe(refusals);
    }),
  );
});

test('small batches raise no limit: they show nothing about large ones', () => {
  const limits = afterTooLarge(NO_LIMITS, 1_000_000, undefined, NOW);

  expect(afterAccepted(limits, 1000, NOW + 1)).toBe(limits);
});

test('after a day the refusal is forgotten, and full batches win the room back step by step', () => {
  let limits = afterTooLarge(NO_LIMITS, 1_000_000, { maxBytes: 500_000, maxEvents: 10 }, NOW);

  const next = afterAccepted(limits, limits.maxBytes, NOW + DAY_MS);
  expect(next).toMatchObject({ maxEvents: MAX_EVENTS_PER_BATCH, refusedBytes: null });
  expect(next.maxBytes).toBeGreaterThan(500_000);
  expect(next.maxBytes).toBeLessThan(600_000);
  let batches = 0;
  for (limits = next; limits.maxBytes < MAX_BATCH_BYTES; batches += 1)
    limits = afterAccepted(limits, limits.maxBytes, NOW + DAY_MS);
  expect(batches).toBeLessThan(30);
});

test('what a server was found to take is remembered for the next pass and the next process', async () => {
  const first = await setupEngine({ queued: 600 });
  const most = 100_000;
  const bounded = (batch: readonly BatchItem[]): PushAnswer =>
    batch.reduce((sum, { data }) => sum + data.length + 1, 13) > most
      ? { kind: 'failure', reason: 'too-large', message: 'Too large.', limits: { maxBytes: most } }
      : { kind: 'ok', verdicts: batch.map(({ eventId }) => ({ eventId, verdict: 'success' })) };
  first.transport.answerNext(...Array.from({ length: 40 }, () => bounded));

  expect(await first.engine.syncNow()).toMatchObject({ sent: 600, stoppedBy: 'drained' });
  const refusals = first.transport.pushes.length - 1;
  await first.put(Array.from({ length: 600 }, (_, n) => anEvent({ lamport_clock: n + 1001 })));
  first.transport.forgetAnswers();
  first.transport.answerNext(...Array.from({ length: 40 }, () => bounded));
  const before = first.transport.pushes.length;
  expect(await first.engine.syncNow()).toMatchObject({ sent: 600, stoppedBy: 'drained' });

  expect(first.transport.pushes[0]?.batch.length).toBe(600);
  expect(first.transport.pushes.length - before, 'no request was wasted the second time').toBe(refusals);
  expect(await first.store.read((reader) => readBatchLimits(reader, TEST_SESSION.server))).toMatchObject({
    maxBytes: most,
  });
  expect(await first.store.read((reader) => readBatchLimits(reader, 'https://other.example'))).toBe(NO_LIMITS);
});

test('an unreadable memory of limits counts as none', async () => {
  const { store } = await setupEngine();
  await store.transact((tx) => {
    tx.setValue(`batch_limits:${TEST_SESSION.server}`, '{"maxBytes": 0}');
  });

  expect(await store.read((reader) => readBatchLimits(reader, TEST_SESSION.server))).toBe(NO_LIMITS);
});
