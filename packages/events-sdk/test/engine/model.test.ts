/**
 * Whatever a server answers, in whatever order: nothing acknowledged is lost, and every sync ends.
 * `SPEC_KITTY_STORM_SEED` repeats the choices, `SPEC_KITTY_MODEL_RUNS` makes more of them.
 */
import { tellStorm } from '@spec-kitty/storm';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import type { EventVerdict, Verdict } from '../../src/contract/batch.ts';
import { anEvent, testUlid } from '../../src/testing/an-event.ts';
import type { BatchItem, PushAnswer } from '../../src/transport/port.ts';
import { settledEarly } from '../storm/fixtures/broken-ports.ts';
import { modelStep } from './model-steps.ts';
import { createModelWorld, type ModelStep } from './model-world.ts';
import { setupEngine } from './setup.ts';

const RUNS = Number(process.env['SPEC_KITTY_MODEL_RUNS'] ?? 400);
const SEED = Number(process.env['SPEC_KITTY_STORM_SEED'] ?? Date.now() % 1_000_000);

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
    { numRuns: 300, seed: SEED },
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
    { numRuns: 200, seed: SEED },
  );
});

const life = fc.tuple(fc.integer(), fc.array(modelStep, { minLength: 15, maxLength: 60, size: 'max' }));

/** Lives through the steps, mends everything, and says what the books then lack. */
async function live(
  [seed, steps]: readonly [number, readonly ModelStep[]],
  broken?: Parameters<typeof createModelWorld>[1],
): Promise<{ readonly faults: readonly string[]; readonly emitted: number; readonly left: number }> {
  const world = createModelWorld(seed, broken);

  for (const step of steps) await world.step(step);
  await world.heal();

  const rows = await world.rows();
  const kept = new Set(rows.map((row) => row.eventId));
  const lost = world.emitted.filter(({ id }) => !kept.has(id) && !world.released.has(id));
  const stuck = rows.filter((row) => row.state === 'queued');
  return {
    faults: [
      ...world.breaches,
      ...lost.map(({ id }) => `${id} is lost: neither here nor with a server`),
      ...stuck.map(({ eventId }) => `${eventId} is stuck although everything is well`),
    ],
    emitted: world.emitted.length,
    left: rows.length,
  };
}

test(
  'through crashes, restarts, bad answers, clock jumps of years and other accounts no event is lost, misrouted or overtaken, and every run ends (US2-2, SEC-1)',
  { timeout: 300_000 + RUNS * 200 },
  async ({ task }) => {
    const total = { 'events emitted': 0, 'left the queue by a verdict': 0, 'held or set aside': 0 };
    await fc.assert(
      fc.asyncProperty(life, async (steps) => {
        const { faults, emitted, left } = await live(steps);

        expect(faults).toEqual([]);
        total['events emitted'] += emitted;
        total['left the queue by a verdict'] += emitted - left;
        total['held or set aside'] += left;
      }),
      // A failure prints its seed and path: `{ seed, path }` here replays it.
      { numRuns: RUNS, seed: SEED },
    );
    tellStorm(task, { storm: 'engine', seed: SEED, counts: { runs: RUNS, ...total } });
  },
);

/** Ways out with one mistake each, and what the same books then show. */
const BROKEN: readonly (readonly [
  mistake: string,
  broken: NonNullable<Parameters<typeof createModelWorld>[1]>,
  shown: RegExp,
])[] = [
  ['takes events out of the queue when they are sent', settledEarly, /is lost/],
  [
    'takes a broken line for a success',
    (inner) => ({
      async push(batch, context) {
        const answer = await inner.push(batch, context);
        return answer.kind === 'retryable'
          ? { kind: 'ok', verdicts: batch.map(({ eventId }) => ({ eventId, verdict: 'success' })) }
          : answer;
      },
    }),
    /is lost/,
  ],
  [
    'sends the latest first',
    (inner) => ({ push: (batch, context) => inner.push(batch.toReversed(), context) }),
    /not in clock order/,
  ],
  [
    'sends everything to one server',
    (inner) => ({ push: (batch, context) => inner.push(batch, { ...context, server: 'https://one.example' }) }),
    /went to https:\/\/one\.example/,
  ],
];

test.for(BROKEN)('the same books find a way out that %s', async ([mistake, broken, shown], { task }) => {
  const found: string[] = [];
  for (const steps of fc.sample(life, { numRuns: 400, seed: SEED })) {
    found.push(...(await live(steps, broken)).faults);
    if (found.some((fault) => shown.test(fault))) break;
  }

  expect(found.join('\n')).toMatch(shown);
  tellStorm(task, { storm: 'engine', caught: [`a way out that ${mistake}`] });
});
