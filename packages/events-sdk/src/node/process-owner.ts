/**
 * Who holds something on this machine: a process told apart from every other one, also from a later process that
 * was given the same number. The whole identity fits into a file name, so that it can be written, read and taken
 * over with one atomic file operation.
 */

import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** A process as it names itself beside what it holds. */
export interface ProcessOwner {
  readonly pid: number;
  /** Start of the process, opaque; empty where the system does not tell. */
  readonly started: string;
  /** Machine and process number space, opaque. */
  readonly host: string;
  /** Milliseconds since the epoch when it took hold. */
  readonly takenAtMs: number;
  /** Differs for every hold. */
  readonly token: string;
}

/** Whether an owner can still act: `alive`, `dead`, or `unknown` because it lives on another machine. */
export type OwnerLife = 'alive' | 'dead' | 'unknown';

/** The processes of a machine, as one of them sees them. */
export interface Processes {
  /** The process that asks, as the owner of one more thing. */
  current(takenAtMs: number): ProcessOwner;
  lifeOf(owner: ProcessOwner): OwnerLife;
}

/** The machine's own. */
export const systemProcesses: Processes = { current: currentOwner, lifeOf };

/** An owner nobody here can look up (another machine, or a program that leaves no name) is given this long. */
export const UNKNOWN_OWNER_EXPIRY_MS = 60_000;

/**
 * Whether what this owner holds may be taken from it: it has ended, or is unknown and has held for long. A time far ahead
 * (a clock set back since) counts as long ago: it must not hold for years.
 */
export function isGone(processes: Processes, owner: ProcessOwner, nowMs: number): boolean {
  const life = processes.lifeOf(owner);
  return life === 'dead' || (life === 'unknown' && Math.abs(nowMs - owner.takenAtMs) > UNKNOWN_OWNER_EXPIRY_MS);
}

const PREFIX = 'owner';

/** Things held by this process so far. */
let holds = 0;

/** This process, as the owner of one more thing. */
export function currentOwner(takenAtMs: number): ProcessOwner {
  return {
    pid: process.pid,
    started: startOf(process.pid)?.started ?? '',
    host: hostId(),
    takenAtMs,
    // Nobody has to be kept from guessing it, and loading crypto costs a command up to 10 ms of its start.
    token: `${(holds += 1)}.${Math.random().toString(36).slice(2, 10)}`,
  };
}

/** The owner as one file name. */
export function ownerToName(owner: ProcessOwner): string {
  return [PREFIX, owner.pid, owner.started, owner.host, Math.round(owner.takenAtMs), owner.token].join(',');
}

/** Reads a name written by {@link ownerToName}; undefined for any other name. */
export function nameToOwner(name: string): ProcessOwner | undefined {
  const [prefix, pid, started, host, takenAtMs, token, ...more] = name.split(',');
  if (prefix !== PREFIX || started === undefined || host === undefined || !token || more.length > 0) return undefined;
  const owner = { pid: Number(pid), started, host, takenAtMs: Number(takenAtMs), token };
  return Number.isInteger(owner.pid) && owner.pid > 0 && Number.isFinite(owner.takenAtMs) ? owner : undefined;
}

/** Looks the owner up in the process table. A stopped process is alive; one that only waits to be reaped is dead. */
export function lifeOf(owner: ProcessOwner): OwnerLife {
  if (owner.host !== hostId()) return 'unknown';
  const found = startOf(owner.pid);
  if (found === undefined) return isRunning(owner.pid) ? 'alive' : 'dead';
  if (found.isZombie) return 'dead';
  return owner.started !== '' && owner.started !== found.started ? 'dead' : 'alive';
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it runs, under another user.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** Start time from the process table of Linux; undefined elsewhere, and for a process that is not there. */
function startOf(pid: number): { readonly started: string; readonly isZombie: boolean } | undefined {
  const stat = readText(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The second field is the program's name in brackets and may hold spaces and brackets itself.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, ticks] = [fields[0], fields[19]];
  if (ticks === undefined) return undefined;
  return { started: `${bootId()}.${ticks}`, isZombie: state === 'Z' || state === 'X' };
}

/** Ticks count from boot, so a start time means nothing without the boot it belongs to. */
function bootId(): string {
  return (readText('/proc/sys/kernel/random/boot_id') ?? '').slice(0, 8);
}

/** Two containers may share a name and a home but not their process numbers: the number space is part of the host. */
function hostId(): string {
  let space = '';
  try {
    space = readlinkSync('/proc/self/ns/pid').replace(/\D/g, '');
  } catch {
    // Not Linux: the name has to do.
  }
  return `${hostname()
    .replace(/[^\w.-]/g, '_')
    .slice(0, 64)}~${space}`;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
