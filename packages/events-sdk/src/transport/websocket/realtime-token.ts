/** Asks for the token of one realtime link (CONTRACT §8.3): of its own, short-lived, good for nothing else. */
import { AUTH_TIMEOUT_MS } from '../../contract/limits.ts';
import { REALTIME_TOKEN_PATH } from '../../contract/realtime.ts';
import type { Time } from '../../internal/time.ts';
import { isSendableToken } from '../http/bearer.ts';
import { exchange, type Fetch } from '../http/exchange.ts';
import { fieldsOf, isWebPage, parseJson } from '../server-body.ts';
import { connectRefusal, type NoLink } from './refusal.ts';

/** A token, or why there is none. */
export type RealtimeTokenAnswer = { readonly kind: 'token'; readonly token: string } | NoLink;

const MAX_ANSWER_BYTES = 64 * 1024;

/** One request. `server` must be checked before: its token goes there. */
export async function obtainRealtimeToken(request: {
  readonly server: string;
  readonly accessToken: string;
  readonly time: Time;
  readonly fetch?: Fetch;
  readonly signal?: AbortSignal;
}): Promise<RealtimeTokenAnswer> {
  const { server, accessToken, time, fetch, signal } = request;
  const result = await exchange({
    method: 'post',
    url: `${server}${REALTIME_TOKEN_PATH}`,
    headers: { authorization: `Bearer ${accessToken}`, accept: 'application/json' },
    timeoutMs: AUTH_TIMEOUT_MS,
    maxBytes: MAX_ANSWER_BYTES,
    time,
    ...(fetch === undefined ? {} : { fetch }),
    ...(signal === undefined ? {} : { signal }),
  });

  if (result.kind === 'timeout')
    return retryable('timeout', `${server} did not answer within ${AUTH_TIMEOUT_MS / 1000} s.`);
  if (result.kind === 'aborted') return retryable('aborted', 'Connecting was stopped.');
  if (result.kind === 'unreachable') return retryable('unreachable', `Cannot reach ${server}: ${result.cause}.`);

  const { status, headers, body, ending } = result;
  if (status !== 200) return connectRefusal({ server, status, headers, now: time.now() });
  if (ending === 'aborted') return retryable('aborted', 'Connecting was stopped.');
  if (ending === 'broken' || ending === 'timeout')
    return retryable('unreachable', `${server} cut the connection during its answer.`);
  if (isWebPage(headers.get('content-type'), body))
    return retryable('unreachable', `${server} answered with a web page: a sign-in portal may stand in between.`);
  const token = fieldsOf(parseJson(body))['ws_token'];
  if (typeof token === 'string' && isSendableToken(token)) return { kind: 'token', token };
  return retryable('server-error', `${server} answered without a usable realtime token.`);
}

function retryable(
  reason: 'aborted' | 'timeout' | 'unreachable' | 'server-error',
  message: string,
): RealtimeTokenAnswer {
  return { kind: 'retryable', reason, message };
}
