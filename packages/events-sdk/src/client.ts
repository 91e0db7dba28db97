/**
 * The client: one object over a store, a transport and a session. It records events, delivers them when
 * told to, and owns what it opened. Nothing is opened before it is needed.
 */
import type { SessionProvider } from './auth/port.ts';
import type { EventMap } from './contract/event-map.ts';
import { createEmitter, type EmissionFacts, type Emitter } from './emitter.ts';
import type { ProjectLookup } from './engine/binder.ts';
import { requestDrain, type LeaseDeps } from './engine/lease.ts';
import type { SyncReport } from './engine/report.ts';
import { readStatus, type SyncStatus } from './engine/status.ts';
import { createSyncEngine, type SyncOptions } from './engine/sync-engine.ts';
import { EventsSdkError } from './errors.ts';
import { silentLogger, warnOnce, type Logger } from './internal/logger.ts';
import { systemTime, type Time } from './internal/time.ts';
import { createOfflineQueue, type OfflineQueue, type OverflowPolicy } from './queue/offline-queue.ts';
import type { EventStore } from './storage/port.ts';
import type { Transport } from './transport/port.ts';

export interface ClientDeps<M extends EventMap> {
  /** The events this program knows. */
  readonly events: M;
  /** Opens the store; called at most once while it succeeds, again after a failure. */
  readonly openStore: () => Promise<EventStore>;
  /** Opens the way out; only delivery asks for it. */
  readonly openTransport: () => Promise<Transport>;
  readonly session: SessionProvider;
  /** What is known at the moment of emission; called after the store is open. */
  readonly facts: (store: EventStore) => Promise<EmissionFacts>;
  readonly lookUpProject: ProjectLookup;
  readonly newUlid: () => string;
  readonly lease: Pick<LeaseDeps, 'owner' | 'newToken' | 'isGone'>;
  /** The most events waiting. Default 10,000. */
  readonly cap?: number;
  /** Default `refuse-new`. */
  readonly overflow?: OverflowPolicy;
  /** Each warning reaches it once. Default: silence. */
  readonly logger?: Logger;
  readonly time?: Time;
}

export interface Client<M extends EventMap> extends Emitter<M> {
  /** Delivers everything sendable now. Never rejects. */
  syncNow(options?: SyncOptions): Promise<SyncReport>;
  /** Rejects with STORAGE_* when the store cannot be read. */
  status(): Promise<SyncStatus>;
  /** Asks a process that is delivering to drain once more; false when there is none. */
  requestDrain(): Promise<boolean>;
  /** Waits for what is under way and closes the store. Safe to call twice; afterwards events are dropped with a warning. */
  close(): Promise<void>;
}

/** A client over the given parts. */
export function createClient<M extends EventMap>(deps: ClientDeps<M>): Client<M> {
  const time = deps.time ?? systemTime;
  const logger = warnOnce(deps.logger ?? silentLogger);
  const parts = openOnce(deps, time);
  const running = new Set<Promise<unknown>>();

  function track<T>(work: Promise<T>): Promise<T> {
    running.add(work);
    const forget = (): void => void running.delete(work);
    work.then(forget, forget);
    return work;
  }

  const emitter = createEmitter<M>({
    events: deps.events,
    queue: async () => (await parts.open()).queue,
    facts: async () => deps.facts((await parts.open()).store),
    newUlid: deps.newUlid,
    logger,
    time,
  });

  return {
    emit: (draft, options) => track(emitter.emit(draft, options)),
    emitAll: (drafts, options) => track(emitter.emitAll(drafts, options)),

    async syncNow(options) {
      try {
        const { store, queue } = await parts.open();
        const transport = { push: async (...args: Parameters<Transport['push']>) => (await deps.openTransport()).push(...args) };
        const engine = createSyncEngine({ ...deps, store, queue, transport, logger, time });
        return await track(engine.syncNow(options));
      } catch (cause) {
        return failedReport(cause);
      }
    },

    async status() {
      const { store, queue } = await parts.open();
      return store.read((reader) => readStatus(reader, { cap: queue.cap, now: time.now(), isGone: deps.lease.isGone }));
    },

    async requestDrain() {
      const { store } = await parts.open();
      return requestDrain({ store, time, isGone: deps.lease.isGone });
    },

    async close() {
      while (running.size > 0) await Promise.allSettled(running);
      await parts.close();
    },
  };
}

interface Opened {
  readonly store: EventStore;
  readonly queue: OfflineQueue;
}

/** Opens the store on first use and never again after `close`. */
function openOnce<M extends EventMap>(deps: ClientDeps<M>, time: Time): { open(): Promise<Opened>; close(): Promise<void> } {
  let opening: Promise<Opened> | undefined;
  let closed = false;

  async function openStore(): Promise<Opened> {
    const store = await deps.openStore();
    const queue = createOfflineQueue({
      store,
      time,
      ...(deps.cap === undefined ? {} : { cap: deps.cap }),
      ...(deps.overflow === undefined ? {} : { overflow: deps.overflow }),
    });
    return { store, queue };
  }

  return {
    open() {
      if (closed) return Promise.reject(new EventsSdkError('CLOSED', 'The client is closed.'));
      opening ??= openStore().catch((cause: unknown) => {
        opening = undefined;
        throw cause;
      });
      return opening;
    },
    async close() {
      closed = true;
      const opened = await opening?.catch(() => undefined);
      await opened?.store.close();
    },
  };
}

function failedReport(cause: unknown): SyncReport {
  return {
    sent: 0,
    duplicates: 0,
    pending: 0,
    rejected: [],
    batches: 0,
    remaining: 0,
    held: 0,
    parked: 0,
    stoppedBy: 'storage',
    message: cause instanceof Error ? cause.message : 'The store cannot be opened.',
    durationMs: 0,
  };
}
