/** Asks a server how it is (CONTRACT §9.6), for a person who wants to know now. Never rejects and changes nothing. */
import { isEventsSdkError } from '../../errors.ts';
import { parseServerUrl } from '../../auth/server-url.ts';
import type { AdvertisedLimits } from '../../contract/batch.ts';
import type { Time } from '../../internal/time.ts';
import { isWebPage, parseJson, readLimits } from '../server-body.ts';
import { isSendableToken } from './bearer.ts';
import { exchange, type Fetch } from './exchange.ts';

/** Whom to ask, and as whom. */
export interface ProbeOptions {
  readonly server: string;
  /** A real token, so that the verdict is about this account; without one only the server itself is asked. */
  readonly accessToken?: string;
  readonly time: Time;
  /** Default: the runtime's own. */
  readonly fetch?: Fetch;
  /** Default: 5 s. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** What the server is, by what a person does next. */
export type ProbeVerdict =
  /** It answers, and accepts the token where one was shown. */
  | { readonly kind: 'healthy'; readonly tookMs: number; readonly limits?: AdvertisedLimits }
  /** It answers but has no health endpoint, as older servers do; batches may work all the same. */
  | { readonly kind: 'unknown'; readonly tookMs: number; readonly message: string }
  /** It does not accept the token (401). */
  | { readonly kind: 'unauthorized'; readonly tookMs: number; readonly message: string }
  /** It refuses this account (403). */
  | { readonly kind: 'forbidden'; readonly tookMs: number; readonly message: string }
  /** It answers with trouble. */
  | { readonly kind: 'unhealthy'; readonly tookMs: number; readonly message: string }
  /** Something answers that is no sync server, or the address cannot be one. */
  | { readonly kind: 'not-a-sync-server'; readonly message: string }
  | { readonly kind: 'unreachable'; readonly message: string };

const HEALTH_PATH = '/api/v1/sync/health/';
const PROBE_TIMEOUT_MS = 5_000;
const MAX_ANSWER_BYTES = 256 * 1024;

/** Asks once. */
export async function probeServer(options: ProbeOptions): Promise<ProbeVerdict> {
  const { accessToken, time, fetch, timeoutMs = PROBE_TIMEOUT_MS, signal } = options;
  const address = readAddress(options.server);
  if ('message' in address) return { kind: 'not-a-sync-server', message: address.message };
  const { server } = address;

  const startedAt = time.now();
  const result = await exchange({
    method: 'get',
    url: `${server}${HEALTH_PATH}`,
    headers: {
      accept: 'application/json',
      ...(accessToken !== undefined && isSendableToken(accessToken) ? { authorization: `Bearer ${accessToken}` } : {}),
    },
    timeoutMs,
    maxBytes: MAX_ANSWER_BYTES,
    time,
    ...(fetch === undefined ? {} : { fetch }),
    ...(signal === undefined ? {} : { signal }),
  });
  const tookMs = Math.max(0, time.now() - startedAt);

  if (result.kind === 'timeout')
    return { kind: 'unreachable', message: `${server} did not answer within ${timeoutMs / 1000} s.` };
  if (result.kind === 'aborted') return { kind: 'unreachable', message: 'The check was stopped.' };
  if (result.kind === 'unreachable')
    return { kind: 'unreachable', message: `Cannot reach ${server}: ${result.cause}.` };

  const { status, headers, body, ending } = result;
  if (status === 401)
    return { kind: 'unauthorized', tookMs, message: `${server} does not accept the sign-in (401). Sign in again.` };
  if (status === 403) return { kind: 'forbidden', tookMs, message: `${server} refuses this account (403).` };
  if (status >= 500 || status === 429)
    return { kind: 'unhealthy', tookMs, message: `${server} is in trouble (${status}). Try again later.` };
  const isPage = isWebPage(headers.get('content-type'), body);
  if (status === 404 && !isPage)
    return { kind: 'unknown', tookMs, message: `${server} has no health endpoint; it may be an older server.` };
  if (status === 200 && ending !== 'complete')
    return { kind: 'unreachable', message: `${server} did not finish its answer.` };
  const health = status === 200 && !isPage ? parseJson(body) : undefined;
  if (typeof health !== 'object' || health === null) {
    return {
      kind: 'not-a-sync-server',
      message: `${server} answered ${status} and is no sync server. Check its address.`,
    };
  }
  const limits = readLimits(health);
  return { kind: 'healthy', tookMs, ...(limits === undefined ? {} : { limits }) };
}

function readAddress(text: string): { readonly server: string } | { readonly message: string } {
  try {
    return { server: parseServerUrl(text) };
  } catch (error) {
    return { message: isEventsSdkError(error) ? error.message : 'The server address is not a URL.' };
  }
}
