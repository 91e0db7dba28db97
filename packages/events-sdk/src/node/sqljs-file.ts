/**
 * Keeps the sql.js store's image in a file many processes share: `queue.db`, replaced by rename under
 * `queue.db.lock`. At every moment, also after a power cut, the file is one whole image; what was acknowledged is in it.
 * Other SQLite programs do not know this lock: one that writes while this store is in use is a stated limit,
 * lessened by a last look at the file right before it is replaced.
 */

import { dirname } from 'node:path';
import { EventsSdkError, isEventsSdkError } from '../errors.ts';
import { systemTime } from '../internal/time.ts';
import type { Time } from '../internal/time.ts';
import { withChangeCounter } from '../storage/sql/file-header.ts';
import type { Persister, StoredImage } from '../storage/sqljs/persister.ts';
import { withDirectoryLock } from './directory-lock.ts';
import { errorCodeOf, readOpenFile, syncDirectory, systemDisk, type Disk } from './disk.ts';
import { isGone, systemProcesses, type Processes } from './process-owner.ts';
import { replaceFile, sweepTemporaries, temporaryOf } from './replace-file.ts';
import { hasContent, openFileState, sqliteFileState } from './sqlite-file.ts';

/** Where the file is and how long to wait for it. */
export interface SqlJsFileOptions {
  readonly path: string;
  /** Longest wait for other processes, in milliseconds. Default 15000: every turn of theirs rewrites the file. */
  readonly busyTimeoutMs?: number;
  /** Default: the machine's own. */
  readonly time?: Time;
  /** Default: the machine's own. */
  readonly disk?: Disk;
  /** Default: the machine's own. */
  readonly processes?: Processes;
}

const NO_FILE = 'none';

/** A persister for {@link openSqlJsStore} of `storage/sqljs`. Makes the file (0600) and its folder (0700) when it first saves. */
export function createSqlJsFile(options: SqlJsFileOptions): Persister {
  const { path, disk = systemDisk, time = systemTime, processes = systemProcesses } = options;
  const lock = { waitMs: options.busyTimeoutMs ?? 15_000, time, disk, processes };
  let isSwept = false;
  /** The last generation known to survive a loss of power. */
  let durable = NO_FILE;

  /** Whoever wrote the present file may have failed or died before its last sync, and the next turn may find nothing left to write. */
  const settle = (): void => {
    const present = sqliteFileState(disk, path)?.generation ?? NO_FILE;
    if (present === durable) return;
    syncDirectory(disk, dirname(path));
    durable = present;
  };
  const sweep = (): void => {
    if (isSwept) return;
    const now = time.now();
    sweepTemporaries(disk, path, (owner) => isGone(processes, owner, now));
    isSwept = true;
  };
  return {
    async load(known) {
      return told(() => load(disk, path, known));
    },
    exclusively: (work) =>
      withDirectoryLock(`${path}.lock`, lock, async () => {
        sweep();
        told(settle);
        return work();
      }),
    async save(bytes, replaced) {
      const temporary = temporaryOf(path, processes.current(time.now()));
      return told(() => (durable = save(disk, path, bytes, { replaced, temporary })));
    },
  };
}

function load(disk: Disk, path: string, known: string | undefined): StoredImage | undefined {
  const state = sqliteFileState(disk, path);
  refuseUnfinished(disk, path, state?.isWal === true);
  if (state === undefined) return known === NO_FILE ? undefined : { generation: NO_FILE, bytes: null };
  if (state.generation === known) return undefined;
  const file = disk.open(path, 'r');
  try {
    const { generation, isWal } = openFileState(disk, file);
    refuseUnfinished(disk, path, isWal);
    return { generation, bytes: readOpenFile(disk, file) };
  } finally {
    disk.close(file);
  }
}

function save(
  disk: Disk,
  path: string,
  bytes: Uint8Array,
  { replaced, temporary }: { readonly replaced: string; readonly temporary: string },
): string {
  let generation = NO_FILE;
  // Whoever holds another image must see that this one is not it, also when size, time and inode number are the same.
  const counter = ((sqliteFileState(disk, path)?.changeCounter ?? 0) + 1) >>> 0;
  replaceFile(disk, path, withChangeCounter(bytes, counter), {
    temporary,
    isDurable: true,
    check() {
      generation = sqliteFileState(disk, temporary)?.generation ?? NO_FILE;
      const present = sqliteFileState(disk, path);
      refuseUnfinished(disk, path, present?.isWal === true);
      if ((present?.generation ?? NO_FILE) !== replaced) {
        throw new EventsSdkError(
          'STORAGE_BUSY',
          'Another program changed queue.db meanwhile; nothing was written. Try again.',
        );
      }
    },
  });
  return generation;
}

/** Never both drivers on one file, and never half a transaction of another program. */
function refuseUnfinished(disk: Disk, path: string, isWal: boolean): void {
  if (isWal || hasContent(disk, `${path}-wal`)) {
    throw new EventsSdkError(
      'STORAGE_REFUSED',
      'queue.db is kept by the node-sqlite driver. Use that driver, or run: spec-kitty sync store --convert sqljs',
    );
  }
  if (hasContent(disk, `${path}-journal`)) {
    throw new EventsSdkError(
      'STORAGE_REFUSED',
      'Another SQLite program has not finished changing queue.db. Try again; if none is running, run: spec-kitty sync store --convert sqljs',
    );
  }
}

function told<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (isEventsSdkError(cause)) throw cause;
    throw new EventsSdkError(
      'STORAGE_UNAVAILABLE',
      `Cannot read or write queue.db (${errorCodeOf(cause)}). Check its folder, its rights and the free space.`,
      { cause },
    );
  }
}
