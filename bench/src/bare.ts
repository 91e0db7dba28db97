/** A bare `node:sqlite` loop: clock and row in one durable transaction and nothing else. The anchor of every ratio. */
import { DatabaseSync } from 'node:sqlite';

import { anEvent } from '@spec-kitty/events-sdk/testing';

const DATA = JSON.stringify(anEvent());

export function openBare(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: 5000 });
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
  db.exec('CREATE TABLE IF NOT EXISTS clock (value INTEGER NOT NULL)');
  db.exec('CREATE TABLE IF NOT EXISTS queue (id INTEGER PRIMARY KEY, event_id TEXT UNIQUE NOT NULL, data TEXT NOT NULL)');
  db.exec('INSERT INTO clock SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM clock)');
  return db;
}

/** One transaction: read and raise the clock, insert a row of the usual size. */
export function appendBare(db: DatabaseSync): void {
  db.exec('BEGIN IMMEDIATE');
  const clock = Number(db.prepare('SELECT value FROM clock').get()?.['value']) + 1;
  db.prepare('UPDATE clock SET value = ?').run(clock);
  db.prepare('INSERT INTO queue (event_id, data) VALUES (?, ?)').run(`event-${clock}`, DATA);
  db.exec('COMMIT');
}
