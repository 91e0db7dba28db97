/**
 * The sync engine: sends what waits, in order, until the server has decided on everything or there is a
 * reason to stop. It never holds the store across the network, and only a verdict on an event changes it.
 *
 *   lease → token → bind → [ take batch → bind → push → settle ] … → finish
 */
import type { SessionProvider } from '../auth/port.ts';
import { MAX_BATCH_BYTES, MAX_EVENTS_PER_BATCH } from '../contract/limits.ts';
import { isEventsSdkError } from '../errors.ts';
import type { Logger } from '../internal/logger.ts';
import { sleep, systemTime, type Time } from '../internal/time.ts';
import type { OfflineQueue } from '../queue/offline-queue.ts';
import type { EventStore } from '../storage/port.ts';
import type { Transport } from '../transport/port.ts';
import { createBinder, type ProjectLookup } from './binder.ts';
import { createDelivery, stopForToken, type DeliveryStop } from './delivery.ts';
import { recordSync } from './history.ts';
import { acquireLease, type HeldLease, type LeaseDeps } from './lease.ts';
import type { SyncProgress, SyncReport } from './report.ts';
import { createTally, type Tally } from './tally.ts';

export interface SyncOptions {
  /** Ends the sync between two steps and aborts a request under way. */
  readonly signal?: AbortSignal;
  /** Told after every settled batch. An observer that throws is ignored. */
  readonly onProgress?: (progress: SyncProgress) => void;
  /** How long to wait for another process that is delivering, in milliseconds. Default 0: answer `busy` at once. */
  readonly waitForOthersMs?: number;
}

export interface SyncEngine {
  /** Delivers everything sendable once. Never rejects: `stoppedBy` says how it ended. */
  syncNow(options?: SyncOptions): Promise<SyncReport>;
}

export interface SyncEngineDeps {
  readonly store: EventStore;
  readonly queue: OfflineQueue;
  readonly transport: Transport;
  readonly session: SessionProvider;
  readonly lease: Pick<LeaseDeps, 'owner' | 'newToken' | 'isGone'>;
  readonly lookUpProject: ProjectLookup;
  readonly logger: Logger;
  readonly time?: Time;
}

/** How often a waiting process looks whether the lease is free. */
const LEASE_POLL_MS = 100;

/** A sync engine over a queue, a transport and a session. */
export function createSyncEngine(deps: SyncEngineDeps): SyncEngine {
  const { store, queue, session: sessions, logger } = deps;
  const time = deps.time ?? systemTime;

  async function waitForLease(options: SyncOptions): Promise<HeldLease | 'busy' | 'aborted'> {
    const giveUpAt = time.now() + (options.waitForOthersMs ?? 0);
    for (;;) {
      if (options.signal?.aborted === true) return 'aborted';
      const answer = await acquireLease({ store, time, ...deps.lease });
      if (answer.kind === 'held') return answer.lease;
      if (time.now() >= giveUpAt) return 'busy';
      await sleep(time, LEASE_POLL_MS, options.signal);
    }
  }

  async function drain(lease: HeldLease, tally: Tally, options: SyncOptions): Promise<DeliveryStop> {
    const first = await sessions.accessToken(options.signal);
    if (first.kind !== 'token') return stopForToken(first);
    const { session } = first;
    if (session.teamSlug === null)
      return { by: 'no-team', message: `The account ${session.username} has no team on ${session.server}.` };

    const binder = createBinder({ store, session, lookUpProject: deps.lookUpProject });
    await binder.bindWaiting();
    const { server, teamSlug } = session;
    // Only what this session may send: rows of other teams and servers stay where they are.
    const total = await store.read((reader) => reader.count({ states: ['queued'], teamSlug, server }));
    const delivery = createDelivery({ ...deps, sessions, session, accessToken: first.accessToken, lease, tally });
    let after: { lamportClock: number; seq: number } | undefined;
    for (;;) {
      if (options.signal?.aborted === true) return { by: 'aborted' };
      const batch = await queue.nextBatch({
        teamSlug: session.teamSlug,
        server: session.server,
        limit: Math.min(MAX_EVENTS_PER_BATCH, delivery.maxEvents()),
        maxBytes: MAX_BATCH_BYTES,
        ...(after === undefined ? {} : { after }),
      });
      const last = batch.at(-1);
      if (last === undefined) {
        await delivery.finish();
        return { by: 'drained' };
      }
      if (await binder.bindBatch(batch)) continue;
      const stop = await delivery.deliver(batch, options.signal);
      report(options, tally, total);
      if (stop !== undefined) return stop;
      after = last;
    }
  }

  /** Drains, and again when another process asked for it meanwhile. */
  async function drainUntilNobodyAsks(lease: HeldLease, tally: Tally, options: SyncOptions): Promise<DeliveryStop> {
    for (;;) {
      const stop = await drain(lease, tally, options);
      if (stop.by === 'drained' && !(await lease.finish())) continue;
      await lease.release();
      return stop;
    }
  }

  async function run(tally: Tally, options: SyncOptions): Promise<DeliveryStop> {
    const lease = await waitForLease(options);
    if (lease === 'busy') return { by: 'busy', message: 'Another process is delivering for this home.' };
    if (lease === 'aborted') return { by: 'aborted' };
    try {
      return await drainUntilNobodyAsks(lease, tally, options);
    } catch (cause) {
      // The lease expires by itself if even this fails.
      await lease.release().catch(() => undefined);
      throw cause;
    }
  }

  return {
    async syncNow(options = {}) {
      const startedAt = time.now();
      const tally = createTally();
      let stop: DeliveryStop;
      try {
        stop = await run(tally, options);
      } catch (cause) {
        logger.debug('sync-failed', String(cause));
        stop = {
          by: 'storage',
          message: isEventsSdkError(cause) ? cause.message : 'The sync ended by an unexpected error.',
        };
      }
      const done = { ...tally.counts(), stop, startedAt, endedAt: time.now() };
      return recordSync(store, done);
    },
  };

  function report(options: SyncOptions, tally: Tally, total: number): void {
    const { batches, offered } = tally.progress();
    try {
      options.onProgress?.({ offered, total: Math.max(total, offered), batches });
    } catch (cause) {
      logger.debug('progress-observer-failed', String(cause));
    }
  }
}
