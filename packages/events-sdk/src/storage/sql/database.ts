/**
 * The small synchronous port under the two SQL stores: one open SQLite database, whoever runs it.
 * Its methods throw `EventsSdkError` only, so that a storage failure is never mistaken for one of the caller's.
 */

/** What SQLite takes and gives here; blobs are not used. */
export type SqlValue = string | number | null;

/** One row, by column name. */
export type SqlRow = Readonly<Record<string, SqlValue>>;

/** A prepared statement. Values bind by position. */
export interface SqlStatement {
  /** Runs it; returns how many rows it changed. */
  run(...values: readonly SqlValue[]): number;
  get(...values: readonly SqlValue[]): SqlRow | undefined;
  all(...values: readonly SqlValue[]): readonly SqlRow[];
}

/** An open database. */
export interface SqlDatabase {
  /** Runs statements without results. */
  exec(sql: string): void;
  /** The prepared statement of this text; the same text is compiled only once. */
  prepare(sql: string): SqlStatement;
  close(): void;
}

/**
 * How a driver lends its database: turn by turn, each in one transaction. What the two drivers do differently
 * (locks of SQLite itself, or a lock file and a rewritten image) is all behind these three.
 */
export interface SqlDriver {
  /** Runs `turn` alone among all processes. Durable when it resolves; without a trace when it, or `turn`, fails. */
  write(turn: (db: SqlDatabase) => void): Promise<void>;
  /** Runs `turn` over one consistent view. */
  read(turn: (db: SqlDatabase) => void): Promise<void>;
  close(): Promise<void>;
}
