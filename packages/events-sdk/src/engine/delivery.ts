/**
 * Delivery of one batch: push it, act on the answer, settle the verdicts. An answer that concerns the
 * batch as a whole never costs an event its retry budget: the batch is made smaller, or left.
 */
import { batchBytes, type EventVerdict } from '../contract/batch.ts';
import type { Logger } from '../internal/logger.ts';
import { cutIntoBatches, type BatchSize } from '../queue/cut-batch.ts';
import type { OfflineQueue } from '../queue/offline-queue.ts';
import type { Settlement } from '../queue/settle.ts';
import type { EventStore, StoredEvent } from '../storage/port.ts';
import {
  afterAccepted,
  afterTooLarge,
  NO_LIMITS,
  toBatchSize,
  writeBatchLimits,
  type BatchLimits,
} from './batch-limits.ts';
import { carriedClock, isClockRejection, moveBehindServer } from './clock-repair.ts';
import { noteBatch, noteFloor } from './pace.ts';
import type { PassMemory } from './pass-memory.ts';
import type { BatchAnswer, Pusher } from './pusher.ts';
import { stopForRetryable, type DeliveryStop } from './stops.ts';
import { createSuspects, type Suspect } from './suspects.ts';
import type { Tally } from './tally.ts';

export interface Delivery {
  /** Sends one batch until every event of it is decided on or left alone. Undefined: go on with the next. */
  deliver(batch: readonly StoredEvent[], signal?: AbortSignal): Promise<DeliveryStop | undefined>;
  /** Ends the pass: sets aside the events that were refused alone, unless the server refuses everything. */
  finish(): Promise<DeliveryStop | undefined>;
  /** What the next batch may hold, by what the server has shown. */
  size(): BatchSize;
}

export interface DeliveryDeps {
  readonly store: EventStore;
  readonly queue: OfflineQueue;
  readonly pusher: Pusher;
  readonly memory: PassMemory;
  /** Address of the server, for what is remembered about it. */
  readonly server: string;
  readonly limits: BatchLimits;
  /** Over a link neither the pace nor what was learned about batches is touched. */
  readonly way: 'batch' | 'link';
  readonly tally: Tally;
  readonly logger: Logger;
  readonly time: { now(): number };
}

type Failure = Extract<BatchAnswer, { kind: 'failure' }>;
type Parts = readonly (readonly StoredEvent[])[];

/** Delivery for one session and one pass. */
export function createDelivery(deps: DeliveryDeps): Delivery {
  const { store, queue, pusher, memory, server, tally, logger, time } = deps;
  const suspects = createSuspects();
  let limits = deps.limits;
  let lastRefusal = '';

  async function settle(events: readonly StoredEvent[], verdicts: readonly EventVerdict[]): Promise<Settlement> {
    const settlement = await queue.settle(events, verdicts, (tx) => {
      if (deps.way === 'link') return;
      noteBatch(tx, time.now());
      if (limits !== NO_LIMITS) writeBatchLimits(tx, server, limits);
    });
    memory.tried([...settlement.pending, ...settlement.rejected.map((event) => event.eventId)]);
    return settlement;
  }

  async function accepted(
    events: readonly StoredEvent[],
    verdicts: readonly EventVerdict[],
    signal?: AbortSignal,
  ): Promise<DeliveryStop | undefined> {
    if (limits !== NO_LIMITS) limits = afterAccepted(limits, batchBytes(events), time.now());
    const settlement = await settle(events, verdicts);
    tally.add(events.length, settlement);
    const left = new Set(settlement.left);
    memory.left(events.filter((event) => left.has(event.eventId)));
    if (left.size === events.length)
      return { by: 'no-progress', message: `The server answered without a verdict on any of ${events.length} events.` };
    pusher.succeeded();
    await parkAll(suspects.convict());
    await repairClock(events, verdicts, settlement, signal);
    return undefined;
  }

  async function repairClock(
    events: readonly StoredEvent[],
    verdicts: readonly EventVerdict[],
    { rejected, pending }: Settlement,
    signal?: AbortSignal,
  ): Promise<void> {
    const named = new Set(verdicts.filter(isClockRejection).map(({ eventId }) => eventId));
    const canMove = new Set(
      rejected
        .filter(({ eventId, parked }) => named.has(eventId) && !parked && !memory.hasMoved(eventId))
        .map(({ eventId }) => eventId),
    );
    const refused = events.filter((event) => canMove.has(event.eventId));
    if (refused.length === 0) return;
    const serverClock = carriedClock(verdicts) ?? (await pusher.askClock(signal));
    if (serverClock === undefined) return;
    const settled = new Set(pending);
    const moved = await store.transact((tx) =>
      moveBehindServer(tx, refused, serverClock, (id) => settled.has(id) || memory.hasMoved(id)),
    );
    for (const { eventId, lamportClock } of moved) memory.moved(eventId, lamportClock);
    const leavingAgain = moved.map(({ eventId }) => eventId).filter((eventId) => canMove.has(eventId));
    memory.retry(leavingAgain);
    tally.addRestamped(moved.length, new Set(leavingAgain));
    if (moved.length > 0) logger.debug('clock-repaired', `${moved.length} events moved behind ${serverClock}`);
  }

  async function park(event: StoredEvent, reason: string): Promise<void> {
    await queue.park([event.eventId], reason);
    memory.tried([event.eventId]);
    const { eventId, eventType, retryCount } = event;
    tally.addParked({ eventId, eventType, reason, retryCount, parked: true });
    logger.debug('event-parked', `${eventId} ${eventType}`);
  }

  async function parkAll(found: readonly Suspect[]): Promise<void> {
    for (const { event, reason } of found) await park(event, reason);
  }

  /** A batch refused as such: the parts it is tried again in. */
  async function refused(
    events: readonly StoredEvent[],
    answer: Failure,
    signal?: AbortSignal,
  ): Promise<Parts | DeliveryStop> {
    switch (answer.reason) {
      case 'protocol':
      case 'unexpected':
        return { by: 'protocol', message: answer.message };
      case 'too-large':
        return tooLarge(events, answer);
      case 'bad-request':
        return badRequest(events, answer, signal);
      default:
        return answer.reason satisfies never;
    }
  }

  async function tooLarge(events: readonly StoredEvent[], answer: Failure): Promise<Parts> {
    const [only, ...others] = events;
    if (only !== undefined && others.length === 0) {
      await park(only, `too large for the server: ${new TextEncoder().encode(only.data).length} bytes`);
      return [];
    }
    limits = afterTooLarge(limits, batchBytes(events), answer.limits, time.now());
    await settle(events, []);
    return answer.limits === undefined ? halve(events) : cutIntoBatches(events, toBatchSize(limits));
  }

  /** Settles what the server named, else looks for the culprit in halves, in order. */
  async function badRequest(events: readonly StoredEvent[], answer: Failure, signal?: AbortSignal): Promise<Parts> {
    lastRefusal = answer.message;
    const named = (answer.verdicts ?? []).filter((verdict) => verdict.verdict === 'rejected');
    const settlement = await settle(events, named);
    if (settlement.rejected.length > 0) {
      tally.add(settlement.rejected.length, settlement);
      await repairClock(events, named, settlement, signal);
      const left = new Set(settlement.left);
      return [events.filter((event) => left.has(event.eventId))];
    }
    const [only, ...others] = events;
    if (only === undefined) return [];
    if (suspects.isSearchOver()) {
      memory.left(events);
      return [];
    }
    if (others.length === 0) {
      suspects.add({ event: only, reason: answer.message });
      memory.tried([only.eventId]);
      return [];
    }
    return halve(events);
  }

  return {
    size: () => toBatchSize(limits),

    async finish() {
      if (suspects.isServerAtFault('pass')) return { by: 'refused', message: lastRefusal };
      await parkAll(suspects.convict());
      return undefined;
    },

    async deliver(batch, signal) {
      const parts = [batch];
      suspects.beginBatch();
      for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
        const events = part.filter(memory.mayGo);
        if (events.length === 0) continue;
        const answer = await pusher.push(events, signal);
        if ('by' in answer) return answer;
        switch (answer.kind) {
          case 'ok': {
            const stop = await accepted(events, answer.verdicts, signal);
            if (stop !== undefined) return stop;
            break;
          }
          case 'forbidden':
            return { by: 'forbidden', message: answer.message };
          case 'retryable': {
            const stop = stopForRetryable(answer);
            await store.transact((tx) => {
              noteFloor(tx, server, stop, time.now());
            });
            return stop;
          }
          case 'failure': {
            const next = await refused(events, answer, signal);
            if ('by' in next) return next;
            parts.unshift(...next);
            break;
          }
          default:
            answer satisfies never;
        }
      }
      return suspects.isServerAtFault('batch') ? { by: 'refused', message: lastRefusal } : undefined;
    },
  };
}

/** Both halves, in order; the first is the larger one. */
function halve(events: readonly StoredEvent[]): Parts {
  const middle = Math.ceil(events.length / 2);
  return [events.slice(0, middle), events.slice(middle)];
}
