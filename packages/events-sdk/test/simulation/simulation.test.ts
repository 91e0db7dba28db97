/**
 * The whole library in one thread, from one seed: several processes on one home, two servers, a network, wall clocks, disks
 * and deaths. After each the books balance. `SPEC_KITTY_STORM_SIMULATIONS` sets how many, `SPEC_KITTY_STORM_SEED` the first
 * seed (default: 1, so that `npm test` meets the same every time; the storm meets others); the seeds that follow are the next numbers, so a failure's seed alone replays it.
 */
import { tellStorm } from '@spec-kitty/storm';
import { expect, test } from 'vitest';

import { createProcess } from './process.ts';
import { inWords, runSimulations } from './run.ts';
import { SERVER_FAULTS } from './server-faults.ts';
import { createWorld } from './world.ts';

const COUNT = Number(process.env['SPEC_KITTY_STORM_SIMULATIONS'] ?? 2_000);
const SEED = Number(process.env['SPEC_KITTY_STORM_SEED'] ?? 1);
/** From here on every kind of thing must have happened by chance. */
const ENOUGH = 2_000;

/** What has to happen in some of the simulations, or they prove less than they say. */
const KINDS = [
  ...SERVER_FAULTS.map((fault) => `server ${fault}`),
  ...['request lost', 'answer lost', 'reset before', 'reset after', 'unreachable'].map((fate) => `network ${fate}`),
  ...['before a call', 'after a call', 'at a moment', 'at a call of the disk', 'with the sign-in locked'].map(
    (when) => `killed ${when}`,
  ),
  ...['held team', 'held team-changed', 'held project', 'held disabled'].map((what) => `emit ${what}`),
  ...['queued', 'spilled', 'dropped full', 'dropped unavailable'].map((what) => `emit ${what}`),
  ...['drained', 'logged-out', 'unauthorized', 'unreachable', 'throttled', 'server-error', 'protocol'].map(syncKind),
  ...['no-progress', 'busy', 'aborted', 'storage', 'forbidden'].map(syncKind),
  'verdict success',
  'verdict duplicate',
  'event refused for ever',
  'answer 401',
  'answer 413',
  'started again',
  'partition',
  'clock jumped',
  'tokens taken back',
  'token renewed',
  'refresh refused',
  'login',
  'logout',
  'flush',
  'waited for the sign-in',
  'request aborted',
  'slow disk',
  'disk call failed',
  'background running',
  'background busy',
  'link opened',
  'link lost',
  'delivered over a link',
  'no realtime',
  'storage failed before its work',
  'storage failed after its work',
  'spill kept',
  'spill taken in',
];

function syncKind(stop: string): string {
  return `sync ${stop}`;
}

test(
  'whatever happens to processes, disk, clock, network and servers: emitted = delivered + waiting + counted drops, each event once, in order, to its own team, and nothing hangs or waits for the network (FR-026, SEC-1, US2-2)',
  { timeout: 120_000 + COUNT * 200 },
  async ({ task }) => {
    const { failed, kinds, totals } = await runSimulations(SEED, COUNT);

    expect(failed, failed.map(inWords).join('\n\n')).toEqual([]);
    expect(totals.simulations).toBe(COUNT);
    if (COUNT >= ENOUGH)
      expect(
        KINDS.filter((kind) => !kinds.has(kind)),
        'never happened',
      ).toEqual([]);
    tellStorm(task, {
      storm: 'simulation',
      seed: SEED,
      counts: {
        simulations: totals.simulations,
        'events emitted': totals.emissions,
        'events delivered': totals.delivered,
        kills: totals.kills,
      },
    });
  },
);

test('the same seed is the same history to the letter, and another seed is another', { timeout: 120_000 }, async () => {
  const [first, again] = await Promise.all([runSimulations(SEED, 30), runSimulations(SEED + 10, 20)]);

  expect(again.hashes).toEqual(first.hashes.slice(10));
  expect(new Set(first.hashes).size).toBe(30);
});

test('a process that asks again and again without letting time go on is named and ended, and no other with it', async () => {
  const world = createWorld(1);
  const [restless, other] = [1, 2].map((pid) => createProcess(world, pid, { failsEvery: 0, slowMs: 0 }));
  const askForEver = async (): Promise<void> => {
    for (;;) await restless?.call('read', () => 1);
  };
  void askForEver();
  await restless?.died;

  expect(world.breaches).toEqual(['spin: p1 does not let time go on, at last with read']);
  expect(await other?.call('read', () => 1)).toBe(1);
});
