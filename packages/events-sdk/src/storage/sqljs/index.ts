/**
 * The portable store: SQLite as WebAssembly, in memory, its image kept by a {@link Persister}. Runs wherever
 * JavaScript runs. Every transaction takes the persister's lock, reads the image again if somebody changed it,
 * works, and replaces the image before it is acknowledged; waiting transactions share one such turn.
 * The price is rewriting the whole image: with thousands of waiting events prefer the native store.
 */

import { EventsSdkError } from '../../errors.ts';
import type { EventStore } from '../port.ts';
import type { SqlDatabase } from '../sql/database.ts';
import { refuseReadOnlyFormat, toStorageError } from '../sql/failures.ts';
import { readFileHeader } from '../sql/file-header.ts';
import { SCHEMA, type Schema } from '../sql/schema.ts';
import { createSqlStore } from '../sql/sql-store.ts';
import { createSqlJsConnection } from './connection.ts';
import type { SqlJsConnection } from './connection.ts';
import type { Persister } from './persister.ts';
import type { SqlJsModule } from './sql-js.ts';

export { createIndexedDbPersister, type IndexedDbOptions } from './indexed-db.ts';
export type { Persister, StoredImage } from './persister.ts';
export type { SqlJsDatabase, SqlJsModule, SqlJsStatement } from './sql-js.ts';

/** Where the image is, and how sql.js comes. */
export interface SqlJsStoreOptions {
  readonly persister: Persister;
  /** Default: `import('sql.js')`. Pass your own where a bundler or browser must be told where the wasm file is, or `loadSqlJs` of the Node entry. */
  readonly loadSqlJs?: () => Promise<SqlJsModule>;
  /** Default: this version's. */
  readonly schema?: Schema;
}

/** The database in memory and the image it equals. */
interface Held {
  readonly db: SqlJsConnection;
  readonly generation: string;
}

/** Opens the store; reads the image once, so that a bad one is refused here. Rejects with STORAGE_*. */
export async function openSqlJsStore(options: SqlJsStoreOptions): Promise<EventStore> {
  const { persister, schema = SCHEMA } = options;
  const sqlJs = await loadSqlJs(options.loadSqlJs);
  let held: Held | undefined;
  let lastTurn: Promise<unknown> = Promise.resolve();

  // Memory and image agree only between turns, so the turns of this process follow one another.
  const inOrder = <T>(turn: () => Promise<T>): Promise<T> => {
    const next = lastTurn.then(turn);
    lastTurn = next.catch(() => {});
    return next;
  };
  const forget = (): void => {
    held?.db.close();
    held = undefined;
  };
  const refresh = async (): Promise<Held> => {
    const image = await persister.load(held?.generation);
    if (image === undefined && held !== undefined) return held;
    forget();
    if (image === undefined) throw new EventsSdkError('STORAGE_UNAVAILABLE', 'The event store gave no image to read.');
    held = { db: openImage(sqlJs, image.bytes, schema), generation: image.generation };
    return held;
  };
  const save = async ({ db, generation }: Held): Promise<void> => {
    held = { db, generation: await persister.save(db.toBytes(), generation) };
  };

  await inOrder(refresh);
  return createSqlStore(
    {
      write: (turn) =>
        inOrder(() =>
          persister.exclusively(async () => {
            const current = await refresh();
            try {
              if (inTransaction(current.db, turn)) await save(current);
            } catch (error) {
              // What is in memory now may not be what is kept; the next turn reads it again.
              forget();
              throw error;
            }
          }),
        ),
      read: (turn) =>
        inOrder(async () => {
          turn((await refresh()).db);
        }),
      close: () => inOrder(async () => forget()),
    },
    schema,
  );
}

/** The image as a database to read from, whatever state it is in. Rejects with STORAGE_*. */
export async function openBytesToRead(bytes: Uint8Array, load?: SqlJsStoreOptions['loadSqlJs']): Promise<SqlDatabase> {
  const copy = Uint8Array.from(bytes);
  // A file in WAL mode cannot be opened in memory; without its log, it is an old file like any other.
  if (readFileHeader(copy)?.isWal === true) copy.set([1, 1], 18);
  return openConnection(await loadSqlJs(load), copy);
}

async function loadSqlJs(load: (() => Promise<SqlJsModule>) | undefined): Promise<SqlJsModule> {
  try {
    if (load !== undefined) return await load();
    const { default: initSqlJs } = await import('sql.js');
    return await initSqlJs();
  } catch (cause) {
    throw new EventsSdkError(
      'STORAGE_UNAVAILABLE',
      'sql.js could not be loaded. Check that the package and its wasm file are there.',
      { cause },
    );
  }
}

function openImage(sqlJs: SqlJsModule, bytes: Uint8Array | null, schema: Schema): SqlJsConnection {
  const header = bytes === null || bytes.length === 0 ? undefined : readFileHeader(bytes);
  if (header === undefined && bytes !== null && bytes.length > 0)
    throw toStorageError(new Error('file is not a database'));
  refuseReadOnlyFormat(header);
  schema.refuseNewer(header?.userVersion ?? 0);
  const db = openConnection(sqlJs, bytes);
  try {
    // Said by the header, so that a file which needs nothing costs no statement: each first one compiles WebAssembly.
    if (header?.userVersion !== schema.version) inTransaction(db, (turn) => schema.migrate(turn));
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function openConnection(sqlJs: SqlJsModule, bytes: Uint8Array | null): SqlJsConnection {
  try {
    return createSqlJsConnection(new sqlJs.Database(bytes));
  } catch (cause) {
    throw toStorageError(cause);
  }
}

/** Runs `turn` all or nothing; true when it changed something. */
function inTransaction(db: SqlDatabase, turn: (db: SqlDatabase) => void): boolean {
  const before = changesOf(db);
  db.prepare('BEGIN').run();
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
  return changesOf(db) !== before;
}

function changesOf(db: SqlDatabase): number {
  return Number(db.prepare('SELECT total_changes() AS n').get()?.['n']);
}
