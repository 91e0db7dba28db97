/**
 * One push over an open link: sends the events in order, only so many ahead of the answers that neither side drowns,
 * and collects the server's word on each.
 */
import type { EventVerdict } from '../../contract/batch.ts';
import { REALTIME_ACK_TIMEOUT_MS } from '../../contract/limits.ts';
import { eventFrame } from '../../contract/realtime.ts';
import type { Time } from '../../internal/time.ts';
import type { BatchItem, PushAnswer } from '../port.ts';
import { cleanServerText } from '../server-text.ts';
import type { Socket } from './socket.ts';

/** A push under way. */
export interface RunningPush {
  /** Never rejects. */
  readonly answer: Promise<PushAnswer>;
  /** A verdict came in. One on another event, or a second one, changes nothing. */
  take(verdict: EventVerdict): void;
  /** Ends it: with the verdicts so far, or with `otherwise` when there are none. */
  end(otherwise: PushAnswer): void;
}

/** Events that may be without an answer at once: enough to hide a long way, few enough to last five seconds. */
const MAX_UNANSWERED_EVENTS = 256;
const MAX_UNANSWERED_CHARS = 1024 * 1024;
/** What may lie in this machine's own buffer before sending waits. */
const MAX_BUFFERED_BYTES = 1024 * 1024;
/** How often a full buffer is looked at again; browsers do not say when it has drained. */
const BUFFER_CHECK_MS = 25;

/** Starts sending. */
export function startPush(options: {
  readonly batch: readonly BatchItem[];
  readonly socket: Socket;
  readonly time: Time;
  readonly server: string;
  readonly signal?: AbortSignal;
}): RunningPush {
  const { batch, socket, time, server, signal } = options;
  const { promise: answer, resolve } = Promise.withResolvers<PushAnswer>();
  const verdicts = new Map<string, EventVerdict>();
  /** Sent and unanswered: id → length. */
  const waiting = new Map<string, number>();
  let waitingChars = 0;
  let next = 0;
  let isDone = false;
  let cancelAckTimer = (): void => {};
  let cancelBufferCheck = (): void => {};

  function end(otherwise: PushAnswer): void {
    if (isDone) return;
    isDone = true;
    cancelAckTimer();
    cancelBufferCheck();
    signal?.removeEventListener('abort', onAbort);
    resolve(verdicts.size > 0 ? { kind: 'ok', verdicts: [...verdicts.values()] } : otherwise);
  }
  function onAbort(): void {
    end({ kind: 'retryable', reason: 'aborted', message: 'Sending was stopped.' });
  }
  function awaitAnswers(): void {
    cancelAckTimer();
    cancelAckTimer = time.after(REALTIME_ACK_TIMEOUT_MS, () => {
      const message = `${server} did not answer within ${REALTIME_ACK_TIMEOUT_MS / 1000} s over the realtime link.`;
      end({ kind: 'retryable', reason: 'timeout', message });
    });
  }

  function sendMore(): void {
    cancelBufferCheck();
    for (let item = batch[next]; item !== undefined; item = batch[next]) {
      // Sending may have ended the link, and this push with it.
      if (isDone) return;
      const { eventId, data } = item;
      const frame = eventFrame(data);
      // What cannot be sent stops the push here: sending what comes after it would break the order.
      if (frame === undefined) break;
      const isFull = waiting.size >= MAX_UNANSWERED_EVENTS || waitingChars + frame.length > MAX_UNANSWERED_CHARS;
      if (isFull && waiting.size > 0) return;
      if (socket.bufferedAmount > MAX_BUFFERED_BYTES) {
        cancelBufferCheck = time.after(BUFFER_CHECK_MS, sendMore);
        return;
      }
      next += 1;
      if (waiting.has(eventId) || verdicts.has(eventId)) continue;
      waiting.set(eventId, frame.length);
      waitingChars += frame.length;
      awaitAnswers();
      socket.send(frame);
    }
    if (waiting.size === 0) end({ kind: 'ok', verdicts: [] });
  }

  if (signal?.aborted === true) onAbort();
  else {
    signal?.addEventListener('abort', onAbort, { once: true });
    awaitAnswers();
    sendMore();
  }

  return {
    answer,
    end,
    take(verdict) {
      const { eventId, reason } = verdict;
      const length = waiting.get(eventId);
      if (isDone || length === undefined) return;
      waiting.delete(eventId);
      waitingChars -= length;
      verdicts.set(eventId, reason === undefined ? verdict : { ...verdict, reason: cleanServerText(reason) });
      sendMore();
    },
  };
}
