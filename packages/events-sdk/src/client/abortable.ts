/** Ways to the network that are let go when their signal aborts, also where what is behind them takes no notice. */
import type { SessionProvider } from '../auth/port.ts';
import { orAborted } from '../internal/deadline.ts';
import type { Transport } from '../transport/port.ts';

const ABORTED = { kind: 'retryable', reason: 'aborted', message: 'Stopped.' } as const;

/** A transport that is let go at the deadline, also one that takes no notice of its signal. */
export function abortableTransport(open: () => Promise<Transport>): Transport {
  return {
    push: (batch, context) =>
      orAborted(
        open().then((transport) => transport.push(batch, context)),
        context.signal,
        ABORTED,
      ),
    serverClock: (context) =>
      orAborted(
        open().then((transport) => transport.serverClock?.(context)),
        context.signal,
        undefined,
      ),
  };
}

const NOT_ASKED = { kind: 'unreachable', message: 'Stopped before the sign-in was renewed.' } as const;

/** A session whose network questions are let go at the deadline as well. */
export function abortableSession(session: SessionProvider): SessionProvider {
  return {
    current: () => session.current(),
    accessToken: (signal) => orAborted(session.accessToken(signal), signal, NOT_ASKED),
    refresh: (rejected, signal) => orAborted(session.refresh(rejected, signal), signal, NOT_ASKED),
  };
}
