/**
 * A lock between the processes of one machine: whoever has made the directory `path` holds it. This is the protocol
 * of SQLite's own `unix-dotfile` VFS, with the owner's identity inside, so that a lock left by a killed process is
 * taken over at once while a stopped but living owner is waited for.
 * The steps are in `directory-lock-steps.ts`; here is the waiting.
 */

import { basename } from 'node:path';
import { EventsSdkError } from '../errors.ts';
import { sleep, systemTime } from '../internal/time.ts';
import type { Time } from '../internal/time.ts';
import { holderOf, release, take, type LockPlace } from './directory-lock-steps.ts';
import { errorCodeOf, systemDisk, type Disk } from './disk.ts';
import { ownerToName, systemProcesses, UNKNOWN_OWNER_EXPIRY_MS, type Processes } from './process-owner.ts';

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

async function acquire(place: LockPlace, options: DirectoryLockOptions): Promise<string> {
  const time = options.time ?? systemTime;
  const startedAt = time.now();
  // Pauses are added up too: a clock set back must not make the wait longer.
  let pausedMs = 0;
  let keepAlive: NodeJS.Timeout | undefined;
  try {
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 1.5, LONGEST_PAUSE_MS)) {
      const now = time.now();
      const name = ownerToName(place.processes.current(now));
      if (take(place, { name, nowMs: now })) return name;
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

function busy(place: LockPlace, options: DirectoryLockOptions): EventsSdkError {
  const owner = holderOf(place);
  const holder = owner === undefined ? 'another program' : `process ${owner.pid} on ${owner.host.split('~')[0]}`;
  const waited = options.signal?.aborted === true ? 'the wait was stopped' : `after ${options.waitMs} ms`;
  return new EventsSdkError(
    'STORAGE_BUSY',
    `${holder} holds ${basename(place.path)} (${waited}). Try again, or end that process.`,
    {
      cause: options.signal?.reason,
    },
  );
}
