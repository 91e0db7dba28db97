/**
 * How fast a queue empties: read, packed, sent, each verdict durable, from a process of its own to a server that keeps
 * nothing; and how much memory that process needs. Holds PERF-2.
 */
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

import { buildPrograms } from './built-programs.ts';
import type { Driver } from './drivers.ts';
import { table, whole } from './markdown.ts';
import { makeScratchProject } from './scratch-project.ts';
import type { Effort, Goal, Section } from './section.ts';
import { digits, median, spread } from './statistics.ts';
import { told } from './timed-process.ts';

/** PERF-2, in events a second. */
const LEAST_RATE = 33;
const RATE_GOAL = 40_000;
const MEMORY_GOAL_MIB = 64;
/** Not 100,000 with the portable store: it writes its whole file anew for each batch, which takes minutes. */
const CASES = [
  { driver: 'node-sqlite', events: 10_000, rounds: 5 },
  { driver: 'sqljs', events: 10_000, rounds: 3 },
  { driver: 'node-sqlite', events: 100_000, rounds: 3 },
] as const;

interface Drained {
  readonly seconds: number;
  readonly rssMiB: number;
  readonly heapMiB: number;
}

interface Row {
  readonly driver: Driver;
  readonly events: number;
  readonly rounds: readonly Drained[];
}

export const drainSection: Section = {
  name: 'drain',
  title: 'Emptying a queue',
  async measure(effort) {
    const rows = await measureDrains(effort);
    const rates = ({ events, rounds }: Row): readonly number[] => rounds.map(({ seconds }) => events / seconds);
    const slow = rows.filter((row) => !(Math.min(...rates(row)) > LEAST_RATE)).map(({ driver }) => driver);
    const lines = rows.map((row) => [
      row.driver,
      whole(row.events),
      spread(rates(row)),
      whole(median(row.rounds.map(({ rssMiB }) => rssMiB))),
      whole(median(row.rounds.map(({ heapMiB }) => heapMiB))),
      digits(Math.min(...rates(row))),
    ]);
    const text = `From one process over HTTP to a server that keeps nothing, every verdict durable. Each round in a fresh process, whose
memory is told: the most it had in all, and the most its objects took. Filling is not counted. The portable store writes its
whole file anew for each batch, so its time grows with the square of the length: the long queue is the native store's alone; a home with the default cap never holds more than 10,000.

${table(['store', 'events', 'events a second', 'RSS, MiB', 'heap, MiB', 'slowest round, events a second'], lines)}

PERF-2 asks for more than ${LEAST_RATE} a second. ${slow.length === 0 ? 'Met' : `Missed by ${slow.join(', ')}`}.`;
    return { text, missed: slow, goals: goalsOf(rows, rates) };
  },
};

function goalsOf(rows: readonly Row[], rates: (row: Row) => readonly number[]): readonly Goal[] {
  const find = (events: number): Row | undefined =>
    rows.find((row) => row.driver === 'node-sqlite' && row.events === events);
  const [small, large] = [find(10_000), find(100_000)];
  const rate = small === undefined ? Number.NaN : median(rates(small));
  const rss = (row: Row): number => median(row.rounds.map(({ rssMiB }) => rssMiB));
  const goals: Goal[] = [
    {
      what: 'Emptying 10,000 events (native store)',
      goal: `≥ ${whole(RATE_GOAL)} events/s`,
      figure: `${whole(rate)} events/s`,
      isMet: rate >= RATE_GOAL,
      why: 'Each round is a fresh process, and ten batches are little: loading delivery and its HTTP client counts (see "What an import costs": ky, and what it needs of Node), and the server shares the two cores. A batch itself costs reading a thousand rows whose columns SQLite computes from their envelopes, gzip, and taking them out of the table and its indexes under one fsync; the row of 100,000 shows that alone.',
    },
  ];
  if (small !== undefined && large !== undefined) {
    const more = rss(large) - rss(small);
    goals.push({
      what: 'Memory for 100,000 events (native store)',
      goal: `at most ${MEMORY_GOAL_MIB} MiB over that for 10,000`,
      figure: `${more < 0 ? '' : '+'}${digits(more)} MiB RSS`,
      isMet: more <= MEMORY_GOAL_MIB,
      why: 'Nothing is held longer than its batch; what grows is the garbage that is not collected yet.',
    });
  }
  return goals;
}

async function measureDrains(effort: Effort): Promise<readonly Row[]> {
  const programs = await buildPrograms();
  const worker = new Worker(new URL('./null-server.ts', import.meta.url));
  const [port] = (await once(worker, 'message')) as [number];
  const rows: {
    readonly driver: Driver;
    readonly events: number;
    readonly left: number;
    readonly rounds: Drained[];
  }[] = CASES.filter(({ events }) => !effort.isQuick || events === 10_000).map(({ driver, events, rounds }) => ({
    driver,
    events,
    left: effort.rounds(rounds),
    rounds: [],
  }));
  try {
    for (let round = 0; round < Math.max(...rows.map(({ left }) => left)); round += 1)
      for (const row of rows)
        if (round < row.left) row.rounds.push(await drainOnce(programs.path('drain'), row, `http://127.0.0.1:${port}`));
    return rows;
  } finally {
    await worker.terminate();
    programs.remove();
  }
}

/** Throws when the queue does not empty: a rate of nothing is no figure. */
async function drainOnce(
  script: string,
  { driver, events }: Pick<Row, 'driver' | 'events'>,
  server: string,
): Promise<Drained> {
  const project = makeScratchProject();
  mkdirSync(join(project.root, 'home'));
  writeFileSync(join(project.root, 'home', 'config.toml'), '[sync]\nmax_queue_size = 100000000\ndelivery = "off"\n');
  const env = {
    ...process.env,
    SPEC_KITTY_SERVER: server,
    SPEC_KITTY_TOKEN: 'bench-token',
    SPEC_KITTY_TEAM: 'acme',
  };
  const start = (mode: string, ...more: readonly string[]) =>
    told({ file: process.execPath, args: [script, mode, project.root, driver, ...more], cwd: project.root, env });
  await start('fill', String(events));
  // Printed by the program right here.
  const drained = JSON.parse((await start('drain')).output) as Drained & {
    readonly sent: number;
    readonly stoppedBy: string;
  };
  project.remove();
  if (drained.sent !== events) throw new Error(`${driver}: ${drained.sent} of ${events} sent (${drained.stoppedBy}).`);
  return drained;
}
