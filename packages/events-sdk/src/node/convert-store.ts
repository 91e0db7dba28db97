/**
 * Hands a home's `queue.db` from one driver to the other. The rows never leave the file: SQLite itself switches
 * between write-ahead log and rollback journal, in one step that has happened or has not, also after a kill.
 */

import { basename } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { EventsSdkError, isEventsSdkError } from '../errors.ts';
import { systemTime } from '../internal/time.ts';
import type { Time } from '../internal/time.ts';
import { loadNodeSqlite } from '../storage/node-sqlite/builtin.ts';
import { guarded } from '../storage/node-sqlite/connection.ts';
import { openNodeSqliteStore } from '../storage/node-sqlite/index.ts';
import { createPatience } from '../storage/node-sqlite/patience.ts';
import { withDirectoryLock } from './directory-lock.ts';
import { systemDisk } from './disk.ts';
import type { QueueDriver } from './config-file.ts';
import { hasContent, sqliteFileState } from './sqlite-file.ts';

/** A store's file as it lies there. */
export interface StoreFile {
  /** Who keeps it; null when there is no file. */
  readonly driver: QueueDriver | null;
  /** Size with what lies beside it (`-wal`, `-journal`), in bytes. */
  readonly bytes: number;
}

/** What to convert. */
export interface ConvertStoreOptions {
  readonly path: string;
  readonly to: QueueDriver;
  /** Longest wait for other processes, in milliseconds. Default 5000. */
  readonly waitMs?: number;
  /** Default: the machine's own. */
  readonly time?: Time;
}

/** What became of it. */
export interface StoreConversion {
  /** Who kept the file before; null: there is none, and none was made. */
  readonly from: QueueDriver | null;
  readonly changed: boolean;
}

const DEFAULT_WAIT_MS = 5_000;

/** Looks at a store's file without opening it as a database. Rejects with STORAGE_UNAVAILABLE when it cannot be read. */
export function readStoreFile(path: string): StoreFile {
  try {
    const state = sqliteFileState(systemDisk, path);
    if (state === undefined) return { driver: null, bytes: 0 };
    const bytes = ['', '-wal', '-journal'].reduce((sum, suffix) => sum + sizeOf(path + suffix), 0);
    return { driver: state.isWal || hasContent(systemDisk, `${path}-wal`) ? 'node-sqlite' : 'sqljs', bytes };
  } catch (cause) {
    throw new EventsSdkError('STORAGE_UNAVAILABLE', `Cannot read ${basename(path)}. Check its rights.`, { cause });
  }
}

/**
 * Makes the file one that the driver `to` takes. Rejects with STORAGE_BUSY while another process has the store open,
 * with STORAGE_UNAVAILABLE in a runtime without `node:sqlite` (both directions take it) and with what opening can
 * reject with; the file is then as it was.
 */
export async function convertStore(options: ConvertStoreOptions): Promise<StoreConversion> {
  const { path, to } = options;
  const waitMs = options.waitMs ?? DEFAULT_WAIT_MS;
  const time = options.time ?? systemTime;
  const alone = <T>(work: () => Promise<T>): Promise<T> => withDirectoryLock(`${path}.lock`, { waitMs, time }, work);

  if (readStoreFile(path).driver === null) return { from: null, changed: false };
  return alone(async () => {
    const from = readStoreFile(path).driver;
    const isUnfinished = hasContent(systemDisk, `${path}-journal`);
    if (from === to && !isUnfinished) return { from, changed: false };
    if (to === 'node-sqlite') {
      const store = await openNodeSqliteStore({ path, busyTimeoutMs: waitMs, time });
      await store.close();
    } else {
      await leaveWalMode(path, waitMs, time);
    }
    return { from, changed: true };
  });
}

async function leaveWalMode(path: string, waitMs: number, time: Time): Promise<void> {
  const sqlite = loadNodeSqlite();
  if (sqlite === undefined) {
    throw new EventsSdkError(
      'STORAGE_UNAVAILABLE',
      `Converting ${basename(path)} takes a runtime with node:sqlite: run the same command once with Node 22.13 or newer.`,
    );
  }
  const db = guarded(() => new sqlite.DatabaseSync(path));
  try {
    await createPatience(time, waitMs)(() => guarded(() => switchToRollbackJournal(db)));
  } catch (cause) {
    if (!isEventsSdkError(cause, 'STORAGE_BUSY')) throw cause;
    throw new EventsSdkError(
      'STORAGE_BUSY',
      `Another process has ${basename(path)} open; nothing was changed. A courier ends by itself about a minute after the last event: try again then.`,
      { cause },
    );
  } finally {
    db.close();
  }
  if (readStoreFile(path).driver === 'sqljs' && !hasContent(systemDisk, `${path}-journal`)) return;
  throw new EventsSdkError(
    'STORAGE_UNAVAILABLE',
    `${basename(path)} could not be converted; its rows are as they were.`,
  );
}

/** Reading first lets SQLite finish what a killed program left in a journal. The switch fails while anybody else is there. */
function switchToRollbackJournal(db: DatabaseSync): void {
  db.exec('PRAGMA synchronous = FULL; SELECT count(*) FROM sqlite_schema; PRAGMA wal_checkpoint(TRUNCATE)');
  const mode = db.prepare('PRAGMA journal_mode = DELETE').get()?.['journal_mode'];
  if (mode !== 'delete') throw new EventsSdkError('STORAGE_BUSY', 'The write-ahead log is in use.');
  // A program killed early may leave a journal that SQLite ignores and keeps; one small commit takes it away.
  const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version']);
  db.exec(`BEGIN IMMEDIATE; PRAGMA user_version = ${version}; COMMIT`);
}

function sizeOf(path: string): number {
  return systemDisk.look(path)?.size ?? 0;
}
