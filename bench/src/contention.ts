/** Many processes on one home, emitting at once, beside as many bare `node:sqlite` loops on one database. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';

import { makeScratchProject } from './scratch-project.ts';
import { median, quantile } from './statistics.ts';

const script = fileURLToPath(new URL('./contender.ts', import.meta.url));
const ROUNDS = 3;

/** The sql.js store rewrites its file for each event: few are enough to see it. */
const CASES = [
  { processes: 8, appends: 200, sqljsAppends: 20 },
  { processes: 16, appends: 100, sqljsAppends: 10 },
  { processes: 32, appends: 100, sqljsAppends: 10 },
] as const;

export interface ContentionRow {
  readonly name: string;
  readonly processes: number;
  readonly appends: number;
  readonly perSecond: number;
  /** The bare loop's rate with as many processes, in the same run. */
  readonly bareRate: number;
  readonly p99: number;
  readonly longest: number;
}

/** Medians over the rounds. */
export async function measureContention(): Promise<{
  readonly rounds: number;
  readonly rows: readonly ContentionRow[];
}> {
  const rows: ContentionRow[] = [];
  for (const { processes, appends, sqljsAppends } of CASES) {
    const kinds = [
      { name: 'bare loop', driver: undefined, appends },
      { name: 'node-sqlite', driver: 'node-sqlite', appends },
      { name: 'sqljs', driver: 'sqljs', appends: sqljsAppends },
    ];
    const rounds = kinds.map(() => [] as { readonly perSecond: number; readonly times: readonly number[] }[]);
    for (let round = 0; round < ROUNDS; round += 1)
      for (const [index, kind] of kinds.entries()) rounds[index]?.push(await race({ processes, ...kind }));
    const medians = rounds.map((round) => median(round.map(({ perSecond }) => perSecond)));
    for (const [index, kind] of kinds.entries()) {
      const own = rounds[index] ?? [];
      rows.push({
        name: kind.name,
        processes,
        appends: kind.appends,
        perSecond: medians[index] ?? Number.NaN,
        bareRate: medians[0] ?? Number.NaN,
        p99: median(own.map(({ times }) => quantile(times, 0.99))),
        longest: median(own.map(({ times }) => Math.max(...times))),
      });
    }
  }
  return { rounds: ROUNDS, rows };
}

interface Race {
  readonly processes: number;
  readonly appends: number;
  /** Undefined: the bare loop. */
  readonly driver: string | undefined;
}

/** One start, one finish. Throws when an event is missing or a clock value came twice. */
async function race({ processes, appends, driver }: Race): Promise<{ perSecond: number; times: readonly number[] }> {
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
  const row = db.prepare('SELECT count(*) AS rows, count(DISTINCT lamport_clock) AS clocks FROM queue').get();
  db.close();
  if (row?.['rows'] !== expected || row['clocks'] !== expected)
    throw new Error(`${String(row?.['rows'])} rows and ${String(row?.['clocks'])} clock values of ${expected} events.`);
}
