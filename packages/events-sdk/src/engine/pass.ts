/**
 * One pass over what waits: in clock order, each row at most one attempt, until everything sendable was offered or
 * there is a reason to stop. The store is never held across the network.
 *
 *   token → bind → [ take batch → bind → gate → push → settle ] …
 */
import type { Session, SessionProvider, TokenAnswer } from '../auth/port.ts';
import type { Logger } from '../internal/logger.ts';
import type { OfflineQueue } from '../queue/offline-queue.ts';
import type { EventStore, QueuePosition, StoredEvent } from '../storage/port.ts';
import type { Transport } from '../transport/port.ts';
import { NO_LIMITS, readBatchLimits } from './batch-limits.ts';
import { createBinder, type ProjectLookup } from './binder.ts';
import { createDelivery } from './delivery.ts';
import type { HeldLease } from './lease.ts';
import { createPassMemory } from './pass-memory.ts';
import { createPusher, type Gate } from './pusher.ts';
import type { SyncProgress } from './report.ts';
import { stopForToken, type DeliveryStop } from './stops.ts';
import type { Tally } from './tally.ts';

export interface PassDeps {
  readonly store: EventStore;
  readonly queue: OfflineQueue;
  readonly transport: Transport;
  readonly session: SessionProvider;
  readonly lookUpProject: ProjectLookup;
  readonly logger: Logger;
  readonly time: { now(): number };
}

export interface PassRequest {
  readonly lease: HeldLease;
  readonly tally: Tally;
  readonly gate: Gate;
  /** What the transport is. Default `batch`. */
  readonly way?: 'batch' | 'link';
  /** True: what is stored after the pass has begun is left for the next one. Default false. */
  readonly onlyPresent?: boolean;
  /** Rows to leave alone in this pass. */
  readonly skip?: ReadonlySet<string>;
  /** The most events of the next batch, asked each time. Default: what the server takes. */
  readonly mostEvents?: () => number;
  /** Asked with the session of this pass; false ends it before anything is sent. */
  readonly isForSession?: (session: Session) => boolean;
  readonly signal?: AbortSignal;
  /** Told after every batch. */
  readonly onProgress?: (progress: SyncProgress) => void;
}

/** How a pass ended. */
export interface PassEnd {
  readonly stop: DeliveryStop;
  /** Rows that were offered, or kept from overtaking, without a verdict. They wait for the next pass. */
  readonly left: number;
  /** What the server was last shown, where it came to that: a sign-in that differs from it is a new one. */
  readonly shown?: Extract<TokenAnswer, { kind: 'token' }>;
}

/** Runs one pass. Rejects as the store does. */
export async function runPass(deps: PassDeps, request: PassRequest): Promise<PassEnd> {
  const { store, queue, session: sessions, logger } = deps;
  const { signal, tally, lease, gate, way = 'batch' } = request;
  const token = await sessions.accessToken(signal);
  if (token.kind !== 'token') return { stop: stopForToken(token), left: 0 };
  const { session, accessToken } = token;
  const { server, teamSlug } = session;
  if (teamSlug === null) {
    const message = `The account ${session.username} has no team on ${server}.`;
    return { stop: { by: 'no-team', message }, left: 0, shown: token };
  }
  if (request.isForSession?.(session) === false)
    return { stop: { by: 'aborted', message: 'Another account has signed in meanwhile.' }, left: 0 };

  const binder = createBinder({ store, session, lookUpProject: deps.lookUpProject });
  await binder.bindWaiting();
  // Only what this session may send: rows of other teams and servers stay where they are.
  const { clock, total, limits } = await store.read((reader) => ({
    clock: reader.clock(),
    total: reader.count({ states: ['queued'], teamSlug, server }),
    limits: way === 'link' ? NO_LIMITS : readBatchLimits(reader, server),
  }));
  const memory = createPassMemory();
  const pusher = createPusher({ transport: deps.transport, sessions, session, accessToken, lease, gate });
  const delivery = createDelivery({ ...deps, pusher, memory, server, limits, way, tally });

  const take = (limit: number, after: QueuePosition | undefined): Promise<readonly StoredEvent[]> =>
    queue.nextBatch({
      teamSlug,
      server,
      limit,
      maxBytes: delivery.size().maxBytes,
      ...(after === undefined ? {} : { after }),
    });

  /** Later events have larger clock values; those moved behind the server's clock are not later. */
  const isPresent = ({ eventId, lamportClock }: StoredEvent): boolean =>
    request.onlyPresent !== true || lamportClock <= clock || memory.hasMoved(eventId);

  async function offerAll(): Promise<DeliveryStop> {
    let after: QueuePosition | undefined;
    for (;;) {
      if (signal?.aborted === true) return { by: 'aborted' };
      if ((await take(1, after)).length === 0) return (await delivery.finish()) ?? { by: 'drained' };
      // Before the batch is taken, so that it is not minutes old when it leaves.
      const closed = await gate(server, signal);
      if (closed !== undefined) return closed;
      const { maxEvents } = delivery.size();
      const rows = await take(Math.min(maxEvents, request.mostEvents?.() ?? maxEvents), after);
      const batch = rows.filter(
        (row) => isPresent(row) && memory.mayGo(row) && request.skip?.has(row.eventId) !== true,
      );
      if (batch.length > 0) {
        if (await binder.bindBatch(batch)) continue;
        const stop = await delivery.deliver(batch, signal);
        report();
        if (stop !== undefined) return stop;
      }
      after = rows.at(-1) ?? after;
    }
  }

  function report(): void {
    const { batches, offered } = tally.progress();
    try {
      request.onProgress?.({ offered, total: Math.max(total, offered), batches });
    } catch (cause) {
      logger.debug('progress-observer-failed', String(cause));
    }
  }

  return {
    stop: await offerAll(),
    left: memory.leftCount,
    shown: { kind: 'token', session, accessToken: pusher.token() },
  };
}
