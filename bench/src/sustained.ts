/** Events a second in one process, one durable emission after the other, beside a bare `node:sqlite` loop. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { wpStatusChanged } from '@spec-kitty/events-sdk';
import { openNodeClient } from '@spec-kitty/events-sdk/node';

import { appendBare, prepareBare } from './bare-loop.ts';
import { DRIVERS, type Driver } from './emission-cost.ts';
import { makeScratchProject } from './scratch-project.ts';
import { median } from './statistics.ts';

const SLICE_MS = 400;
const SLICES = 5;

export interface Rate {
  readonly name: string;
  readonly perSecond: number;
}

/** Medians over slices taken in turns, the bare loop first. */
export async function measureSustained(): Promise<readonly Rate[]> {
  const { root, remove } = makeScratchProject();
  const bare = openBare(join(root, 'bare.db'));
  const move = wpStatusChanged({ wpId: 'WP01', previousStatus: 'planned', newStatus: 'doing' });
  const many = Array.from({ length: 1000 }, () => move);
  // One home for each case: bulk appends must not slow the single ones down.
  const open = (name: string, driver: Driver) => openNodeClient({ cwd: root, env: makeHome(root, name, driver) });
  const clients = DRIVERS.map((driver) => ({
    driver,
    single: open(`single-${driver}`, driver),
    bulk: open(`bulk-${driver}`, driver),
  }));
  const cases = [
    { name: 'bare node:sqlite', events: 1, work: async (): Promise<unknown> => appendBare(bare) },
    ...clients.flatMap(({ driver, single, bulk }) => [
      { name: `emit, ${driver}`, events: 1, work: (): Promise<unknown> => single.emit(move) },
      { name: `emitAll of 1,000, ${driver}`, events: 1000, work: (): Promise<unknown> => bulk.emitAll(many) },
    ]),
  ];
  const rates = cases.map(() => [] as number[]);
  for (let slice = 0; slice < SLICES; slice += 1) {
    for (const [index, { events, work }] of cases.entries()) rates[index]?.push(events * (await perSecond(work)));
  }
  for (const { single, bulk } of clients) await Promise.all([single.close(), bulk.close()]);
  bare.close();
  remove();
  return cases.map(({ name }, index) => ({ name, perSecond: median(rates[index] ?? []) }));
}

function makeHome(root: string, name: string, driver: Driver): NodeJS.ProcessEnv {
  const home = join(root, name);
  mkdirSync(home);
  writeFileSync(join(home, 'config.toml'), '[sync]\nmax_queue_size = 100000000\ndelivery = "off"\n');
  return { ...process.env, SPEC_KITTY_HOME: home, SPEC_KITTY_QUEUE_DRIVER: driver };
}

async function perSecond(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  let done = 0;
  while (performance.now() - startedAt < SLICE_MS) {
    await work();
    done += 1;
  }
  return (done * 1000) / (performance.now() - startedAt);
}

function openBare(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: 5000 });
  prepareBare(db);
  return db;
}
