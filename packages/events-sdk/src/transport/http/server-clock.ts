/**
 * Asks a server where its Lamport clock stands (DESIGN §4.7, our extension of the contract). Never rejects; a server
 * without that endpoint, like any failure, simply does not say.
 */
import type { Time } from '../../internal/time.ts';
import type { PushContext } from '../port.ts';
import { fieldsOf, parseJson } from '../server-body.ts';
import { exchange, type Fetch } from './exchange.ts';

const CLOCK_PATH = '/api/v1/events/clock/';
const CLOCK_TIMEOUT_MS = 5_000;
const MAX_ANSWER_BYTES = 64 * 1024;

/** Asks once. `server` and token must have been checked by the caller. */
export async function askServerClock(
  context: PushContext,
  options: { readonly time: Time; readonly fetch?: Fetch },
): Promise<number | undefined> {
  const { server, accessToken, signal } = context;
  const { time, fetch } = options;
  const result = await exchange({
    method: 'get',
    url: `${server}${CLOCK_PATH}`,
    headers: { authorization: `Bearer ${accessToken}`, accept: 'application/json' },
    timeoutMs: CLOCK_TIMEOUT_MS,
    maxBytes: MAX_ANSWER_BYTES,
    time,
    ...(fetch === undefined ? {} : { fetch }),
    ...(signal === undefined ? {} : { signal }),
  });
  if (result.kind !== 'answer' || result.status !== 200 || result.ending !== 'complete') return undefined;
  const value = fieldsOf(parseJson(result.body))['lamport_clock'];
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}
