/** Batches full of events a server will not take, and servers that answer nonsense: the good events leave all the same. */
import { expect, test } from 'vitest';

import type { EventVerdict } from '../../src/contract/batch.ts';
import { anEvent, testUlid } from '../../src/testing/an-event.ts';
import type { BatchItem, PushAnswer } from '../../src/transport/port.ts';
import { setupEngine } from './setup.ts';

const POISON = 1000;
const isPoison = (eventId: string): boolean => eventId <= testUlid(POISON);

async function setupPoisoned(aggregateOf: (n: number) => string) {
  const made = await setupEngine();
  await made.put(
    Array.from({ length: POISON + 1 }, (_, n) => anEvent({ lamport_clock: n + 1, aggregate_id: aggregateOf(n) })),
  );
  return { ...made, good: testUlid(POISON + 1) };
}

test('a thousand refused events in front delay the first good one by one batch', async () => {
  const { engine, transport, good } = await setupPoisoned(() => 'WP01');
  const answer = (batch: readonly BatchItem[]): PushAnswer => ({
    kind: 'ok',
    verdicts: batch.map(({ eventId }): EventVerdict =>
      isPoison(eventId) ? { eventId, verdict: 'rejected', reason: 'bad lane' } : { eventId, verdict: 'success' },
    ),
  });
  transport.answerNext(answer, answer);

  const report = await engine.syncNow();

  expect(report).toMatchObject({ sent: 1, remaining: POISON, rejectedBy: { 'bad lane': POISON } });
  expect(transport.pushes.findIndex(({ batch }) => batch.some(({ eventId }) => eventId === good))).toBe(1);
});

test('a thousand events that spoil their whole batch cost a bounded search, then the good one leaves', async () => {
  const { engine, transport, good } = await setupPoisoned((n) => `WP${n}`);
  const taken: string[] = [];
  const answer = (batch: readonly BatchItem[]): PushAnswer => {
    if (batch.some(({ eventId }) => isPoison(eventId)))
      return { kind: 'failure', reason: 'bad-request', message: 'The batch is refused.' };
    taken.push(...batch.map(({ eventId }) => eventId));
    return { kind: 'ok', verdicts: batch.map(({ eventId }) => ({ eventId, verdict: 'success' })) };
  };
  transport.answerNext(...Array.from({ length: 100 }, () => answer));

  const report = await engine.syncNow();

  expect(taken).toEqual([good]);
  expect(transport.pushes.length).toBeLessThan(25);
  // What was not searched is as it was, and said to be undecided.
  expect(report).toMatchObject({ sent: 1, stoppedBy: 'no-progress', parked: 3, remaining: POISON - 3 });
});

test('events behind an unsearched one of the same aggregate wait, so that nothing overtakes', async () => {
  const { engine, transport } = await setupPoisoned(() => 'WP01');
  transport.answerNext(
    ...Array.from(
      { length: 100 },
      () =>
        (batch: readonly BatchItem[]): PushAnswer =>
          batch.some(({ eventId }) => isPoison(eventId))
            ? { kind: 'failure', reason: 'bad-request', message: 'The batch is refused.' }
            : { kind: 'ok', verdicts: batch.map(({ eventId }) => ({ eventId, verdict: 'success' })) },
    ),
  );

  expect(await engine.syncNow()).toMatchObject({ sent: 0, stoppedBy: 'refused', parked: 0, remaining: POISON + 1 });
});

test('a single bad event in a later batch is found although the batch before it was refused altogether', async () => {
  const { engine, transport, put } = await setupEngine();
  await put(Array.from({ length: 2000 }, (_, n) => anEvent({ lamport_clock: n + 1, aggregate_id: `WP${n}` })));
  const spoils = (eventId: string): boolean => isPoison(eventId) || eventId === testUlid(1500);
  transport.answerNext(
    ...Array.from(
      { length: 100 },
      () =>
        (batch: readonly BatchItem[]): PushAnswer =>
          batch.some(({ eventId }) => spoils(eventId))
            ? { kind: 'failure', reason: 'bad-request', message: 'The batch is refused.' }
            : { kind: 'ok', verdicts: batch.map(({ eventId }) => ({ eventId, verdict: 'success' })) },
    ),
  );

  expect(await engine.syncNow()).toMatchObject({ sent: 999, parked: 4, remaining: POISON - 3 });
});

test('a partial answer settles what it names; the rest waits, is reported, and is not asked again in this pass', async () => {
  const { engine, transport, waiting } = await setupEngine({ queued: 3 });
  transport.answerNext((batch) => ({
    kind: 'ok',
    verdicts: [{ eventId: batch[0]?.eventId ?? '', verdict: 'success' }],
  }));

  expect(await engine.syncNow()).toMatchObject({
    sent: 1,
    remaining: 2,
    stoppedBy: 'no-progress',
    message: 'The server did not decide on 2 events.',
  });

  expect(transport.pushes).toHaveLength(1);
  expect(await waiting()).toEqual([testUlid(2), testUlid(3)]);
});

test.each<[string, PushAnswer]>([
  ['names nobody', { kind: 'ok', verdicts: [] }],
  ['names only strangers', { kind: 'ok', verdicts: [{ eventId: testUlid(9999), verdict: 'success' }] }],
])('a server whose answer %s is asked once a pass', async (_name, answer) => {
  const { engine, transport } = await setupEngine({ queued: 1500 });
  transport.answerNext(...Array.from({ length: 10 }, () => answer));

  expect(await engine.syncNow()).toMatchObject({ stoppedBy: 'no-progress', remaining: 1500 });

  expect(transport.pushes).toHaveLength(1);
});

test('5,000 waiting events are five requests of a thousand, with progress after each (US2-4)', async () => {
  const { engine, transport } = await setupEngine({ queued: 5000 });
  const progress: string[] = [];

  const report = await engine.syncNow({
    onProgress: ({ offered, total, batches }) => void progress.push(`${batches}: ${offered}/${total}`),
  });

  expect(report).toMatchObject({ sent: 5000, batches: 5, remaining: 0, stoppedBy: 'drained' });
  expect(transport.pushes.map(({ batch }) => batch.length)).toEqual([1000, 1000, 1000, 1000, 1000]);
  expect(progress).toEqual(['1: 1000/5000', '2: 2000/5000', '3: 3000/5000', '4: 4000/5000', '5: 5000/5000']);
});
