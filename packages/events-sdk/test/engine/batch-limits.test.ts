import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { batchBytes } from '../../src/contract/batch.ts';
import { MAX_BATCH_BYTES, MAX_EVENTS_PER_BATCH } from '../../src/contract/limits.ts';
import {
  afterAccepted,
  afterTooLarge,
  NO_LIMITS,
  readBatchLimits,
  toBatchSize,
  writeBatchLimits,
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

test('a refusal halves what the events weigh, not what stands around them', () => {
  const around = batchBytes([]);
  const events = 10_000;

  expect(afterTooLarge(NO_LIMITS, events + around, undefined, NOW)).toEqual({
    maxEvents: MAX_EVENTS_PER_BATCH,
    maxBytes: events / 2 + around,
    refusedBytes: events + around,
    refusedAt: NOW,
  });
});

test('a limit the server names makes the next byte too large; one that would have allowed the batch is taken for none', () => {
  const refusedAt = (maxBytes: number) => afterTooLarge(NO_LIMITS, 1_000, { maxBytes }, NOW);

  expect(refusedAt(999)).toMatchObject({ maxBytes: 999, refusedBytes: 1_000 });
  expect(refusedAt(600)).toMatchObject({ maxBytes: 600, refusedBytes: 601 });
  expect(refusedAt(1_000)).toMatchObject({ maxBytes: 506, refusedBytes: 1_000 });
});

test('refusals only narrow: neither a larger limit nor a larger refused size undoes what was learned', () => {
  const known: BatchLimits = { maxEvents: 10, maxBytes: 400, refusedBytes: 500, refusedAt: 0 };

  expect(afterTooLarge(known, 2_000, { maxEvents: 900, maxBytes: 1_500 }, NOW)).toEqual({ ...known, refusedAt: NOW });
  expect(afterTooLarge(known, 450, { maxEvents: 9 }, NOW)).toEqual({
    maxEvents: 9,
    maxBytes: 231,
    refusedBytes: 450,
    refusedAt: NOW,
  });
});

test('a full batch raises the limit by an eighth, or by half of the way to the refused size', () => {
  const known: BatchLimits = { maxEvents: 10, maxBytes: 8_000, refusedBytes: null, refusedAt: NOW };
  const raised = (changes: Partial<BatchLimits>, bytes = 8_000): number =>
    afterAccepted({ ...known, ...changes }, bytes, NOW).maxBytes;

  expect(raised({})).toBe(9_000);
  expect(raised({ refusedBytes: 100_000 })).toBe(9_000);
  expect(raised({ refusedBytes: 10_000 })).toBe(9_000);
  expect(raised({ refusedBytes: 9_999 })).toBe(8_999);
  expect(raised({ refusedBytes: 9_000 }), 'half a step is still worth it').toBe(8_500);
  expect(raised({ refusedBytes: 8_999 }), 'less is not').toBe(8_000);
  expect(raised({}, 4_000), 'half a batch shows nothing').toBe(8_000);
  expect(raised({}, 4_001)).toBe(9_000);
  expect(raised({ maxBytes: MAX_BATCH_BYTES - 1 }, MAX_BATCH_BYTES - 1)).toBe(MAX_BATCH_BYTES);
});

test('an acceptance that teaches nothing leaves the limits as they are; within the day the count stays', () => {
  const top: BatchLimits = { ...NO_LIMITS, refusedAt: NOW };
  const few: BatchLimits = { maxEvents: 10, maxBytes: 8_000, refusedBytes: 9_000, refusedAt: NOW };

  expect(afterAccepted(top, MAX_BATCH_BYTES, NOW)).toBe(top);
  expect(afterAccepted(few, 100, NOW + DAY_MS - 1)).toBe(few);
  expect(afterAccepted(few, 100, NOW + DAY_MS)).toEqual({ ...few, maxEvents: 1000, refusedBytes: null });
  expect(afterAccepted({ ...few, refusedBytes: null }, 100, NOW + DAY_MS)).toMatchObject({ maxEvents: 1000 });
  expect(afterAccepted({ ...few, maxEvents: 1000 }, 100, NOW + DAY_MS)).toMatchObject({ refusedBytes: null });
});

test('a refusal from a clock that ran ahead by more than a day is forgotten too', () => {
  const few: BatchLimits = { maxEvents: 10, maxBytes: 8_000, refusedBytes: 9_000, refusedAt: NOW + DAY_MS };

  expect(afterAccepted(few, 100, NOW)).toMatchObject({ refusedBytes: null });
});

test('limits are kept for their server, and forgotten when they are back at the top', async () => {
  const { store } = await setupEngine();
  const key = `batch_limits:${TEST_SESSION.server}`;
  const kept = (limits: BatchLimits) =>
    store.transact((tx) => {
      writeBatchLimits(tx, TEST_SESSION.server, limits);
      return [readBatchLimits(tx, TEST_SESSION.server), tx.value(key) !== undefined];
    });

  for (const changes of [{ maxEvents: 999 }, { maxBytes: MAX_BATCH_BYTES - 1 }, { refusedBytes: 9 }, { maxBytes: 1 }]) {
    const limits: BatchLimits = { ...NO_LIMITS, refusedAt: NOW, ...changes };
    expect(await kept(limits)).toEqual([limits, true]);
  }
  expect(await kept({ ...NO_LIMITS, refusedAt: NOW })).toEqual([NO_LIMITS, false]);
  expect(toBatchSize({ maxEvents: 3, maxBytes: 4, refusedBytes: 5, refusedAt: 6 })).toEqual({
    maxEvents: 3,
    maxBytes: 4,
  });
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

test.each([
  { maxBytes: 0 },
  { maxBytes: MAX_BATCH_BYTES + 1 },
  { maxBytes: 1.5 },
  { maxBytes: '9' },
  { maxEvents: 0 },
  { maxEvents: MAX_EVENTS_PER_BATCH + 1 },
  { refusedBytes: 0 },
  { refusedBytes: undefined },
  { refusedAt: null },
])('an unreadable memory of limits counts as none: %o', async (changes) => {
  const { store } = await setupEngine();
  await store.transact((tx) =>
    tx.setValue(`batch_limits:${TEST_SESSION.server}`, JSON.stringify({ ...NO_LIMITS, maxBytes: 9, ...changes })),
  );

  expect(await store.read((reader) => readBatchLimits(reader, TEST_SESSION.server))).toBe(NO_LIMITS);
});
