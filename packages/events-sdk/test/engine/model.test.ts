/** Whatever a server answers, in whatever order: nothing acknowledged is lost, and every sync ends. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import type { EventVerdict, Verdict } from '../../src/contract/batch.ts';
import { anEvent, testUlid } from '../../src/testing/an-event.ts';
import type { BatchItem, PushAnswer } from '../../src/transport/port.ts';
import { ACCOUNTS, createModelWorld, type ModelStep, type ServerAct } from './model-world.ts';
import { setupEngine } from './setup.ts';

/** More by `SPEC_KITTY_MODEL_RUNS`. */
const RUNS = Number(process.env['SPEC_KITTY_MODEL_RUNS'] ?? 400);

type Behaviour = (batch: readonly BatchItem[]) => PushAnswer;

const verdict = fc.constantFrom<Verdict | 'silent'>('success', 'duplicate', 'pending', 'rejected', 'silent');

/** A 200 whose verdicts are anything at all, about events of the batch, or about others. */
const mixedAnswer = fc
  .tuple(fc.array(verdict, { minLength: 1, maxLength: 5 }), fc.boolean())
  .map(([pattern, foreign]): Behaviour => {
    return (batch) => {
      const verdicts = batch.flatMap(({ eventId }, index): EventVerdict[] => {
        const said = pattern[index % pattern.length] ?? 'silent';
        return said === 'silent' ? [] : [{ eventId, verdict: said }];
      });
      return {
        kind: 'ok',
        verdicts: foreign ? [...verdicts, { eventId: testUlid(9999), verdict: 'success' }] : verdicts,
      };
    };
  });

const wholeBatchAnswer = fc
  .constantFrom<PushAnswer>(
    { kind: 'unauthorized' },
    { kind: 'forbidden', message: 'no' },
    { kind: 'retryable', reason: 'unreachable', message: 'gone' },
    { kind: 'retryable', reason: 'throttled', message: 'slow', retryAfterMs: 1000 },
    { kind: 'failure', reason: 'too-large', message: 'big' },
    { kind: 'failure', reason: 'bad-request', message: 'bad' },
    { kind: 'failure', reason: 'protocol', message: 'old' },
  )
  .map(
    (answer): Behaviour =>
      () =>
        answer,
  );

const behaviour = fc.oneof(mixedAnswer, wholeBatchAnswer);

test('an event leaves the store only by a verdict on it, and no sync runs for ever (US2-2)', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ emits: fc.integer({ min: 0, max: 6 }), answers: fc.array(behaviour, { maxLength: 8 }) }), {
        minLength: 1,
        maxLength: 6,
      }),
      async (rounds) => {
        const { engine, transport, put, waiting, store, time } = await setupEngine();
        const released = new Set<string>();
        const emitted: string[] = [];

        for (const { emits, answers } of rounds) {
          const fresh = Array.from({ length: emits }, (_, n) => anEvent({ lamport_clock: emitted.length + n + 1 }));
          await put(fresh);
          emitted.push(...fresh.map((event) => event.event_id));
          transport.answerNext(
            ...answers.map((answer) => (batch: readonly BatchItem[]) => {
              const said = answer(batch);
              const offered = new Set(batch.map((item) => item.eventId));
              for (const { eventId, verdict: given } of said.kind === 'ok' ? said.verdicts : []) {
                if (offered.has(eventId) && (given === 'success' || given === 'duplicate')) released.add(eventId);
              }
              return said;
            }),
          );

          const report = await engine.syncNow();

          const left = await waiting();
          expect([...left].toSorted()).toEqual(
            emitted.filter((id) => !released.has(id) && !transport.accepted.includes(id)).toSorted(),
          );
          expect(report.remaining + report.held + report.parked).toBe(left.length);
          // What was not used must not spill into the next round.
          transport.forgetAnswers();
          // A floor the server named is over before the next round.
          await time.advance(1000);
        }

        await engine.syncNow();
        const parked = await store.read((reader) => reader.events({ states: ['parked'] }).map((row) => row.eventId));
        expect(await waiting(), 'a healthy server gets everything that is not parked').toEqual(parked);
      },
    ),
    { numRuns: 300 },
  );
});

test('batches that are refused as such are taken apart in order: nothing overtakes', async () => {
  const refusal = fc.constantFrom<PushAnswer>(
    { kind: 'failure', reason: 'too-large', message: 'big' },
    { kind: 'failure', reason: 'bad-request', message: 'bad' },
  );
  // null: this push is taken.
  await fc.assert(
    fc.asyncProperty(fc.array(fc.option(refusal), { maxLength: 20 }), async (answers) => {
      const { engine, transport } = await setupEngine({ queued: 12 });
      const taken: string[] = [];
      transport.answerNext(
        ...Array.from({ length: 40 }, (_, n) => (batch: readonly BatchItem[]): PushAnswer => {
          const said = answers[n] ?? null;
          if (said !== null) return said;
          taken.push(...batch.map((item) => item.eventId));
          return { kind: 'ok', verdicts: batch.map(({ eventId }) => ({ eventId, verdict: 'success' })) };
        }),
      );

      await engine.syncNow();

      // Test ids sort as their clocks do.
      expect(taken).toEqual(taken.toSorted());
    }),
    { numRuns: 200 },
  );
});

const serverAct = fc.oneof(
  fc
    .constantFrom<PushAnswer>(
      { kind: 'unauthorized' },
      { kind: 'forbidden', message: 'no' },
      { kind: 'retryable', reason: 'unreachable', message: 'gone' },
      { kind: 'retryable', reason: 'timeout', message: 'slow' },
      { kind: 'retryable', reason: 'throttled', message: 'wait', retryAfterMs: 3000 },
      { kind: 'retryable', reason: 'server-error', message: 'broken' },
      { kind: 'failure', reason: 'too-large', message: 'big' },
      { kind: 'failure', reason: 'too-large', message: 'big', limits: { maxEvents: 3, maxBytes: 2000 } },
      { kind: 'failure', reason: 'bad-request', message: 'bad' },
      { kind: 'failure', reason: 'protocol', message: 'old' },
      { kind: 'ok', verdicts: [] },
    )
    .map((answer): ServerAct => ({ kind: 'whole', answer })),
  fc
    .array(fc.constantFrom<Verdict | null>('success', 'success', 'duplicate', 'pending', 'rejected', null), {
      minLength: 1,
      maxLength: 5,
    })
    .map((pattern): ServerAct => ({ kind: 'mixed', pattern })),
  fc.record({ kind: fc.constant('clock' as const), ahead: fc.integer({ min: -2, max: 50 }), isSaid: fc.boolean() }),
  fc.constant<ServerAct>({ kind: 'lost' }),
);

const modelStep: fc.Arbitrary<ModelStep> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('emit' as const),
      aggregate: fc.nat(2),
      count: fc.integer({ min: 1, max: 30 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('serve' as const),
      acts: fc.array(serverAct, { minLength: 1, maxLength: 4 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(300, 6000, 40_000) }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('sync' as const), waitMs: fc.constantFrom(0, 2000) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom('start' as const, 'start' as const, 'start' as const, 'crash' as const, 'stop' as const),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('switch' as const), account: fc.option(fc.nat(ACCOUNTS.length - 1)) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('set-clock' as const),
      byMs: fc.integer({ min: -7_200_000, max: 7_200_000 }),
    }),
  },
);

test(
  'through crashes, restarts, bad answers, clock jumps and other accounts no event is lost, misrouted or overtaken, and every run ends (US2-2, SEC-1)',
  { timeout: 300_000 + RUNS * 200 },
  async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer(),
        fc.array(modelStep, { minLength: 15, maxLength: 60, size: 'max' }),
        async (seed, steps) => {
          const world = createModelWorld(seed);

          for (const step of steps) await world.step(step);
          await world.heal();

          expect(world.breaches).toEqual([]);
          const rows = await world.rows();
          const kept = new Set(rows.map((row) => row.eventId));
          const lost = world.emitted.filter(({ id }) => !kept.has(id) && !world.released.has(id));
          expect(lost, 'neither here nor with a server').toEqual([]);
          const stuck = rows.filter((row) => row.state === 'queued').map((row) => row.eventId);
          expect(stuck, 'left although everything is well').toEqual([]);
        },
      ),
      // A failure prints its seed and path: `{ seed, path }` here replays it.
      { numRuns: RUNS },
    );
  },
);
