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
import { currentOwner, lifeOf, nameToOwner, ownerToName } from './process-owner.ts';
import type { ProcessOwner } from './process-owner.ts';

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
}

/** An owner nobody here can look up (another machine, or a program that leaves no name) is given this long. */
const UNKNOWN_OWNER_EXPIRY_MS = 60_000;
/** Waiting: first pause and longest pause, each taken at random below the bound so that waiters do not march in step. */
const FIRST_PAUSE_MS = 2;
const LONGEST_PAUSE_MS = 20;

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
  const disk = options.disk ?? systemDisk;
  const name = await acquire(disk, path, options);
  try {
    return await work();
  } finally {
    release(disk, path, name);
  }
}

async function acquire(disk: Disk, path: string, options: DirectoryLockOptions): Promise<string> {
  const time = options.time ?? systemTime;
  const startedAt = time.now();
  // Pauses are added up too: a clock set back must not make the wait longer.
  let pausedMs = 0;
  let keepAlive: NodeJS.Timeout | undefined;
  try {
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 1.5, LONGEST_PAUSE_MS)) {
      const now = time.now();
      const name = ownerToName(currentOwner(now));
      if (take(disk, path, { name, nowMs: now })) return name;
      if (options.signal?.aborted === true || Math.max(pausedMs, now - startedAt) >= options.waitMs) {
        throw busy(disk, path, options);
      }
      // Timers of `Time` never keep a process alive; an emission waiting for its turn must.
      keepAlive ??= setInterval(() => {}, UNKNOWN_OWNER_EXPIRY_MS);
      const pause = pauseMs * (0.5 + Math.random() / 2);
      await sleep(time, pause, options.signal);
      pausedMs += pause;
    }
  } catch (cause) {
    if (cause instanceof EventsSdkError) throw cause;
    const lock = basename(path);
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
function take(disk: Disk, path: string, claim: Claim): boolean {
  const entries = list(disk, path);
  if (entries === undefined) return create(disk, path, claim);
  const owner = ownerAmong(entries);
  if (owner !== undefined) return isGone(owner, claim.nowMs) && takeOver(disk, path, ownerToName(owner), claim.name);
  // An empty directory is SQLite's own dot-file lock, or what is left of it.
  if (entries.length > 0 || ageMs(disk, path, claim.nowMs) <= UNKNOWN_OWNER_EXPIRY_MS) return false;
  return removeEmpty(disk, path) && create(disk, path, claim);
}

function create(disk: Disk, path: string, { name, nowMs }: Claim): boolean {
  const prepared = `${path}.${name}`;
  makeDirectory(disk, prepared);
  try {
    disk.close(disk.open(join(prepared, name), 'wx'));
    // A directory is never renamed onto one with an owner inside: the second of two comes too late.
    disk.rename(prepared, path);
  } catch (error) {
    removeHold(disk, prepared);
    const code = errorCodeOf(error);
    if (list(disk, path) !== undefined || code === 'ENOTEMPTY' || code === 'EEXIST') return false;
    throw error;
  }
  sweep(disk, path, nowMs);
  return true;
}

function takeOver(disk: Disk, path: string, oldName: string, name: string): boolean {
  try {
    disk.rename(join(path, oldName), join(path, name));
    return true;
  } catch (error) {
    // Another waiter was faster, or the owner let go after all.
    if (errorCodeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

function release(disk: Disk, path: string, name: string): void {
  const leaving = `${path}.${name}`;
  try {
    // Only a machine we cannot see may have judged us dead; then the lock is not ours to remove.
    if (list(disk, path)?.includes(name) !== true) return;
    disk.rename(path, leaving);
    disk.unlink(join(leaving, name));
    disk.rmdir(leaving);
  } catch {
    // What stays behind names this process and is taken over or swept once it has ended.
  }
}

/** Removes what killed processes left while taking or letting go. Young ones are left to their makers. */
function sweep(disk: Disk, path: string, nowMs: number): void {
  const prefix = `${basename(path)}.`;
  for (const entry of list(disk, dirname(path)) ?? []) {
    const owner = entry.startsWith(prefix) ? nameToOwner(entry.slice(prefix.length)) : undefined;
    if (owner === undefined || nowMs - owner.takenAtMs < UNKNOWN_OWNER_EXPIRY_MS || lifeOf(owner) === 'alive') continue;
    removeHold(disk, join(dirname(path), entry));
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

function isGone(owner: ProcessOwner, nowMs: number): boolean {
  const life = lifeOf(owner);
  return life === 'dead' || (life === 'unknown' && nowMs - owner.takenAtMs > UNKNOWN_OWNER_EXPIRY_MS);
}

function busy(disk: Disk, path: string, options: DirectoryLockOptions): EventsSdkError {
  const owner = ownerAmong(list(disk, path) ?? []);
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

function ownerAmong(entries: readonly string[]): ProcessOwner | undefined {
  return entries.map(nameToOwner).find((owner) => owner !== undefined);
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
