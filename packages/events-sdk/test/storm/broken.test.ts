/** The storm sees what it is there to see: clients that are wrong on purpose are found out within a few kills. */
import { tellStorm } from '@spec-kitty/storm';
import { expect, test } from 'vitest';

import { ADA, makeWorld, readQueue, startServer } from '../node/world.ts';
import { countFaults, judge } from './judge.ts';
import { createRandom } from '../../src/testing/seeded-random.ts';
import { eventsOn, runStorm } from './storm.ts';

const KILLS = 12;

/** Runs a storm with one of the broken clients; what still waits after it counts as present. */
async function stormWith(fault: string, width: number, seed = 7): Promise<ReturnType<typeof countFaults>> {
  const server = await startServer();
  const { access } = await server.signIn(ADA.username);
  const world = makeWorld({
    env: { SPEC_KITTY_TOKEN: access, SPEC_KITTY_TEAM: ADA.team, SPEC_KITTY_SERVER: server.url },
  });
  const storm = await runStorm({
    world,
    server,
    fixture: 'broken',
    args: [fault],
    kills: KILLS,
    random: createRandom(seed),
    width,
  });
  expect(storm.failures).toEqual([]);
  const { undelivered: _, ...faults } = countFaults(
    judge({ acknowledged: storm.acknowledged, server: eventsOn(server), queue: readQueue(world.home).rows }),
  );
  return faults;
}

/** As many storms as it takes: whether a kill meets the mistake is for chance and the machine's load to say. */
async function foundOut(fault: string, width: number, shows: keyof ReturnType<typeof countFaults>): Promise<boolean> {
  for (let seed = 7; seed < 17; seed += 1) if (((await stormWith(fault, width, seed))[shows] ?? 0) > 0) return true;
  return false;
}

test('the same client without a fault passes the same storm', async () => {
  expect(await stormWith('none', 2)).toEqual({});
});

test('a store that acknowledges before it has written is found out', { timeout: 180_000 }, async ({ task }) => {
  expect(await foundOut('acknowledged-early', 1, 'lost')).toBe(true);
  tellStorm(task, { storm: 'kills', caught: ['a store that acknowledges before it has written'] });
});

test('a delivery that forgets events before the verdict is found out', { timeout: 180_000 }, async ({ task }) => {
  expect(await foundOut('settled-early', 1, 'lost')).toBe(true);
  tellStorm(task, { storm: 'kills', caught: ['a delivery that forgets events before the verdict'] });
});

test('a clock kept outside the transaction is found out', { timeout: 180_000 }, async ({ task }) => {
  expect(await foundOut('clock-outside', 1, 'clock-repeated')).toBe(true);
  tellStorm(task, { storm: 'kills', caught: ['a clock kept outside the transaction'] });
});

// Four that overwrite each other's leases may keep one another waiting.
test(
  'a sql.js file that four processes write without the lock loses events',
  { timeout: 180_000 },
  async ({ task }) => {
    expect(await foundOut('without-lock', 4, 'lost')).toBe(true);
    tellStorm(task, { storm: 'kills', caught: ['a sql.js file that four processes write without the lock'] });
  },
);
