/** Who is signed in, as text and as a document. Pure. */
import type { Session } from '@spec-kitty/events-sdk';

import type { AuthStatus } from '../client.ts';
import { duration, iso, rows } from './words.ts';

/** `alice@example.com on https://…, team acme`. */
export function renderSession(session: Session): string {
  return `${session.username} on ${session.server}${session.teamSlug === null ? ', no team' : `, team ${session.teamSlug}`}`;
}

/** Members naming a sign-in; all null when there is none. */
export function sessionDocument(session: Session | null): Record<string, unknown> {
  return {
    username: session?.username ?? null,
    server: session?.server ?? null,
    team_slug: session?.teamSlug ?? null,
  };
}

/** `spec-kitty auth status`, given the time. */
export function renderAuthStatus(status: AuthStatus, now: number): string {
  const { session } = status;
  if (session === null)
    return 'Not signed in. Events are kept on this machine.\nSign in: spec-kitty auth login --server URL';
  return [
    isUsable(status)
      ? 'Signed in.'
      : 'The sign-in has expired. Events are kept on this machine.\nSign in again: spec-kitty auth login',
    rows([
      ['User', session.username],
      ['Team', session.teamSlug ?? 'none; events wait until the server names one'],
      ['Server', session.server],
      ['Access token', validity(status.accessExpiresAt, now, 'expired, renewed at the next sync')],
      ['Refresh token', validity(status.refreshExpiresAt, now, 'expired; run: spec-kitty auth login')],
    ]),
  ].join('\n');
}

/** The same as a document. `authenticated` means a sign-in that can still be used. */
export function authStatusDocument(status: AuthStatus): Record<string, unknown> {
  return {
    authenticated: isUsable(status),
    ...sessionDocument(status.session),
    access_expires_at: iso(status.accessExpiresAt),
    refresh_expires_at: iso(status.refreshExpiresAt),
  };
}

/** Whether either token still works, as far as this machine can tell. */
export function isUsable(status: AuthStatus): boolean {
  return status.state === 'active' || status.state === 'refreshable';
}

function validity(expiresAt: number | null, now: number, expired: string): string {
  if (expiresAt === null) return 'valid, expiry unknown';
  return expiresAt > now ? `valid for ${duration(expiresAt - now)}` : expired;
}
