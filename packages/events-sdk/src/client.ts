/// <reference lib="esnext.disposable" preserve="true" />
// Hosts compile against these declarations, also those whose `lib` does not know AsyncDisposable.
/**
 * The client: one object over a store, a transport and a session. It records events, delivers them when
 * told to, and owns what it opened. Nothing is opened before it is needed, and a program that only records loads
 * nothing of delivery.
 */
import type { SessionProvider } from './auth/port.ts';
import { abortableSession, abortableTransport } from './client/abortable.ts';
import { filtering, type BeforeStore } from './client/before-store.ts';
import { observing, quietHooks, type Hooks } from './client/hooks.ts';
import { observedLink, observedTransport } from './client/observed-ways.ts';
import { createFlusher, NOTHING_KNOWN, type FlushOptions } from './client/flush.ts';
import { openOnce, type Opened } from './client/parts.ts';
import type { Draft, EventMap, EventType } from './contract/event-map.ts';
import { createEmitter, type EmissionFacts, type EmitOptions, type Emitter } from './emitter.ts';
import type { EmitOutcome } from './emit-outcome.ts';
import type { ProjectLookup } from './engine/binder.ts';
import type { BackgroundSync, BackgroundSyncDeps } from './engine/background-sync.ts';
import { requestDrain, type LeaseDeps } from './engine/lease.ts';
import type { DeliveryCounts, SyncReport, SyncStop } from './engine/report.ts';
import { readStatus, type SyncStatus } from './engine/status.ts';
import type { SyncOptions } from './engine/sync-engine.ts';
import { silentLogger, warnOnce, type Logger } from './internal/logger.ts';
import { systemTime, type Time } from './internal/time.ts';
import type { OverflowPolicy } from './queue/offline-queue.ts';
import type { Destination } from './queue/destinations.ts';
import type { RejectedEvents } from './queue/rejected-events.ts';
import type { ProjectFacts } from './queue/binding.ts';
import type { AdoptAnswer } from './queue/release.ts';
import type { EventStore } from './storage/port.ts';
import type { Spill } from './storage/spill.ts';
import type { Transport } from './transport/port.ts';
import type { RealtimeTransport } from './transport/realtime-port.ts';

export interface ClientDeps<M extends EventMap> {
  /** The events this program knows. */
  readonly events: M;
  /** Opens the store; called at most once while it succeeds, again after a failure. */
  readonly openStore: () => Promise<EventStore>;
  /** Opens the way out; only delivery asks for it. */
  readonly openTransport: () => Promise<Transport>;
  /** Opens the realtime way out; only background delivery asks for it. Default: batches only. */
  readonly openRealtime?: () => Promise<RealtimeTransport>;
  readonly session: SessionProvider;
  /** What is known at the moment of emission, of the project named there; called after the store is open, with null where it cannot be had. */
  readonly facts: (store: EventStore | null, projectRoot: string | undefined) => Promise<EmissionFacts>;
  /** Where events go that the store cannot take now; `openStore` then takes them in again (`takingIn`). Default: they are dropped. */
  readonly spill?: Spill;
  readonly lookUpProject: ProjectLookup;
  readonly newUlid: () => string;
  readonly lease: Pick<LeaseDeps, 'owner' | 'newToken' | 'isGone'>;
  /** The most events waiting. Default 10,000. */
  readonly cap?: number;
  /** Default `refuse-new`. */
  readonly overflow?: OverflowPolicy;
  /** Who wants to know what happens. Default: nobody. */
  readonly hooks?: Hooks<NoInfer<M>>;
  /** Looks at each event before it is checked and stored; see {@link BeforeStore}. Default: they stay as they are. */
  readonly beforeStore?: BeforeStore<NoInfer<M>>;
  /**
   * True: events are checked and stamped, and `emit` answers `dry-run`; nothing is stored, and no delivery begins. Reading
   * and a person's own decisions (`adopt`, `retarget`, `rejected`) work as ever. Default false.
   */
  readonly dryRun?: boolean;
  /** Each warning reaches it once; one that throws is ignored. Default: silence. */
  readonly logger?: Logger;
  readonly time?: Time;
}

/** What a call of `emit` may say beside its events. */
export interface ClientEmitOptions extends EmitOptions {
  /** Root of the project the events are about. Default: the host's own, as `facts` finds it. */
  readonly projectRoot?: string;
}

/** How a client delivers in the background. */
export interface BackgroundOptions extends Pick<BackgroundSyncDeps, 'onReport' | 'random'> {
  /** What this process is called while it delivers. Default: the client's own role. */
  readonly role?: string;
}

export interface Client<M extends EventMap> extends Emitter<M>, AsyncDisposable {
  /** As {@link Emitter.emit}, for an event of a named project. */
  emit<T extends EventType<M>>(draft: Draft<M, T>, options?: ClientEmitOptions): Promise<EmitOutcome<M, T>>;
  /** As {@link Emitter.emitAll}, for events of a named project. */
  emitAll(drafts: readonly Draft<M>[], options?: ClientEmitOptions): Promise<readonly EmitOutcome<M>[]>;
  /** Delivers everything sendable now. Never rejects. */
  syncNow(options?: SyncOptions): Promise<SyncReport>;
  /**
   * Delivers what was accepted before the call, and ends at the deadline whatever the server does. Answers what became of
   * events meanwhile, and what waits now. Where nothing waits it answers at once; what could not be delivered is not tried
   * again, it stays for later. Where another process delivers, that one is asked to; what it has delivered is counted once
   * it has reported. Rejects with CLOSED after `close`, else never.
   */
  flush(options?: FlushOptions): Promise<DeliveryCounts>;
  /** Rejects with STORAGE_* when the store cannot be read. */
  status(): Promise<SyncStatus>;
  /** Where waiting events are to go. Rejects with STORAGE_*. */
  destinations(): Promise<readonly Destination[]>;
  /** What the server refused, for a person to decide on. */
  readonly rejected: RejectedEvents;
  /** Delivery in the background, not started. `close` stops what is still running, at once. */
  background(options?: BackgroundOptions): Promise<BackgroundSync>;
  /** Gives a project's events that are held for another team to the team signed in. `project` is what its files say. */
  adopt(project: ProjectFacts): Promise<AdoptAnswer>;
  /** Moves waiting events to another address of the same server; answers how many. Rejects with INVALID_SERVER_URL. */
  retarget(move: { readonly from: string; readonly to: string }): Promise<number>;
  /** Asks a process that is delivering to drain once more; false when there is none. */
  requestDrain(): Promise<boolean>;
  /**
   * Flushes if it is given time, ends every delivery, waits until what was emitted is stored, and closes the store. From
   * the call on, new events are dropped with a warning. `deadlineMs` is the time for delivery; default 0: requests under
   * way are aborted, their events stay. Safe to call twice: the second call is answered as the first.
   */
  close(options?: FlushOptions): Promise<DeliveryCounts>;
  /** `close()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** A client over the given parts. */
export function createClient<M extends EventMap>(deps: ClientDeps<M>): Client<M> {
  const time = deps.time ?? systemTime;
  const logger = warnOnce(deps.logger ?? silentLogger);
  const parts = openOnce({ openStore: deps.openStore, time, cap: deps.cap, overflow: deps.overflow });
  const { spill, beforeStore, dryRun = false } = deps;
  const hooks = quietHooks(deps.hooks, logger);
  const session = abortableSession(deps.session);
  const running = new Set<Promise<unknown>>();
  const backgrounds = new Set<BackgroundSync>();
  /** Aborts every delivery of this client. */
  const ending = new AbortController();
  let closing: Promise<DeliveryCounts> | undefined;

  function track<T>(work: Promise<T>): Promise<T> {
    running.add(work);
    const forget = (): void => void running.delete(work);
    work.then(forget, forget);
    return work;
  }

  /** One for each call: two calls at once may be about two projects. */
  const emitterFor = (projectRoot: string | undefined): Emitter<M> => {
    const emitter = createEmitter<M>({
      events: deps.events,
      queue: async () => (await parts.open()).queue,
      facts: async () => deps.facts(dryRun ? null : (await parts.open()).store, projectRoot),
      dryRun,
      ...(spill === undefined
        ? {}
        : { spill: { keep: (events) => spill.keep(events), facts: () => deps.facts(null, projectRoot) } }),
      newUlid: deps.newUlid,
      logger,
      time,
    });
    const filtered = beforeStore === undefined ? emitter : filtering(emitter, beforeStore, logger);
    return hooks === undefined ? filtered : observing(filtered, hooks);
  };

  /** Opened with the first request: a sync of an empty queue needs none. */
  const transport = observedTransport(
    abortableTransport(async () => deps.openTransport()),
    hooks,
    time,
  );

  async function background({ role, ...options }: BackgroundOptions): Promise<BackgroundSync> {
    if (dryRun) return (await import('./client/dry-run.ts')).createDryBackground(time);
    const { store, queue } = await parts.open();
    const { createBackgroundSync } = await import('./engine/background-sync.ts');
    const { openRealtime } = deps;
    const made = createBackgroundSync({
      ...deps,
      ...options,
      lease: role === undefined ? deps.lease : { ...deps.lease, owner: { ...deps.lease.owner, role } },
      store,
      queue,
      session,
      transport,
      logger,
      time,
      ...(openRealtime === undefined
        ? {}
        : {
            realtime: {
              connect: async (context) => observedLink(await (await openRealtime()).connect(context), hooks, time),
            },
          }),
    });
    if (hooks !== undefined) made.subscribe((now) => hooks.onStatus(now));
    backgrounds.add(made);
    return made;
  }

  async function syncNow(open: () => Promise<Opened>, options: SyncOptions = {}): Promise<SyncReport> {
    if (dryRun) return emptyReport('aborted', 'A dry run delivers nothing.');
    try {
      const { store, queue } = await open();
      const { createSyncEngine } = await import('./engine/sync-engine.ts');
      const signal = options.signal === undefined ? ending.signal : AbortSignal.any([ending.signal, options.signal]);
      const engine = createSyncEngine({ ...deps, store, queue, session, transport, logger, time });
      return await engine.syncNow({ ...options, signal });
    } catch (cause) {
      return emptyReport('storage', cause instanceof Error ? cause.message : 'The store cannot be opened.');
    }
  }

  const flusher = createFlusher({
    parts,
    spill,
    running,
    ending,
    syncNow: (opened, options) => syncNow(() => Promise.resolve(opened), options),
    stopBackgrounds: () => Promise.all([...backgrounds].map((made) => made.stop({ deadlineMs: 0 }))),
    logger,
    time,
  });

  async function status(): Promise<SyncStatus> {
    const { store, queue } = await parts.open();
    return store.read((reader) => readStatus(reader, { cap: queue.cap, now: time.now(), isGone: deps.lease.isGone }));
  }

  async function askForDrain(): Promise<boolean> {
    if (dryRun) return false;
    const { store } = await parts.open();
    return requestDrain({ store, time, isGone: deps.lease.isGone });
  }

  async function destinations(): Promise<readonly Destination[]> {
    const { store } = await parts.open();
    const { readDestinations } = await import('./queue/destinations.ts');
    return store.read(readDestinations);
  }

  async function rejected(): Promise<RejectedEvents> {
    const { createRejectedEvents } = await import('./queue/rejected-events.ts');
    return createRejectedEvents(async () => (await parts.open()).store);
  }

  async function adopt(project: ProjectFacts): Promise<AdoptAnswer> {
    const { store } = await parts.open();
    const { adoptProject } = await import('./queue/release.ts');
    return adoptProject(store, { project, session: await deps.session.current() });
  }

  async function retarget(move: { readonly from: string; readonly to: string }): Promise<number> {
    const { store } = await parts.open();
    const { retargetEvents } = await import('./queue/release.ts');
    return retargetEvents(store, move);
  }

  return {
    rejected: {
      list: () => track(rejected().then((events) => events.list())),
      retry: (which) => track(rejected().then((events) => events.retry(which))),
      drop: (which) => track(rejected().then((events) => events.drop(which))),
    },
    emit: (draft, { projectRoot, ...options } = {}) => track(emitterFor(projectRoot).emit(draft, options)),
    emitAll: (drafts, { projectRoot, ...options } = {}) => track(emitterFor(projectRoot).emitAll(drafts, options)),
    syncNow: (options) => track(syncNow(parts.open, options)),
    flush: (options = {}) => track(dryRun && !parts.isClosed ? Promise.resolve(NOTHING_KNOWN) : flusher.flush(options)),
    status: () => track(status()),
    destinations: () => track(destinations()),
    background: (options = {}) => track(background(options)),
    adopt: (project) => track(adopt(project)),
    retarget: (move) => track(retarget(move)),
    requestDrain: () => track(askForDrain()),

    close,
    [Symbol.asyncDispose]: async () => void (await close()),
  };

  function close(options: FlushOptions = {}): Promise<DeliveryCounts> {
    closing ??= flusher.close(options);
    return closing;
  }
}

function emptyReport(stoppedBy: SyncStop, message: string): SyncReport {
  return {
    sent: 0,
    duplicates: 0,
    pending: 0,
    rejected: [],
    rejectedBy: {},
    restamped: 0,
    batches: 0,
    remaining: 0,
    held: 0,
    parked: 0,
    stoppedBy,
    message,
    durationMs: 0,
  };
}
