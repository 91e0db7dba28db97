/** The anchor of every rate: clock and row in one durable transaction of `node:sqlite`, and nothing else. */
import type { DatabaseSync } from 'node:sqlite';

import { anEvent } from '@spec-kitty/events-sdk/testing';

const DATA = JSON.stringify(anEvent());

/** Makes the tables where they are missing. */
export function prepareBare(db: DatabaseSync): void {
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
  db.exec('CREATE TABLE IF NOT EXISTS clock (id INTEGER PRIMARY KEY, value INTEGER NOT NULL)');
  db.exec('INSERT INTO clock VALUES (1, 0) ON CONFLICT DO NOTHING');
  db.exec(
    'CREATE TABLE IF NOT EXISTS queue (id INTEGER PRIMARY KEY, event_id TEXT UNIQUE NOT NULL, data TEXT NOT NULL)',
  );
}

const statements = new WeakMap<DatabaseSync, ReturnType<DatabaseSync['prepare']>[]>();

/** Ticks and appends one row. */
export function appendBare(db: DatabaseSync, id?: string): void {
  const prepared = statements.get(db) ?? [
    db.prepare('SELECT value FROM clock'),
    db.prepare('UPDATE clock SET value = ?'),
    db.prepare('INSERT INTO queue (event_id, data) VALUES (?, ?)'),
  ];
  statements.set(db, prepared);
  const [read, write, insert] = prepared;
  db.exec('BEGIN IMMEDIATE');
  const clock = Number(read?.get()?.['value']) + 1;
  write?.run(clock);
  insert?.run(id ?? `event-${clock}`, DATA);
  db.exec('COMMIT');
}
