/**
 * A lock between the processes of one machine: whoever has made the directory `path` holds it. This is the protocol
 * of SQLite's own `unix-dotfile` VFS, with the owner's identity inside, so that a lock left by a killed process is
 * taken over at once while a stopped but living owner is waited for.
 *
 * Every step is one atomic rename. The directory is prepared with its owner file under another name and then renamed
 * into place, so no moment exists in which it stands without an owner. A dead owner's file is renamed to the new
 * owner's: its name is unique, so of many who try exactly one succeeds, and none can break a lock that lives.
 */

import { closeSync, openSync, readdirSync, renameSync, rmSync, rmdirSync, statSync, unlinkSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { EventsSdkError } from '../errors.ts';
import { sleep, systemTime } from '../internal/time.ts';
import type { Time } from '../internal/time.ts';
import { currentOwner, lifeOf, nameToOwner, ownerToName } from './process-owner.ts';
import type { ProcessOwner } from './process-owner.ts';
import { makeDirectory } from './make-directory.ts';

/** How {@link withDirectoryLock} waits. */
export interface DirectoryLockOptions {
  /** Longest wait for another owner, in milliseconds. */
  readonly waitMs: number;
  /** Default: the machine's own. */
  readonly time?: Time;
  /** Ends the wait early. Work under way is not interrupted. */
  readonly signal?: AbortSignal;
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
  const name = await acquire(path, options);
  try {
    return await work();
  } finally {
    release(path, name);
  }
}

async function acquire(path: string, options: DirectoryLockOptions): Promise<string> {
  const time = options.time ?? systemTime;
  const deadline = time.now() + options.waitMs;
  let keepAlive: NodeJS.Timeout | undefined;
  try {
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 1.5, LONGEST_PAUSE_MS)) {
      const name = ownerToName(currentOwner(time.now()));
      if (take(path, name, time.now())) return name;
      if (options.signal?.aborted === true || time.now() >= deadline) throw busy(path, options);
      // Timers of `Time` never keep a process alive; an emission waiting for its turn must.
      keepAlive ??= setInterval(() => {}, UNKNOWN_OWNER_EXPIRY_MS);
      await sleep(time, pauseMs * (0.5 + Math.random() / 2), options.signal);
    }
  } catch (cause) {
    if (cause instanceof EventsSdkError) throw cause;
    const lock = basename(path);
    throw new EventsSdkError(
      'STORAGE_UNAVAILABLE',
      `Cannot make the lock ${lock}: ${codeOf(cause)}. Check that its folder can be written.`,
      { cause },
    );
  } finally {
    clearInterval(keepAlive);
  }
}

/** One try, without waiting. */
function take(path: string, name: string, nowMs: number): boolean {
  const entries = list(path);
  if (entries === undefined) return create(path, name, nowMs);
  const owner = ownerAmong(entries);
  if (owner !== undefined) return isGone(owner, nowMs) && takeOver(path, ownerToName(owner), name);
  // An empty directory is SQLite's own dot-file lock, or what is left of it.
  const isOld = nowMs - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? nowMs) > UNKNOWN_OWNER_EXPIRY_MS;
  return isOld && entries.length === 0 && removeEmpty(path) && create(path, name, nowMs);
}

function create(path: string, name: string, nowMs: number): boolean {
  const prepared = `${path}.${name}`;
  makeDirectory(prepared);
  try {
    closeSync(openSync(join(prepared, name), 'wx', 0o600));
    // A directory is never renamed onto one with an owner inside: the second of two comes too late.
    renameSync(prepared, path);
  } catch (error) {
    rmSync(prepared, { recursive: true, force: true });
    if (list(path) !== undefined || codeOf(error) === 'ENOTEMPTY' || codeOf(error) === 'EEXIST') return false;
    throw error;
  }
  sweep(path, nowMs);
  return true;
}

function takeOver(path: string, oldName: string, name: string): boolean {
  try {
    renameSync(join(path, oldName), join(path, name));
    return true;
  } catch (error) {
    // Another waiter was faster, or the owner let go after all.
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

function release(path: string, name: string): void {
  const leaving = `${path}.${name}`;
  try {
    // Only a machine we cannot see may have judged us dead; then the lock is not ours to remove.
    if (list(path)?.includes(name) !== true) return;
    renameSync(path, leaving);
    // Two plain calls: the recursive one loads a module of its own.
    unlinkSync(join(leaving, name));
    rmdirSync(leaving);
  } catch {
    // What stays behind names this process and is taken over or swept once it has ended.
  }
}

/** Removes what killed processes left while taking or letting go. Young ones are left to their makers. */
function sweep(path: string, nowMs: number): void {
  const prefix = `${basename(path)}.`;
  for (const entry of list(dirname(path)) ?? []) {
    const owner = entry.startsWith(prefix) ? nameToOwner(entry.slice(prefix.length)) : undefined;
    if (owner === undefined || nowMs - owner.takenAtMs < UNKNOWN_OWNER_EXPIRY_MS || lifeOf(owner) === 'alive') continue;
    rmSync(join(dirname(path), entry), { recursive: true, force: true });
  }
}

function isGone(owner: ProcessOwner, nowMs: number): boolean {
  const life = lifeOf(owner);
  return life === 'dead' || (life === 'unknown' && nowMs - owner.takenAtMs > UNKNOWN_OWNER_EXPIRY_MS);
}

function busy(path: string, options: DirectoryLockOptions): EventsSdkError {
  const owner = ownerAmong(list(path) ?? []);
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

function list(path: string): readonly string[] | undefined {
  try {
    return readdirSync(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function removeEmpty(path: string): boolean {
  try {
    rmdirSync(path);
    return true;
  } catch {
    return false;
  }
}

function codeOf(error: unknown): string {
  // Errors of node:fs carry a code; anything else is told by its text.
  return (error as NodeJS.ErrnoException).code ?? String(error);
}
