/** Many processes on one home, emitting at once, beside as many bare `node:sqlite` loops on one database. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';

import { makeScratchProject } from './scratch-project.ts';
import { table } from './markdown.ts';
import type { Goal, Section } from './section.ts';
import { digits, median, quantile, spread } from './statistics.ts';

const script = fileURLToPath(new URL('./contender.ts', import.meta.url));
const ROUNDS = 3;

/** The sql.js store rewrites its file for each event: few are enough to see it. */
const CASES = [
  { processes: 8, appends: 200, sqljsAppends: 20 },
  { processes: 16, appends: 100, sqljsAppends: 10 },
  { processes: 32, appends: 100, sqljsAppends: 10 },
] as const;

interface ContentionRow {
  readonly name: string;
  readonly processes: number;
  readonly appends: number;
  readonly perSecond: number;
  /** By round. */
  readonly rates: readonly number[];
  /** The bare loop's rate with as many processes, in the same run. */
  readonly bareRate: number;
  readonly p99: number;
  readonly longest: number;
}

export const contentionSection: Section = {
  name: 'contention',
  title: 'Many processes on one home',
  async measure(effort) {
    const rounds = effort.rounds(ROUNDS);
    const rows = await measureContention(rounds, effort.isQuick ? CASES.slice(0, 1) : CASES);
    const lines = rows.map((row) => [
      `${row.processes} × ${row.appends}, ${row.name}`,
      digits(row.perSecond / row.bareRate),
      spread(row.rates),
      digits(row.p99),
      digits(row.longest),
    ]);
    return {
      text: `All open before the first append, which then all begin at once; ${rounds} rounds in turns. Every event is on disk once and
its clock value is its own, with no gap: checked in each round.

${table(['processes × appends', '× bare loop', 'events a second', '99 % below, ms', 'longest, ms'], lines)}`,
      goals: goalsOf(rows),
    };
  },
};

function goalsOf(rows: readonly ContentionRow[]): readonly Goal[] {
  const find = (processes: number): ContentionRow | undefined =>
    rows.find((row) => row.name === 'node-sqlite' && row.processes === processes);
  const [eight, sixteen] = [find(8), find(16)];
  return [
    ...(eight === undefined
      ? []
      : [
          {
            what: '8 processes × 200 on one home (native store)',
            goal: '≥ 1,500 events/s, every clock value distinct and without gap',
            figure: `${digits(eight.perSecond)} events/s, ${digits(eight.perSecond / eight.bareRate)} × the bare loop, all distinct, no gap`,
            isMet: eight.perSecond >= 1500,
            why: 'Eight processes on two cores wait for each other\u2019s fsync, the bare loop as well; the ratio to it is what this code decides.',
          },
        ]),
    ...(sixteen === undefined
      ? []
      : [
          {
            what: '16 processes × 100 on one home (native store)',
            goal: 'no emission over 1 s',
            figure: `longest ${digits(sixteen.longest)} ms`,
            isMet: sixteen.longest <= 1000,
            why: 'SQLite has no queue of waiters: whoever asks at the right moment goes first.',
          },
        ]),
  ];
}

/** Medians over the rounds. */
async function measureContention(
  count: number,
  cases: readonly (typeof CASES)[number][],
): Promise<readonly ContentionRow[]> {
  const rows: ContentionRow[] = [];
  for (const { processes, appends, sqljsAppends } of cases) {
    const kinds = [
      { name: 'bare loop', driver: undefined, appends },
      { name: 'node-sqlite', driver: 'node-sqlite', appends },
      { name: 'sqljs', driver: 'sqljs', appends: sqljsAppends },
    ];
    const rounds = kinds.map(() => [] as { readonly perSecond: number; readonly times: readonly number[] }[]);
    for (let round = 0; round < count; round += 1)
      for (const [index, kind] of kinds.entries()) rounds[index]?.push(await race({ processes, ...kind }));
    const medians = rounds.map((round) => median(round.map(({ perSecond }) => perSecond)));
    for (const [index, kind] of kinds.entries()) {
      const own = rounds[index] ?? [];
      rows.push({
        name: kind.name,
        processes,
        appends: kind.appends,
        perSecond: medians[index] ?? Number.NaN,
        rates: own.map(({ perSecond }) => perSecond),
        bareRate: medians[0] ?? Number.NaN,
        p99: median(own.map(({ times }) => quantile(times, 0.99))),
        longest: median(own.map(({ times }) => Math.max(...times))),
      });
    }
  }
  return rows;
}

export interface Race {
  readonly processes: number;
  readonly appends: number;
  /** Undefined: the bare loop. */
  readonly driver: string | undefined;
}

/** One start, one finish. Throws when an event is missing or a clock value came twice. */
export async function race({
  processes,
  appends,
  driver,
}: Race): Promise<{ perSecond: number; times: readonly number[] }> {
  const { root, remove } = makeScratchProject();
  const home = join(root, 'home');
  mkdirSync(home);
  const path = join(home, 'queue.db');
  const env = { ...process.env, SPEC_KITTY_HOME: home, SPEC_KITTY_DELIVERY: 'off', SPEC_KITTY_QUEUE_DRIVER: driver };
  const runners = [];
  for (let started = 0; started < processes; started += 1) {
    const child = spawn(process.execPath, [script, driver === undefined ? 'bare' : 'emit', String(appends), path], {
      cwd: root,
      env,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    runners.push({ child, ended: once(child, 'close').then(() => out.split('\n')[1] ?? '') });
    // One after the other: the first one makes the file.
    await once(child.stdout, 'data');
  }
  const startedAt = performance.now();
  for (const { child } of runners) child.stdin.write('go\n');
  const answers = await Promise.all(runners.map(({ ended }) => ended));
  const seconds = (performance.now() - startedAt) / 1000;
  // Each prints the list of its own times.
  const times = answers.flatMap((answer) => JSON.parse(answer) as number[]);
  if (driver !== undefined) check(path, processes * appends);
  remove();
  return { perSecond: (processes * appends) / seconds, times };
}

function check(path: string, expected: number): void {
  const db = new DatabaseSync(path, { readOnly: true });
  const row = db
    .prepare(
      'SELECT count(*) AS rows, count(DISTINCT lamport_clock) AS clocks, max(lamport_clock) - min(lamport_clock) + 1 AS span FROM queue',
    )
    .get();
  db.close();
  if (row?.['rows'] !== expected || row['clocks'] !== expected || row['span'] !== expected)
    throw new Error(`${String(row?.['rows'])} rows and ${String(row?.['clocks'])} clock values of ${expected} events.`);
}
