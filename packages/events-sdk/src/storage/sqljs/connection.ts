/**
 * A sql.js database as the SQL port. Statements are compiled once and freed at close; since sql.js 1.15.2 an export
 * leaves them alone.
 */

import type { SqlDatabase, SqlRow, SqlStatement, SqlValue } from '../sql/database.ts';
import { toStorageError } from '../sql/failures.ts';
import type { SqlJsDatabase, SqlJsStatement } from './sql-js.ts';

/** The port, and the way out to bytes. */
export interface SqlJsConnection extends SqlDatabase {
  /** The whole database as the bytes of an SQLite file. Never inside a transaction. */
  toBytes(): Uint8Array;
}

/** Wraps an open database. */
export function createSqlJsConnection(database: SqlJsDatabase): SqlJsConnection {
  const compiled = new Map<string, SqlJsStatement>();
  const statement = (sql: string): SqlJsStatement => {
    let found = compiled.get(sql);
    if (found === undefined) compiled.set(sql, (found = guarded(() => database.prepare(sql))));
    return found;
  };
  const rows = (sql: string, values: readonly SqlValue[], atMost: number): SqlRow[] => {
    const current = statement(sql);
    return guarded(() => {
      const found: SqlRow[] = [];
      try {
        current.bind([...values]);
        // No column that is selected holds a blob, so every value is text, a number or null.
        while (found.length < atMost && current.step()) found.push(current.getAsObject() as SqlRow);
      } finally {
        current.reset();
      }
      return found;
    });
  };
  return {
    exec: (sql) => guarded(() => void database.run(sql)),
    prepare: (sql): SqlStatement => ({
      run(...values) {
        rows(sql, values, Number.POSITIVE_INFINITY);
        return database.getRowsModified();
      },
      get: (...values) => rows(sql, values, 1)[0],
      all: (...values) => rows(sql, values, Number.POSITIVE_INFINITY),
    }),
    toBytes: () => guarded(() => database.export()),
    close() {
      for (const each of compiled.values()) each.free();
      compiled.clear();
      guarded(() => {
        database.close();
      });
    },
  };
}

function guarded<T>(call: () => T): T {
  try {
    return call();
  } catch (cause) {
    throw toStorageError(cause);
  }
}
