/** Sends batches over HTTP (CONTRACT §9.1). Never rejects: every failure is an answer, and no answer quotes a token. */
import { parseServerUrl } from '../../auth/server-url.ts';
import { BATCH_PATH } from '../../contract/batch.ts';
import { BATCH_TIMEOUT_MS } from '../../contract/limits.ts';
import type { Time } from '../../internal/time.ts';
import { classifyAnswer } from '../classify.ts';
import type { BatchItem, PushAnswer, PushContext, Transport } from '../port.ts';
import { exchange, type Exchange, type Fetch } from './exchange.ts';
import { compressionStreamGzip, type Gzip } from './gzip.ts';
import { isSendableToken, maskToken } from './bearer.ts';
import { askServerClock } from './server-clock.ts';

/** How batches are sent. */
export interface HttpTransportOptions {
  readonly time: Time;
  /** Default: the runtime's own. */
  readonly fetch?: Fetch;
  /** Default: the runtime's CompressionStream; on Node, zlib at level 1 is faster. */
  readonly gzip?: Gzip;
  /** For the whole exchange. Default: 60 s (CONTRACT §9.1). */
  readonly timeoutMs?: number;
}

/** Room for 1000 verdicts with long reasons; a larger answer is not one of this contract. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

/** Creates the batch transport. Opens nothing until the first push. */
export function createHttpTransport(options: HttpTransportOptions): Transport {
  const { time, fetch, gzip = compressionStreamGzip, timeoutMs = BATCH_TIMEOUT_MS } = options;

  async function pushBatch(batch: readonly BatchItem[], context: PushContext): Promise<PushAnswer> {
    const { server, accessToken, signal } = context;
    if (!isAllowedServer(server)) {
      return failed(
        'protocol',
        'The server address may not receive a token. Use https:// (http only on this machine).',
      );
    }
    // SEC-3: nothing leaves without a token a server could check.
    if (!isSendableToken(accessToken)) return { kind: 'unauthorized' };
    const body = await gzip(batchBytes(batch));
    const result = await exchange({
      method: 'post',
      url: `${server}${BATCH_PATH}`,
      headers: {
        authorization: `Bearer ${accessToken}`,
        'content-type': 'application/json',
        'content-encoding': 'gzip',
        accept: 'application/json',
      },
      body,
      timeoutMs,
      maxBytes: MAX_ANSWER_BYTES,
      time,
      ...(fetch === undefined ? {} : { fetch }),
      ...(signal === undefined ? {} : { signal }),
    });
    return ofThisBatch(toAnswer(result, context), batch);
  }

  function toAnswer(result: Exchange, { server, accessToken }: PushContext): PushAnswer {
    switch (result.kind) {
      case 'timeout':
      case 'aborted':
        return notAnswered(server, result.kind, timeoutMs);
      case 'unreachable':
        return { kind: 'retryable', reason: 'unreachable', message: `Cannot reach ${server}: ${result.cause}.` };
      case 'answer': {
        const { status, headers, ending } = result;
        // Verdicts cut short are none; the server may have stored the events, and duplicates are harmless.
        if (status >= 200 && status < 300 && ending !== 'complete') {
          if (ending === 'timeout' || ending === 'aborted') return notAnswered(server, ending, timeoutMs);
          if (ending === 'too-large')
            return failed('protocol', `${server} answered with more than ${MAX_ANSWER_BYTES} bytes.`);
          return {
            kind: 'retryable',
            reason: 'unreachable',
            message: `${server} cut the connection during its answer.`,
          };
        }
        return classifyAnswer({
          address: server,
          status,
          headers,
          body: maskToken(result.body, accessToken),
          now: time.now(),
        });
      }
      default:
        return result satisfies never;
    }
  }

  return {
    async push(batch, context) {
      try {
        return await pushBatch(batch, context);
      } catch {
        // Only an injected part can fail here; its error may quote what it was given, so it is not repeated.
        return failed('unexpected', 'The batch could not be prepared for sending.');
      }
    },

    serverClock(context) {
      // SEC-3: the same rules as for a batch.
      if (!isAllowedServer(context.server) || !isSendableToken(context.accessToken)) return Promise.resolve(undefined);
      return askServerClock(context, { time, ...(fetch === undefined ? {} : { fetch }) });
    },
  };
}

/** The stored bytes travel as they are: parsing and writing them again could change what was acknowledged. */
function batchBytes(batch: readonly BatchItem[]): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`{"events":[${batch.map((item) => item.data).join(',')}]}`);
}

/** Keeps verdicts on events that were sent: a server has no say over others. */
function ofThisBatch(answer: PushAnswer, batch: readonly BatchItem[]): PushAnswer {
  if (answer.kind !== 'ok' && answer.kind !== 'failure') return answer;
  if (answer.verdicts === undefined) return answer;
  const sent = new Set(batch.map((item) => item.eventId));
  return { ...answer, verdicts: answer.verdicts.filter(({ eventId }) => sent.has(eventId)) };
}

function isAllowedServer(server: string): boolean {
  try {
    return parseServerUrl(server) === server;
  } catch {
    return false;
  }
}

function notAnswered(server: string, reason: 'timeout' | 'aborted', timeoutMs: number): PushAnswer {
  const message =
    reason === 'aborted' ? 'Sending was stopped.' : `${server} did not answer within ${timeoutMs / 1000} s.`;
  return { kind: 'retryable', reason, message };
}

function failed(reason: 'protocol' | 'unexpected', message: string): PushAnswer {
  return { kind: 'failure', reason, message };
}
