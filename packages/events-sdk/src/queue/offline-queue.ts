/**
 * The offline queue: keeps stamped events until the server has given a verdict on each of them.
 * Every method is one durable transaction of the store. Order is the Lamport clock's.
 */
import { nextTick } from '../clock/lamport.ts';
import type { EventVerdict } from '../contract/batch.ts';
import type { AnyEnvelope } from '../contract/envelope.ts';
import { MAX_QUEUED_EVENTS } from '../contract/limits.ts';
import type {
  EventState,
  EventStore,
  QueuePosition,
  StoredEvent,
  StoreReader,
  StoreTransaction,
} from '../storage/port.ts';
import { addToCounter, readCounter, VALUE } from '../storage/values.ts';
import { cutBatch } from './cut-batch.ts';
import { settleBatch, type Settlement } from './settle.ts';

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
  /** Bytes of the request's body before compression; the first event always goes in. */
  readonly maxBytes: number;
  /** Only events behind this position: what was offered in this pass is not offered again. */
  readonly after?: QueuePosition;
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
  /** Applies verdicts to the rows of `batch`; verdicts on other events are ignored. `also` runs in the same transaction. */
  settle(
    batch: readonly StoredEvent[],
    verdicts: readonly EventVerdict[],
    also?: (tx: StoreTransaction) => void,
  ): Promise<Settlement>;
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
        return cutBatch(events, { maxEvents: request.limit, maxBytes: request.maxBytes });
      }),

    settle: (batch, verdicts, also) =>
      store.transact((tx) => {
        const settlement = settleBatch(tx, batch, verdicts);
        also?.(tx);
        return settlement;
      }),

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
