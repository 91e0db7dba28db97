/**
 * The port's reading and writing, said in SQL. Works inside a transaction somebody else began.
 */

import type {
  EventCount,
  EventQuery,
  EventState,
  NewStoredEvent,
  StoredEvent,
  StoredEventPatch,
  StoreTransaction,
} from '../port.ts';
import type { SqlDatabase, SqlRow, SqlValue } from './database.ts';
import { SORT_CLOCK } from './schema.ts';
import { CLOCK_KEY } from './summary.ts';
import type { Summary } from './summary.ts';

/** Keeps named values apart from the clock. */
export const VALUE_PREFIX = 'value.';
const REMOVE_CHUNK = 500;

// A foreign program may have put anything into the loosely typed columns; what leaves here is always a number.
const number = (column: string): string =>
  `min(max(CAST(ifnull(${column}, 0) AS INTEGER), 0), ${Number.MAX_SAFE_INTEGER})`;

const COLUMNS = `id, CAST(event_id AS TEXT) AS event_id, CAST(event_type AS TEXT) AS event_type, CAST(data AS TEXT) AS data,
  ${number('timestamp')} AS enqueued_at, ${number('retry_count')} AS retry_count, ${SORT_CLOCK} AS clock,
  lamport_clock IS NULL AS is_unreadable, standing, reason, server, project_root, team_slug, project_uuid, aggregate_id`;

const ALL_STATES: readonly EventState[] = ['queued', 'held', 'parked'];

/** The columns a patch may change. Team, project and clock are part of `data` and follow it. */
const PATCHED = [
  ['state', 'state'],
  ['reason', 'reason'],
  ['server', 'server'],
  ['projectRoot', 'project_root'],
  ['retryCount', 'retry_count'],
  ['data', 'data'],
] as const satisfies readonly (readonly [keyof StoredEventPatch, string])[];

/** A transaction over `db`, whose summary it keeps true. Only good until the surrounding transaction ends. */
export function createSqlTransaction(db: SqlDatabase, summary: Summary): StoreTransaction {
  return {
    clock: () => summary.clock(),
    count: (query = {}) => count(db, summary, query),
    events: (query = {}) => select(db, summary, query),
    event(eventId) {
      const row = db.prepare(`SELECT ${COLUMNS} FROM queue WHERE event_id = ?`).get(eventId);
      return row === undefined ? undefined : rowToEvent(row);
    },
    value(key) {
      const row = db.prepare('SELECT value FROM meta WHERE key = ?').get(VALUE_PREFIX + key);
      return row === undefined ? undefined : String(row['value']);
    },
    raiseClock(value) {
      if (value <= summary.clock()) return;
      setMeta(db, CLOCK_KEY, String(value));
      summary.sawClock(value);
    },
    insert(event) {
      if (!insert(db, event)) return false;
      // What is read out of the row is what the caller said of it: that much the port asks of him.
      summary.sawClock(event.lamportClock);
      summary.sawInsert(event.state);
      return true;
    },
    update(eventId, patch) {
      const changes = PATCHED.filter(([field]) => patch[field] !== undefined);
      if (changes.length === 0) return;
      keepClock(db, summary.clock());
      if (patch.state !== undefined) summary.forgetCounts();
      if (patch.data !== undefined) summary.forgetAll();
      const values = changes.map(([field]): SqlValue => patch[field] ?? null);
      const assignments = changes.map(([, column]) => `${column} = ?`).join(', ');
      db.prepare(`UPDATE queue SET ${assignments} WHERE event_id = ?`).run(...values, eventId);
    },
    remove(eventIds) {
      if (eventIds.length === 0) return;
      keepClock(db, summary.clock());
      summary.forgetCounts();
      const statement = db.prepare('DELETE FROM queue WHERE event_id IN (SELECT value FROM json_each(?))');
      for (let start = 0; start < eventIds.length; start += REMOVE_CHUNK) {
        statement.run(JSON.stringify(eventIds.slice(start, start + REMOVE_CHUNK)));
      }
    },
    setValue(key, value) {
      if (value === null) db.prepare('DELETE FROM meta WHERE key = ?').run(VALUE_PREFIX + key);
      else setMeta(db, VALUE_PREFIX + key, value);
    },
  };
}

/** What is about to leave may be the only place where the clock's value stands. */
function keepClock(db: SqlDatabase, value: number): void {
  db.prepare(
    `INSERT INTO meta (key, value) VALUES ('${CLOCK_KEY}', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value
     WHERE CAST(value AS INTEGER) < CAST(excluded.value AS INTEGER)`,
  ).run(String(value));
}

function setMeta(db: SqlDatabase, key: string, value: string): void {
  db.prepare(
    'INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value WHERE value IS NOT excluded.value',
  ).run(key, value);
}

function insert(db: SqlDatabase, event: NewStoredEvent): boolean {
  const changed = db
    .prepare(
      `INSERT INTO queue (event_id, event_type, data, timestamp, retry_count, state, reason, server, project_root)
       VALUES (?, ?, ?, ?, 0, ?, ?, ?, ?) ON CONFLICT (event_id) DO NOTHING`,
    )
    .run(
      event.eventId,
      event.eventType,
      event.data,
      Math.floor(event.enqueuedAt),
      event.state,
      event.reason,
      event.server,
      event.projectRoot,
    );
  return changed > 0;
}

function count(db: SqlDatabase, summary: Summary, query: EventCount): number {
  const { states, ...rest } = query;
  // Every row stands somewhere.
  if (Object.values(rest).every((value) => value === undefined)) return summary.count(states ?? ALL_STATES);
  if (states?.length === 0) return 0;
  const { filter, values } = conditionsOf(query);
  // Said in the index's own words: without them SQLite would read every envelope to see where its row stands.
  const aside = states !== undefined && !states.includes('queued') ? ` AND standing <> 'queued'` : '';
  return Number(db.prepare(`SELECT count(*) AS n FROM queue ${filter}${aside}`).get(...values)?.['n']);
}

function conditionsOf(query: EventQuery): { readonly filter: string; readonly values: readonly SqlValue[] } {
  const conditions: string[] = [];
  const values: SqlValue[] = [];
  const where = (condition: string, ...bound: readonly SqlValue[]): void => {
    conditions.push(condition);
    values.push(...bound);
  };
  if (query.states !== undefined) where(`standing IN (${query.states.map(() => '?').join(', ')})`, ...query.states);
  if (query.teamSlug !== undefined) where('team_slug IS ?', query.teamSlug);
  if (query.projectUuid !== undefined) where('project_uuid IS ?', query.projectUuid);
  if (query.server !== undefined) where('(server IS NULL OR server = ?)', query.server);
  if (query.reason !== undefined) where('reason = ?', query.reason);
  if (query.after !== undefined) where(`(${SORT_CLOCK}, id) > (?, ?)`, query.after.lamportClock, query.after.seq);
  return { filter: conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`, values };
}

function select(db: SqlDatabase, summary: Summary, query: EventQuery): readonly StoredEvent[] {
  if (query.states?.length === 0) return [];
  // Looking for the few that are set aside walks over all that wait, opening each: not where there are none.
  if (query.states !== undefined && !query.states.includes('queued') && summary.count(query.states) === 0) return [];
  const { filter, values } = conditionsOf(query);
  // The waiting rows are nearly all of them: walking in sending order always beats collecting and sorting.
  const sql = `SELECT ${COLUMNS} FROM queue INDEXED BY idx_sending_order ${filter} ORDER BY ${SORT_CLOCK}, id LIMIT ?`;
  return db
    .prepare(sql)
    .all(...values, query.limit ?? -1)
    .map(rowToEvent);
}

function rowToEvent(row: SqlRow): StoredEvent {
  const standing = row['standing'];
  return {
    seq: Number(row['id']),
    eventId: String(row['event_id']),
    eventType: String(row['event_type']),
    aggregateId: String(row['aggregate_id'] ?? ''),
    lamportClock: Number(row['clock']),
    teamSlug: textOrNull(row['team_slug']),
    projectUuid: textOrNull(row['project_uuid']),
    data: String(row['data']),
    state: standing === 'queued' || standing === 'held' ? standing : 'parked',
    reason: textOrNull(row['reason']) ?? (row['is_unreadable'] === 1 ? 'unreadable' : null),
    server: textOrNull(row['server']),
    projectRoot: textOrNull(row['project_root']),
    enqueuedAt: Number(row['enqueued_at']),
    retryCount: Number(row['retry_count']),
  };
}

function textOrNull(value: SqlValue | undefined): string | null {
  return value === null || value === undefined ? null : String(value);
}
