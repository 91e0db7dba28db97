/**
 * The store for tests, browsers without persistence and programs that want none: the port's promises but
 * durability, which ends with the process.
 */
import { EventsSdkError } from '../errors.ts';
import type { EventQuery, EventState, EventStore, StoredEvent, StoreReader, StoreTransaction } from './port.ts';

interface Contents {
  readonly rows: Map<string, StoredEvent>;
  readonly values: Map<string, string>;
  clock: number;
  lastSeq: number;
}

/** An empty store in memory. */
export function createMemoryStore(): EventStore {
  let contents: Contents = { rows: new Map(), values: new Map(), clock: 0, lastSeq: 0 };
  let closed = false;

  function assertOpen(): void {
    if (closed) throw new EventsSdkError('CLOSED', 'The store is closed.');
  }

  return {
    async transact(work) {
      assertOpen();
      // `work` is synchronous, so nothing can come between the copy and the swap.
      const draft: Contents = { ...contents, rows: new Map(contents.rows), values: new Map(contents.values) };
      const result = work(writerOf(draft));
      contents = draft;
      return result;
    },
    async read(work) {
      assertOpen();
      return work(readerOf(contents));
    },
    async close() {
      closed = true;
    },
  };
}

function readerOf(contents: Contents): StoreReader {
  return {
    clock: () => [...contents.rows.values()].reduce((most, row) => Math.max(most, row.lamportClock), contents.clock),
    count: (query = {}) => [...contents.rows.values()].filter((row) => matches(row, query)).length,
    events: (query = {}) => select(contents, query),
    event: (eventId) => contents.rows.get(eventId),
    value: (key) => contents.values.get(key),
  };
}

function writerOf(contents: Contents): StoreTransaction {
  return {
    ...readerOf(contents),
    raiseClock(value) {
      contents.clock = Math.max(contents.clock, value);
    },
    insert(event) {
      if (contents.rows.has(event.eventId)) return false;
      contents.lastSeq += 1;
      contents.rows.set(event.eventId, { ...event, seq: contents.lastSeq, retryCount: 0 });
      return true;
    },
    update(eventId, patch) {
      const row = contents.rows.get(eventId);
      if (row === undefined) return;
      contents.clock = Math.max(contents.clock, row.lamportClock);
      contents.rows.set(eventId, { ...row, ...patch });
    },
    remove(eventIds) {
      // What is about to leave may be the only place where the clock's value stands.
      for (const eventId of eventIds)
        contents.clock = Math.max(contents.clock, contents.rows.get(eventId)?.lamportClock ?? 0);
      for (const eventId of eventIds) contents.rows.delete(eventId);
    },
    setValue(key, value) {
      if (value === null) contents.values.delete(key);
      else contents.values.set(key, value);
    },
  };
}

function select(contents: Contents, query: EventQuery): readonly StoredEvent[] {
  return [...contents.rows.values()]
    .filter((row) => matches(row, query))
    .toSorted((a, b) => a.lamportClock - b.lamportClock || a.seq - b.seq)
    .slice(0, query.limit);
}

function matches(row: StoredEvent, { states, teamSlug, projectUuid, server, reason, after }: EventQuery): boolean {
  if (!isOneOf(states, row.state)) return false;
  if (teamSlug !== undefined && row.teamSlug !== teamSlug) return false;
  if (projectUuid !== undefined && row.projectUuid !== projectUuid) return false;
  if (reason !== undefined && row.reason !== reason) return false;
  if (server !== undefined && row.server !== null && row.server !== server) return false;
  return (
    after === undefined ||
    row.lamportClock > after.lamportClock ||
    (row.lamportClock === after.lamportClock && row.seq > after.seq)
  );
}

function isOneOf(states: readonly EventState[] | undefined, state: EventState): boolean {
  return states === undefined || states.includes(state);
}
