/**
 * Keeps the sql.js store's image in a file many processes share: `queue.db`, replaced by rename under
 * `queue.db.lock`. At every moment, also after a power cut, the file is one whole image; what was acknowledged is in it.
 * Other SQLite programs do not know this lock: one that writes while this store is in use is a stated limit,
 * lessened by a last look at the file right before it is replaced.
 */

import { closeSync, fsyncSync, openSync, readFileSync, readdirSync, renameSync, rmSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { EventsSdkError, isEventsSdkError } from '../errors.ts';
import { systemTime } from '../internal/time.ts';
import type { Time } from '../internal/time.ts';
import type { Persister } from '../storage/sqljs/persister.ts';
import { withDirectoryLock } from './directory-lock.ts';
import { currentOwner, lifeOf, nameToOwner, ownerToName } from './process-owner.ts';
import { hasContent, openFileState, sqliteFileState } from './sqlite-file.ts';
import { makeDirectory } from './make-directory.ts';

/** Where the file is and how long to wait for it. */
export interface SqlJsFileOptions {
  readonly path: string;
  /** Longest wait for other processes, in milliseconds. Default 15000: every turn of theirs rewrites the file. */
  readonly busyTimeoutMs?: number;
  /** Default: the machine's own. */
  readonly time?: Time;
}

const NO_FILE = 'none';
const TEMP_SUFFIX = '.tmp';

/** A persister for {@link openSqlJsStore} of `storage/sqljs`. Makes the file (0600) and its folder (0700) when it first saves. */
export function createSqlJsFile(options: SqlJsFileOptions): Persister {
  const { path } = options;
  const time = options.time ?? systemTime;
  const lock = { waitMs: options.busyTimeoutMs ?? 15_000, time };
  let isSwept = false;
  return {
    async load(known) {
      return told(() => load(path, known));
    },
    exclusively: (work) =>
      withDirectoryLock(`${path}.lock`, lock, async () => {
        if (!isSwept) sweepTemps(path);
        isSwept = true;
        return work();
      }),
    async save(bytes, replaced) {
      return told(() => save(path, bytes, replaced, time.now()));
    },
  };
}

function load(path: string, known: string | undefined) {
  const state = sqliteFileState(path);
  refuseUnfinished(path, state?.isWal === true);
  if (state === undefined) return known === NO_FILE ? undefined : { generation: NO_FILE, bytes: null };
  if (state.generation === known) return undefined;
  const fd = openSync(path, 'r');
  try {
    const { generation, isWal } = openFileState(fd);
    refuseUnfinished(path, isWal);
    return { generation, bytes: readFileSync(fd) };
  } finally {
    closeSync(fd);
  }
}

function save(path: string, bytes: Uint8Array, replaced: string, nowMs: number): string {
  makeDirectory(dirname(path));
  const temp = `${path}.${ownerToName(currentOwner(nowMs))}${TEMP_SUFFIX}`;
  const fd = openSync(temp, 'wx', 0o600);
  try {
    let generation: string;
    try {
      writeFully(fd, bytes);
      fsyncSync(fd);
      generation = sqliteFileState(temp)?.generation ?? NO_FILE;
    } finally {
      closeSync(fd);
    }
    const present = sqliteFileState(path);
    refuseUnfinished(path, present?.isWal === true);
    if ((present?.generation ?? NO_FILE) !== replaced) {
      throw new EventsSdkError(
        'STORAGE_BUSY',
        'Another program changed queue.db meanwhile; nothing was written. Try again.',
      );
    }
    renameSync(temp, path);
    syncFolder(dirname(path));
    return generation;
  } catch (error) {
    rmSync(temp, { force: true });
    throw error;
  }
}

/** On a full disk a write may be short without an error. */
function writeFully(fd: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) {
    const count = writeSync(fd, bytes, written);
    if (count === 0)
      throw new EventsSdkError(
        'STORAGE_UNAVAILABLE',
        'Cannot write queue.db: the disk takes no more bytes. Free some space.',
      );
    written += count;
  }
}

function syncFolder(folder: string): void {
  // Windows cannot open a folder; there the rename itself has to do.
  if (process.platform === 'win32') return;
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Never both drivers on one file, and never half a transaction of another program. */
function refuseUnfinished(path: string, isWal: boolean): void {
  if (isWal || hasContent(`${path}-wal`)) {
    throw new EventsSdkError(
      'STORAGE_REFUSED',
      'queue.db is kept by the node-sqlite driver. Use that driver, or run: spec-kitty sync store --convert sqljs',
    );
  }
  if (hasContent(`${path}-journal`)) {
    throw new EventsSdkError(
      'STORAGE_REFUSED',
      'Another SQLite program has not finished changing queue.db. Try again; if none is running, run: spec-kitty sync store --convert sqljs',
    );
  }
}

/** Removes what killed processes left in the middle of a save. Called under the lock. */
function sweepTemps(path: string): void {
  const prefix = `${basename(path)}.`;
  for (const entry of readdirSync(dirname(path))) {
    if (!entry.startsWith(prefix) || !entry.endsWith(TEMP_SUFFIX)) continue;
    const owner = nameToOwner(entry.slice(prefix.length, -TEMP_SUFFIX.length));
    if (owner !== undefined && lifeOf(owner) === 'dead') rmSync(join(dirname(path), entry), { force: true });
  }
}

function told<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (isEventsSdkError(cause)) throw cause;
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new EventsSdkError(
      'STORAGE_UNAVAILABLE',
      `Cannot read or write queue.db: ${code}. Check its folder, its rights and the free space.`,
      { cause },
    );
  }
}
