/**
 * The store of Node: `queue.db` under SQLite's own locks, any number of processes at once. A commit is on disk
 * (write-ahead log, synchronous FULL) before it is acknowledged.
 */

import { chmodSync, closeSync, fchmodSync, mkdirSync, openSync, readSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { EventsSdkError } from '../../errors.ts';
import { systemTime } from '../../internal/time.ts';
import type { Time } from '../../internal/time.ts';
import type { EventStore } from '../port.ts';
import type { SqlDatabase } from '../sql/database.ts';
import { refuseReadOnlyFormat, toStorageError } from '../sql/failures.ts';
import { FILE_HEADER_BYTES, readFileHeader, type FileHeader } from '../sql/file-header.ts';
import { createPatience } from './patience.ts';
import type { Patience } from './patience.ts';
import { SCHEMA, schemaVersion, type Schema } from '../sql/schema.ts';
import { createSqlStore } from '../sql/sql-store.ts';
import { loadNodeSqlite } from './builtin.ts';
import { createConnection, guarded, isWithoutSharedMemory } from './connection.ts';

export { isNodeSqliteAvailable } from './builtin.ts';

/** Where the store is and how long it waits. */
export interface NodeSqliteStoreOptions {
  readonly path: string;
  /** Longest wait for other processes, in milliseconds; a function is asked before each wait. Default 5000, that of the Python original. */
  readonly busyTimeoutMs?: number | (() => number);
  /** Default: the machine's own. */
  readonly time?: Time;
  /**
   * Wraps creating or converting the file. Without it, any number of processes may open the file at once all the same:
   * SQLite's own locks see to that. A lock here only keeps out who does not know those, the sql.js store, and is
   * needed where both kinds may open one file: the homes of `@spec-kitty/events-sdk/node` pass `queue.db.lock`.
   */
  readonly exclusively?: <T>(work: () => Promise<T>) => Promise<T>;
  /** Default: this version's. */
  readonly schema?: Schema;
}

/** SQLite waits this long by itself, blocking the process; beyond it we wait without blocking. */
const NATIVE_WAIT_MS = 20;
const DEFAULT_BUSY_TIMEOUT_MS = 5_000;
/** Somebody who replaces the file again and again must not keep us here. */
const OPEN_TRIES = 5;
/**
 * A reader that stays for long lets the log grow; once it has left, the log is cut back to this. Twice what it reaches
 * otherwise (1,000 pages between two checkpoints), so that everyday work never has it cut.
 */
const LOG_LIMIT_BYTES = 8 * 1024 * 1024;

/**
 * Opens the store, making the file (0600) and its folder (0700) where they are missing, taking over the Python
 * original's file and one that sql.js wrote. Rejects with STORAGE_*.
 */
export async function openNodeSqliteStore(options: NodeSqliteStoreOptions): Promise<EventStore> {
  const sqlite = loadNodeSqlite();
  if (sqlite === undefined) {
    throw new EventsSdkError(
      'STORAGE_UNAVAILABLE',
      'This runtime has no node:sqlite. Use Node 22.13 or newer, or SPEC_KITTY_QUEUE_DRIVER=sqljs.',
    );
  }
  const connect = (): SqlDatabase => {
    const db = createConnection(guarded(() => new sqlite.DatabaseSync(options.path)));
    try {
      // Said on every connection: SQLite starts each with no wait at all, and may start it with weaker durability.
      db.exec(
        `PRAGMA busy_timeout = ${NATIVE_WAIT_MS}; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = ${LOG_LIMIT_BYTES}`,
      );
      return db;
    } catch (error) {
      db.close();
      throw error;
    }
  };
  const wait = createPatience(options.time ?? systemTime, options.busyTimeoutMs ?? DEFAULT_BUSY_TIMEOUT_MS);
  const { schema = SCHEMA } = options;
  const exclusively = options.exclusively ?? ((work) => work());
  const { db, file } = await openSteadily(
    options.path,
    async () =>
      (await openReady(options.path, schema, { connect, wait })) ??
      (await exclusively(() => prepareFile(options.path, schema, { connect, wait }))),
  );
  const assertSameFile = (): void => {
    if (fileIdentity(options.path) !== file) throw replaced();
  };
  return createSqlStore(
    {
      async write(turn) {
        assertSameFile();
        // Only beginning may be tried again: once it has begun, this process is alone.
        await wait(() => db.prepare('BEGIN IMMEDIATE').run());
        finish(db, turn);
        // A commit into a file that has lost its name is nobody's but ours; whoever hears of it does the work again.
        assertSameFile();
      },
      async read(turn) {
        assertSameFile();
        await wait(() => {
          db.prepare('BEGIN').run();
          finish(db, turn);
        });
      },
      async close() {
        db.close();
      },
    },
    schema,
  );
}

/** A connection that only reads, and changes no byte unless it `mayWrite`. Throws STORAGE_*. */
export function openToRead(path: string, { mayWrite }: { readonly mayWrite: boolean }): SqlDatabase {
  const sqlite = loadNodeSqlite();
  if (sqlite === undefined) throw new EventsSdkError('STORAGE_UNAVAILABLE', 'This runtime has no node:sqlite.');
  return createConnection(guarded(() => new sqlite.DatabaseSync(path, { readOnly: !mayWrite })));
}

function replaced(): EventsSdkError {
  return new EventsSdkError('STORAGE_REPLACED', 'queue.db was removed or replaced while it was open. Open it again.');
}

/** Opens until the same file had the name before and after: which file a connection is on, nobody tells. */
async function openSteadily(
  path: string,
  open: () => Promise<SqlDatabase>,
): Promise<{ readonly db: SqlDatabase; readonly file: string }> {
  for (let tries = 1; ; tries += 1) {
    const before = fileIdentity(path);
    const db = await open();
    const file = fileIdentity(path);
    // Where there was none before, it was made meanwhile, by us or by another.
    if (file !== undefined && (before === undefined || before === file)) return { db, file };
    db.close();
    if (tries === OPEN_TRIES) throw replaced();
  }
}

function finish(db: SqlDatabase, turn: (db: SqlDatabase) => void): void {
  try {
    turn(db);
    db.prepare('COMMIT').run();
  } catch (error) {
    try {
      db.prepare('ROLLBACK').run();
    } catch {
      // SQLite has rolled back by itself; the first failure is the one to tell.
    }
    throw error;
  }
}

/** How to open a connection, and how to wait where others are in the way. */
interface Opening {
  readonly connect: () => SqlDatabase;
  readonly wait: Patience;
}

/**
 * Opens a file that needs nothing: already in WAL mode and of our schema. A connection that has seen WAL mode holds
 * a shared lock as long as it lives, so nobody can convert the file behind its back, and `queue.db.lock` is not needed.
 */
async function openReady(path: string, schema: Schema, { connect, wait }: Opening): Promise<SqlDatabase | undefined> {
  if (!isWalFile(path)) return undefined;
  const db = await wait(connect);
  try {
    const isReady = await wait(() => {
      const version = schemaVersion(db);
      schema.refuseNewer(version);
      return version === schema.version && db.prepare('PRAGMA journal_mode').get()?.['journal_mode'] === 'wal';
    });
    if (isReady) return db;
  } catch (error) {
    db.close();
    throw error;
  }
  db.close();
  return undefined;
}

/** Creates the file, or brings it to WAL mode and our schema. */
async function prepareFile(path: string, schema: Schema, { connect, wait }: Opening): Promise<SqlDatabase> {
  createFile(path);
  const db = await wait(connect);
  try {
    // Before anything is changed: a file of a later version stays exactly as it is.
    await wait(() => schema.refuseNewer(schemaVersion(db)));
    await wait(() => switchToWal(db));
    await wait(() => db.prepare('BEGIN IMMEDIATE').run());
    finish(db, (turn) => schema.migrate(turn));
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** This switch ignores SQLite's busy timeout. Throws where the file system does not carry what it takes. */
function switchToWal(db: SqlDatabase): void {
  let cause: unknown;
  try {
    if (db.prepare('PRAGMA journal_mode = WAL').get()?.['journal_mode'] === 'wal') return;
  } catch (error) {
    if (!isWithoutSharedMemory(error)) throw error;
    cause = error;
  }
  throw new EventsSdkError(
    'STORAGE_UNAVAILABLE',
    'queue.db lies on a file system that cannot keep a write-ahead log. Set SPEC_KITTY_QUEUE_DRIVER=sqljs, or move SPEC_KITTY_HOME to a local disk.',
    { cause },
  );
}

/** Whether the file is there and in WAL mode. */
function isWalFile(path: string): boolean {
  const header = headerOf(path);
  refuseReadOnlyFormat(header);
  return header?.isWal === true;
}

/** Undefined for a file that cannot be read: opening it will tell why. */
function headerOf(path: string): FileHeader | undefined {
  let fd: number | undefined;
  try {
    fd = openSync(path, 'r');
    const bytes = new Uint8Array(FILE_HEADER_BYTES);
    readSync(fd, bytes, 0, FILE_HEADER_BYTES, 0);
    return readFileHeader(bytes);
  } catch {
    return undefined;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** Tells a file from one that was put in its place; undefined when there is none. Asked twice a transaction: it costs some microseconds. */
function fileIdentity(path: string): string | undefined {
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    return found === undefined ? undefined : `${found.dev}.${found.ino}`;
  } catch {
    return undefined;
  }
}

/** One level: a whole missing path is a mistake worth an error, and Node's recursive form never ends on /proc. */
function makeFolder(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
    chmodSync(path, 0o700);
  } catch (error) {
    if (!isThere(error)) throw error;
  }
}

function isThere(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EEXIST';
}

function createFile(path: string): void {
  try {
    makeFolder(dirname(path));
    const file = openSync(path, 'wx', 0o600);
    // Whatever the umask: SQLite gives the files it adds beside this one the same mode.
    fchmodSync(file, 0o600);
    closeSync(file);
  } catch (cause) {
    if (!isThere(cause)) throw toStorageError(cause);
  }
}
