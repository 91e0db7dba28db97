/**
 * What emission adds to a whole command: `finalize-tasks` with nothing to announce against `finalize-tasks --emit`,
 * for both stores and three queue sizes, in turns, each case in its own repository and home.
 */
import { createOfflineQueue, silentLogger, systemTime } from '@spec-kitty/events-sdk';
import { openHomeStore, resolveHome } from '@spec-kitty/events-sdk/node';
import { anEvent } from '@spec-kitty/events-sdk/testing';

import { makeCommandWorld, type CommandWorld } from './command-world.ts';

export const DRIVERS = ['node-sqlite', 'sqljs'] as const;
export type Driver = (typeof DRIVERS)[number];
const ROWS = [0, 1000, 10_000] as const;
const ROUNDS = 15;

export interface EmissionCost {
  readonly driver: Driver;
  readonly rows: number;
  /** Milliseconds of the whole command without and with its four events. */
  readonly without: readonly number[];
  readonly withEvents: readonly number[];
}

export async function measureEmission(): Promise<readonly EmissionCost[]> {
  const cases: { driver: Driver; rows: number; world: CommandWorld; without: number[]; withEvents: number[] }[] = [];
  for (const driver of DRIVERS) {
    for (const rows of ROWS) {
      const world = await makeCommandWorld({ SPEC_KITTY_DELIVERY: 'off', SPEC_KITTY_QUEUE_DRIVER: driver });
      await fill(world.env, driver, rows);
      cases.push({ driver, rows, world, without: [], withEvents: [] });
    }
  }
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const { world, without, withEvents } of cases) {
      without.push(await world.specKitty(['agent', 'feature', 'finalize-tasks']));
      withEvents.push(await world.specKitty(['agent', 'feature', 'finalize-tasks', '--emit']));
    }
  }
  for (const { world } of cases) world.remove();
  return cases;
}

/** Puts `rows` events of about 600 bytes into the home's queue. */
async function fill(env: NodeJS.ProcessEnv, driver: Driver, rows: number): Promise<void> {
  if (rows === 0) return;
  const { store } = await openHomeStore({ home: resolveHome(env), env, driver, logger: silentLogger });
  // The few rows of the measured runs must still fit.
  const queue = createOfflineQueue({ store, time: systemTime, cap: 2 * rows });
  const events = Array.from({ length: rows - 4 * (ROUNDS + 1) }, (_, index) => anEvent({ lamport_clock: index + 100 }));
  await queue.enqueue(events, { state: 'queued', reason: null, server: 'https://team.example', projectRoot: null });
  await store.close();
}
