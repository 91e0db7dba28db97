/** What an HTTP status means to someone who wants a realtime link: of the token endpoint, or instead of an upgrade. */
import type { ConnectAnswer } from '../realtime-port.ts';
import { readRetryAfter } from '../retry-after.ts';

/** An HTTP answer that brings no link. */
export interface Refusal {
  /** Shown in messages. */
  readonly server: string;
  /** 0: a redirect whose status the runtime hides (browsers). */
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  /** Wall time in milliseconds, for a `Retry-After` date. */
  readonly now: number;
}

/** Every answer but a link. */
export type NoLink = Exclude<ConnectAnswer, { readonly kind: 'connected' }>;

/** The refusal, by what the caller does next. A server's own words are left out: here they may quote a token. */
export function connectRefusal({ server, status, headers, now }: Refusal): NoLink {
  if (status === 0 || (status >= 300 && status < 400)) {
    const message = `${server} redirects the realtime link. A token follows no redirect: check the server's address.`;
    return { kind: 'retryable', reason: 'unreachable', message };
  }
  switch (status) {
    case 401:
      return { kind: 'unauthorized' };
    case 403:
      return { kind: 'forbidden', message: `${server} refuses a realtime link to this account (403).` };
    case 408:
      return retryable('timeout', `${server} gave up waiting (408).`);
    case 425:
    case 429:
      return retryable('throttled', `${server} asks to slow down (${status}).`);
  }
  // 501: the server says itself that it does not know how.
  if ((status >= 200 && status < 500) || status === 501)
    return { kind: 'unsupported', message: `${server} has no realtime endpoint (${status}).` };
  return retryable('server-error', `${server} is in trouble (${status}).`);

  function retryable(reason: 'timeout' | 'throttled' | 'server-error', message: string): NoLink {
    const retryAfterMs = readRetryAfter(headers.get('retry-after'), now);
    return { kind: 'retryable', reason, message, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  }
}
