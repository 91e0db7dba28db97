/**
 * The shape of `queue.db`, written once for both drivers. The first six columns are those of the Python original
 * (CONTRACT §6.1), so that its programs, and any SQLite tool, can read the file and add a row by naming four of them.
 * What is read out of the envelope is computed by SQLite itself and cannot disagree with it.
 *
 * A row whose JSON cannot be read, or carries no clock, or has a state we do not know, stands as `parked`: counted
 * and shown, never sent, never in the way of the others.
 */

import { EventsSdkError } from '../../errors.ts';
import type { SqlDatabase } from './database.ts';

const ORIGINAL_COLUMNS = `
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  event_id TEXT UNIQUE NOT NULL,
  event_type TEXT NOT NULL,
  data TEXT NOT NULL,
  timestamp INTEGER NOT NULL,
  retry_count INTEGER DEFAULT 0`;

const text = (path: string): string => `CASE WHEN json_valid(data) THEN json_extract(data, '${path}') END`;

/** Larger integers do not survive JavaScript and would make a whole page of rows unreadable. */
const clock = `CASE WHEN json_valid(data) AND json_type(data, '$.lamport_clock') = 'integer'
  AND json_extract(data, '$.lamport_clock') BETWEEN 0 AND ${Number.MAX_SAFE_INTEGER}
  THEN json_extract(data, '$.lamport_clock') END`;

const OUR_COLUMNS: readonly string[] = [
  `state TEXT NOT NULL DEFAULT 'queued'`,
  `reason TEXT`,
  `server TEXT`,
  `project_root TEXT`,
  `lamport_clock INTEGER GENERATED ALWAYS AS (${clock}) VIRTUAL`,
  `team_slug TEXT GENERATED ALWAYS AS (${text('$.team_slug')}) VIRTUAL`,
  `project_uuid TEXT GENERATED ALWAYS AS (${text('$.project_uuid')}) VIRTUAL`,
  `aggregate_id TEXT GENERATED ALWAYS AS (${text('$.aggregate_id')}) VIRTUAL`,
  `standing TEXT GENERATED ALWAYS AS
    (CASE WHEN lamport_clock IS NOT NULL AND state IN ('queued', 'held') THEN state ELSE 'parked' END) VIRTUAL`,
];

/** Position in sending order; a row without a readable clock comes first. Queries repeat it to reach the index. */
export const SORT_CLOCK = 'ifnull(lamport_clock, 0)';

// The first also gives the count of all rows and the largest clock, the second the counts of those set aside, by
// reason too: with both, no count walks over the waiting rows or opens an envelope.
const INDEXES_AND_META = `
  CREATE INDEX IF NOT EXISTS idx_sending_order ON queue (${SORT_CLOCK});
  CREATE INDEX IF NOT EXISTS idx_aside ON queue (standing, reason) WHERE standing <> 'queued';
  CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;`;

/** The schema version of an open file; 0 for a new one and for the original's. */
export function schemaVersion(db: SqlDatabase): number {
  return Number(db.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
}

/** One step from a version to the next. Runs inside a transaction with all others that are due. */
export type Migration = (db: SqlDatabase) => void;

/** A schema and the way to it from every version before. */
export interface Schema {
  /** Kept in `PRAGMA user_version`. */
  readonly version: number;
  /**
   * Brings the file to this version, inside the caller's transaction. Throws STORAGE_REFUSED for a file of a newer
   * version and STORAGE_CORRUPT for a `queue` that is something else.
   */
  migrate(db: SqlDatabase): void;
  /** Throws STORAGE_REFUSED when a file of this version was written by a program after this one. */
  refuseNewer(version: number): void;
}

/** The schema that a list of steps leads to; the first one starts from an empty file or the original's. */
export function createSchema(migrations: readonly Migration[]): Schema {
  const version = migrations.length;
  const refuseNewer = (present: number): void => {
    if (present <= version) return;
    throw new EventsSdkError(
      'STORAGE_REFUSED',
      `queue.db has schema ${present}, this version knows ${version}. Update spec-kitty, or set SPEC_KITTY_HOME to another folder.`,
    );
  };
  return {
    version,
    refuseNewer,
    migrate(db) {
      const present = schemaVersion(db);
      refuseNewer(present);
      if (present === version) return;
      for (const step of migrations.slice(present)) step(db);
      db.exec(`PRAGMA user_version = ${version}`);
    },
  };
}

/** From nothing, or from the original, whose rows stay as they are. */
function begin(db: SqlDatabase): void {
  const columns = db
    .prepare(`SELECT name FROM pragma_table_xinfo('queue')`)
    .all()
    .map((row) => String(row['name']));
  if (columns.length === 0) db.exec(`CREATE TABLE queue (${ORIGINAL_COLUMNS}, ${OUR_COLUMNS.join(', ')})`);
  else takeOverOriginal(db, columns);
  db.exec(INDEXES_AND_META);
}

/** What this version keeps. A new version appends a step and changes none. */
export const MIGRATIONS: readonly Migration[] = [begin];
export const SCHEMA: Schema = createSchema(MIGRATIONS);

/** Reads along every path our statements take. Throws where one is missing; a file that is still to be migrated has none. */
export function probeSchema(db: SqlDatabase): void {
  if (schemaVersion(db) !== SCHEMA.version) return;
  db.prepare(
    `SELECT ${SORT_CLOCK}, state, reason, server, project_root, team_slug, project_uuid, aggregate_id
     FROM queue INDEXED BY idx_sending_order ORDER BY ${SORT_CLOCK}, id LIMIT 1`,
  ).get();
  db.prepare(`SELECT count(*) FROM queue INDEXED BY idx_aside WHERE standing <> 'queued' AND standing = 'held'`).get();
  db.prepare('SELECT key, value FROM meta LIMIT 1').get();
}

function takeOverOriginal(db: SqlDatabase, columns: readonly string[]): void {
  const missing = ['id', 'event_id', 'event_type', 'data', 'timestamp', 'retry_count'].filter(
    (name) => !columns.includes(name),
  );
  if (missing.length > 0) {
    throw new EventsSdkError(
      'STORAGE_CORRUPT',
      `The table queue in queue.db is not an event queue (no ${missing.join(', ')}). Move the file aside and try again.`,
    );
  }
  for (const column of OUR_COLUMNS) {
    const name = column.slice(0, column.indexOf(' '));
    if (!columns.includes(name)) db.exec(`ALTER TABLE queue ADD COLUMN ${column}`);
  }
}
