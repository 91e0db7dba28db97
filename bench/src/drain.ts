/** How fast a queue empties: read, packed, sent, each verdict durable, from one process to a server that keeps nothing. */
import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

import { wpStatusChanged } from '@spec-kitty/events-sdk';
import { openNodeClient } from '@spec-kitty/events-sdk/node';

import { DRIVERS, type Driver } from './emission-cost.ts';
import { makeScratchProject } from './scratch-project.ts';

const EVENTS = 10_000;
const ROUNDS = 3;

export interface Drain {
  readonly driver: Driver;
  readonly events: number;
  /** Events a second, one figure a round. */
  readonly rates: readonly number[];
}

/** Rounds of both stores in turns. Throws when a queue does not empty: a rate of nothing is no figure. */
export async function measureDrain(): Promise<readonly Drain[]> {
  const worker = new Worker(new URL('./null-server.ts', import.meta.url));
  const [port] = (await once(worker, 'message')) as [number];
  const rates = new Map<Driver, number[]>(DRIVERS.map((driver) => [driver, []]));
  for (let round = 0; round < ROUNDS; round += 1)
    for (const driver of DRIVERS) rates.get(driver)?.push(await drainOnce(driver, `http://127.0.0.1:${port}`));
  await worker.terminate();
  return DRIVERS.map((driver) => ({ driver, events: EVENTS, rates: rates.get(driver) ?? [] }));
}

async function drainOnce(driver: Driver, server: string): Promise<number> {
  const project = makeScratchProject();
  const client = openNodeClient({
    cwd: project.root,
    env: {
      ...process.env,
      SPEC_KITTY_HOME: join(project.root, 'home'),
      SPEC_KITTY_QUEUE_DRIVER: driver,
      SPEC_KITTY_SERVER: server,
      SPEC_KITTY_TOKEN: 'bench-token',
      SPEC_KITTY_TEAM: 'acme',
    },
  });
  const move = wpStatusChanged({
    wpId: 'WP01',
    previousStatus: 'planned',
    newStatus: 'doing',
    featureSlug: '001-demo',
  });
  const many = Array.from({ length: 1_000 }, () => move);
  for (let done = 0; done < EVENTS; done += many.length) await client.emitAll(many);
  const startedAt = performance.now();
  const report = await client.syncNow();
  const seconds = (performance.now() - startedAt) / 1000;
  await client.close();
  project.remove();
  if (report.sent !== EVENTS) throw new Error(`${driver}: ${report.sent} of ${EVENTS} sent (${report.stoppedBy}).`);
  return EVENTS / seconds;
}
