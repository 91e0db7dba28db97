/** Why a delivery cannot go on, from the answers that end it. */
import type { TokenAnswer } from '../auth/port.ts';
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
