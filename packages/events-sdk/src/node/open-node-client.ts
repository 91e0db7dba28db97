/**
 * Everything a command-line program on Node needs, wired: the home's store, the sign-in, the project it runs
 * in, git facts, delivery. Opening costs nothing; each part is opened when it is first needed.
 */
import { parseServerUrl } from '../auth/server-url.ts';
import { createClient } from '../client.ts';
import type { EventMap } from '../contract/event-map.ts';
import { specKittyEvents, type SpecKittyEvents } from '../contract/spec-kitty-events.ts';
import { NOTHING_KNOWN, type FlushOptions } from '../client/flush.ts';
import type { DeliveryCounts, SyncReport } from '../engine/report.ts';
import { createUlidFactory } from '../id/ulid.ts';
import type { DeliveryMode } from '../identity/project-identity.ts';
import { silentLogger, warnOnce } from '../internal/logger.ts';
import { once } from '../internal/once.ts';
import { systemTime } from '../internal/time.ts';
import type { OverflowPolicy } from '../queue/offline-queue.ts';
import type { EventStore } from '../storage/port.ts';
import { createAccounts } from './accounts.ts';
import { createClockMirror } from './clock-mirror.ts';
import { readSyncConfig, setServerUrl, type ConfigSource, type SyncConfig } from './config-file.ts';
import { whileAwake, withDeadline } from './deadline.ts';
import { createDispatch } from './dispatch.ts';
import { resolveHome, type Home } from './home.ts';
import { createHomeCare } from './home-care.ts';
import { DEFAULT_STORE_WAIT_MS, openHomeSpill, openHomeStore } from './home-store.ts';
import { readHomeStatus, type HomeStatus } from './home-status.ts';
import { isGoneOwner, leaseOwner } from './lease-owner.ts';
import type { NodeClient, NodeSyncOptions, OpenNodeClientOptions } from './node-client.ts';
import { createProjectReader } from './project-facts.ts';
import { createProbe } from './server-probe.ts';
import { createStorePatience } from './store-patience.ts';
import { systemRandom } from './system-random.ts';

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
  const { dryRun = false } = options;
  const logger = warnOnce(options.logger ?? silentLogger);
  const home = resolveHome(env);
  const loadedConfig = once(async () => {
    const loaded = await readSyncConfig(configSource(home), env);
    for (const warning of loaded.warnings) logger.warn('config-unusable', warning);
    return loaded;
  });
  const config = async (): Promise<SyncConfig> => (await loadedConfig()).config;
  const accounts = createAccounts({ home, env, time, logger, config });
  const projects = createProjectReader({
    cwd: options.cwd ?? currentDirectory(home),
    given: options.project,
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
  const store = async (): Promise<EventStore> => (await homeStore()).store;
  const delivery = async (): Promise<DeliveryMode> => projects.delivery((await config()).delivery);
  const mirror = createClockMirror({ path: home.clockJson, open: homeStore, time, logger });
  let isClosed = false;
  /** Closed before anything was asked of it; what was asked before a close is still done. */
  let isClosedUnused = false;

  async function openStore(): Promise<EventStore> {
    const opened = await store();
    return {
      ...opened,
      async close() {
        await mirror.flush();
        await opened.close();
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
      facts: async (opened, projectRoot) => {
        const session = await accounts.session.current();
        return {
          // The team of earlier deliveries decides only whether the one signed in may have the event.
          ...(await projects.factsAt(projectRoot, session === null ? null : opened)),
          nodeId: opened === null ? '' : (await homeStore()).nodeId,
          session,
        };
      },
      spill,
      lookUpProject: (root) => projects.lookUp(root),
      newUlid: createUlidFactory({ time, random: systemRandom() }),
      lease: {
        owner: leaseOwner(options.role ?? 'client', time.now(), options.version),
        newToken: () => globalThis.crypto.randomUUID(),
        isGone: isGoneOwner,
      },
      cap: maxQueueSize,
      overflow: overflow satisfies OverflowPolicy,
      ...(options.hooks === undefined ? {} : { hooks: options.hooks }),
      ...(options.beforeStore === undefined ? {} : { beforeStore: options.beforeStore }),
      dryRun,
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
      projectProblem: await projects.problem(),
      driver: (await homeStore()).driver,
      delivery: await delivery(),
      home: home.display(home.root),
      spilled: spill.count(),
    });

  const probe = createProbe({ server: serverUrl, session: accounts.session, time });

  const dispatch = createDispatch({
    home,
    env,
    time,
    store,
    isGone: isGoneOwner,
    ...(options.version === undefined ? {} : { version: options.version }),
    ...(options.courier === undefined ? {} : { courier: options.courier }),
  });

  const care = createHomeCare({
    home,
    time,
    store,
    client,
    auth: accounts.status,
    projects,
    isGone: isGoneOwner,
    delivery,
    config: loadedConfig,
    status,
    probe,
  });

  return {
    ...care,
    async emit(draft, emitOptions) {
      if (!dryRun) mirror.moves();
      return (await client()).emit(draft, emitOptions);
    },
    async emitAll(drafts, emitOptions) {
      if (!dryRun) mirror.moves();
      return (await client()).emitAll(drafts, emitOptions);
    },
    syncNow(syncOptions) {
      patience.lengthen(SYNC_STORE_WAIT_MS);
      return syncNow(syncOptions);
    },
    flush: (flushOptions) => whileAwake(async () => (await client()).flush(flushOptions)),
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
      loadedConfig.forget();
      return address;
    },
    async nudge() {
      if (isClosed || dryRun) return 'none';
      try {
        // What could not get into the queue a moment ago is to be delivered as well.
        if (!spill.isEmpty()) await (await store()).transact(() => {});
        return await dispatch.nudge({ delivery: await delivery(), auth: await accounts.status(), syncNow });
      } catch (cause) {
        // The events are stored or their loss was told; that nobody delivers them now must not trouble the command.
        logger.debug('nudge-failed', String(cause));
        return 'none';
      }
    },
    close,
    [Symbol.asyncDispose]: async () => void (await close()),
  };

  function close(closeOptions?: FlushOptions): Promise<DeliveryCounts> {
    isClosed = true;
    return whileAwake(async () => {
      let counts = NOTHING_KNOWN;
      if (client.isStarted()) counts = await (await client()).close(closeOptions);
      else isClosedUnused = true;
      // `nudge` may have opened it alone; closing twice is safe.
      const opened = homeStore.isStarted() ? await homeStore().catch(() => undefined) : undefined;
      await opened?.store.close();
      return counts;
    });
  }
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
