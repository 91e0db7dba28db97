/**
 * Long outages, and what a thousand clients do to a server that comes back. `SPEC_KITTY_STORM_OUTAGES` is how many outages,
 * `SPEC_KITTY_STORM_SEED` the first one's seed.
 */
import { tellStorm } from '@spec-kitty/storm';
import { describe, expect, test } from 'vitest';

import { retryDelay, OFFLINE_ATTEMPT_MS } from '../../src/engine/retry.ts';
import { OFFLINE_CYCLE_MS } from '../../src/contract/limits.ts';
import type { DeliveryStop } from '../../src/engine/stops.ts';
import type { PushAnswer } from '../../src/transport/port.ts';
import { setupBackground } from './background-setup.ts';
import { createRandom } from '../../src/testing/seeded-random.ts';

const HOUR_MS = 3_600_000;
const UNREACHABLE: PushAnswer = { kind: 'retryable', reason: 'unreachable', message: 'No way there.' };

describe('the wait after a failure', () => {
  const delay = (stop: DeliveryStop, failuresBefore: number, random: number, tookMs = 0): number =>
    retryDelay({ stop, failuresBefore, tookMs }, () => random);

  test('begins at 500 ms at most, doubles, and never exceeds 30 s (FR-032)', () => {
    const longest = Array.from({ length: 10 }, (_, n) => delay({ by: 'server-error' }, n, 0.9999));

    expect(longest).toEqual(
      [500, 1000, 2000, 4000, 8000, 16_000, 29_997, 29_997, 29_997, 29_997].map((ms) => expect.closeTo(ms, -1)),
    );
    expect(delay({ by: 'server-error' }, 9, 0)).toBe(0);
  });

  test("is on top of the server's floor, never below it", () => {
    const stop: DeliveryStop = { by: 'throttled', retryAfterMs: 60_000 };

    expect(delay(stop, 5, 0)).toBe(60_000);
    expect(delay(stop, 0, 0.9999)).toBeLessThanOrEqual(60_500);
  });

  test('leaves the next attempt its ten seconds while the server is unreachable (US7-1)', () => {
    for (const tookMs of [0, OFFLINE_ATTEMPT_MS, 25_000, 70_000])
      expect(delay({ by: 'unreachable' }, 20, 0.9999, tookMs) + OFFLINE_ATTEMPT_MS).toBeLessThanOrEqual(
        OFFLINE_CYCLE_MS,
      );
    expect(delay({ by: 'unreachable' }, 20, 0.9999, 25_000) + 25_000).toBeLessThanOrEqual(OFFLINE_CYCLE_MS);
  });

  test('is five minutes where only a person can help', () => {
    expect(delay({ by: 'forbidden' }, 0, 0.5)).toBe(300_000);
  });
});

test('after an hour without network everything arrives, and it was tried as often as backoff says (US7-1, FR-032)', async () => {
  for (const seed of [1, 2]) {
    const { background, time, transport, waiting, emit } = await setupBackground({
      queued: 120,
      random: createRandom(seed),
    });
    transport.answerNext(...Array.from({ length: 2000 }, () => UNREACHABLE));
    await background.start();
    await time.advance(HOUR_MS / 2);
    await emit(50);
    await time.advance(HOUR_MS / 2);

    // The same numbers through the same rule: when would it have tried?
    const random = createRandom(seed);
    let expected = 0;
    for (let at = 0; at <= HOUR_MS; expected += 1)
      at += retryDelay({ stop: { by: 'unreachable' }, failuresBefore: expected, tookMs: 0 }, random);
    expect(transport.pushes.length, `seed ${seed}`).toBe(expected);
    expect(expected).toBeGreaterThan(HOUR_MS / 20_000);
    expect(expected).toBeLessThan(HOUR_MS / 8_000);

    transport.forgetAnswers();
    await time.advance(60_000);

    expect(await waiting()).toEqual([]);
    expect(transport.accepted).toHaveLength(170);
    await background.stop();
  }
});

/** When a client asks again, from how often it has failed and from chance. */
type Delay = (failuresBefore: number, random: () => number) => number;

/**
 * A thousand clients that lose one server at the same moment, each with one batch, each with numbers of its own. The
 * times of all requests, up to the one that succeeds, in milliseconds from the loss.
 */
function simulateOutage(seed: number, delay: Delay): readonly number[] {
  const requests: number[] = [];
  for (let client = 0; client < CLIENTS; client += 1) {
    const random = createRandom(seed * 1_000_003 + client);
    let at = 0;
    for (let failuresBefore = 0; ; failuresBefore += 1) {
      requests.push(at);
      if (at >= AWAY_MS) break;
      at += Math.max(1, delay(failuresBefore, random));
    }
  }
  return requests.toSorted((a, b) => a - b);
}

function busiestWindow(requests: readonly number[], from: number, to: number, windowMs: number): number {
  const counts = new Map<number, number>();
  for (const at of requests) {
    const window = Math.floor((at - from) / windowMs);
    if (at >= from && at < to) counts.set(window, (counts.get(window) ?? 0) + 1);
  }
  return Math.max(...counts.values());
}

const CLIENTS = 1000;
const AWAY_MS = 600_000;
/** What chance adds to one peak of a hundred thousand at most, in means. */
const BY_CHANCE = 0.4;
const OUTAGES = Number(process.env['SPEC_KITTY_STORM_OUTAGES'] ?? 5);
const SEED = Number(process.env['SPEC_KITTY_STORM_SEED'] ?? 1);

/**
 * The busiest second of the outage as a multiple of the mean, once all clients wait up to the ceiling (a minute after the
 * loss; before that they retry faster on purpose). What a server feels is the rate over seconds. A wait spread evenly
 * from 0 to the ceiling makes requests that are as good as independent: the peak stays near the mean.
 */
function peakWhileAway(requests: readonly number[]): number {
  const settled = requests.filter((at) => at >= 60_000 && at < AWAY_MS);
  return busiestWindow(requests, 60_000, AWAY_MS, 1000) / (settled.length / ((AWAY_MS - 60_000) / 1000));
}

/**
 * The same for the five seconds of FR-033's pace, in which a server is promised one batch of each client, after its return:
 * each client comes once within the ceiling. Of waits under way the shorter rests are the more likely: the density falls
 * from twice the mean, at the very moment of the return, to nothing. So over no window can the rate exceed twice the mean
 * but by chance; over the first five seconds of thirty it is 1.83 times the mean, some 300 requests, and chance adds or takes a
 * tenth of a mean, seldom two.
 */
function peakOnReturn(requests: readonly number[], ceilingMs: number): number {
  return busiestWindow(requests, AWAY_MS, AWAY_MS + ceilingMs, 5000) / ((CLIENTS * 5000) / ceilingMs);
}

describe.each(['unreachable', 'server-error'] as const)('a thousand clients of a server that is %s', (by) => {
  const ceilingMs = by === 'unreachable' ? OFFLINE_CYCLE_MS - OFFLINE_ATTEMPT_MS : 30_000;
  const ours: Delay = (failuresBefore, random) => retryDelay({ stop: { by }, failuresBefore, tookMs: 0 }, random);

  test('never peak above twice the mean rate, while it is away or when it is back, nor then above what it got while away (FR-032)', ({
    task,
  }) => {
    const back: number[] = [];
    for (let seed = SEED; seed < SEED + OUTAGES; seed += 1) {
      const requests = simulateOutage(seed, ours);
      const returned = requests.filter((at) => at >= AWAY_MS);
      back.push(peakOnReturn(requests, ceilingMs));

      expect(returned).toHaveLength(CLIENTS);
      expect(Math.max(...returned)).toBeLessThanOrEqual(AWAY_MS + ceilingMs);
      expect(peakWhileAway(requests), `seed ${seed}`).toBeLessThan(2);
      expect(back.at(-1), `seed ${seed}`).toBeLessThan(2 + BY_CHANCE);
      const [peakBack, peakAway] = [
        busiestWindow(requests, AWAY_MS, AWAY_MS + ceilingMs, 5000),
        busiestWindow(requests, 60_000, AWAY_MS, 5000),
      ];
      expect(peakBack, `seed ${seed}`).toBeLessThan(1.2 * peakAway);
    }
    expect(back.toSorted((a, b) => a - b)[Math.floor(back.length / 2)]).toBeLessThan(2);
    tellStorm(task, { storm: 'outage', variant: by, seed: SEED, counts: { outages: OUTAGES } });
  });

  test.for<[mistake: string, delay: Delay]>([
    ['waits without chance', (failuresBefore) => ours(failuresBefore, () => 0.9999)],
    ['lets chance decide about a tenth of the wait', (failures, random) => ours(failures, () => 0.9 + random() / 10)],
    ['asks every ten seconds', () => 10_000],
  ])('the same figures show a client that %s', ([mistake, delay], { task }) => {
    const requests = simulateOutage(SEED, delay);

    expect(Math.max(peakWhileAway(requests), peakOnReturn(requests, ceilingMs))).toBeGreaterThan(2 + BY_CHANCE);
    tellStorm(task, { storm: 'outage', caught: [`a client that ${mistake}`] });
  });
});
