/**
 * A real server for the Feature 008 contract on this machine: HTTP and realtime links on loopback, data in SQLite,
 * accounts, rotating tokens, per-event verdicts, and a board. The one implementation in this project: tests break it
 * with faults, the team server puts pages in front of it. Node only.
 */
import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';

import type { EventMap } from '../../contract/event-map.ts';
import { specKittyEvents } from '../../contract/spec-kitty-events.ts';
import { MAX_EVENTS_PER_BATCH, DEFAULT_ACCESS_LIFETIME_S, DEFAULT_REFRESH_LIFETIME_S } from '../../contract/limits.ts';
import { EventsSdkError } from '../../errors.ts';
import { systemTime, type Time } from '../../internal/time.ts';
import { createAccounts, type Account, type Accounts } from './accounts.ts';
import { createBatchIntake, type Poison } from './batch.ts';
import type { Board } from './board.ts';
import { createBoards } from './boards.ts';
import { openServerDatabase } from './database.ts';
import { createEventLog, type EventFilter, type ReceivedEvent } from './event-log.ts';
import { createHttpServer, type RequestFilter, type RequestRecord } from './http.ts';
import { createRealtime } from './realtime.ts';
import type { RealtimeControls } from './realtime-controls.ts';
import { createRoutes, SERVER_PATHS } from './routes.ts';
import { createScriptedAnswers, type ScriptedAnswers } from './scripted-answers.ts';
import { createTokens, type TokenPair } from './tokens.ts';
import type { WireEnvelope } from './validate.ts';

/** How a server is set up. */
export interface ContractServerOptions {
  /** SQLite file, created when absent; default `:memory:`. */
  readonly data?: string;
  /** Address to listen on; default 127.0.0.1. */
  readonly host?: string;
  /** Default: the machine's time. */
  readonly time?: Time;
  /** Default 900. */
  readonly accessLifetimeS?: number;
  /** Default 604,800. */
  readonly refreshLifetimeS?: number;
  /** Events per batch; default 1000. */
  readonly maxEvents?: number;
  /** Bytes of one inflated body; default 8 MiB. */
  readonly maxBytes?: number;
  /** Rejects events at or below this Lamport value from the start; default off. */
  readonly rejectClocksUpTo?: number;
  /** The events this server knows; others are rejected one by one. Default: the eight of Spec Kitty. The board shows only those. */
  readonly events?: EventMap;
  /** Takes requests before the contract does, for pages of one's own. */
  readonly filter?: RequestFilter;
}

/** A running (or not yet listening) contract server. */
export interface ContractServer extends Omit<ScriptedAnswers, 'intercept'>, RealtimeControls {
  /** Starts listening; port 0 or none picks a free one. Resolves with the URL. */
  listen(port?: number): Promise<string>;
  /** Ends every socket at once and closes the data file. Safe to call twice. */
  close(): Promise<void>;
  /** `http://host:port`, no trailing slash. Throws INVALID_ARGUMENT before `listen`. */
  readonly url: string;
  readonly accounts: Accounts;
  /** Tokens for a known user without the login request. */
  signIn(username: string): Promise<TokenPair>;
  /** The account behind an access token. */
  authenticate(accessToken: string): Promise<Account | undefined>;
  /** Makes the server refuse tokens given out so far, as if they had run out. */
  revokeTokens(which: 'access' | 'all'): void;
  /** Rejects events at or below `value` for their Lamport value (our extension, DESIGN §4.7); null: never. */
  rejectClocksUpTo(value: number | null): void;
  /** Refuses these events from now on, whatever is in them. Default: each alone. */
  poison(eventIds: readonly string[], how?: Poison): void;
  /** From now on a larger inflated body is answered with 413. */
  limitBytes(maxBytes: number): void;
  /** Stored events in causal order. */
  events(filter?: EventFilter): readonly ReceivedEvent[];
  /** The team's board as of now. */
  board(team: string): Board;
  /** Server's wall time of the team's latest event; null without any. */
  lastReceivedAt(team: string): number | null;
  /** Requests so far, oldest first, the latest 10,000; no bodies. */
  readonly requests: readonly RequestRecord[];
  /** Calls `listener` with a team after events of it were stored. Returns the way to stop. */
  onStored(listener: (team: string) => void): () => void;
}

const DEFAULT_MAX_BYTES = 8 * 1024 * 1024;

/** Opens the data file and prepares a server; nothing listens before `listen()`. */
export async function createContractServer(options: ContractServerOptions = {}): Promise<ContractServer> {
  const time = options.time ?? systemTime;
  const host = options.host ?? '127.0.0.1';
  let maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
  const limits = {
    maxEvents: options.maxEvents ?? MAX_EVENTS_PER_BATCH,
    get maxBytes() {
      return maxBytes;
    },
  };
  const lifetimes = {
    accessS: options.accessLifetimeS ?? DEFAULT_ACCESS_LIFETIME_S,
    refreshS: options.refreshLifetimeS ?? DEFAULT_REFRESH_LIFETIME_S,
  };

  const database = await openServerDatabase(options.data ?? ':memory:');
  const accounts = createAccounts(database);
  const tokens = await createTokens({ database, accounts, time, lifetimes });
  const log = createEventLog(database);
  const intake = createBatchIntake({
    database,
    log,
    time,
    maxEvents: limits.maxEvents,
    events: options.events ?? specKittyEvents,
  });
  intake.rejectClocksUpTo(options.rejectClocksUpTo ?? null);

  const script = createScriptedAnswers(time);
  const listeners = new Set<(team: string) => void>();
  const tellTeams = (events: readonly WireEnvelope[]): void => {
    const teams = new Set(events.map((event) => event.team_slug));
    for (const team of teams) for (const listener of listeners) listener(team);
  };
  const boards = createBoards(log);
  const realtime = await createRealtime({ accounts, tokens, intake, boards, time, onStored: tellTeams });
  const onStored = (events: readonly WireEnvelope[]): void => {
    tellTeams(events);
    realtime.broadcast(events);
  };
  const { server, requests, endUpgrades } = createHttpServer({
    routes: createRoutes({ accounts, tokens, intake, limits, onStored }),
    upgrades: { [SERVER_PATHS.realtime]: realtime.upgrade },
    maxBodyBytes: () => limits.maxBytes,
    checkAccess: tokens.checkAccess,
    filters: [script.intercept, ...(options.filter === undefined ? [] : [options.filter])],
  });

  return {
    accounts,
    respondNext: script.respondNext,
    hang: script.hang,
    garbage: script.garbage,
    listen: (port = 0) => startListening(server, host, port),
    async close() {
      if (server.listening) {
        const closed = new Promise<void>((resolve) => {
          server.close(() => {
            resolve();
          });
        });
        // Also sockets in the middle of an answer: a hanging one would keep the server up.
        server.closeAllConnections();
        realtime.close();
        endUpgrades();
        await closed;
      }
      database.close();
    },
    get url() {
      return urlOf(server, host);
    },
    async signIn(username) {
      const account = accounts.find(username);
      if (account === undefined) throw new EventsSdkError('INVALID_ARGUMENT', `There is no user "${username}".`);
      return tokens.issue(account);
    },
    breakNextLink: realtime.breakNextLink,
    endLinks: realtime.endLinks,
    freezeLinks: realtime.freezeLinks,
    get links() {
      return realtime.links;
    },
    get frames() {
      return realtime.frames;
    },
    authenticate: tokens.checkAccess,
    revokeTokens: tokens.revoke,
    rejectClocksUpTo: intake.rejectClocksUpTo,
    poison(eventIds, how = 'event') {
      intake.poison(eventIds, how);
    },
    limitBytes(bytes) {
      maxBytes = bytes;
    },
    events: log.events,
    board: boards.board,
    lastReceivedAt: (team) => log.latest(team).receivedAt || null,
    get requests() {
      return requests();
    },
    onStored(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function startListening(server: Server, host: string, port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Error): void => {
      reject(
        new EventsSdkError('INVALID_ARGUMENT', `Cannot listen on ${host}:${port}: the port is taken or not allowed.`, {
          cause,
        }),
      );
    };
    server.once('error', fail);
    server.listen(port, host, () => {
      server.off('error', fail);
      resolve(urlOf(server, host));
    });
  });
}

function urlOf(server: Server, host: string): string {
  const address = server.address();
  if (address === null || typeof address === 'string')
    throw new EventsSdkError('INVALID_ARGUMENT', 'The server is not listening.');
  const { port }: AddressInfo = address;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}
