/** Ways out whose requests are told to a host's `onPush`. */
import type { EventMap } from '../contract/event-map.ts';
import type { Time } from '../internal/time.ts';
import type { Transport } from '../transport/port.ts';
import type { ConnectAnswer } from '../transport/realtime-port.ts';
import type { QuietHooks } from './hooks.ts';

/** A transport whose requests are told. */
export function observedTransport(
  transport: Transport,
  hooks: Pick<QuietHooks<EventMap>, 'onPush'> | undefined,
  time: Time,
): Transport {
  if (hooks === undefined) return transport;
  return {
    ...transport,
    async push(batch, context) {
      const startedAt = time.now();
      const answer = await transport.push(batch, context);
      hooks.onPush({ events: batch.length, way: 'batch', startedAt, endedAt: time.now(), answer });
      return answer;
    },
  };
}

/** A link whose pushes are told. */
export function observedLink(
  connected: ConnectAnswer,
  hooks: Pick<QuietHooks<EventMap>, 'onPush'> | undefined,
  time: Time,
): ConnectAnswer {
  if (hooks === undefined || connected.kind !== 'connected') return connected;
  const { link } = connected;
  return {
    kind: 'connected',
    link: {
      async push(batch, signal) {
        const startedAt = time.now();
        const answer = await link.push(batch, signal);
        hooks.onPush({ events: batch.length, way: 'link', startedAt, endedAt: time.now(), answer });
        return answer;
      },
      close: () => link.close(),
    },
  };
}
