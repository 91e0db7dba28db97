/// <reference lib="esnext.disposable" preserve="true" />
// Hosts compile against these declarations, also those whose `lib` does not know AsyncDisposable.
/** What the client of a home promises a program on Node, and what it may be told when it is opened. */
import type { Session } from '../auth/port.ts';
import type { AuthStatus, LoginInput } from '../auth/token-manager.ts';
import type { BackgroundOptions, Client, ClientEmitOptions } from '../client.ts';
import type { BeforeStore } from '../client/before-store.ts';
import type { Hooks } from '../client/hooks.ts';
import type { EventMap } from '../contract/event-map.ts';
import type { SpecKittyEvents } from '../contract/spec-kitty-events.ts';
import type { Emitter } from '../emitter.ts';
import type { BackgroundSync } from '../engine/background-sync.ts';
import type { SyncReport } from '../engine/report.ts';
import type { SyncOptions } from '../engine/sync-engine.ts';
import type { Logger } from '../internal/logger.ts';
import type { Time } from '../internal/time.ts';
import type { Destination } from '../queue/destinations.ts';
import type { RejectedEvents } from '../queue/rejected-events.ts';
import type { CourierCommand } from './courier.ts';
import type { HandOff } from './dispatch.ts';
import type { Env } from './home.ts';
import type { HomeCare } from './home-care.ts';
import type { HomeStatus } from './home-status.ts';
import type { GivenProject } from './project-facts.ts';
import type { ProbeServer } from './server-probe.ts';

export interface OpenNodeClientOptions<M extends EventMap = SpecKittyEvents> {
  /** The events this program knows. Default: the eight of Spec Kitty. */
  readonly events?: M;
  /** Where the program runs: decides the project. Default: the process's working directory. */
  readonly cwd?: string;
  /**
   * What the events are about, for programs that know it themselves. Default: the project around `cwd`, by the identity in its
   * `.kittify/config.yaml`; where there is none, events wait for one.
   */
  readonly project?: GivenProject;
  /** Default `process.env`. `SPEC_KITTY_HOME` moves every file. */
  readonly env?: Env;
  readonly logger?: Logger;
  /** Who wants to know what happens. Default: nobody. */
  readonly hooks?: Hooks<NoInfer<M>>;
  /** Looks at each event before it is checked and stored. Default: they stay as they are. */
  readonly beforeStore?: BeforeStore<NoInfer<M>>;
  /** True: `emit` checks, stamps and answers `dry-run`; nothing is stored, nothing leaves, the home stays as it is. Default false. */
  readonly dryRun?: boolean;
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

export interface NodeClient<M extends EventMap = SpecKittyEvents> extends HomeCare, AsyncDisposable {
  emit: Emitter<M>['emit'];
  /** As {@link Emitter.emitAll}, for events of a named project. */
  emitAll(drafts: Parameters<Emitter<M>['emitAll']>[0], options?: NodeEmitOptions): ReturnType<Emitter<M>['emitAll']>;
  /** Delivers everything sendable now, whatever runs in the background. Never rejects. */
  syncNow(options?: NodeSyncOptions): Promise<SyncReport>;
  /** As {@link Client.flush}; keeps the process running meanwhile. */
  flush: Client<M>['flush'];
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
  /** As {@link Client.close}; mirrors the clock as well. */
  close: Client<M>['close'];
  /** `close()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}
