/**
 * Delivery of one batch: push it, act on the answer, settle the verdicts. An answer that concerns the
 * batch as a whole never costs an event its retry budget: the batch is refreshed, made smaller, or left.
 */
import type { Session, SessionProvider, TokenAnswer } from '../auth/port.ts';
import { MAX_EVENTS_PER_BATCH } from '../contract/limits.ts';
import type { Logger } from '../internal/logger.ts';
import type { OfflineQueue } from '../queue/offline-queue.ts';
import type { StoredEvent } from '../storage/port.ts';
import type { PushAnswer, Transport } from '../transport/port.ts';
import type { HeldLease } from './lease.ts';
import type { SyncStop } from './report.ts';
import type { Tally } from './tally.ts';

/** Why delivery cannot go on. */
export interface DeliveryStop {
  readonly by: SyncStop;
  readonly message?: string;
  readonly retryAfterMs?: number;
}

export interface Delivery {
  /** Sends one batch until every event of it is decided on or left alone. Undefined: go on with the next. */
  deliver(batch: readonly StoredEvent[], signal?: AbortSignal): Promise<DeliveryStop | undefined>;
  /** Ends the pass: sets aside the events that were refused alone, unless the server refuses everything. */
  finish(): Promise<void>;
  /** The most events the server has shown it takes at once. */
  maxEvents(): number;
}

export interface DeliveryDeps {
  readonly queue: OfflineQueue;
  readonly transport: Transport;
  /** Provider of the next token after a 401. */
  readonly sessions: SessionProvider;
  readonly session: Session;
  readonly accessToken: string;
  readonly lease: HeldLease;
  readonly tally: Tally;
  readonly logger: Logger;
}

/**
 * A server that answers 400 to this many single events, with nothing accepted in between, is at fault itself:
 * setting event after event aside would empty the queue into the parked ones.
 */
const MAX_SUSPECTS = 3;

/** Delivery for one session and one pass. */
export function createDelivery(deps: DeliveryDeps): Delivery {
  const { queue, transport, sessions, session, lease, tally, logger } = deps;
  let token = deps.accessToken;
  let refreshedSinceSuccess = false;
  let maxEvents = MAX_EVENTS_PER_BATCH;
  /** Refused alone; parked once the server has shown that it takes others. */
  let suspects: { readonly event: StoredEvent; readonly reason: string }[] = [];

  /** Pushes once, or twice when the first token was refused and a newer one could be had. */
  async function push(events: readonly StoredEvent[], signal?: AbortSignal): Promise<PushAnswer | DeliveryStop> {
    for (;;) {
      if (!(await lease.renew())) return { by: 'busy', message: 'Another process has taken over the delivery.' };
      const answer = await transport.push(events, {
        server: session.server,
        accessToken: token,
        ...(signal === undefined ? {} : { signal }),
      });
      if (answer.kind !== 'unauthorized') return answer;
      const stop = await refresh(signal);
      if (stop !== undefined) return stop;
    }
  }

  async function refresh(signal?: AbortSignal): Promise<DeliveryStop | undefined> {
    if (refreshedSinceSuccess) return { by: 'unauthorized', message: 'The server refuses a token it has just issued.' };
    refreshedSinceSuccess = true;
    const answer = await sessions.refresh(token, signal);
    switch (answer.kind) {
      case 'token':
        // These events belong to the account that was signed in when they were taken.
        if (answer.session.server !== session.server || answer.session.teamSlug !== session.teamSlug) {
          return { by: 'aborted', message: 'Another account has signed in meanwhile.' };
        }
        token = answer.accessToken;
        return undefined;
      default:
        return stopForToken(answer);
    }
  }

  async function settle(
    events: readonly StoredEvent[],
    answer: Extract<PushAnswer, { kind: 'ok' }>,
  ): Promise<DeliveryStop | undefined> {
    refreshedSinceSuccess = false;
    const settlement = await queue.settle(events, answer.verdicts);
    tally.add(events.length, settlement);
    const decided = settlement.removed + settlement.duplicates + settlement.pending + settlement.rejected.length;
    if (decided > 0) {
      await parkSuspects();
      return undefined;
    }
    return { by: 'no-progress', message: `The server answered without a verdict on any of ${events.length} events.` };
  }

  async function park(event: StoredEvent, reason: string): Promise<void> {
    await queue.park([event.eventId], reason);
    tally.addParked({
      eventId: event.eventId,
      eventType: event.eventType,
      reason,
      retryCount: event.retryCount,
      parked: true,
    });
    logger.debug('event-parked', `${event.eventId} ${event.eventType}`);
  }

  async function parkSuspects(): Promise<void> {
    const found = suspects;
    suspects = [];
    for (const { event, reason } of found) await park(event, reason);
  }

  /** The parts a refused batch is tried again in, or undefined when it cannot be made smaller. */
  function halve(events: readonly StoredEvent[]): readonly (readonly StoredEvent[])[] | undefined {
    if (events.length < 2) return undefined;
    const middle = Math.ceil(events.length / 2);
    return [events.slice(0, middle), events.slice(middle)];
  }

  /** A batch refused as such: settle what the server named, else look for the culprit in halves, in order. */
  async function refused(
    events: readonly StoredEvent[],
    answer: Extract<PushAnswer, { kind: 'failure' }>,
  ): Promise<readonly (readonly StoredEvent[])[] | DeliveryStop> {
    if (answer.reason === 'protocol' || answer.reason === 'unexpected')
      return { by: 'protocol', message: answer.message };
    const named = (answer.verdicts ?? []).filter((verdict) => verdict.verdict === 'rejected');
    const settlement = await queue.settle(events, named);
    if (settlement.rejected.length > 0) {
      tally.add(settlement.rejected.length, settlement);
      const settled = new Set(settlement.rejected.map((event) => event.eventId));
      const rest = events.filter((event) => !settled.has(event.eventId));
      return rest.length === 0 ? [] : [rest];
    }
    const halves = halve(events);
    if (halves === undefined) {
      for (const event of events) {
        if (answer.reason === 'too-large') await park(event, sizeReason(event));
        else suspects.push({ event, reason: answer.message });
      }
      return suspects.length < MAX_SUSPECTS ? [] : { by: 'refused', message: answer.message };
    }
    if (answer.reason === 'too-large') maxEvents = Math.min(maxEvents, Math.ceil(events.length / 2));
    return halves;
  }

  return {
    maxEvents: () => maxEvents,
    finish: parkSuspects,

    async deliver(batch, signal) {
      const parts: (readonly StoredEvent[])[] = [batch];
      for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
        const answer = await push(part, signal);
        if (!('kind' in answer)) return answer;
        switch (answer.kind) {
          case 'ok': {
            const stop = await settle(part, answer);
            if (stop !== undefined) return stop;
            break;
          }
          case 'forbidden':
            return { by: 'forbidden', message: answer.message };
          case 'retryable':
            return stopForRetryable(answer);
          case 'failure': {
            const next = await refused(part, answer);
            if ('by' in next) return next;
            parts.unshift(...next);
            break;
          }
          case 'unauthorized':
            // `push` has dealt with it.
            return { by: 'unauthorized' };
          default:
            return answer satisfies never;
        }
      }
      return undefined;
    },
  };
}

/** Why nothing can be sent without a token. */
export function stopForToken(answer: Exclude<TokenAnswer, { kind: 'token' }>): DeliveryStop {
  switch (answer.kind) {
    case 'logged-out':
      return { by: 'logged-out', message: 'Nobody is signed in.' };
    case 'expired':
      return { by: 'unauthorized', message: 'The sign-in has expired.' };
    case 'unreachable':
      return { by: 'unreachable', message: answer.message };
    default:
      return answer satisfies never;
  }
}

function stopForRetryable(answer: Extract<PushAnswer, { kind: 'retryable' }>): DeliveryStop {
  const by = answer.reason === 'timeout' ? 'unreachable' : answer.reason;
  return {
    by,
    message: answer.message,
    ...(answer.retryAfterMs === undefined ? {} : { retryAfterMs: answer.retryAfterMs }),
  };
}

function sizeReason(event: StoredEvent): string {
  const bytes = new TextEncoder().encode(event.data).length;
  return `too large for the server: ${bytes} bytes`;
}
