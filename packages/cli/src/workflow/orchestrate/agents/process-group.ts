/**
 * A program and everything it starts, as one group that can be ended. What leaves the group on purpose (`setsid`) is
 * out of reach. A group is never signalled by its number alone when it may have come to belong to somebody else.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

import type { Git } from '../../ports.ts';

/** A started program, told apart from any later one with the same number. Fit to be kept in a file. */
export interface StartedProcess {
  /** Also the number of its group. */
  readonly pid: number;
  /** Start of the process, opaque; empty where the system does not tell. */
  readonly startedAt: string;
  /** Differs for every run; the program and its children carry it as `SPEC_KITTY_RUN`. */
  readonly runId: string;
}

/** `ended`: it was there and is no longer. `gone`: it had ended before. `unknown`: it may be there, and was left alone or did not go. */
export type OrphanEnd = 'ended' | 'gone' | 'unknown';

/** Waits that keep this process alive. */
export type Pause = Pick<Git, 'pause'>;

/** The variable of a program's environment that says which run it belongs to. */
export const RUN_VARIABLE = 'SPEC_KITTY_RUN';

/** Between the request to end and the order to. */
export const GRACE_MS = 5_000;
const LOOK_EVERY_MS = 50;

/** When the process started, opaque; empty when it is not there or the system does not tell. */
export function processStart(pid: number): string {
  if (process.platform === 'linux') return statOf(pid)?.started ?? '';
  if (process.platform === 'win32') return '';
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, LC_ALL: 'C' },
    }).trim();
  } catch {
    return '';
  }
}

/** Sends a signal to all of a group that this process has started. False when nobody is there. */
export function signalGroup(pid: number, signal: 'SIGTERM' | 'SIGKILL'): boolean {
  // 0 and 1 would mean ourselves and everybody.
  if (!Number.isSafeInteger(pid) || pid <= 1) return false;
  try {
    if (process.platform === 'win32') execFileSync('taskkill', ['/pid', String(pid), '/T', '/F'], { stdio: 'ignore' });
    else process.kill(-pid, signal);
    return true;
  } catch {
    return false;
  }
}

/** Ends what is left of a group: asks, waits five seconds at most, orders. False when some of it is still there after that. */
export async function endGroup(deps: Pause, pid: number): Promise<boolean> {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    if (!hasMembers(pid)) return true;
    signalGroup(pid, signal);
    for (let waitedMs = 0; waitedMs < GRACE_MS && hasMembers(pid); waitedMs += LOOK_EVERY_MS)
      await deps.pause(LOOK_EVERY_MS);
  }
  return !hasMembers(pid);
}

/** Ends a program of a run that was killed itself, and its group, if they are provably the ones of that run. */
export async function endOrphan(deps: Pause, orphan: StartedProcess): Promise<OrphanEnd> {
  const { pid, startedAt, runId } = orphan;
  if (!Number.isSafeInteger(pid) || pid <= 1 || startedAt === '') return 'unknown';
  const now = processStart(pid);
  // Another process has the number; it could not have while any of ours was left in the group.
  if (now !== '' && now !== startedAt) return 'gone';
  // While the program is there, or waits to be reaped, nobody else can have its group; after that, its members have to prove it.
  const isOurs = now === startedAt || membersOf(pid).some((member) => belongsTo(member, runId));
  if (!isOurs || !hasMembers(pid)) return 'gone';
  return (await endGroup(deps, pid)) ? 'ended' : 'unknown';
}

/** Ends every group in which a process carries this run's mark: what was started and not yet written down when the run was killed. */
export async function endRunProcesses(deps: Pause, runId: string): Promise<void> {
  if (process.platform !== 'linux' || runId === '') return;
  const groups = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid && belongsTo(pid, runId))
    .flatMap((pid) => statOf(pid)?.group ?? []);
  const own = statOf(process.pid)?.group;
  await Promise.all([...new Set(groups)].filter((group) => group !== own).map((group) => endGroup(deps, group)));
}

/** Members that still run; one that only waits to be reaped does nothing any more. */
function membersOf(group: number): readonly number[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const stat = statOf(pid);
      return stat?.group === group && !stat.isZombie;
    });
}

function hasMembers(group: number): boolean {
  if (process.platform === 'linux') return membersOf(group).length > 0;
  if (process.platform === 'win32') return false;
  try {
    process.kill(-group, 0);
    return true;
  } catch {
    return false;
  }
}

function belongsTo(pid: number, runId: string): boolean {
  return runId !== '' && (readProc(`/proc/${pid}/environ`)?.split('\0').includes(`${RUN_VARIABLE}=${runId}`) ?? false);
}

interface Stat {
  readonly group: number;
  readonly started: string;
  readonly isZombie: boolean;
}

function statOf(pid: number): Stat | undefined {
  const stat = readProc(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The second field is the program's name in brackets and may hold spaces and brackets itself.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, group, ticks] = [fields[0], fields[2], fields[19]];
  if (group === undefined || ticks === undefined) return undefined;
  // Ticks count from boot, so they mean nothing without the boot they belong to.
  const boot = (readProc('/proc/sys/kernel/random/boot_id') ?? '').slice(0, 8);
  return { group: Number(group), started: `${boot}.${ticks}`, isZombie: state === 'Z' || state === 'X' };
}

function readProc(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
