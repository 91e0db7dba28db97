/** The anchor of every rate: clock and row in one durable transaction of SQLite, and nothing else. */
import { ENVELOPE } from './an-envelope.ts';

/** What `node:sqlite` and better-sqlite3 have in common, as far as it is used here. */
export interface BareDatabase {
  exec(sql: string): unknown;
  prepare(sql: string): object;
}

/** Their statements; better-sqlite3 types them by a statement's parameters, which nobody knows from its text. */
interface BareStatement {
  get(...values: readonly (string | number)[]): unknown;
  run(...values: readonly (string | number)[]): unknown;
}

const prepare = (db: BareDatabase, sql: string): BareStatement => db.prepare(sql) as BareStatement; // see BareStatement

/** Makes the tables where they are missing. */
export function prepareBare(db: BareDatabase): void {
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
  db.exec('CREATE TABLE IF NOT EXISTS clock (id INTEGER PRIMARY KEY, value INTEGER NOT NULL)');
  db.exec('INSERT INTO clock VALUES (1, 0) ON CONFLICT DO NOTHING');
  db.exec(
    'CREATE TABLE IF NOT EXISTS queue (id INTEGER PRIMARY KEY, event_id TEXT UNIQUE NOT NULL, data TEXT NOT NULL)',
  );
}

/** Adds `rows` in one transaction. */
export function fillBare(db: BareDatabase, rows: number): void {
  prepare(
    db,
    `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
     INSERT INTO queue (event_id, data) SELECT 'filled-' || i, ? FROM n`,
  ).run(rows, ENVELOPE);
}

const statements = new WeakMap<BareDatabase, readonly [BareStatement, BareStatement, BareStatement]>();

/** Ticks and appends one row. */
export function appendBare(db: BareDatabase, id?: string): void {
  const prepared =
    statements.get(db) ??
    ([
      prepare(db, 'SELECT value FROM clock'),
      prepare(db, 'UPDATE clock SET value = ?'),
      prepare(db, 'INSERT INTO queue (event_id, data) VALUES (?, ?)'),
    ] as const);
  statements.set(db, prepared);
  const [read, write, insert] = prepared;
  db.exec('BEGIN IMMEDIATE');
  // The one row of `clock`.
  const clock = (read.get() as { readonly value: number }).value + 1;
  write.run(clock);
  insert.run(id ?? `event-${clock}`, ENVELOPE);
  db.exec('COMMIT');
}
