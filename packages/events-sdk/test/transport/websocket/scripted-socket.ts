/** A WebSocket class whose other end is the test: for frames no server sends and for a buffer that does not drain. */
import { createTestTime } from '../../../src/testing/test-time.ts';
import type { LinkLoss } from '../../../src/transport/realtime-port.ts';
import { createWebSocketTransport, type WebSocketImplementation } from '../../../src/transport/websocket/index.ts';
import type { WebSocketEvent } from '../../../src/transport/websocket/socket.ts';
import { linkOf } from './setup.ts';

/** The test's end of the socket. */
export interface FarEnd {
  readonly sent: string[];
  bufferedAmount: number;
  isEnded: boolean;
  /** Sending throws from now on. */
  isBroken: boolean;
  /** Resolves once the transport has made its socket: before, nothing can be fired. */
  readonly made: Promise<void>;
  fire(type: 'open' | 'message' | 'close' | 'error', event?: WebSocketEvent): void;
}

export function scriptedSocket(): { readonly far: FarEnd; readonly implementation: WebSocketImplementation } {
  const { promise: made, resolve: isMade } = Promise.withResolvers<void>();
  const listeners = new Map<string, (event: WebSocketEvent) => void>();
  const far: FarEnd = {
    sent: [],
    bufferedAmount: 0,
    isEnded: false,
    isBroken: false,
    made,
    fire: (type, event = {}) => listeners.get(type)?.(event),
  };
  class Scripted {
    get bufferedAmount() {
      return far.bufferedAmount;
    }
    send(text: string) {
      if (far.isBroken) throw new Error('not open');
      far.sent.push(text);
    }
    close() {
      far.isEnded = true;
    }
    addEventListener(type: string, listener: (event: WebSocketEvent) => void) {
      listeners.set(type, listener);
      isMade();
    }
  }
  return { far, implementation: Scripted };
}

/** A link over a scripted socket, connected by a snapshot. */
export async function openScripted() {
  const { far, implementation } = scriptedSocket();
  const time = createTestTime();
  const events: unknown[] = [];
  const losses: LinkLoss[] = [];
  const transport = createWebSocketTransport({
    time,
    implementation,
    fetch: () => Promise.resolve(Response.json({ ws_token: 'link-token' })),
  });
  const answer = transport.connect({
    server: 'https://team.example/sub',
    accessToken: 'access-token',
    onEvent: (event) => events.push(event),
    onLost: (loss) => losses.push(loss),
  });
  await far.made;
  far.fire('open');
  far.fire('message', { data: '{"type":"snapshot","work_packages":[]}' });
  const link = linkOf(await answer);
  far.sent.length = 0;
  return { far, time, events, losses, link };
}

export const ack = (eventId: string) => ({
  data: JSON.stringify({ type: 'ack', event_id: eventId, status: 'accepted' }),
});
