/**
 * The token endpoints of CONTRACT §8.3 over HTTP. The trailing slashes matter, redirects are not followed, and no
 * answer repeats a server's own words: here they may quote a password.
 */
import { parseServerUrl } from '../../auth/server-url.ts';
import type { TokenPair } from '../../auth/credential-store.ts';
import type { TokenEndpoint, TokenEndpointAnswer } from '../../auth/token-endpoint.ts';
import { AUTH_TIMEOUT_MS, DEFAULT_ACCESS_LIFETIME_S, DEFAULT_REFRESH_LIFETIME_S } from '../../contract/limits.ts';
import type { Time } from '../../internal/time.ts';
import { fieldsOf, parseJson } from '../server-body.ts';
import { isSendableToken } from './bearer.ts';
import { exchange, type Exchange, type Fetch } from './exchange.ts';

/** How tokens are asked for. */
export interface HttpTokenEndpointOptions {
  readonly time: Time;
  /** Default: the runtime's own. */
  readonly fetch?: Fetch;
  /** Default: 10 s (CONTRACT §8.2). */
  readonly timeoutMs?: number;
}

const TOKEN_PATH = '/api/v1/token/';
const REFRESH_PATH = '/api/v1/token/refresh/';
const MAX_ANSWER_BYTES = 64 * 1024;
/** A longer lifetime is a mistake of the server's; a year keeps the date writable. */
const MAX_LIFETIME_S = 366 * 24 * 3600;

/** Words with which later servers refuse a refresh under 400 (CONTRACT §8.4). */
const REFUSED_GRANTS = ['invalid_grant', 'session_invalid'];

/** Creates the client of the token endpoints. */
export function createHttpTokenEndpoint(options: HttpTokenEndpointOptions): TokenEndpoint {
  const { time, fetch, timeoutMs = AUTH_TIMEOUT_MS } = options;

  async function ask(
    server: string,
    path: string,
    content: object,
    signal?: AbortSignal,
  ): Promise<TokenEndpointAnswer> {
    const address = allowed(server);
    if (address === null) {
      return {
        kind: 'invalid',
        message: 'The server address may not receive a password or token. Use https:// (http only on this machine).',
      };
    }
    const result = await exchange({
      method: 'post',
      url: `${address}${path}`,
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify(content),
      timeoutMs,
      maxBytes: MAX_ANSWER_BYTES,
      time,
      ...(fetch === undefined ? {} : { fetch }),
      ...(signal === undefined ? {} : { signal }),
    });
    return readAnswer(result, address, time.now(), timeoutMs);
  }

  return {
    obtain: ({ server, username, password }, signal) => ask(server, TOKEN_PATH, { username, password }, signal),
    refresh: ({ server, refreshToken }) => ask(server, REFRESH_PATH, { refresh: refreshToken }),
  };
}

function readAnswer(result: Exchange, address: string, now: number, timeoutMs: number): TokenEndpointAnswer {
  if (result.kind === 'timeout') return unreachable(`${address} did not answer within ${timeoutMs / 1000} s.`);
  if (result.kind === 'aborted') return unreachable('Asking for tokens was stopped.');
  if (result.kind === 'unreachable') return unreachable(`Cannot reach ${address}: ${result.cause}.`);

  const { status, body, ending } = result;
  if (status === 401) return { kind: 'refused' };
  if (status === 400 && REFUSED_GRANTS.includes(String(fieldsOf(parseJson(body))['error']))) return { kind: 'refused' };
  // 409: another client has just rotated this token (CONTRACT §8.4); asking again later settles it.
  if (status >= 500 || [408, 409, 425, 429].includes(status))
    return unreachable(`${address} is in trouble (${status}). Try again later.`);
  if (status !== 200) return invalid(`${address} answered ${status} instead of tokens. Check the server's address.`);
  if (ending !== 'complete' && ending !== 'too-large')
    return unreachable(`${address} cut the connection during its answer.`);
  return readTokens(body, now) ?? invalid(`${address} answered without usable tokens. Check the server's address.`);
}

function readTokens(body: string, now: number): TokenEndpointAnswer | undefined {
  const fields = fieldsOf(parseJson(body));
  const { access, refresh, team_slug: teamSlug } = fields;
  if (typeof access !== 'string' || typeof refresh !== 'string') return undefined;
  if (!isSendableToken(access) || !isSendableToken(refresh)) return undefined;
  const accessLifetimeS = lifetime(fields['access_lifetime'] || fields['expires_in'], DEFAULT_ACCESS_LIFETIME_S);
  const refreshLifetimeS = lifetime(
    fields['refresh_lifetime'] || fields['refresh_expires_in'],
    DEFAULT_REFRESH_LIFETIME_S,
  );
  const tokens: TokenPair = {
    access,
    refresh,
    accessExpiresAt: now + accessLifetimeS * 1000,
    refreshExpiresAt: now + refreshLifetimeS * 1000,
  };
  return { kind: 'tokens', tokens, teamSlug: typeof teamSlug === 'string' ? teamSlug : null };
}

/** Seconds from a number or a numeric string; the default for anything else. */
function lifetime(value: unknown, defaultS: number): number {
  const seconds = typeof value === 'string' && /^\s*\d+\s*$/.test(value) ? Number(value) : value;
  if (typeof seconds !== 'number' || !(seconds > 0)) return defaultS;
  return Math.min(Math.floor(seconds), MAX_LIFETIME_S);
}

function allowed(server: string): string | null {
  try {
    return parseServerUrl(server);
  } catch {
    return null;
  }
}

function unreachable(message: string): TokenEndpointAnswer {
  return { kind: 'unreachable', message };
}

function invalid(message: string): TokenEndpointAnswer {
  return { kind: 'invalid', message };
}
