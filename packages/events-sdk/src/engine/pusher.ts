/**
 * One request, with everything that must be true around it: the lease is still ours, the gate is open, the token is
 * the newest. A refused token is refreshed once and the same events are sent again.
 */
import type { Session, SessionProvider } from '../auth/port.ts';
import type { StoredEvent } from '../storage/port.ts';
import type { PushAnswer, Transport } from '../transport/port.ts';
import type { HeldLease } from './lease.ts';
import { stopForToken, type DeliveryStop } from './stops.ts';

/** Asked before every request: resolves when it may leave, or says why it may not. */
export type Gate = (server: string, signal?: AbortSignal) => Promise<DeliveryStop | undefined>;

/** An answer that is about the batch. */
export type BatchAnswer = Exclude<PushAnswer, { kind: 'unauthorized' }>;

export interface Pusher {
  push(events: readonly StoredEvent[], signal?: AbortSignal): Promise<BatchAnswer | DeliveryStop>;
  /** Asks the server where its clock stands; undefined when it does not say. */
  askClock(signal?: AbortSignal): Promise<number | undefined>;
  /** The server has decided on something: a later 401 may be refreshed again. */
  succeeded(): void;
  /** The newest token it knows of. */
  token(): string;
}

export interface PusherDeps {
  readonly transport: Transport;
  /** Provider of the next token after a 401. */
  readonly sessions: SessionProvider;
  readonly session: Session;
  readonly accessToken: string;
  readonly lease: HeldLease;
  readonly gate: Gate;
}

/** A pusher for one session and one pass. */
export function createPusher(deps: PusherDeps): Pusher {
  const { transport, sessions, session, lease, gate } = deps;
  let token = deps.accessToken;
  let isRefreshed = false;

  const context = (signal: AbortSignal | undefined) => ({
    server: session.server,
    accessToken: token,
    ...(signal === undefined ? {} : { signal }),
  });

  async function refresh(signal?: AbortSignal): Promise<DeliveryStop | undefined> {
    if (isRefreshed) return { by: 'unauthorized', message: 'The server refuses a token it has just issued.' };
    isRefreshed = true;
    const answer = await sessions.refresh(token, signal);
    if (answer.kind !== 'token') return stopForToken(answer);
    // These events belong to the account that was signed in when they were taken.
    if (answer.session.server !== session.server || answer.session.teamSlug !== session.teamSlug)
      return { by: 'aborted', message: 'Another account has signed in meanwhile.' };
    token = answer.accessToken;
    return undefined;
  }

  return {
    async push(events, signal) {
      const closed = await gate(session.server, signal);
      if (closed !== undefined) return closed;
      for (;;) {
        if (!(await lease.renew())) return { by: 'busy', message: 'Another process has taken over the delivery.' };
        const answer = await transport.push(events, context(signal));
        if (answer.kind !== 'unauthorized') return answer;
        const stop = await refresh(signal);
        if (stop !== undefined) return stop;
      }
    },
    askClock: async (signal) => transport.serverClock?.(context(signal)),
    succeeded() {
      isRefreshed = false;
    },
    token: () => token,
  };
}
