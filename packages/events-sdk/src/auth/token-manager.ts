/**
 * Signing in, staying signed in, signing out. Promises that a token goes only to the server that issued it, and
 * that nothing but a logout makes a home forget who it is: a refused session keeps its user, team and server.
 */
import { EventsSdkError } from '../errors.ts';
import { silentLogger, type Logger } from '../internal/logger.ts';
import type { Time } from '../internal/time.ts';
import type { CredentialStore, Credentials, TokenPair } from './credential-store.ts';
import type { Session, SessionProvider } from './port.ts';
import { createRenewal } from './renewal.ts';
import { parseServerUrl } from './server-url.ts';
import { EXPIRED, isFresh, LOGGED_OUT, toSession, withToken } from './session-of.ts';
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

/** Creates the token manager of one home. */
export function createTokenManager(deps: TokenManagerDeps): TokenManager {
  const { store, endpoint, time, logger = silentLogger } = deps;
  const renew = createRenewal({ store, endpoint, time, logger });

  return {
    async current() {
      const credentials = await store.load();
      return credentials === null ? null : toSession(credentials);
    },

    async accessToken(signal) {
      const credentials = await store.load();
      if (credentials === null) return LOGGED_OUT;
      if (credentials.tokens === null) return EXPIRED;
      if (isFresh(credentials.tokens, time.now())) return withToken(credentials, credentials.tokens);
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
    if (isFresh(tokens, time.now())) return 'active';
    return time.now() < tokens.refreshExpiresAt ? 'refreshable' : 'expired';
  }
}
