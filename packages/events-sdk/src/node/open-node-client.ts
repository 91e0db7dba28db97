/**
 * Everything a command-line program on Node needs, wired: the home's store, the sign-in, the project it runs
 * in, git facts, delivery. Opening costs nothing; each part is opened when it is first needed.
 */
import type { Session } from '../auth/port.ts';
import { parseServerUrl } from '../auth/server-url.ts';
import type { AuthStatus, LoginInput } from '../auth/token-manager.ts';
import { createClient, type BackgroundOptions, type ClientEmitOptions } from '../client.ts';
import type { EventMap } from '../contract/event-map.ts';
import { specKittyEvents, type SpecKittyEvents } from '../contract/spec-kitty-events.ts';
import type { Emitter } from '../emitter.ts';
import type { BackgroundSync } from '../engine/background-sync.ts';
import type { SyncReport } from '../engine/report.ts';
import type { SyncOptions } from '../engine/sync-engine.ts';
import { createUlidFactory } from '../id/ulid.ts';
import { silentLogger, warnOnce, type Logger } from '../internal/logger.ts';
import { once } from '../internal/once.ts';
import { systemTime, type Time } from '../internal/time.ts';
import type { OverflowPolicy } from '../queue/offline-queue.ts';
import type { Destination } from '../queue/destinations.ts';
import type { RejectedEvents } from '../queue/rejected-events.ts';
import type { EventStore } from '../storage/port.ts';
import { createAccounts } from './accounts.ts';
import { createClockMirror } from './clock-mirror.ts';
import { readSyncConfig, setServerUrl, type ConfigSource, type SyncConfig } from './config-file.ts';
import type { CourierCommand } from './courier.ts';
import { withDeadline } from './deadline.ts';
import { createDispatch, type HandOff } from './dispatch.ts';
import { resolveHome, type Env, type Home } from './home.ts';
import { createHomeCare, type HomeCare } from './home-care.ts';
import { DEFAULT_STORE_WAIT_MS, openHomeSpill, openHomeStore } from './home-store.ts';
import { readHomeStatus, type HomeStatus } from './home-status.ts';
import { isGoneOwner, leaseOwner } from './lease-owner.ts';
import { createProjectReader } from './project-facts.ts';
import { createProbe, type ProbeServer } from './server-probe.ts';
import { createStorePatience } from './store-patience.ts';

export interface OpenNodeClientOptions<M extends EventMap = SpecKittyEvents> {
  /** The events this program knows. Default: the eight of Spec Kitty. */
  readonly events?: M;
  /** Where the program runs: decides the project. Default: the process's working directory. */
  readonly cwd?: string;
  /** Default `process.env`. `SPEC_KITTY_HOME` moves every file. */
  readonly env?: Env;
  readonly logger?: Logger;
  readonly time?: Time;
  /** What this process is called while it delivers. Default `client`. */
  readonly role?: string;
  /** Version of the program: a courier of another one is replaced. Default: none, never replaced. */
  readonly version?: string;
  /** The script that runs a courier. Without one, nothing is delivered in the background. */
  readonly courier?: CourierCommand;
  /**
   * The longest wait for a store that other processes hold, in milliseconds, before events are kept beside it. Once it
   * was in vain, later steps of this process do not wait. Default 1000; `syncNow` waits at least 15,000.
   */
  readonly storeWaitMs?: number;
  /** False where a home that disappears while it is in use must stay gone. Default true. */
  readonly mayRecreateHome?: boolean;
}

/** What a call of `emitAll` may say beside its events; without `projectRoot` they are of the project around `cwd`. */
export type NodeEmitOptions = ClientEmitOptions;

export interface NodeSyncOptions extends SyncOptions {
  /** Ends the sync after this many milliseconds, aborting a request under way. Default: none. */
  readonly deadlineMs?: number;
}

export interface NodeClient<M extends EventMap = SpecKittyEvents> extends HomeCare {
  emit: Emitter<M>['emit'];
  /** As {@link Emitter.emitAll}, for events of a named project. */
  emitAll(drafts: Parameters<Emitter<M>['emitAll']>[0], options?: NodeEmitOptions): ReturnType<Emitter<M>['emitAll']>;
  /** Delivers everything sendable now, whatever runs in the background. Never rejects. */
  syncNow(options?: NodeSyncOptions): Promise<SyncReport>;
  /**
   * Delivery in the background of this process, not started: batches, and a realtime link where the server has one. For
   * hosts that run for a while; its timers keep no process alive. Rejects with STORAGE_*.
   */
  background(options?: BackgroundOptions): Promise<BackgroundSync>;
  status(): Promise<HomeStatus>;
  /** Asks the server in force how it is and whether it accepts this sign-in. */
  probe: ProbeServer;
  /** Where waiting events are to go. Rejects with STORAGE_*. */
  destinations(): Promise<readonly Destination[]>;
  /** What the server refused, for a person to decide on. */
  readonly rejected: RejectedEvents;
  /** Signs in. Rejects: INVALID_SERVER_URL, INVALID_ARGUMENT, AUTH_REFUSED, SERVER_UNREACHABLE, SERVER_ANSWER_INVALID, FILE_UNUSABLE. */
  login(input: LoginInput): Promise<Session>;
  /** Forgets the sign-in; answers whose it was. Events that wait stay. */
  logout(): Promise<Session | null>;
  /** The sign-in in force; of a token from the environment no expiry is known. */
  authStatus(): Promise<AuthStatus>;
  /** The server in force: from the environment, the sign-in, or the configuration; null when none is set. */
  serverUrl(): Promise<string | null>;
  setServerUrl(url: string): Promise<string>;
  /**
   * Sees to it that waiting events leave in the background, where that is allowed. Never rejects, and waits for the
   * network only where `inline` delivery was chosen, and then briefly.
   */
  nudge(): Promise<HandOff>;
  /** Waits for what is under way, mirrors the clock and closes the store. From the call on, new events are dropped with a warning. */
  close(): Promise<void>;
}

/** How long `syncNow` waits for a courier that is delivering, in milliseconds. */
const WAIT_FOR_COURIER_MS = 15_000;

/** How long a sync, which has nothing else to do, waits for the store, in milliseconds. */
export const SYNC_STORE_WAIT_MS = 15_000;

/** How long git may take to tell branch and commit, in milliseconds. */
const GIT_BUDGET_MS = 250;

/** A client for the home of this person. Opens nothing yet. */
export function openNodeClient<M extends EventMap = SpecKittyEvents>(
  options: OpenNodeClientOptions<M> = {},
): NodeClient<M> {
  const env = options.env ?? process.env;
  const time = options.time ?? systemTime;
  const logger = warnOnce(options.logger ?? silentLogger);
  const home = resolveHome(env);
  const config = once(() => loadConfig(home, env, logger));
  const accounts = createAccounts({ home, env, time, logger, config });
  const projects = createProjectReader({
    cwd: options.cwd ?? currentDirectory(home),
    env,
    time,
    gitBudgetMs: GIT_BUDGET_MS,
    logger,
  });
  const patience = createStorePatience(options.storeWaitMs ?? DEFAULT_STORE_WAIT_MS);
  const spill = openHomeSpill({ home, logger, time });
  const homeStore = once(async () =>
    openHomeStore({
      home,
      env,
      driver: (await config()).queueDriver,
      logger,
      time,
      patience,
      spill,
      mayRecreate: options.mayRecreateHome ?? true,
    }),
  );
  const mirror = createClockMirror({ path: home.clockJson, open: homeStore, time, logger });
  let isClosed = false;
  /** Closed before anything was asked of it; what was asked before a close is still done. */
  let isClosedUnused = false;

  async function openStore(): Promise<EventStore> {
    const { store } = await homeStore();
    return {
      ...store,
      async close() {
        await mirror.flush();
        await store.close();
      },
    };
  }

  const client = once(async () => {
    const { maxQueueSize, overflow } = await config();
    const made = createClient<M>({
      // The default applies exactly when the caller named no events, that is when M is the default too.
      events: (options.events ?? specKittyEvents) as M,
      openStore,
      openTransport: once(async () => {
        const [{ createHttpTransport }, { nodeGzip }] = await Promise.all([
          import('../transport/http/index.ts'),
          import('./gzip.ts'),
        ]);
        return createHttpTransport({ time, gzip: nodeGzip });
      }),
      openRealtime: once(async () => {
        const { createWebSocketTransport } = await import('../transport/websocket/index.ts');
        return createWebSocketTransport({ time, logger });
      }),
      session: accounts.session,
      facts: async (store, projectRoot) => ({
        ...(await projects.factsAt(projectRoot, store)),
        nodeId: store === null ? '' : (await homeStore()).nodeId,
        session: await accounts.session.current(),
      }),
      spill,
      lookUpProject: (root) => projects.lookUp(root),
      newUlid: createUlidFactory({ time }),
      lease: {
        owner: leaseOwner(options.role ?? 'client', time.now(), options.version),
        newToken: () => globalThis.crypto.randomUUID(),
        isGone: isGoneOwner,
      },
      cap: maxQueueSize,
      overflow: overflow satisfies OverflowPolicy,
      logger,
      time,
    });
    if (isClosedUnused) await made.close();
    return made;
  });

  const syncNow = ({ deadlineMs, signal, ...rest }: NodeSyncOptions = {}): Promise<SyncReport> =>
    withDeadline({ time, deadlineMs, signal }, async (ending) =>
      (await client()).syncNow({ waitForOthersMs: WAIT_FOR_COURIER_MS, ...rest, signal: ending }),
    );

  const serverUrl = async (): Promise<string | null> =>
    (await accounts.session.current())?.server ?? (await config()).serverUrl;

  const status = async (): Promise<HomeStatus> =>
    readHomeStatus({
      sync: await (await client()).status(),
      session: await accounts.session.current(),
      server: await serverUrl(),
      project: await projects.here(),
      driver: (await homeStore()).driver,
      home: home.display(home.root),
      spilled: spill.count(),
    });

  const probe = createProbe({ server: serverUrl, session: accounts.session, time });

  const dispatch = createDispatch({
    home,
    env,
    time,
    store: async () => (await homeStore()).store,
    isGone: isGoneOwner,
    ...(options.version === undefined ? {} : { version: options.version }),
    ...(options.courier === undefined ? {} : { courier: options.courier }),
  });

  const care = createHomeCare({
    home,
    time,
    store: async () => (await homeStore()).store,
    auth: accounts.status,
    projects,
    isGone: isGoneOwner,
    delivery: async () => projects.delivery((await config()).delivery),
    config: () => readSyncConfig(configSource(home), env),
    status,
    probe,
  });

  return {
    ...care,
    async emit(draft, emitOptions) {
      mirror.moves();
      return (await client()).emit(draft, emitOptions);
    },
    async emitAll(drafts, emitOptions) {
      mirror.moves();
      return (await client()).emitAll(drafts, emitOptions);
    },
    syncNow(syncOptions) {
      patience.lengthen(SYNC_STORE_WAIT_MS);
      return syncNow(syncOptions);
    },
    async background(backgroundOptions) {
      patience.lengthen(SYNC_STORE_WAIT_MS);
      return (await client()).background(backgroundOptions);
    },
    status,
    probe,
    destinations: async () => (await client()).destinations(),
    rejected: {
      list: async () => (await client()).rejected.list(),
      retry: async (which) => (await client()).rejected.retry(which),
      drop: async (which) => (await client()).rejected.drop(which),
    },
    login: (input) => accounts.manager.login(input),
    logout: () => accounts.manager.logout(),
    authStatus: accounts.status,
    serverUrl,
    async setServerUrl(url) {
      const address = await setServerUrl(configSource(home), url);
      config.forget();
      return address;
    },
    async nudge() {
      if (isClosed) return 'none';
      try {
        // What could not get into the queue a moment ago is to be delivered as well.
        if (!spill.isEmpty()) await (await homeStore()).store.transact(() => {});
        const delivery = await projects.delivery((await config()).delivery);
        return await dispatch.nudge({ delivery, auth: await accounts.status(), syncNow });
      } catch (cause) {
        // The events are stored or their loss was told; that nobody delivers them now must not trouble the command.
        logger.debug('nudge-failed', String(cause));
        return 'none';
      }
    },
    async close() {
      isClosed = true;
      if (client.isStarted()) await (await client()).close();
      else isClosedUnused = true;
      // `nudge` may have opened it alone; closing twice is safe.
      const opened = homeStore.isStarted() ? await homeStore().catch(() => undefined) : undefined;
      await opened?.store.close();
    },
  };
}

/** A directory may be removed while a program runs in it; then there is no project around it. */
function currentDirectory(home: Home): string {
  try {
    return process.cwd();
  } catch {
    return home.root;
  }
}

function configSource(home: Home): ConfigSource {
  return { path: home.configToml, shownAs: home.display(home.configToml), checkServerUrl: parseServerUrl };
}

async function loadConfig(home: Home, env: Env, logger: Logger): Promise<SyncConfig> {
  const { config, warnings } = await readSyncConfig(configSource(home), env);
  for (const warning of warnings) logger.warn('config-unusable', warning);
  return config;
}
