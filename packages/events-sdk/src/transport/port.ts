/**
 * A way out: sends one batch and says what the server answered. It decides nothing about the queue,
 * never retries and never refreshes a token: that is the engine's.
 */
import type { AdvertisedLimits, EventVerdict } from '../contract/batch.ts';

/** One event of a batch: its id and the JSON text to send. */
export interface BatchItem {
  readonly eventId: string;
  readonly data: string;
}

/** Who sends, where to, and for how long. */
export interface PushContext {
  /** Server address without a trailing slash. */
  readonly server: string;
  readonly accessToken: string;
  /** Aborts the request and frees its socket. */
  readonly signal?: AbortSignal;
}

/** Nothing was decided; try later. `retryAfterMs` is the server's floor. */
export interface RetryableAnswer {
  readonly kind: 'retryable';
  readonly reason: RetryableReason;
  readonly message: string;
  readonly retryAfterMs?: number;
}

/** What a server answered, by what the caller does next. */
export type PushAnswer =
  /** Verdicts, one per event the server spoke of. */
  | { readonly kind: 'ok'; readonly verdicts: readonly EventVerdict[] }
  /** 401: the token was not accepted. */
  | { readonly kind: 'unauthorized' }
  /** 403: this account may not send these events. */
  | { readonly kind: 'forbidden'; readonly message: string }
  | RetryableAnswer
  /** The server refuses the batch as such. */
  | {
      readonly kind: 'failure';
      readonly reason: FailureReason;
      readonly message: string;
      /** Events a whole-batch 400 named (CONTRACT §9.3). */
      readonly verdicts?: readonly EventVerdict[];
      readonly limits?: AdvertisedLimits;
    };

export type RetryableReason = 'unreachable' | 'timeout' | 'throttled' | 'server-error' | 'aborted';
export type FailureReason = 'bad-request' | 'too-large' | 'protocol' | 'unexpected';

/** Sends batches. */
export interface Transport {
  /** Sends the events in order. Never rejects: every failure is an answer. */
  push(batch: readonly BatchItem[], context: PushContext): Promise<PushAnswer>;
  /**
   * Where the server's Lamport clock stands (DESIGN §4.7). Undefined when it does not say, also for any failure.
   * Never rejects. A transport without it leaves events refused for their clock as they are.
   */
  serverClock?(context: PushContext): Promise<number | undefined>;
}
