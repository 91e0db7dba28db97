/**
 * One event recorded: from a fresh process, and one after the other, at several lengths of the queue. Beside our stores
 * stand what a program could do by hand, and what it could install instead. All in turns.
 */
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';

import { buildPrograms } from './built-programs.ts';
import { table, whole } from './markdown.ts';
import { makeScratchProject } from './scratch-project.ts';
import type { Effort, Section } from './section.ts';
import { digits, median, medianOf, spread } from './statistics.ts';
import { timed, told } from './timed-process.ts';

const SIZES = [0, 1_000, 10_000, 100_000] as const;
const FRESH_ROUNDS = 7;
const SUSTAINED_ROUNDS = 3;
const SLICE_MS = 300;

interface Contender {
  /** Program of `programs/`. */
  readonly program: string;
  readonly name: string;
  /** Where the event is when the call has returned. */
  readonly safe: string;
  /** False: nothing of it is left when the process ends, so it has no length. */
  readonly isKept: boolean;
}

const CONTENDERS: readonly Contender[] = [
  { program: 'append-fsync', name: 'append a line + fsync', safe: 'on disk', isKept: true },
  { program: 'bare-node-sqlite', name: 'bare `node:sqlite`', safe: 'on disk', isKept: true },
  { program: 'bare-better-sqlite3', name: 'bare better-sqlite3', safe: 'on disk', isKept: true },
  { program: 'own-node-sqlite', name: '**`emit`, node-sqlite**', safe: 'on disk', isKept: true },
  { program: 'own-sqljs', name: '**`emit`, sqljs**', safe: 'on disk', isKept: true },
  { program: 'level', name: 'level, `sync: true`', safe: 'on disk; not its default', isKept: true },
  { program: 'lowdb', name: 'lowdb', safe: 'in the file; a power cut may take it', isKept: true },
  { program: 'own-memory', name: '**`emit`, memory**', safe: 'in memory, on purpose', isKept: false },
  { program: 'opentelemetry', name: 'OpenTelemetry logs, batching', safe: 'in memory until sent', isKept: false },
  { program: 'posthog', name: 'posthog-node', safe: 'in memory until sent', isKept: false },
  { program: 'segment', name: '@segment/analytics-node', safe: 'in memory until sent', isKept: false },
];
const ANCHOR = 'bare-node-sqlite';

interface Case {
  readonly contender: Contender;
  readonly rows: number;
  readonly folder: string;
  /** Milliseconds of a whole process, by round. */
  readonly fresh: number[];
  readonly perSecond: number[];
}

export const appendSection: Section = {
  name: 'append',
  title: 'One durable event, beside what else there is',
  async measure(effort) {
    const { cases, absent, floors } = await measureCases(effort);
    const sizes = [...new Set(cases.map(({ rows }) => rows))];
    const anchor = (rows: number): Case | undefined =>
      cases.find(({ contender, rows: of }) => contender.program === ANCHOR && of === rows);
    const rowsOf = (cells: (found: Case | undefined) => string, last: (own: readonly Case[]) => readonly string[]) =>
      CONTENDERS.filter(({ program }) => !absent.has(program)).map((contender) => {
        const own = cases.filter((each) => each.contender === contender);
        return [contender.name, ...last(own), ...sizes.map((size) => cells(own.find(({ rows }) => rows === size)))];
      });
    const growth = (own: readonly Case[], figure: (each: Case) => number): string => {
      const [first, final] = [own[0], own.at(-1)];
      return first === undefined || final === undefined || first === final
        ? '–'
        : digits(figure(final) / figure(first));
    };
    const most = whole(sizes.at(-1) ?? 0);
    const fresh = rowsOf(
      (found) => (found === undefined ? '–' : spread(found.fresh)),
      (own) => [
        own[0]?.contender.safe ?? '',
        digits(medianOf(own[0]?.fresh ?? [], anchor(0)?.fresh ?? [], (a, b) => a / b)),
        growth(own, (each) => median(each.fresh)),
      ],
    );
    const sustained = rowsOf(
      (found) => (found === undefined ? '–' : digits(median(found.perSecond))),
      (own) => [
        digits(medianOf(own[0]?.perSecond ?? [], anchor(0)?.perSecond ?? [], (a, b) => a / b)),
        growth(own, (each) => 1 / median(each.perSecond)),
      ],
    );
    const lost = [...absent].map(([program, why]) => `- ${program} could not be measured: ${why}`);
    const text = `A fresh process that starts, opens, records one event, closes and ends, ${floors.length} rounds in turns; one that does nothing takes
${spread(floors)} ms, and that is in every figure. By hand means clock and event in one transaction, without ids, checks, project, or a way to deliver. What keeps events
in memory has to send them before it ends, here to a server on this machine that answers at once: elsewhere the network comes on
top, and without one the event is lost. "growth" is the last column by the first.

${table(['what', 'where it is when the call returns', '× bare', 'growth', ...sizes.map((size) => `${whole(size)} waiting, ms`)], fresh, 'll')}

One after the other in one process that is open already, ${SLICE_MS} ms each, medians of ${SUSTAINED_ROUNDS}; events a second. "growth" is how much longer one takes
with ${most} waiting.

${table(['what', '× bare', 'growth', ...sizes.map((size) => `${whole(size)} waiting`)], sustained)}
${lost.length === 0 ? '' : `\n${lost.join('\n')}\n`}`;
    return { text };
  },
};

async function measureCases(
  effort: Effort,
): Promise<{ cases: readonly Case[]; absent: ReadonlyMap<string, string>; floors: readonly number[] }> {
  const { root, remove } = makeScratchProject();
  const programs = await buildPrograms();
  const worker = new Worker(new URL('./accepting-server.ts', import.meta.url));
  const [port] = (await once(worker, 'message')) as [number];
  const env = { ...process.env, BENCH_SERVER: `http://127.0.0.1:${port}` };
  const start = (program: string, cwd: string, ...args: readonly string[]) =>
    told({ file: process.execPath, args: [programs.path(program), ...args], cwd, env });
  try {
    const { cases, absent } = await prepare(root, effort, start);
    const rounds = effort.rounds(FRESH_ROUNDS);
    const floors: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      floors.push(await timed({ file: process.execPath, args: [programs.path('nothing')], cwd: root, env }));
      for (const { contender, folder, fresh } of cases)
        fresh.push((await start(contender.program, folder, folder, 'once')).ms);
    }
    for (let round = 0; round < effort.rounds(SUSTAINED_ROUNDS); round += 1)
      for (const { contender, folder, perSecond } of cases)
        perSecond.push(Number((await start(contender.program, folder, folder, 'for', String(SLICE_MS))).output));
    return { cases, absent, floors };
  } finally {
    await worker.terminate();
    programs.remove();
    remove();
  }
}

type Start = (program: string, cwd: string, ...args: readonly string[]) => Promise<{ readonly ms: number }>;

/** Each case with its rows in it, having run once: what does not run here is left out, with the reason. */
async function prepare(
  root: string,
  effort: Effort,
  start: Start,
): Promise<{ cases: readonly Case[]; absent: ReadonlyMap<string, string> }> {
  const cases: Case[] = [];
  const absent = new Map<string, string>();
  const sizes = effort.isQuick ? SIZES.slice(0, 3) : SIZES;
  for (const contender of CONTENDERS) {
    for (const rows of contender.isKept ? sizes : sizes.slice(0, 1)) {
      if (absent.has(contender.program)) continue;
      const folder = join(root, `${contender.program}-${rows}`);
      mkdirSync(folder);
      try {
        if (contender.isKept) await start(contender.program, folder, folder, 'fill', String(rows));
        await start(contender.program, folder, folder, 'once');
        cases.push({ contender, rows, folder, fresh: [], perSecond: [] });
      } catch (cause) {
        absent.set(contender.program, cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause));
      }
    }
  }
  return { cases, absent };
}
