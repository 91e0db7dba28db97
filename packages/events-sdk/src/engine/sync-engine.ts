/**
 * The sync a person asks for: takes the lease, drains without pace, and says what happened (US7-4). Where another
 * process is delivering, that one is asked to drain, and its report is the answer.
 */
import type { SessionProvider } from '../auth/port.ts';
import type { Logger } from '../internal/logger.ts';
import { sleep, systemTime, type Time } from '../internal/time.ts';
import type { OfflineQueue } from '../queue/offline-queue.ts';
import type { EventStore } from '../storage/port.ts';
import type { Transport } from '../transport/port.ts';
import type { ProjectLookup } from './binder.ts';
import { recordSync } from './history.ts';
import { acquireLease, type HeldLease, type LeaseDeps } from './lease.ts';
import { readFloor } from './pace.ts';
import { runPass } from './pass.ts';
import type { Gate } from './pusher.ts';
import type { SyncProgress, SyncReport } from './report.ts';
import { stopForError, stopWithLeft, type DeliveryStop } from './stops.ts';
import { readSyncAnswer, requestSync } from './sync-request.ts';
import { createTally, type Tally } from './tally.ts';

export interface SyncOptions {
  /** Ends the sync between two steps and aborts a request under way. */
  readonly signal?: AbortSignal;
  /** Told after every settled batch. An observer that throws is ignored. */
  readonly onProgress?: (progress: SyncProgress) => void;
  /** How long to wait for another process that is delivering, in milliseconds. Default 0: answer `busy` at once. */
  readonly waitForOthersMs?: number;
  /** Only what is in the store when it begins, so that a stream of new events cannot keep it going. Default false. */
  readonly onlyPresent?: boolean;
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
  const { store, logger } = deps;
  const time = deps.time ?? systemTime;

  /** Our lease; the report of whoever holds it, asked for once; or why neither could be had. */
  async function waitForLease(options: SyncOptions): Promise<HeldLease | SyncReport | 'busy' | 'aborted'> {
    const waitMs = options.waitForOthersMs ?? 0;
    let asked: string | undefined;
    // Counted, not read off a clock that may be set back meanwhile.
    for (let waitedMs = 0; ; waitedMs += LEASE_POLL_MS) {
      if (options.signal?.aborted === true) return 'aborted';
      const answer = await acquireLease({ store, time, ...deps.lease });
      if (answer.kind === 'held') return answer.lease;
      const id = asked;
      const theirs = id === undefined ? undefined : await store.read((reader) => readSyncAnswer(reader, id));
      if (theirs !== undefined) return theirs;
      if (waitedMs >= waitMs) return 'busy';
      asked ??= await requestSync({ store, time, ...deps.lease });
      await sleep(time, LEASE_POLL_MS, options.signal);
    }
  }

  /** Unpaced; only what the server itself asked for is waited out, by not sending. */
  const gate: Gate = (server) => store.read((reader) => readFloor(reader, server, time.now()));

  async function drain(lease: HeldLease, tally: Tally, options: SyncOptions): Promise<DeliveryStop> {
    const { signal, onProgress, onlyPresent = false } = options;
    const { stop, left } = await runPass(
      { ...deps, time },
      {
        lease,
        tally,
        gate,
        // Drained again because somebody asked: what the server has just spoken of is not tried a second time.
        skip: new Set(tally.kept()),
        onlyPresent,
        ...(signal === undefined ? {} : { signal }),
        ...(onProgress === undefined ? {} : { onProgress }),
      },
    );
    return stopWithLeft(stop, left);
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

  async function deliver(lease: HeldLease, options: SyncOptions): Promise<SyncReport> {
    const tally = createTally();
    const startedAt = time.now();
    let stop: DeliveryStop;
    try {
      stop = await drainUntilNobodyAsks(lease, tally, options);
    } catch (cause) {
      // The lease expires by itself if even this fails.
      await lease.release().catch(() => undefined);
      logger.debug('sync-failed', String(cause));
      stop = stopForError(cause);
    }
    return recordSync(store, { ...tally.counts(), stop, startedAt, endedAt: time.now() });
  }

  return {
    async syncNow(options = {}) {
      const startedAt = time.now();
      const notBegun = (stop: DeliveryStop): Promise<SyncReport> =>
        recordSync(store, { ...createTally().counts(), stop, startedAt, endedAt: time.now() });
      try {
        const turn = await waitForLease(options);
        if (turn === 'busy')
          return await notBegun({ by: 'busy', message: 'Another process is delivering for this home.' });
        if (turn === 'aborted') return await notBegun({ by: 'aborted' });
        return 'stoppedBy' in turn ? turn : await deliver(turn, options);
      } catch (cause) {
        logger.debug('sync-failed', String(cause));
        return notBegun(stopForError(cause));
      }
    },
  };
}
