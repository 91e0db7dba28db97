/**
 * A lock between the processes of one machine: whoever has made the directory `path` holds it. This is the protocol
 * of SQLite's own `unix-dotfile` VFS, with the owner's identity inside, so that a lock left by a killed process is
 * taken over at once while a stopped but living owner is waited for.
 *
 * Every step is one atomic rename. The directory is prepared with its owner file under another name and then renamed
 * into place, so no moment exists in which it stands without an owner. A dead owner's file is renamed to the new
 * owner's: its name is unique, so of many who try exactly one succeeds, and none can break a lock that lives.
 */

import { basename, dirname, join } from 'node:path';
import { EventsSdkError } from '../errors.ts';
import { sleep, systemTime } from '../internal/time.ts';
import type { Time } from '../internal/time.ts';
import { errorCodeOf, removeFile, systemDisk, type Disk } from './disk.ts';
import { makeDirectory } from './make-directory.ts';
import { isGone, nameToOwner, ownerToName, systemProcesses, UNKNOWN_OWNER_EXPIRY_MS } from './process-owner.ts';
import type { ProcessOwner, Processes } from './process-owner.ts';

/** How {@link withDirectoryLock} waits. */
export interface DirectoryLockOptions {
  /** Longest wait for another owner, in milliseconds. */
  readonly waitMs: number;
  /** Default: the machine's own. */
  readonly time?: Time;
  /** Ends the wait early. Work under way is not interrupted. */
  readonly signal?: AbortSignal;
  /** Default: the machine's own. */
  readonly disk?: Disk;
  /** Default: the machine's own. */
  readonly processes?: Processes;
}

/** Waiting: first pause and longest pause, each taken at random below the bound so that waiters do not march in step. */
const FIRST_PAUSE_MS = 2;
const LONGEST_PAUSE_MS = 20;

/**
 * Names this process is done with although they may still stand in a lock, because a call failed. It lives on, so
 * nobody else would ever take such a lock from it: its own next try does.
 */
const doneWith = new Set<string>();

/**
 * Runs `work` while this process alone holds `path`, a directory that exists only while someone does.
 * Rejects with STORAGE_BUSY, naming the holder, when `waitMs` has passed or `signal` aborts, and with
 * STORAGE_UNAVAILABLE when no lock can be made there at all.
 */
export async function withDirectoryLock<T>(
  path: string,
  options: DirectoryLockOptions,
  work: () => Promise<T>,
): Promise<T> {
  const place = { path, disk: options.disk ?? systemDisk, processes: options.processes ?? systemProcesses };
  const name = await acquire(place, options);
  try {
    return await work();
  } finally {
    release(place, name);
  }
}

/** The lock, and what is needed to judge it. */
interface Place {
  readonly path: string;
  readonly disk: Disk;
  readonly processes: Processes;
}

async function acquire(place: Place, options: DirectoryLockOptions): Promise<string> {
  const time = options.time ?? systemTime;
  const startedAt = time.now();
  // Pauses are added up too: a clock set back must not make the wait longer.
  let pausedMs = 0;
  let keepAlive: NodeJS.Timeout | undefined;
  try {
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 1.5, LONGEST_PAUSE_MS)) {
      const now = time.now();
      const name = ownerToName(place.processes.current(now));
      if (tryToTake(place, { name, nowMs: now })) return name;
      if (options.signal?.aborted === true || Math.max(pausedMs, now - startedAt) >= options.waitMs) {
        throw busy(place, options);
      }
      // Timers of `Time` never keep a process alive; an emission waiting for its turn must.
      keepAlive ??= setInterval(() => {}, UNKNOWN_OWNER_EXPIRY_MS);
      const pause = pauseMs * (0.5 + Math.random() / 2);
      await sleep(time, pause, options.signal);
      pausedMs += pause;
    }
  } catch (cause) {
    if (cause instanceof EventsSdkError) throw cause;
    const lock = basename(place.path);
    throw new EventsSdkError(
      'STORAGE_UNAVAILABLE',
      `Cannot make the lock ${lock} (${errorCodeOf(cause)}). Check that its folder can be written.`,
      { cause },
    );
  } finally {
    clearInterval(keepAlive);
  }
}

/** Who wants the lock, and when. */
interface Claim {
  readonly name: string;
  readonly nowMs: number;
}

/** One try, without waiting. */
function tryToTake(place: Place, claim: Claim): boolean {
  try {
    return take(place, claim);
  } catch (error) {
    doneWith.add(claim.name);
    throw error;
  }
}

function take(place: Place, claim: Claim): boolean {
  const { disk, path } = place;
  const entries = list(disk, path);
  if (entries === undefined) return create(place, claim);
  const holder = holderAmong(entries);
  if (holder !== undefined) {
    const isFree = doneWith.has(holder.name) || isGone(place.processes, holder.owner, claim.nowMs);
    return isFree && takeOver(place, holder.name, claim.name);
  }
  // An empty directory is SQLite's own dot-file lock, or what a loss of power left of ours.
  if (entries.length > 0 || ageMs(disk, path, claim.nowMs) <= UNKNOWN_OWNER_EXPIRY_MS) return false;
  return removeEmpty(disk, path) && create(place, claim);
}

function create(place: Place, { name, nowMs }: Claim): boolean {
  const { disk, path } = place;
  const prepared = `${path}.${name}`;
  try {
    prepare(disk, prepared, name);
    // A directory is never renamed onto one with an owner inside: the second of two comes too late.
    disk.rename(prepared, path);
  } catch (error) {
    removeHold(disk, prepared);
    const entries = list(disk, path);
    // A rename may be reported as failed and have happened.
    if (entries?.includes(name) !== true) {
      // The other may have let go again by the time we look.
      if (entries !== undefined || ['ENOTEMPTY', 'EEXIST'].includes(errorCodeOf(error))) return false;
      throw error;
    }
  }
  sweep(place, nowMs);
  return true;
}

function prepare(disk: Disk, prepared: string, name: string): void {
  try {
    disk.mkdir(prepared);
  } catch (error) {
    if (errorCodeOf(error) !== 'ENOENT') throw error;
    makeDirectory(disk, dirname(prepared));
    disk.mkdir(prepared);
  }
  disk.close(disk.open(join(prepared, name), 'wx'));
}

function takeOver({ disk, path }: Place, oldName: string, name: string): boolean {
  try {
    disk.rename(join(path, oldName), join(path, name));
  } catch (error) {
    if (list(disk, path)?.includes(name) !== true) {
      // Another waiter was faster, or the owner let go after all.
      if (errorCodeOf(error) === 'ENOENT') return false;
      throw error;
    }
  }
  doneWith.delete(oldName);
  return true;
}

function release({ disk, path }: Place, name: string): void {
  const leaving = `${path}.${name}`;
  try {
    // Only a machine we cannot see may have judged us dead; then the lock is not ours to remove.
    if (list(disk, path)?.includes(name) !== true) return;
    disk.rename(path, leaving);
  } catch {
    doneWith.add(name);
  }
  // What stays behind names this process and is swept once it has ended.
  removeHold(disk, leaving);
}

/** Removes what killed processes left while taking or letting go. Young ones are left to their makers. */
function sweep({ disk, path, processes }: Place, nowMs: number): void {
  const [folder, prefix] = [dirname(path), `${basename(path)}.`];
  try {
    for (const entry of disk.list(folder)) {
      const owner = entry.startsWith(prefix) ? nameToOwner(entry.slice(prefix.length)) : undefined;
      if (owner === undefined || nowMs - owner.takenAtMs < UNKNOWN_OWNER_EXPIRY_MS) continue;
      if (processes.lifeOf(owner) !== 'alive') removeHold(disk, join(folder, entry));
    }
  } catch {
    // The lock is ours already; what was left can wait for the next sweep.
  }
}

/** Removes a prepared or abandoned lock directory; only names of ours inside it are touched. What fails stays for the next sweep. */
function removeHold(disk: Disk, directory: string): void {
  try {
    for (const name of list(disk, directory) ?? []) {
      if (nameToOwner(name) !== undefined) removeFile(disk, join(directory, name));
    }
    disk.rmdir(directory);
  } catch {
    // Another process may be removing it as well.
  }
}

function busy({ disk, path }: Place, options: DirectoryLockOptions): EventsSdkError {
  const owner = holderAmong(list(disk, path) ?? [])?.owner;
  const holder = owner === undefined ? 'another program' : `process ${owner.pid} on ${owner.host.split('~')[0]}`;
  const waited = options.signal?.aborted === true ? 'the wait was stopped' : `after ${options.waitMs} ms`;
  return new EventsSdkError(
    'STORAGE_BUSY',
    `${holder} holds ${basename(path)} (${waited}). Try again, or end that process.`,
    {
      cause: options.signal?.reason,
    },
  );
}

/** Who holds the lock, under the very name that stands there. */
function holderAmong(entries: readonly string[]): { readonly name: string; readonly owner: ProcessOwner } | undefined {
  for (const name of entries) {
    const owner = nameToOwner(name);
    if (owner !== undefined) return { name, owner };
  }
  return undefined;
}

function ageMs(disk: Disk, path: string, nowMs: number): number {
  const changedAtNs = disk.look(path)?.changedAtNs;
  return changedAtNs === undefined ? 0 : nowMs - Number(changedAtNs / 1_000_000n);
}

function list(disk: Disk, path: string): readonly string[] | undefined {
  try {
    return disk.list(path);
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function removeEmpty(disk: Disk, path: string): boolean {
  try {
    disk.rmdir(path);
    return true;
  } catch {
    return false;
  }
}
