/** The storm sees what it is there to see: clients that are wrong on purpose are found out within a few kills. */
import { tellStorm } from '@spec-kitty/storm';
import { expect, test } from 'vitest';

import { ADA, makeWorld, readQueue, startServer } from '../node/world.ts';
import { countFaults, judge } from './judge.ts';
import { createRandom } from '../../src/testing/seeded-random.ts';
import { eventsOn, runStorm } from './storm.ts';

const KILLS = 12;

/** Runs a storm with one of the broken clients; what still waits after it counts as present. */
async function stormWith(fault: string, width: number): Promise<ReturnType<typeof countFaults>> {
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
    random: createRandom(7),
    width,
  });
  expect(storm.failures).toEqual([]);
  const { undelivered: _, ...faults } = countFaults(
    judge({ acknowledged: storm.acknowledged, server: eventsOn(server), queue: readQueue(world.home).rows }),
  );
  return faults;
}

test('the same client without a fault passes the same storm', async () => {
  expect(await stormWith('none', 2)).toEqual({});
});

test('a store that acknowledges before it has written is found out', async ({ task }) => {
  expect((await stormWith('acknowledged-early', 1)).lost).toBeGreaterThan(0);
  tellStorm(task, { storm: 'kills', caught: ['a store that acknowledges before it has written'] });
});

test('a delivery that forgets events before the verdict is found out', async ({ task }) => {
  expect((await stormWith('settled-early', 1)).lost).toBeGreaterThan(0);
  tellStorm(task, { storm: 'kills', caught: ['a delivery that forgets events before the verdict'] });
});

test('a clock kept outside the transaction is found out', async ({ task }) => {
  expect((await stormWith('clock-outside', 1))['clock-repeated']).toBeGreaterThan(0);
  tellStorm(task, { storm: 'kills', caught: ['a clock kept outside the transaction'] });
});

// Four that overwrite each other's leases may keep one another waiting.
test(
  'a sql.js file that four processes write without the lock loses events',
  { timeout: 180_000 },
  async ({ task }) => {
    expect((await stormWith('without-lock', 4)).lost).toBeGreaterThan(0);
    tellStorm(task, { storm: 'kills', caught: ['a sql.js file that four processes write without the lock'] });
  },
);
