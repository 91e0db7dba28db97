/**
 * The offline queue: keeps stamped events until the server has given a verdict on each of them.
 * Every method is one durable transaction of the store. Order is the Lamport clock's.
 */
import { nextTick } from '../clock/lamport.ts';
import type { EventVerdict } from '../contract/batch.ts';
import type { AnyEnvelope } from '../contract/envelope.ts';
import { MAX_QUEUED_EVENTS, MAX_REJECTIONS } from '../contract/limits.ts';
import type {
  EventState,
  EventStore,
  QueuePosition,
  StoredEvent,
  StoreReader,
  StoreTransaction,
} from '../storage/port.ts';
import { addToCounter, projectTeamKey, readCounter, VALUE } from '../storage/values.ts';

/** What happens to an event that finds the queue full. */
export type OverflowPolicy =
  /** The new event is refused (SPEC, edge case queue overflow). The default. */
  | 'refuse-new'
  /** The oldest waiting events make room. */
  | 'evict-oldest';

/** Where a new event goes. */
export interface Placement {
  readonly state: Extract<EventState, 'queued' | 'held'>;
  /** Why it is held; null when queued. */
  readonly reason: string | null;
  /** Server it belongs to; null while unknown. */
  readonly server: string | null;
  readonly projectRoot: string | null;
}

/** What became of an append. */
export type AppendAnswer =
  | { readonly kind: 'appended'; readonly envelopes: readonly AnyEnvelope[]; readonly waiting: number }
  /** Nothing was appended; the refusal is counted durably. */
  | { readonly kind: 'full'; readonly waiting: number };

/** Which events may leave, and how many at once. */
export interface BatchRequest {
  readonly teamSlug: string;
  readonly server: string;
  readonly limit: number;
  /** Bytes of event text; the first event always goes in. */
  readonly maxBytes: number;
  /** Only events behind this position: what was offered in this pass is not offered again. */
  readonly after?: QueuePosition;
}

/** What settling a batch changed. */
export interface Settlement {
  readonly removed: number;
  readonly duplicates: number;
  readonly pending: number;
  readonly rejected: readonly SettledRejection[];
}

export interface SettledRejection {
  readonly eventId: string;
  readonly eventType: string;
  readonly reason: string;
  readonly retryCount: number;
  readonly parked: boolean;
}

/** Counts of events by where they stand. */
export interface QueueSize {
  readonly queued: number;
  readonly held: number;
  readonly parked: number;
  /** Refused or evicted because the queue was full, ever. */
  readonly dropped: number;
  readonly cap: number;
}

export interface OfflineQueue {
  /** The most events that may wait. */
  readonly cap: number;
  /** Ticks and appends `count` events in one transaction, all or none. `stamp` builds each envelope from its clock value. */
  append(
    count: number,
    placement: Placement,
    stamp: (lamportClock: number, index: number) => AnyEnvelope,
  ): Promise<AppendAnswer>;
  /** Appends envelopes stamped elsewhere and raises the clock above them. An `event_id` already waiting is kept as it is. */
  enqueue(envelopes: readonly AnyEnvelope[], placement: Placement): Promise<AppendAnswer>;
  nextBatch(request: BatchRequest): Promise<readonly StoredEvent[]>;
  /** Applies verdicts to the rows of `batch`; verdicts on other events are ignored. */
  settle(batch: readonly StoredEvent[], verdicts: readonly EventVerdict[]): Promise<Settlement>;
  /** Sets events aside that can never be delivered as they are. They are kept, not sent. */
  park(eventIds: readonly string[], reason: string): Promise<void>;
  size(): Promise<QueueSize>;
}

export interface OfflineQueueDeps {
  readonly store: EventStore;
  readonly time: { now(): number };
  /** The most events waiting, queued and held. Default {@link MAX_QUEUED_EVENTS}. */
  readonly cap?: number;
  /** Default `refuse-new`. */
  readonly overflow?: OverflowPolicy;
}

const WAITING: readonly EventState[] = ['queued', 'held'];

/** An offline queue over any event store. */
export function createOfflineQueue(deps: OfflineQueueDeps): OfflineQueue {
  const { store, time } = deps;
  const cap = deps.cap ?? MAX_QUEUED_EVENTS;
  const overflow = deps.overflow ?? 'refuse-new';

  /** Appends within `tx`, or counts the refusal. */
  function appendAll(
    tx: StoreTransaction,
    count: number,
    placement: Placement,
    make: (index: number) => AnyEnvelope,
  ): AppendAnswer {
    const waiting = tx.count({ states: WAITING });
    const excess = waiting + count - cap;
    if (excess > 0) {
      if (overflow === 'refuse-new' || count > cap) {
        addToCounter(tx, VALUE.dropped, count);
        return { kind: 'full', waiting };
      }
      tx.remove(tx.events({ states: WAITING, limit: excess }).map((event) => event.eventId));
      addToCounter(tx, VALUE.dropped, excess);
    }
    const envelopes = Array.from({ length: count }, (_, index) => make(index));
    const enqueuedAt = Math.floor(time.now() / 1000);
    let added = 0;
    for (const envelope of envelopes) {
      tx.raiseClock(envelope.lamport_clock);
      if (tx.insert(toRow(envelope, placement, enqueuedAt))) added += 1;
    }
    return { kind: 'appended', envelopes, waiting: Math.min(waiting, Math.max(0, cap - count)) + added };
  }

  return {
    cap,

    append: (count, placement, stamp) =>
      store.transact((tx) => {
        let clock = tx.clock();
        return appendAll(tx, count, placement, (index) => {
          clock = nextTick(clock);
          return stamp(clock, index);
        });
      }),

    enqueue: (envelopes, placement) =>
      store.transact((tx) => {
        const fresh = envelopes.filter((envelope) => tx.event(envelope.event_id) === undefined);
        const answer = appendAll(tx, fresh.length, placement, (index) => {
          // `index` runs over `fresh`.
          return fresh[index] as AnyEnvelope;
        });
        return answer.kind === 'full' ? answer : { ...answer, envelopes };
      }),

    nextBatch: (request) =>
      store.read((reader) => {
        const events = reader.events({
          states: ['queued'],
          teamSlug: request.teamSlug,
          server: request.server,
          limit: request.limit,
          ...(request.after === undefined ? {} : { after: request.after }),
        });
        return cutToBytes(events, request.maxBytes);
      }),

    settle: (batch, verdicts) => store.transact((tx) => settleBatch(tx, batch, verdicts)),

    park: (eventIds, reason) =>
      store.transact((tx) => {
        for (const eventId of eventIds) tx.update(eventId, { state: 'parked', reason });
      }),

    size: () => store.read((reader) => readSize(reader, cap)),
  };
}

/** Counts in one consistent view. */
export function readSize(reader: StoreReader, cap: number): QueueSize {
  return {
    queued: reader.count({ states: ['queued'] }),
    held: reader.count({ states: ['held'] }),
    parked: reader.count({ states: ['parked'] }),
    dropped: readCounter(reader, VALUE.dropped),
    cap,
  };
}

function toRow(envelope: AnyEnvelope, placement: Placement, enqueuedAt: number) {
  return {
    eventId: envelope.event_id,
    eventType: envelope.event_type,
    aggregateId: envelope.aggregate_id,
    lamportClock: envelope.lamport_clock,
    teamSlug: envelope.team_slug,
    projectUuid: envelope.project_uuid,
    data: JSON.stringify(envelope),
    enqueuedAt,
    ...placement,
  };
}

function cutToBytes(events: readonly StoredEvent[], maxBytes: number): readonly StoredEvent[] {
  // UTF-8 never takes more than three bytes a UTF-16 unit, so most batches need no exact count.
  const atMost = events.reduce((sum, event) => sum + event.data.length * 3, 0);
  if (atMost <= maxBytes) return events;
  const encoder = new TextEncoder();
  let bytes = 0;
  const end = events.findIndex((event, index) => {
    bytes += encoder.encode(event.data).length;
    return index > 0 && bytes > maxBytes;
  });
  return end === -1 ? events : events.slice(0, end);
}

/**
 * The only place where a verdict changes a row: success and duplicate remove it, pending leaves it,
 * rejected counts and, at the fifth time, parks it (DESIGN §4.6).
 */
function settleBatch(
  tx: StoreTransaction,
  batch: readonly StoredEvent[],
  verdicts: readonly EventVerdict[],
): Settlement {
  const rows = new Map(batch.map((event) => [event.eventId, event]));
  const delivered: string[] = [];
  const rejected: SettledRejection[] = [];
  let duplicates = 0;
  let pending = 0;
  for (const verdict of verdicts) {
    const row = rows.get(verdict.eventId);
    if (row === undefined) continue;
    // One verdict an event: a server that speaks of it twice is heard once.
    rows.delete(verdict.eventId);
    switch (verdict.verdict) {
      case 'success':
        delivered.push(row.eventId);
        break;
      case 'duplicate':
        delivered.push(row.eventId);
        duplicates += 1;
        break;
      case 'pending':
        pending += 1;
        break;
      case 'rejected':
        rejected.push(reject(tx, row, verdict.reason ?? 'rejected without a reason'));
        break;
      default:
        verdict.verdict satisfies never;
    }
  }
  tx.remove(delivered);
  rememberTeams(tx, batch, new Set(delivered));
  return { removed: delivered.length - duplicates, duplicates, pending, rejected };
}

function reject(tx: StoreTransaction, row: StoredEvent, reason: string): SettledRejection {
  // Read again: another process may have counted a rejection since the batch was taken.
  const retryCount = (tx.event(row.eventId)?.retryCount ?? row.retryCount) + 1;
  const parked = retryCount >= MAX_REJECTIONS;
  tx.update(row.eventId, { retryCount, reason, ...(parked ? { state: 'parked' as const } : {}) });
  return { eventId: row.eventId, eventType: row.eventType, reason, retryCount, parked };
}

/** A server that took a project's events under a team has shown whose project it is (DESIGN §4.4). */
function rememberTeams(tx: StoreTransaction, batch: readonly StoredEvent[], delivered: ReadonlySet<string>): void {
  const seen = new Set<string>();
  for (const { eventId, projectUuid, teamSlug } of batch) {
    if (projectUuid === null || teamSlug === null || seen.has(projectUuid) || !delivered.has(eventId)) continue;
    seen.add(projectUuid);
    const key = projectTeamKey(projectUuid);
    if (tx.value(key) === undefined) tx.setValue(key, teamSlug);
  }
}
