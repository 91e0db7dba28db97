/**
 * The part of sql.js this store uses, in our own words: the library ships no types, and a program that has none
 * installed must still compile against ours.
 */

/** What loading sql.js gives. */
export interface SqlJsModule {
  readonly Database: new (bytes?: ArrayLike<number> | null) => SqlJsDatabase;
}

/** One open database, in memory. */
export interface SqlJsDatabase {
  prepare(sql: string): SqlJsStatement;
  run(sql: string): unknown;
  getRowsModified(): number;
  /** The whole database as the bytes of an SQLite file. Frees nothing since sql.js 1.15.2. */
  export(): Uint8Array;
  close(): void;
}

/** One compiled statement. */
export interface SqlJsStatement {
  bind(values: (string | number | null)[]): boolean;
  step(): boolean;
  getAsObject(): object;
  reset(): void;
  free(): boolean;
}
