/**
 * The realtime way out: an open link over which batches leave at once and other people's events come in. It only
 * accelerates (DESIGN §4.8): a row leaves the queue on a verdict, never because it was written to a socket, and
 * whatever the link does not answer is sent again as a batch. It decides nothing about the queue, never reconnects
 * and never refreshes a token: that is the engine's.
 */
import type { BatchItem, PushAnswer, RetryableAnswer } from './port.ts';

/** Who connects, where to, and who listens. Observers may be called before `connect` resolves; one that throws is ignored. */
export interface RealtimeContext {
  /** Server address without a trailing slash; `https` becomes `wss`. */
  readonly server: string;
  readonly accessToken: string;
  /** Gives up the attempt. An open link is ended by `close`. */
  readonly signal?: AbortSignal;
  /** An event of somebody else, without the frame's `type`; otherwise as it came: unchecked. */
  readonly onEvent: (event: unknown) => void;
  /** Called once when an open link ends, unless `close` was called first. */
  readonly onLost: (loss: LinkLoss) => void;
}

/** How a link ended. */
export interface LinkLoss {
  /** `unauthorized`: the server no longer accepts the token. */
  readonly reason: 'closed' | 'silent' | 'unauthorized' | 'protocol';
  readonly message: string;
}

/** What became of an attempt, by what the caller does next. */
export type ConnectAnswer =
  | { readonly kind: 'connected'; readonly link: RealtimeLink }
  /** The access token was not accepted, by the token endpoint or by the socket. */
  | { readonly kind: 'unauthorized' }
  | { readonly kind: 'forbidden'; readonly message: string }
  | RetryableAnswer
  /** This server has no realtime endpoint: batches are the only way. */
  | { readonly kind: 'unsupported'; readonly message: string };

/** An open link. */
export interface RealtimeLink {
  /**
   * Sends the events in order and waits for the server's word on each, at most the ack timeout after the last one.
   * `ok` names those it spoke of; the others are to be taken as never sent. Pushes run in turn. Never rejects.
   */
  push(batch: readonly BatchItem[], signal?: AbortSignal): Promise<PushAnswer>;
  /** Ends the link at once. Safe to call twice. */
  close(): void;
}

/** Opens links. */
export interface RealtimeTransport {
  /** One attempt, with a token of its own. Never rejects: every failure is an answer. */
  connect(context: RealtimeContext): Promise<ConnectAnswer>;
}
