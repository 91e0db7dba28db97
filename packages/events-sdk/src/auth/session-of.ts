/** Reading a kept sign-in: whose it is, whether its token is still good, and the answers callers get. Pure. */
import type { Credentials, TokenPair } from './credential-store.ts';
import type { Session, TokenAnswer } from './port.ts';
import { teamFromToken } from './token-claims.ts';

/** A token this close to its end is renewed first, so that it does not run out on the way. */
const EXPIRY_MARGIN_MS = 5_000;

/** Nobody is signed in. */
export const LOGGED_OUT: TokenAnswer = { kind: 'logged-out' };

/** Only a new login helps. */
export const EXPIRED: TokenAnswer = { kind: 'expired' };

/** True while the access token lasts, by this machine's clock. */
export function isFresh(tokens: TokenPair, now: number): boolean {
  return now + EXPIRY_MARGIN_MS < tokens.accessExpiresAt;
}

/** Whose sign-in it is. */
export function toSession(credentials: Credentials): Session {
  const { server, username, tokens } = credentials;
  // A file of the Python original may leave the team out although its token names one (FR-028a).
  const teamSlug = credentials.teamSlug ?? (tokens === null ? null : teamFromToken(tokens.access));
  return { server, username, teamSlug };
}

/** The token, with the session that says where it may go. */
export function withToken(credentials: Credentials, tokens: TokenPair): TokenAnswer {
  return { kind: 'token', accessToken: tokens.access, session: toSession(credentials) };
}
