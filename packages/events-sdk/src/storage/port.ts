/**
 * The store: a small transactional record keeper for stamped events, the clock and a few named values.
 * Everything that must be true together (tick and append, verdicts of a batch, binding and its proof)
 * happens inside one `transact`, which is durable when it resolves and leaves no trace when it fails.
 * Policy (caps, gates, verdicts, leases) lives above; a store only keeps what it is told.
 *
 * Any store passes the suite in `@spec-kitty/events-sdk/testing` (`eventStoreSuite`).
 */

/** Where a row stands: sendable, waiting for a team or project, or set aside after refusals. */
export type EventState = 'queued' | 'held' | 'parked';

/** Position in sending order: Lamport clock first, then order of insertion. */
export interface QueuePosition {
  readonly lamportClock: number;
  readonly seq: number;
}

/** A row to insert. */
export interface NewStoredEvent {
  readonly eventId: string;
  readonly eventType: string;
  readonly aggregateId: string;
  readonly lamportClock: number;
  /** Team and project as they stand in `data`; null while unknown. */
  readonly teamSlug: string | null;
  readonly projectUuid: string | null;
  /** The envelope as JSON text: the very bytes that will be sent. */
  readonly data: string;
  readonly state: EventState;
  /** Why it is held or parked, or what the server last said. */
  readonly reason: string | null;
  /** Address of the server this event belongs to; null until it is known. */
  readonly server: string | null;
  /** Root of the project the event came from, for binding it later; null outside a project. */
  readonly projectRoot: string | null;
  /** Wall time of insertion, in seconds since the epoch (CONTRACT §6.1). */
  readonly enqueuedAt: number;
}

/** A row as it is kept. */
export interface StoredEvent extends NewStoredEvent, QueuePosition {
  /** How often this very event was rejected. */
  readonly retryCount: number;
}

/** What may change on a row. `data` together with the facts read from it. */
export type StoredEventPatch = Partial<
  Pick<
    StoredEvent,
    'state' | 'reason' | 'server' | 'projectRoot' | 'retryCount' | 'data' | 'teamSlug' | 'projectUuid' | 'lamportClock'
  >
>;

/** Which rows, always in sending order. Absent fields do not filter. */
export interface EventQuery {
  readonly states?: readonly EventState[];
  /** Exactly this team; null: rows without a team. */
  readonly teamSlug?: string | null;
  readonly projectUuid?: string | null;
  /** Rows bound to this server or to none. */
  readonly server?: string;
  /** Exactly this reason. */
  readonly reason?: string;
  /** Only rows behind this position. */
  readonly after?: QueuePosition;
  readonly limit?: number;
}

/** Which rows to count. Absent fields do not filter. */
export type EventCount = Pick<EventQuery, 'states' | 'teamSlug' | 'server' | 'reason'>;

/** Reading, in one consistent view. */
export interface StoreReader {
  /** Last value given out; 0 before the first tick. Never below the largest clock among the rows. */
  clock(): number;
  count(query?: EventCount): number;
  events(query?: EventQuery): readonly StoredEvent[];
  event(eventId: string): StoredEvent | undefined;
  /** A named value of the home: node id, last sync, lease, counters. */
  value(key: string): string | undefined;
}

/** Reading and writing, all or nothing. */
export interface StoreTransaction extends StoreReader {
  /** Raises the clock to `value`. A lower value changes nothing: the clock never goes back. */
  raiseClock(value: number): void;
  /** Adds a row. An `eventId` already there keeps its first row: returns false and changes nothing. */
  insert(event: NewStoredEvent): boolean;
  update(eventId: string, patch: StoredEventPatch): void;
  remove(eventIds: readonly string[]): void;
  /** Sets a named value; null removes it. */
  setValue(key: string, value: string | null): void;
}

/** A durable store. Methods reject with `EventsSdkError` (STORAGE_*, CLOSED) and leave the store as it was. */
export interface EventStore {
  /** Runs `work` alone among all processes. Its writes are on disk when this resolves, and absent if it throws. */
  transact<T>(work: (tx: StoreTransaction) => T): Promise<T>;
  /** Runs `work` over one consistent view, without keeping others from writing longer than needed. */
  read<T>(work: (reader: StoreReader) => T): Promise<T>;
  /** Releases files and locks. Waits for transactions under way; safe to call twice. */
  close(): Promise<void>;
}
