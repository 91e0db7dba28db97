/** Processes at one start line, and the books of the home they worked on. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { expect, onTestFinished } from 'vitest';

import { MOVE, readQueue, type World } from '../node/world.ts';
import { judge, type Fault, type Known } from './judge.ts';

export interface Contender {
  /** It stands at the line, its client loaded. */
  readonly ready: Promise<void>;
  go(): void;
  signal(signal: NodeJS.Signals): void;
  /** What it has said so far, line by line. */
  lines(): readonly string[];
  readonly ended: Promise<{ readonly lines: readonly string[]; readonly failure: string | undefined }>;
}

/** Starts a fixture of this folder in the world's project. It is gone when the test is over. */
export function startContender(world: World, fixture: string, args: readonly string[]): Contender {
  const script = fileURLToPath(new URL(`./fixtures/${fixture}.child.ts`, import.meta.url));
  const child = spawn(process.execPath, [script, ...args], { cwd: world.project, env: world.env, stdio: 'pipe' });
  let out = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  // One that has failed is past reading.
  child.stdin.on('error', () => {});
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const lines = (): readonly string[] => out.split('\n').slice(0, -1);
  const closed = once(child, 'close');
  return {
    ready: Promise.race([once(child.stdout, 'data'), closed]).then(() => undefined),
    go: () => void child.stdin.write('go\n'),
    signal: (signal) => void child.kill(signal),
    lines,
    ended: closed.then(([code]) => ({
      lines: lines(),
      failure: code === 0 && stderr === '' ? undefined : `ended with ${String(code)}: ${stderr}`,
    })),
  };
}

/** What many did at once. */
export interface Contest {
  readonly acknowledged: readonly Known[];
  readonly dropped: readonly string[];
  readonly failures: readonly string[];
  /** Of each emission, opening included. */
  readonly emitMs: readonly number[];
  readonly seconds: number;
  /** Whether each process's own clocks went up. */
  readonly isInOrder: boolean;
}

/** Lets all of them go at once and waits for their ends. */
export async function contend(contenders: readonly Contender[]): Promise<Contest> {
  await Promise.all(contenders.map(({ ready }) => ready));
  const startedAt = performance.now();
  for (const contender of contenders) contender.go();
  const ends = await Promise.all(contenders.map(({ ended }) => ended));
  const seconds = (performance.now() - startedAt) / 1000;
  const acks = ends.map(({ lines }) => lines.filter((line) => line.startsWith('ack ')).map((line) => line.split(' ')));
  return {
    acknowledged: acks.flat().map(toKnown),
    dropped: ends.flatMap(({ lines }) => lines.filter((line) => line.startsWith('dropped '))),
    failures: ends.flatMap(({ failure }) => failure ?? []),
    emitMs: acks.flat().map((words) => Number(words[4])),
    seconds,
    isInOrder: acks.every((own) => {
      const clocks = own.map(toKnown).flatMap(({ clock }) => clock ?? []);
      return clocks.every((clock, at) => clock > (clocks[at - 1] ?? 0));
    }),
  };
}

/** Records one event more, in quiet: whatever a process under pressure only set aside is taken in with it. */
export async function recordOneMore(world: World): Promise<void> {
  const last = world.open().client;
  expect((await last.emit(MOVE)).status).toBe('held');
  await last.close();
}

/** What is wrong with a home where `acknowledged` and `others` were recorded: faults, missing or repeated clocks, a file that is not sound. */
export function booksOf(
  home: string,
  acknowledged: readonly Known[],
  others: number,
): readonly (Fault | { readonly kind: string })[] {
  const { rows, integrity } = readQueue(home);
  // Whatever the rows are, the server would have them: nothing is asked of the queue itself here.
  const faults = judge({ acknowledged, server: rows, queue: [] });
  const total = acknowledged.length + others;
  return [
    ...faults,
    ...(rows.length === total ? [] : [{ kind: `${rows.length} rows of ${total} events` }]),
    ...(rows.every(({ clock }, at) => clock === at + 1) ? [] : [{ kind: 'the clocks have a gap' }]),
    ...(integrity === 'ok' ? [] : [{ kind: `integrity_check: ${String(integrity)}` }]),
  ];
}

function toKnown([, id, clock, node]: readonly string[]): Known {
  return { id: id ?? '', clock: clock === '-' ? null : Number(clock), node: node === '-' ? null : (node ?? null) };
}
