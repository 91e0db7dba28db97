/**
 * Everything a command-line program on Node needs, wired: the home's store, the sign-in, the project it runs
 * in, git facts, delivery. Opening costs nothing; each part is opened when it is first needed.
 */
import { sessionFromEnvironment } from '../auth/environment-session.ts';
import type { Session, SessionProvider } from '../auth/port.ts';
import { parseServerUrl } from '../auth/server-url.ts';
import { createTokenManager, type AuthStatus, type LoginInput, type TokenManager } from '../auth/token-manager.ts';
import { createClient } from '../client.ts';
import type { EventMap } from '../contract/event-map.ts';
import { specKittyEvents, type SpecKittyEvents } from '../contract/spec-kitty-events.ts';
import type { EmitOptions, Emitter } from '../emitter.ts';
import type { SyncReport } from '../engine/report.ts';
import type { SyncOptions } from '../engine/sync-engine.ts';
import { createUlidFactory } from '../id/ulid.ts';
import { silentLogger, warnOnce, type Logger } from '../internal/logger.ts';
import { systemTime, type Time } from '../internal/time.ts';
import type { OverflowPolicy } from '../queue/offline-queue.ts';
import { createClockMirror } from './clock-mirror.ts';
import { readSyncConfig, setServerUrl, type ConfigSource, type SyncConfig } from './config-file.ts';
import { createCredentialsFile } from './credentials-file.ts';
import type { CourierCommand } from './courier.ts';
import { createDispatch, type HandOff } from './dispatch.ts';
import { resolveHome, type Env, type Home } from './home.ts';
import { openHomeStore } from './home-store.ts';
import { readHomeStatus, type HomeStatus } from './home-status.ts';
import { isGoneOwner, leaseOwner } from './lease-owner.ts';
import { createProjectReader } from './project-facts.ts';

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
  /** The script that runs a courier. Without one, nothing is delivered in the background. */
  readonly courier?: CourierCommand;
}

/** What a call of `emitAll` may say beside its events. */
export interface NodeEmitOptions extends EmitOptions {
  /** Root of the project the events are about. Default: the one around `cwd`. */
  readonly projectRoot?: string;
}

export interface NodeSyncOptions extends SyncOptions {
  /** Ends the sync after this many milliseconds, aborting a request under way. Default: none. */
  readonly deadlineMs?: number;
}

export interface NodeClient<M extends EventMap = SpecKittyEvents> {
  emit: Emitter<M>['emit'];
  /** As {@link Emitter.emitAll}, for events of a named project. */
  emitAll(drafts: Parameters<Emitter<M>['emitAll']>[0], options?: NodeEmitOptions): ReturnType<Emitter<M>['emitAll']>;
  /** Delivers everything sendable now, whatever runs in the background. Never rejects. */
  syncNow(options?: NodeSyncOptions): Promise<SyncReport>;
  status(): Promise<HomeStatus>;
  /** Signs in. Rejects: INVALID_SERVER_URL, INVALID_ARGUMENT, AUTH_REFUSED, SERVER_UNREACHABLE, SERVER_ANSWER_INVALID, FILE_UNUSABLE. */
  login(input: LoginInput): Promise<Session>;
  /** Forgets the sign-in; answers whose it was. Events that wait stay. */
  logout(): Promise<Session | null>;
  authStatus(): Promise<AuthStatus>;
  /** The server in force: from the environment, the sign-in, or the configuration; null when none is set. */
  serverUrl(): Promise<string | null>;
  setServerUrl(url: string): Promise<string>;
  /** Sees to it that waiting events leave in the background, where that is allowed. Never waits for the network. */
  nudge(): Promise<HandOff>;
  /** Waits for what is under way, mirrors the clock and closes the store. */
  close(): Promise<void>;
}

/** How long `syncNow` waits for a courier that is delivering, in milliseconds. */
const WAIT_FOR_COURIER_MS = 15_000;

/** How long git may take to tell branch and commit, in milliseconds. */
const GIT_BUDGET_MS = 250;

/** A client for the home of this person. Opens nothing yet. */
export function openNodeClient<M extends EventMap = SpecKittyEvents>(options: OpenNodeClientOptions<M> = {}): NodeClient<M> {
  const env = options.env ?? process.env;
  const time = options.time ?? systemTime;
  const logger = warnOnce(options.logger ?? silentLogger);
  const home = resolveHome(env);
  const config = once(() => loadConfig(home, env, logger));
  const accounts = createAccounts({ home, env, time, logger, config });
  const projects = createProjectReader({ cwd: options.cwd ?? process.cwd(), env, time, gitBudgetMs: GIT_BUDGET_MS, logger });
  const mirror = createClockMirror({ path: home.clockJson, time, logger });
  const homeStore = once(async () => openHomeStore({ home, env, driver: (await config()).queueDriver, logger }));
  let chosenRoot: string | undefined;

  const client = once(async () => {
    const { maxQueueSize, overflow } = await config();
    return createClient<M>({
      // The default applies exactly when the caller named no events, that is when M is the default too.
      events: (options.events ?? specKittyEvents) as M,
      openStore: async () => (await homeStore()).store,
      openTransport: once(async () => {
        const [{ createHttpTransport }, { nodeGzip }] = await Promise.all([import('../transport/http/index.ts'), import('./gzip.ts')]);
        return createHttpTransport({ time, gzip: nodeGzip });
      }),
      session: accounts.session,
      facts: async (store) => ({
        ...(await projects.factsAt(chosenRoot, store)),
        nodeId: (await homeStore()).nodeId,
        session: await accounts.session.current(),
      }),
      lookUpProject: (root) => projects.lookUp(root),
      newUlid: createUlidFactory({ time }),
      lease: { owner: leaseOwner(options.role ?? 'client', time.now()), newToken: () => globalThis.crypto.randomUUID(), isGone: isGoneOwner },
      cap: maxQueueSize,
      overflow: overflow satisfies OverflowPolicy,
      logger,
      time,
    });
  });

  async function emitAll(drafts: Parameters<Emitter<M>['emitAll']>[0], { projectRoot, ...rest }: NodeEmitOptions = {}) {
    chosenRoot = projectRoot;
    const outcomes = await (await client()).emitAll(drafts, rest);
    const last = outcomes.findLast((outcome) => outcome.status !== 'dropped');
    if (last !== undefined) mirror.saw(last.envelope.lamport_clock, last.envelope.node_id);
    return outcomes;
  }

  async function syncNow({ deadlineMs, ...rest }: NodeSyncOptions = {}): Promise<SyncReport> {
    const signals = [rest.signal, deadlineMs === undefined ? undefined : deadline(time, deadlineMs)].filter((signal) => signal !== undefined);
    return (await client()).syncNow({
      waitForOthersMs: WAIT_FOR_COURIER_MS,
      ...rest,
      ...(signals.length === 0 ? {} : { signal: AbortSignal.any(signals) }),
    });
  }

  const serverUrl = async (): Promise<string | null> => (await accounts.session.current())?.server ?? (await config()).serverUrl;

  const status = async (): Promise<HomeStatus> =>
    readHomeStatus({
      sync: await (await client()).status(),
      session: await accounts.session.current(),
      server: await serverUrl(),
      project: await projects.here(),
      driver: (await homeStore()).driver,
      home: home.display(home.root),
    });

  const dispatch = createDispatch({ home, env, time, ...(options.courier === undefined ? {} : { courier: options.courier }) });

  return {
    emitAll,
    async emit(draft, rest) {
      const [outcome] = await emitAll([draft], rest);
      // One draft in, one outcome out, of the same type.
      return outcome as Awaited<ReturnType<Emitter<M>['emit']>> as never;
    },
    syncNow,
    status,
    login: (input) => accounts.manager.login(input),
    logout: () => accounts.manager.logout(),
    authStatus: () => accounts.manager.status(),
    serverUrl,
    async setServerUrl(url) {
      const address = await setServerUrl(configSource(home), url);
      config.forget();
      return address;
    },
    async nudge() {
      return dispatch.nudge({
        status: await status(),
        delivery: await projects.delivery((await config()).delivery),
        requestDrain: async () => (await client()).requestDrain(),
        syncNow,
      });
    },
    async close() {
      if (!client.isStarted()) return;
      await (await client()).close();
      mirror.flush();
    },
  };
}

function configSource(home: Home): ConfigSource {
  return { path: home.configToml, shownAs: home.display(home.configToml), checkServerUrl: parseServerUrl };
}

async function loadConfig(home: Home, env: Env, logger: Logger): Promise<SyncConfig> {
  const { config, warnings } = await readSyncConfig(configSource(home), env);
  for (const warning of warnings) logger.warn('config-unusable', warning);
  return config;
}

interface Accounts {
  /** Whoever this process acts for: the environment's token where one is set, else the sign-in on disk. */
  readonly session: SessionProvider;
  /** The sign-in on disk. */
  readonly manager: TokenManager;
}

function createAccounts(deps: {
  readonly home: Home;
  readonly env: Env;
  readonly time: Time;
  readonly logger: Logger;
  readonly config: () => Promise<SyncConfig>;
}): Accounts {
  const { home, env, time, logger } = deps;
  const endpoint = once(async () => (await import('../transport/http/index.ts')).createHttpTokenEndpoint({ time }));
  const manager = createTokenManager({
    store: createCredentialsFile({
      path: home.credentials,
      lockPath: home.lockPaths.credentials,
      time,
      shownAs: home.display(home.credentials),
      logger,
    }),
    endpoint: {
      obtain: async (...args) => (await endpoint()).obtain(...args),
      refresh: async (...args) => (await endpoint()).refresh(...args),
    },
    time,
    logger,
  });
  if ((env['SPEC_KITTY_TOKEN'] ?? '').trim() === '') return { session: manager, manager };
  const provider = once(async () => {
    const { serverUrl } = await deps.config();
    return sessionFromEnvironment({ env, logger, ...(serverUrl === null ? {} : { server: serverUrl }) }) ?? manager;
  });
  const session: SessionProvider = {
    current: async () => (await provider()).current(),
    accessToken: async (signal) => (await provider()).accessToken(signal),
    refresh: async (token, signal) => (await provider()).refresh(token, signal),
  };
  return { session, manager };
}

function deadline(time: Time, afterMs: number): AbortSignal {
  const abort = new AbortController();
  time.after(afterMs, () => {
    abort.abort(new Error(`The deadline of ${afterMs} ms has passed.`));
  });
  return abort.signal;
}

interface Once<T> {
  (): Promise<T>;
  isStarted(): boolean;
  forget(): void;
}

/** Runs `make` on the first call and again only after it has failed or been forgotten. */
function once<T>(make: () => Promise<T>): Once<T> {
  let made: Promise<T> | undefined;
  const call = (): Promise<T> => {
    made ??= make().catch((cause: unknown) => {
      made = undefined;
      throw cause;
    });
    return made;
  };
  return Object.assign(call, {
    isStarted: () => made !== undefined,
    forget: () => {
      made = undefined;
    },
  });
}
