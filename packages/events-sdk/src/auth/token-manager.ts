/**
 * Signing in, staying signed in, signing out. Promises that of all callers in all processes of a home one alone
 * spends a refresh token and the others adopt what it got; that a token goes only to the server that issued it;
 * and that nothing but a logout makes a home forget who it is: a refused session keeps its user, team and server.
 */
import { EventsSdkError, isEventsSdkError } from '../errors.ts';
import { silentLogger, type Logger } from '../internal/logger.ts';
import type { Time } from '../internal/time.ts';
import type { CredentialChange, CredentialStore, Credentials, TokenPair } from './credential-store.ts';
import type { Session, SessionProvider, TokenAnswer } from './port.ts';
import { parseServerUrl } from './server-url.ts';
import { cleanName, teamFromToken } from './token-claims.ts';
import type { TokenEndpoint } from './token-endpoint.ts';

/** Where a sign-in stands, judged by this machine's clock alone: the server may see it otherwise. */
export interface AuthStatus {
  readonly session: Session | null;
  /** `refreshable`: the access token has run out and the next delivery renews it. `expired`: only a login helps. */
  readonly state: 'logged-out' | 'active' | 'refreshable' | 'expired';
  /** Milliseconds since the Unix epoch; null without a token. */
  readonly accessExpiresAt: number | null;
  readonly refreshExpiresAt: number | null;
}

/** A person's name and password on one server. */
export interface LoginInput {
  readonly server: string;
  readonly username: string;
  readonly password: string;
}

/** The sessions of a home, and the two acts that begin and end one. */
export interface TokenManager extends SessionProvider {
  /** Signs in and keeps the tokens. Rejects: INVALID_SERVER_URL, INVALID_ARGUMENT, AUTH_REFUSED, SERVER_UNREACHABLE, SERVER_ANSWER_INVALID, FILE_UNUSABLE. */
  login(input: LoginInput, signal?: AbortSignal): Promise<Session>;
  /** Forgets the sign-in on this machine; answers whose it was, null if nobody's. */
  logout(): Promise<Session | null>;
  /** Local and cheap; never proves that the server agrees. */
  status(): Promise<AuthStatus>;
}

/** What a token manager needs. */
export interface TokenManagerDeps {
  readonly store: CredentialStore;
  readonly endpoint: TokenEndpoint;
  readonly time: Time;
  readonly logger?: Logger;
}

/** A token this close to its end is renewed first, so that it does not run out on the way. */
const EXPIRY_MARGIN_MS = 5_000;

const LOGGED_OUT: TokenAnswer = { kind: 'logged-out' };
const EXPIRED: TokenAnswer = { kind: 'expired' };
const CANCELLED: TokenAnswer = { kind: 'unreachable', message: 'Renewing the sign-in was cancelled.' };

/** One renewal under way in this process, and how many callers still want its answer. */
interface Flight {
  readonly answer: Promise<TokenAnswer>;
  waiting: number;
}

/** Creates the token manager of one home. */
export function createTokenManager(deps: TokenManagerDeps): TokenManager {
  const { store, endpoint, time, logger = silentLogger } = deps;
  const flights = new Map<string, Flight>();

  function isFresh(tokens: TokenPair): boolean {
    return time.now() + EXPIRY_MARGIN_MS < tokens.accessExpiresAt;
  }

  /** Joins the renewal of `stale` already under way here, or starts it. */
  async function renew(stale: string, signal?: AbortSignal): Promise<TokenAnswer> {
    if (signal?.aborted === true) return CANCELLED;
    let flight = flights.get(stale);
    if (flight === undefined) {
      const started: Flight = {
        waiting: 0,
        answer: Promise.resolve().then(() => renewOnce(stale, () => started.waiting > 0)),
      };
      void started.answer.finally(() => flights.delete(stale));
      flights.set(stale, started);
      flight = started;
    }
    flight.waiting += 1;
    try {
      return await orAborted(flight.answer, signal);
    } finally {
      flight.waiting -= 1;
    }
  }

  async function renewOnce(stale: string, isWanted: () => boolean): Promise<TokenAnswer> {
    let decided: TokenAnswer | undefined;
    try {
      return await store.update(async (current) => {
        const change = await exchange(current, stale, isWanted);
        if (change.next !== undefined) decided = change.answer;
        return change;
      });
    } catch (error) {
      if (isEventsSdkError(error, 'STORAGE_BUSY')) {
        return { kind: 'unreachable', message: 'Another process is renewing the sign-in. Try again in a moment.' };
      }
      // Ours name a file and a remedy; a foreign error's text may hold anything, also a token.
      const message = error instanceof EventsSdkError ? error.message : 'The sign-in could not be renewed.';
      if (decided === undefined) return { kind: 'unreachable', message };
      // The server has decided and cannot be asked twice: this process goes on with what it got.
      logger.warn('CREDENTIALS_NOT_SAVED', `${message} The renewed sign-in is lost when this command ends.`);
      return decided;
    }
  }

  /** Runs under the lock. */
  async function exchange(
    current: Credentials | null,
    stale: string,
    isWanted: () => boolean,
  ): Promise<CredentialChange<TokenAnswer>> {
    if (current === null) return { answer: LOGGED_OUT };
    const { tokens } = current;
    if (tokens === null) return { answer: EXPIRED };
    // Another process was faster: its token is newer than the one that failed.
    if (tokens.access !== stale && isFresh(tokens)) return { answer: withToken(current, tokens) };
    if (tokens.refreshExpiresAt <= time.now()) return { answer: EXPIRED };
    if (!isWanted()) return { answer: CANCELLED };

    const reply = await endpoint.refresh({ server: current.server, refreshToken: tokens.refresh });
    switch (reply.kind) {
      case 'tokens': {
        // A claim never overrides a known team: a slug that flips would strand the events bound to it.
        const teamSlug = cleanName(reply.teamSlug) ?? toSession(current).teamSlug;
        const next = { ...current, tokens: reply.tokens, teamSlug };
        return { next, answer: withToken(next, reply.tokens) };
      }
      case 'refused':
        return afterRefusal(tokens);
      case 'unreachable':
      case 'invalid':
        return { answer: { kind: 'unreachable', message: reply.message } };
      default:
        return reply satisfies never;
    }
  }

  /** Programs that do not know our lock share this file: only the token that was refused may be cleared. */
  async function afterRefusal(refused: TokenPair): Promise<CredentialChange<TokenAnswer>> {
    const onDisk = await store.load();
    if (onDisk === null) return { answer: LOGGED_OUT };
    if (onDisk.tokens === null) return { answer: EXPIRED };
    if (onDisk.tokens.refresh === refused.refresh) {
      // The team may be known from the token only, which goes now.
      return { next: { ...onDisk, tokens: null, teamSlug: toSession(onDisk).teamSlug }, answer: EXPIRED };
    }
    if (isFresh(onDisk.tokens)) return { answer: withToken(onDisk, onDisk.tokens) };
    return { answer: { kind: 'unreachable', message: 'The sign-in changed while it was being renewed. Try again.' } };
  }

  return {
    async current() {
      const credentials = await store.load();
      return credentials === null ? null : toSession(credentials);
    },

    async accessToken(signal) {
      const credentials = await store.load();
      if (credentials === null) return LOGGED_OUT;
      if (credentials.tokens === null) return EXPIRED;
      if (isFresh(credentials.tokens)) return withToken(credentials, credentials.tokens);
      return renew(credentials.tokens.access, signal);
    },

    refresh: (rejectedToken, signal) => renew(rejectedToken, signal),

    async login({ server, username: typed, password }, signal) {
      const address = parseServerUrl(server);
      const username = cleanName(typed);
      if (username === null)
        throw new EventsSdkError('INVALID_ARGUMENT', 'The user name is empty, too long, or holds control characters.');
      const reply = await endpoint.obtain({ server: address, username, password }, signal);
      switch (reply.kind) {
        case 'refused':
          throw new EventsSdkError('AUTH_REFUSED', `${address} does not accept this user name and password.`);
        case 'unreachable':
          throw new EventsSdkError('SERVER_UNREACHABLE', reply.message);
        case 'invalid':
          throw new EventsSdkError('SERVER_ANSWER_INVALID', reply.message);
        case 'tokens':
          break;
        default:
          return reply satisfies never;
      }
      const teamSlug = cleanName(reply.teamSlug) ?? teamFromToken(reply.tokens.access);
      const next: Credentials = { server: address, username, teamSlug, tokens: reply.tokens };
      return store.update(() => Promise.resolve({ next, answer: toSession(next) }));
    },

    logout: () =>
      store.update((current) => Promise.resolve({ next: null, answer: current === null ? null : toSession(current) })),

    async status() {
      const credentials = await store.load();
      const tokens = credentials?.tokens ?? null;
      return {
        session: credentials === null ? null : toSession(credentials),
        state: credentials === null ? 'logged-out' : stateOf(tokens),
        accessExpiresAt: tokens?.accessExpiresAt ?? null,
        refreshExpiresAt: tokens?.refreshExpiresAt ?? null,
      };
    },
  };

  function stateOf(tokens: TokenPair | null): 'active' | 'refreshable' | 'expired' {
    if (tokens === null) return 'expired';
    if (isFresh(tokens)) return 'active';
    return time.now() < tokens.refreshExpiresAt ? 'refreshable' : 'expired';
  }
}

function toSession(credentials: Credentials): Session {
  const { server, username, tokens } = credentials;
  // A file of the Python original may leave the team out although its token names one (FR-028a).
  const teamSlug = credentials.teamSlug ?? (tokens === null ? null : teamFromToken(tokens.access));
  return { server, username, teamSlug };
}

function withToken(credentials: Credentials, tokens: TokenPair): TokenAnswer {
  return { kind: 'token', accessToken: tokens.access, session: toSession(credentials) };
}

/** The answer, or "cancelled" as soon as this caller gives up; the renewal itself is seen through for the others. */
function orAborted(answer: Promise<TokenAnswer>, signal: AbortSignal | undefined): Promise<TokenAnswer> {
  if (signal === undefined) return answer;
  return new Promise((resolve, reject) => {
    const giveUp = (): void => {
      resolve(CANCELLED);
    };
    signal.addEventListener('abort', giveUp, { once: true });
    answer.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', giveUp);
    });
  });
}
