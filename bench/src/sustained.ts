/** Events a second in one process, one durable emission after the other, beside a bare `node:sqlite` loop. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { wpStatusChanged } from '@spec-kitty/events-sdk';
import { openNodeClient } from '@spec-kitty/events-sdk/node';

import { appendBare, prepareBare } from './bare-loop.ts';
import { DRIVERS, type Driver } from './drivers.ts';
import { table } from './markdown.ts';
import { makeScratchProject } from './scratch-project.ts';
import type { Effort, Goal, Section } from './section.ts';
import { digits, median, medianOf, spread } from './statistics.ts';

const SLICE_MS = 400;
const SLICES = 7;
const RATIO_GOAL = 0.7;
const BULK_GOAL = 50_000;

interface Rates {
  readonly name: string;
  /** Events a second, one figure a slice. */
  readonly rates: readonly number[];
}

export const sustainedSection: Section = {
  name: 'sustained',
  title: 'Sustained, one process',
  async measure(effort) {
    const rows = await measureRates(effort);
    const bare = rows[0]?.rates ?? [];
    const ratio = (name: string): number =>
      medianOf(rows.find((row) => row.name === name)?.rates ?? [], bare, (a, b) => a / b);
    const lines = rows.map(({ name, rates }) => [name, digits(ratio(name)), spread(rates)]);
    const single = ratio('emit, node-sqlite');
    const bulk = median(rows.find(({ name }) => name === 'emitAll of 1,000, node-sqlite')?.rates ?? []);
    const goals: readonly Goal[] = [
      {
        what: 'Sustained durable `emit` in one process (native store)',
        goal: `≥ ${RATIO_GOAL} × a bare \`node:sqlite\` loop`,
        figure: `${digits(single)} ×`,
        isMet: single >= RATIO_GOAL,
        why: 'Both wait for one fsync an event. The bare loop writes three pages for it, the queue five or six: its columns are those of the Python original (AUTOINCREMENT is a page), and the order of sending and the clock are kept beside the row, so that opening and counting never read all rows. What is left is the check of the payload, the id, the facts of project and sign-in looked at anew for each event, and the look whether the file is still the same.',
      },
      {
        what: 'Sustained `emitAll` of 1,000 (native store)',
        goal: '≥ 50,000 events/s',
        figure: `${digits(bulk)} events/s`,
        isMet: bulk >= BULK_GOAL,
        why: 'A thousand events are one fsync: this is processor time alone, and the machine was busy with something else.',
      },
    ];
    const text = `One event after the other, each on disk before the next begins; ${bare.length} slices of ${SLICE_MS} ms in turns.

${table(['what', '× bare loop', 'events a second'], lines)}`;
    return { text, goals };
  },
};

/** The bare loop first. */
async function measureRates(effort: Effort): Promise<readonly Rates[]> {
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
  const slices = effort.rounds(SLICES);
  for (let slice = 0; slice <= slices; slice += 1) {
    for (const [index, { events, work }] of cases.entries()) {
      const rate = events * (await perSecond(work));
      // The first opens and warms up.
      if (slice > 0) rates[index]?.push(rate);
    }
  }
  for (const { single, bulk } of clients) await Promise.all([single.close(), bulk.close()]);
  bare.close();
  remove();
  return cases.map(({ name }, index) => ({ name, rates: rates[index] ?? [] }));
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
