/**
 * One HTTP exchange under one deadline: connecting, sending and reading the answer to its end or its bound. Never
 * rejects, never retries, follows no redirect, and leaves no body unread, because an unread body holds the process.
 */
import type { Time } from '../../internal/time.ts';
import { describeNetworkError } from './network-error.ts';
import { readBody } from './read-body.ts';

/** What `fetch` must be able to do; the runtime's own by default. */
export type Fetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** A request, and how long and how much it may take. */
export interface ExchangeRequest {
  readonly method: 'get' | 'post';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer> | string;
  readonly timeoutMs: number;
  /** The most bytes of an answer's body that are read. */
  readonly maxBytes: number;
  readonly time: Time;
  readonly fetch?: Fetch;
  readonly signal?: AbortSignal;
}

/** How an exchange ended. */
export type Exchange =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers: Headers;
      readonly body: string;
      /** `too-large`: cut at `maxBytes`. The others: the status is known, the rest of the body is not. */
      readonly ending: 'complete' | 'too-large' | 'broken' | 'timeout' | 'aborted';
    }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'aborted' }
  | { readonly kind: 'unreachable'; readonly cause: string };

/** Sends the request and reads the answer. */
export async function exchange(request: ExchangeRequest): Promise<Exchange> {
  const { time, timeoutMs, signal } = request;
  if (signal?.aborted === true) return { kind: 'aborted' };
  const control = new AbortController();
  let stopped: 'timeout' | 'aborted' | undefined;
  const stop = (how: 'timeout' | 'aborted'): void => {
    stopped ??= how;
    control.abort();
  };
  const cancelDeadline = time.after(timeoutMs, () => {
    stop('timeout');
  });
  const onAbort = (): void => {
    stop('aborted');
  };
  signal?.addEventListener('abort', onAbort, { once: true });

  try {
    const response = await send(request, control.signal);
    const { text, ending } = await readBody(response, request.maxBytes, control.signal);
    const { status, headers } = response;
    return {
      kind: 'answer',
      status,
      headers,
      body: text,
      ending: ending === 'broken' ? (stopped ?? 'broken') : ending,
    };
  } catch (error) {
    return stopped === undefined ? { kind: 'unreachable', cause: describeNetworkError(error) } : { kind: stopped };
  } finally {
    cancelDeadline();
    signal?.removeEventListener('abort', onAbort);
  }
}

async function send(request: ExchangeRequest, signal: AbortSignal): Promise<Response> {
  const { method, url, headers, body, fetch } = request;
  // At first use: loading ky touches `fetch`, which costs a command that sends nothing tens of milliseconds.
  const { default: ky } = await import('ky');
  signal.throwIfAborted();
  const answer = ky(url, {
    method,
    headers,
    signal,
    // Retries, deadlines and what a status means are decided here and in the engine, not by ky's defaults.
    retry: 0,
    timeout: false,
    throwHttpErrors: false,
    // A redirected POST becomes a GET, and a token must not travel to another host.
    redirect: 'manual',
    credentials: 'omit',
    cache: 'no-store',
    ...(body === undefined ? {} : { body }),
    ...(fetch === undefined ? {} : { fetch }),
  });
  return orAborted(answer, signal);
}

/** An injected `fetch` may not listen to its signal; the deadline holds all the same. */
function orAborted(answer: Promise<Response>, signal: AbortSignal): Promise<Response> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => {
      // A late answer is not wanted any more, but its body must not be left open.
      answer.then((late) => late.body?.cancel()).catch(() => {});
      // Always a DOMException: `abort` is called without a reason.
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', giveUp, { once: true });
    answer.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', giveUp);
    });
  });
}
