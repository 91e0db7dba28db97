/** What may happen to a model world, by chance: answers of servers, deaths, other accounts, wall clocks that jump. */
import * as fc from 'fast-check';

import type { Verdict } from '../../src/contract/batch.ts';
import type { PushAnswer } from '../../src/transport/port.ts';
import { ACCOUNTS, type ModelStep, type ServerAct } from './model-world.ts';

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

/** How far wall clocks jump: hours, and years as after a flat battery. */
const YEARS_MS = 20 * 365 * 86_400_000;

export const modelStep: fc.Arbitrary<ModelStep> = fc.oneof(
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
      byMs: fc.oneof(fc.integer({ min: -7_200_000, max: 7_200_000 }), fc.integer({ min: -YEARS_MS, max: YEARS_MS })),
    }),
  },
);
