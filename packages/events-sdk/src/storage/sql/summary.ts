/**
 * What every append asks for, the clock and how many rows stand where, remembered from one transaction of this
 * connection to the next. A commit by anybody else makes it forget: SQLite's `data_version` changes with each.
 */

import type { EventState } from '../port.ts';
import type { SqlDatabase } from './database.ts';
import { schemaVersion, SORT_CLOCK, type Schema } from './schema.ts';

/** Key of the clock in `meta`. */
export const CLOCK_KEY = 'clock';

/** The remembered figures of one open database. */
export interface Summary {
  /** The larger of the kept clock and the largest among the rows. */
  clock(): number;
  /** Rows in any of these states; a state named twice counts once. */
  count(states: readonly EventState[]): number;
  /** Takes note of a change that was just made. */
  sawClock(value: number): void;
  sawInsert(state: EventState): void;
  /** The counts have to be taken anew: rows changed or left. */
  forgetCounts(): void;
  forgetAll(): void;
}

/**
 * Gives the summary of a database, trusted or emptied. To be asked inside every transaction, before anything else:
 * throws STORAGE_REFUSED where a later version of us has changed the file's schema meanwhile.
 */
export function createSummaries(schema: Pick<Schema, 'refuseNewer'>): (db: SqlDatabase) => Summary {
  let known: { readonly db: SqlDatabase; readonly version: unknown; readonly summary: Summary } | undefined;
  return (db) => {
    const version = db.prepare('PRAGMA data_version').get()?.['data_version'];
    if (known?.db !== db || known.version !== version) {
      schema.refuseNewer(schemaVersion(db));
      known = { db, version, summary: createSummary(db) };
    }
    return known.summary;
  };
}

function createSummary(db: SqlDatabase): Summary {
  let clock: number | undefined;
  let counts: Record<EventState, number> | undefined;
  return {
    clock: () => (clock ??= readClock(db)),
    count(states) {
      const known = (counts ??= readCounts(db));
      return [...new Set(states)].reduce((sum, state) => sum + known[state], 0);
    },
    sawClock(value) {
      if (clock !== undefined) clock = Math.max(clock, value);
    },
    sawInsert(state) {
      if (counts !== undefined) counts[state] += 1;
    },
    forgetCounts() {
      counts = undefined;
    },
    forgetAll() {
      clock = undefined;
      counts = undefined;
    },
  };
}

function readClock(db: SqlDatabase): number {
  const row = db
    .prepare(
      `SELECT (SELECT CAST(value AS INTEGER) FROM meta WHERE key = '${CLOCK_KEY}') AS kept, (SELECT max(${SORT_CLOCK}) FROM queue) AS seen`,
    )
    .get();
  return Math.max(Number(row?.['kept'] ?? 0), Number(row?.['seen'] ?? 0));
}

/** SQLite counts a whole index page by page; only rows that do not simply wait are looked at one by one. */
function readCounts(db: SqlDatabase): Record<EventState, number> {
  const row = db
    .prepare(
      `SELECT (SELECT count(*) FROM queue) AS whole,
        (SELECT count(*) FROM queue WHERE standing <> 'queued') AS aside,
        (SELECT count(*) FROM queue INDEXED BY idx_aside WHERE standing <> 'queued' AND standing = 'held') AS held`,
    )
    .get();
  const [all, aside, held] = [Number(row?.['whole']), Number(row?.['aside']), Number(row?.['held'])];
  return { queued: all - aside, held, parked: aside - held };
}
