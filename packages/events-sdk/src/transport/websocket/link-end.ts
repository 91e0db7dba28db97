/** What the end of a socket means: to the attempt, to a push under way, and to whoever watches an open link. */
import { REALTIME_SILENCE_MS } from '../../contract/limits.ts';
import { REALTIME_CLOSE } from '../../contract/realtime.ts';
import { maskToken } from '../http/bearer.ts';
import type { PushAnswer, RetryableReason } from '../port.ts';
import type { LinkLoss } from '../realtime-port.ts';
import { cleanServerText } from '../server-text.ts';
import { connectRefusal, type NoLink } from './refusal.ts';
import type { SocketEnd } from './socket.ts';

/** One end, as three listeners need it. */
export interface LinkEnd {
  readonly connect: NoLink;
  readonly push: PushAnswer;
  readonly loss: LinkLoss;
}

/** Codes by which a server says that it cannot go on now: 1011 failed, 1012 restarts, 1013 overloaded. */
const SERVER_TROUBLE = [1011, 1012, 1013];
/** Codes by which a server says that our frames are not what it expects (RFC 6455 §7.4.1). */
const FRAMES_REFUSED = [1002, 1003, 1007, 1009, 1010];
/** The longest reason a closing frame can carry is 123 bytes. */
const MAX_REASON_CHARS = 123;

/** Words made of codes, and the server's own reason made safe. */
export function describeEnd(
  end: SocketEnd | { readonly kind: 'silent' },
  context: { readonly server: string; readonly secrets: readonly string[]; readonly now: number },
): LinkEnd {
  const { server, secrets, now } = context;
  switch (end.kind) {
    case 'silent': {
      const message = `${server} has been silent for ${REALTIME_SILENCE_MS / 1000} s on the realtime link.`;
      return {
        connect: { kind: 'retryable', reason: 'timeout', message: `${server} did not open the realtime link in time.` },
        push: { kind: 'retryable', reason: 'timeout', message },
        loss: { reason: 'silent', message },
      };
    }
    case 'refused': {
      // Only an attempt can be refused.
      const connect = connectRefusal({ server, status: end.status, headers: end.headers, now });
      return lost(connect, 'closed', `${server} refused the realtime link (${end.status}).`);
    }
    case 'broken':
      return interrupted('unreachable', 'closed', `Cannot reach ${server}: ${end.cause}.`);
    case 'protocol': {
      const message = `${server} does not speak this realtime protocol.`;
      return lost({ kind: 'unsupported', message }, 'protocol', message);
    }
    case 'closed': {
      const reason = cleanServerText(secrets.reduce(maskToken, end.reason), MAX_REASON_CHARS);
      const message = `${server} closed the realtime link (${end.code}${reason === '' ? '' : `: ${reason}`}).`;
      return closed(end, message);
    }
    default:
      return end satisfies never;
  }
}

function closed({ code, reason }: Extract<SocketEnd, { kind: 'closed' }>, message: string): LinkEnd {
  // 1008 means "policy"; whether that is about the token, only its words can say.
  if (
    code === REALTIME_CLOSE.unauthorized ||
    (code === 1008 && /auth|bearer|token|credential|sign.?in/i.test(reason))
  ) {
    const kind = 'unauthorized';
    return { connect: { kind }, push: { kind }, loss: { reason: kind, message } };
  }
  if (code === REALTIME_CLOSE.forbidden)
    return {
      connect: { kind: 'forbidden', message },
      push: { kind: 'forbidden', message },
      loss: { reason: 'closed', message },
    };
  if (FRAMES_REFUSED.includes(code)) return lost({ kind: 'unsupported', message }, 'protocol', message);
  return interrupted(SERVER_TROUBLE.includes(code) ? 'server-error' : 'unreachable', 'closed', message);
}

/** It may work at the next attempt. */
function interrupted(reason: RetryableReason, loss: LinkLoss['reason'], message: string): LinkEnd {
  return lost({ kind: 'retryable', reason, message }, loss, message);
}

/** Whatever the attempt is told, a push was only interrupted: its events may go as a batch. */
function lost(connect: NoLink, reason: LinkLoss['reason'], message: string): LinkEnd {
  const push: PushAnswer =
    connect.kind === 'retryable' ? connect : { kind: 'retryable', reason: 'unreachable', message };
  return { connect, push, loss: { reason, message } };
}
