/**
 * Acknowledged means on disk, and delivered in the end: proven with real processes, real files, a real server and
 * SIGKILL. `SPEC_KITTY_STORM_KILLS` makes the storm longer, `SPEC_KITTY_STORM_SEED` repeats its choices.
 */
import { readdirSync } from 'node:fs';

import { tellStorm } from '@spec-kitty/storm';
import { expect, test } from 'vitest';

import { makeWorld, MOVE, readQueue, signIn, startServer } from '../node/world.ts';
import { judge } from './judge.ts';
import { createRandom } from '../../src/testing/seeded-random.ts';
import { eventsOn, runStorm } from './storm.ts';

const KILLS = Number(process.env['SPEC_KITTY_STORM_KILLS'] ?? 100);
const SEED = Number(process.env['SPEC_KITTY_STORM_SEED'] ?? Date.now() % 1_000_000);

/** All that may stand in a home after its last process, beside the settings. */
const AT_REST = ['clock.json', 'credentials', 'queue.db'];

// The fallback store is slower, and saves whole files: half as many kills take as long.
for (const [driver, kills] of [
  ['node-sqlite', KILLS],
  ['sqljs', Math.ceil(KILLS / 2)],
] as const) {
  test(
    `${driver}: however often processes are killed, every acknowledged event is delivered once and no clock value repeats (EC-5, SC-007, SC-009, FR-006)`,
    { timeout: 120_000 + kills * 3_000 },
    async ({ task }) => {
      const world = makeWorld({ env: { SPEC_KITTY_QUEUE_DRIVER: driver } });
      // Tokens outlive the storm: a process killed while it renews one loses it, which is another promise's matter.
      const server = await startServer({ accessLifetimeS: 7 * 86_400 });
      await signIn(world, server);

      const storm = await runStorm({ world, server, fixture: 'storm', kills, random: createRandom(SEED) });

      expect(storm.failures).toEqual([]);
      expect(storm.dropped).toEqual([]);
      expect(Math.max(...storm.firstAckMs)).toBeLessThan(5_000);
      // Enough of the kills were where they hurt: while settling, and with the server's answer on its way.
      expect(storm.phases.settling).toBeGreaterThan(kills / 10);
      expect(storm.duplicates).toBeGreaterThan(0);
      const last = world.open().client;
      expect(await last.emit(MOVE)).toMatchObject({ status: 'queued' });
      const report = await last.syncNow();
      await last.close();
      expect(report).toMatchObject({ stoppedBy: 'drained', remaining: 0, held: 0, parked: 0, rejected: [] });
      const { rows, integrity } = readQueue(world.home);
      const onServer = eventsOn(server);
      expect(judge({ acknowledged: storm.acknowledged, server: onServer, queue: rows })).toEqual([]);
      expect(integrity).toBe('ok');
      expect(new Set(onServer.map(({ node }) => node)).size).toBe(1);
      expect(readdirSync(world.home).filter((name) => !AT_REST.includes(name))).toEqual([]);
      tellStorm(task, {
        storm: 'kills',
        variant: driver,
        seed: SEED,
        counts: {
          'kills while starting': storm.phases.starting,
          'while emitting': storm.phases.emitting,
          'while settling': storm.phases.settling,
          'events acknowledged': storm.acknowledged.length,
          'answered as duplicate': storm.duplicates,
        },
        times: { 'first acknowledgement of the next process': storm.firstAckMs },
      });
    },
  );
}
