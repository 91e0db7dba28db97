/** One process of a storm: started, listened to, and killed at the moment chosen for it. */
import { spawn } from 'node:child_process';

import type { Known } from './judge.ts';

/** When to kill: so long after the start, after that many lines, after having begun to settle, or with the server's answer under way. */
export interface Moment {
  readonly after: 'start' | 'lines' | 'sync' | 'stored';
  /** How many lines or syncs come first. */
  readonly count: number;
  readonly delayMs: number;
}

/** What a process was doing when it ended, as far as its last line tells. */
export type Phase = 'starting' | 'emitting' | 'settling';

export interface Victim {
  /** The server has just stored events: perhaps of this process. */
  stored(): void;
  readonly ended: Promise<Remains>;
}

/** What is known of a process after its end. */
export interface Remains {
  readonly acknowledged: readonly Known[];
  readonly dropped: readonly string[];
  /** Events it sent that the server had already: sent before by a process that was killed before it knew. */
  readonly duplicates: number;
  readonly phase: Phase;
  /** From its `ready` to its first acknowledgement; undefined when it was killed before. */
  readonly firstAckMs: number | undefined;
  /** Set when it was not the kill that ended it. */
  readonly failure: string | undefined;
}

export interface VictimOptions {
  readonly script: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly moment: Moment;
}

/** A moment that has not come by then comes no more: where one client keeps the others from sending, say. */
const LATEST_MS = 10_000;

/** Starts a process. It is killed at its moment, at the latest ten seconds on, and whenever `signal` says so. */
export function startVictim(options: VictimOptions, signal: AbortSignal): Victim {
  const { moment, cwd, env } = options;
  const child = spawn(process.execPath, [options.script, ...options.args], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  let rest = '';
  let stderr = '';
  let syncs = 0;
  let readyAt: number | undefined;
  let firstAckMs: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  const isSettling = (): boolean => lines.at(-1) === 'sync';
  const kill = (): void => void child.kill('SIGKILL');
  const latest = setTimeout(kill, LATEST_MS);
  const killSoon = (): void => {
    if (moment.delayMs === 0) kill();
    else timer ??= setTimeout(kill, moment.delayMs);
  };
  signal.addEventListener('abort', kill, { once: true });

  const hear = (line: string): void => {
    lines.push(line);
    if (line === 'ready') readyAt = performance.now();
    if (line === 'sync') syncs += 1;
    if (line.startsWith('ack ') && readyAt !== undefined) firstAckMs ??= performance.now() - readyAt;
    if (moment.after === 'lines' && lines.length >= moment.count) killSoon();
    if (moment.after === 'sync' && syncs >= moment.count) killSoon();
  };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) hear(part);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  if (moment.after === 'start') killSoon();

  return {
    stored() {
      if (moment.after === 'stored' && syncs >= moment.count && isSettling()) killSoon();
    },
    ended: new Promise((resolve) => {
      child.on('close', (code, endedBy) => {
        clearTimeout(timer);
        clearTimeout(latest);
        signal.removeEventListener('abort', kill);
        resolve({
          acknowledged: lines.flatMap(parseAck),
          dropped: lines.filter((line) => line.startsWith('dropped ')),
          duplicates: lines.reduce(
            (sum, line) => sum + (line.startsWith('synced ') ? Number(line.split(' ')[2]) : 0),
            0,
          ),
          phase: firstAckMs === undefined ? 'starting' : isSettling() ? 'settling' : 'emitting',
          firstAckMs,
          failure: endedBy === 'SIGKILL' ? undefined : `ended with ${code ?? endedBy}: ${stderr}`,
        });
      });
    }),
  };
}

/** The event of an `ack` line. A spilled event is recorded too: it has an id, and gets its clock later. */
export function parseAck(line: string): Known[] {
  const [word, id, clock, node] = line.split(' ');
  if (word !== 'ack' || id === undefined) return [];
  return [{ id, clock: clock === '-' ? null : Number(clock), node: node === '-' ? null : (node ?? null) }];
}
