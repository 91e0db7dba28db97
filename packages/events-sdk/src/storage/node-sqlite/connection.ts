/**
 * One connection of `node:sqlite` as the SQL port: every failure told in our words, every statement compiled once.
 */

import type { DatabaseSync } from 'node:sqlite';
import type { SqlDatabase, SqlRow, SqlStatement } from '../sql/database.ts';
import { toStorageError } from '../sql/failures.ts';

/** Wraps an open connection. */
export function createConnection(database: DatabaseSync): SqlDatabase {
  const statements = new Map<string, SqlStatement>();
  const prepare = (sql: string): SqlStatement => {
    const statement = guarded(() => database.prepare(sql));
    return {
      run: (...values) => guarded(() => Number(statement.run(...values).changes)),
      // Only text, numbers and null are ever selected.
      get: (...values) => guarded(() => statement.get(...values) as SqlRow | undefined),
      all: (...values) => guarded(() => statement.all(...values) as SqlRow[]),
    };
  };
  return {
    exec: (sql) => guarded(() => database.exec(sql)),
    prepare(sql) {
      let statement = statements.get(sql);
      if (statement === undefined) statements.set(sql, (statement = prepare(sql)));
      return statement;
    },
    close: () => guarded(() => database.close()),
  };
}

/** Runs a call of `node:sqlite`; throws `EventsSdkError` only. */
export function guarded<T>(call: () => T): T {
  try {
    return call();
  } catch (cause) {
    // `errcode` is what node:sqlite adds to its errors; it is missing on errors of other origin.
    const resultCode = (cause as { readonly errcode?: number }).errcode;
    throw toStorageError(cause, resultCode);
  }
}

/** SQLITE_IOERR with one of the reasons SHMOPEN, SHMSIZE, SHMLOCK, SHMMAP. */
const SHARED_MEMORY_CODES: ReadonlySet<unknown> = new Set([18, 19, 20, 21].map((reason) => 10 | (reason << 8)));

/** True for a failure of ours that SQLite met at the shared memory beside the file, which a write-ahead log needs. */
export function isWithoutSharedMemory(failure: unknown): boolean {
  const cause: unknown = failure instanceof Error ? failure.cause : undefined;
  return typeof cause === 'object' && cause !== null && 'errcode' in cause && SHARED_MEMORY_CODES.has(cause.errcode);
}
