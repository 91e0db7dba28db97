/**
 * Reads out of a damaged `queue.db` what SQLite still gives: page by page from both ends, and row by row what is missing.
 * A row counts when it is whole: an envelope that names the event its column names, and a clock that can be true.
 */
import { MAX_REMOTE_CLOCK } from '../../clock/lamport.ts';
import type { EventState, NewStoredEvent } from '../port.ts';
import { projectTeamKey, VALUE } from '../values.ts';
import type { SqlDatabase, SqlRow, SqlValue } from './database.ts';
import { probeSchema } from './schema.ts';
import { CLOCK_KEY } from './summary.ts';
import { VALUE_PREFIX } from './transaction.ts';

/** A row that was saved. */
export interface SalvagedEvent extends NewStoredEvent {
  readonly retryCount: number;
}

/** What a damaged file still told. */
export interface Salvage {
  /** In order of insertion, each event once. */
  readonly events: readonly SalvagedEvent[];
  /** Named values that outlive a file: who the home is, whose its projects are, what was dropped. */
  readonly values: ReadonlyMap<string, string>;
  /** The highest clock value that was found. */
  readonly clock: number;
}

/** Whether SQLite finds nothing wrong with the file and our statements fit it. Never throws. */
export function isSound(db: SqlDatabase): boolean {
  try {
    if (db.prepare('PRAGMA integrity_check(1)').get()?.['integrity_check'] !== 'ok') return false;
    probeSchema(db);
    return true;
  } catch {
    return false;
  }
}

/** Everything that can be read. Never throws: a file that tells nothing gives nothing. */
export function salvage(db: SqlDatabase): Salvage {
  const events = new Map<string, SalvagedEvent>();
  for (const row of readRows(db)) {
    const event = toEvent(row);
    if (event !== undefined && !events.has(event.eventId)) events.set(event.eventId, event);
  }
  const { values, clock } = readMeta(db);
  const seen = [...events.values()].reduce((most, { lamportClock }) => Math.max(most, lamportClock), 0);
  return { events: [...events.values()], values, clock: Math.max(clock, seen) };
}

const PAGE = 64;
/** No more rows than this are tried one by one, the newest: a second at worst. */
const MOST_SINGLE_TRIES = 20_000;

const COLUMNS = [
  'event_id',
  'event_type',
  'data',
  'timestamp',
  'retry_count',
  'state',
  'reason',
  'server',
  'project_root',
] as const;

function readRows(db: SqlDatabase): readonly SqlRow[] {
  const present = attempt(() => db.prepare(`SELECT name FROM pragma_table_xinfo('queue')`).all()) ?? [];
  const names = new Set(present.map(({ name }) => String(name)));
  if (!names.has('event_id') || !names.has('data')) return [];
  const columns = COLUMNS.map((name) => (names.has(name) ? `CAST(${name} AS TEXT) AS ${name}` : `NULL AS ${name}`));
  const from = `SELECT rowid AS rid, ${columns.join(', ')} FROM queue NOT INDEXED`;

  const ahead = walk(db, `${from} WHERE rowid > ? ORDER BY rowid LIMIT ?`, Number.MIN_SAFE_INTEGER, 1);
  const back = walk(db, `${from} WHERE rowid < ? ORDER BY rowid DESC LIMIT ?`, Number.MAX_SAFE_INTEGER, -1);
  // In a damaged file two rows may bear one number, and pages in the wrong place are passed over by a walk and found
  // by number, or the other way round: none of the ways replaces another.
  const found = [...ahead, ...back];
  const last =
    lastGiven(db) ?? found.reduce((most, row) => Math.max(most, Number(row['rid'])), 0) + MOST_SINGLE_TRIES / 2;
  for (let id = last; id > Math.max(0, last - MOST_SINGLE_TRIES); id -= 1) {
    const row = attempt(() => db.prepare(`${from} WHERE rowid = ?`).get(id)) ?? readByColumn(db, columns, id);
    if (row !== undefined) found.push(row);
    // A search for one number may go astray where a search for what follows its neighbour does not.
    else found.push(...(attempt(() => db.prepare(`${from} WHERE rowid > ? ORDER BY rowid LIMIT 4`).all(id - 3)) ?? []));
  }
  return found.toSorted((a, b) => Number(a['rid']) - Number(b['rid']));
}

/** A row whose end is lost may still have its beginning, where the envelope stands. */
function readByColumn(db: SqlDatabase, columns: readonly string[], id: number): SqlRow | undefined {
  const read = (column: string): SqlRow | undefined =>
    attempt(() => db.prepare(`SELECT rowid AS rid, ${column} FROM queue NOT INDEXED WHERE rowid = ?`).get(id));
  const parts = columns.map(read);
  // Without the envelope the rest is of no use.
  if (parts[COLUMNS.indexOf('data')] === undefined) return undefined;
  return Object.assign({}, ...parts) as SqlRow;
}

/** Follows the rows in one direction until there are no more, or no further one can be read. */
function walk(db: SqlDatabase, sql: string, start: number, direction: 1 | -1): readonly SqlRow[] {
  const rows: SqlRow[] = [];
  let at = start;
  let limit = PAGE;
  for (;;) {
    const page = attempt(() => db.prepare(sql).all(at, limit));
    if (page === undefined) {
      if (limit === 1) return rows;
      limit = Math.floor(limit / 2);
      continue;
    }
    if (page.length === 0) return rows;
    rows.push(...page);
    const next = page.reduce((far, row) => (direction > 0 ? Math.max : Math.min)(far, Number(row['rid'])), at);
    // Pages that point in a circle.
    if (next === at) return rows;
    at = next;
  }
}

/** The highest row number ever given, as AUTOINCREMENT keeps it. */
function lastGiven(db: SqlDatabase): number | undefined {
  const value = attempt(() => db.prepare(`SELECT max(seq) AS seq FROM sqlite_sequence WHERE name = 'queue'`).get())?.[
    'seq'
  ];
  return Number.isSafeInteger(value) ? Number(value) : undefined;
}

function toEvent(row: SqlRow): SalvagedEvent | undefined {
  const envelope = parse(row['data']);
  const eventId = textOf(row['event_id']);
  if (envelope === undefined || eventId === null || envelope['event_id'] !== eventId) return undefined;
  const { lamport_clock: clock, event_type: type, aggregate_id: aggregate } = envelope;
  if (!isClock(clock) || typeof type !== 'string') return undefined;
  return {
    eventId,
    eventType: type,
    aggregateId: typeof aggregate === 'string' ? aggregate : '',
    lamportClock: clock,
    teamSlug: textOf(envelope['team_slug']),
    projectUuid: textOf(envelope['project_uuid']),
    data: String(row['data']),
    state: stateOf(row['state']),
    reason: textOf(row['reason']),
    server: textOf(row['server']),
    projectRoot: textOf(row['project_root']),
    enqueuedAt: countOf(row['timestamp']),
    retryCount: countOf(row['retry_count']),
  };
}

/** The original knows no states: its rows wait to be sent. One we do not know is kept for a person, as in a sound file. */
function stateOf(value: SqlValue | undefined): EventState {
  if (value === null || value === undefined) return 'queued';
  return value === 'queued' || value === 'held' ? value : 'parked';
}

const KEPT_VALUES: readonly string[] = [VALUE.nodeId, VALUE.homeId, VALUE.dropped];
const TEAM_PREFIX = projectTeamKey('');

function readMeta(db: SqlDatabase): Pick<Salvage, 'values' | 'clock'> {
  const found = new Map<string, string>();
  const keep = (row: SqlRow | undefined): void => {
    const [key, value] = [textOf(row?.['key']), textOf(row?.['value'])];
    if (key !== null && value !== null) found.set(key, value);
  };
  const from = 'SELECT CAST(key AS TEXT) AS key, CAST(value AS TEXT) AS value FROM meta';
  for (const order of ['ASC', 'DESC']) {
    // A handful of rows: one more at a time until the first that cannot be read.
    for (let offset = 0; ; offset += 1) {
      const row = attempt(() => db.prepare(`${from} ORDER BY key ${order} LIMIT 1 OFFSET ?`).get(offset));
      if (row === undefined || offset > MOST_SINGLE_TRIES) break;
      keep(row);
    }
  }
  for (const key of [CLOCK_KEY, ...KEPT_VALUES.map((name) => VALUE_PREFIX + name)])
    keep(attempt(() => db.prepare(`${from} WHERE key = ?`).get(key)));

  const values = [...found]
    .filter(([key]) => key.startsWith(VALUE_PREFIX))
    .map(([key, value]) => [key.slice(VALUE_PREFIX.length), value] as const)
    .filter(([key, value]) => value !== '' && (KEPT_VALUES.includes(key) || key.startsWith(TEAM_PREFIX)));
  const clock = Number(found.get(CLOCK_KEY) ?? 0);
  return { values: new Map(values), clock: isClock(clock) ? clock : 0 };
}

function isClock(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= MAX_REMOTE_CLOCK;
}

function countOf(value: SqlValue | undefined): number {
  const count = Number(value ?? 0);
  return Number.isSafeInteger(count) && count > 0 ? count : 0;
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function parse(data: SqlValue | undefined): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(String(data));
    // A JSON object has text for keys.
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Undefined where the damage is. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
