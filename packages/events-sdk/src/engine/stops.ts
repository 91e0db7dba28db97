/** Why a delivery cannot go on, from the answers that end it. */
import type { TokenAnswer } from '../auth/port.ts';
import { isEventsSdkError } from '../errors.ts';
import type { PushAnswer } from '../transport/port.ts';
import type { SyncStop } from './report.ts';

/** Why delivery cannot go on. */
export interface DeliveryStop {
  readonly by: SyncStop;
  readonly message?: string;
  readonly retryAfterMs?: number;
}

/** Without a token nothing may be sent. */
export function stopForToken(answer: Exclude<TokenAnswer, { kind: 'token' }>): DeliveryStop {
  switch (answer.kind) {
    case 'logged-out':
      return { by: 'logged-out', message: 'Nobody is signed in.' };
    case 'expired':
      return { by: 'unauthorized', message: 'The sign-in has expired.' };
    case 'unreachable':
      return { by: 'unreachable', message: answer.message };
    default:
      return answer satisfies never;
  }
}

/** Nothing was decided; the rows are as they were. */
export function stopForRetryable(answer: Extract<PushAnswer, { kind: 'retryable' }>): DeliveryStop {
  const by = answer.reason === 'timeout' ? 'unreachable' : answer.reason;
  return {
    by,
    message: answer.message,
    ...(answer.retryAfterMs === undefined ? {} : { retryAfterMs: answer.retryAfterMs }),
  };
}

/** The store failed, or something that never should. */
export function stopForError(cause: unknown): DeliveryStop {
  return {
    by: 'storage',
    message: isEventsSdkError(cause) ? cause.message : 'The sync ended by an unexpected error.',
  };
}

/** Not everything offered was decided on: to call that drained would be a lie. */
export function stopWithLeft(stop: DeliveryStop, left: number): DeliveryStop {
  if (stop.by !== 'drained' || left === 0) return stop;
  return { by: 'no-progress', message: `The server did not decide on ${left} ${left === 1 ? 'event' : 'events'}.` };
}
