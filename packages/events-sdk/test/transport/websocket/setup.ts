/** The transport against a real contract server; both on a time of their own, which stands still unless moved. */
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';

import type { AnyEnvelope } from '../../../src/contract/envelope.ts';
import type { ContractServer } from '../../../src/testing/contract-server/index.ts';
import { anEvent } from '../../../src/testing/an-event.ts';
import { createTestTime, type TestTime } from '../../../src/testing/test-time.ts';
import type { BatchItem } from '../../../src/transport/port.ts';
import type { ConnectAnswer, LinkLoss, RealtimeLink } from '../../../src/transport/realtime-port.ts';
import {
  createWebSocketTransport,
  type WebSocketImplementation,
  type WebSocketTransportOptions,
} from '../../../src/transport/websocket/index.ts';
import { startServer, type Setup } from '../../contract-server/setup.ts';

export interface World extends Setup {
  readonly server: ContractServer;
  /** The client's time. */
  readonly time: TestTime;
  readonly events: unknown[];
  readonly losses: LinkLoss[];
  /** What the transport noted for someone looking for a fault. */
  readonly notes: string[];
  attempt(options?: { readonly token?: string; readonly signal?: AbortSignal }): Promise<ConnectAnswer>;
  /** An attempt that must come to a link. */
  open(): Promise<RealtimeLink>;
}

export async function makeWorld(options: Partial<WebSocketTransportOptions> = {}): Promise<World> {
  const setup = await startServer();
  const time = createTestTime();
  const events: unknown[] = [];
  const losses: LinkLoss[] = [];
  const notes: string[] = [];
  const logger = { warn() {}, debug: (code: string) => notes.push(code) };
  const transport = createWebSocketTransport({ time, logger, ...options });
  const attempt: World['attempt'] = ({ token = setup.alice, signal } = {}) =>
    transport.connect({
      server: setup.url,
      accessToken: token,
      onEvent: (event) => events.push(event),
      onLost: (loss) => losses.push(loss),
      ...(signal === undefined ? {} : { signal }),
    });
  return { ...setup, time, events, losses, notes, attempt, open: async () => linkOf(await attempt()) };
}

export function linkOf(answer: ConnectAnswer): RealtimeLink {
  if (answer.kind !== 'connected') throw new Error(`No link: ${JSON.stringify(answer)}`);
  const { link } = answer;
  onTestFinished(() => {
    link.close();
  });
  return link;
}

/** Node's WebSocket, counting: when a test sees a number, the transport has handled what it counts. */
export function countingWebSocket() {
  const counts = { opened: 0, received: 0 };
  class Counting extends WebSocket {
    constructor(url: string, protocols: string[], options?: object) {
      super(url, protocols, options);
      this.addEventListener('open', () => (counts.opened += 1));
      this.addEventListener('message', () => (counts.received += 1));
    }
  }
  // The types of `ws` know overloads only; what is used of them is what the transport asks for.
  return { counts, implementation: Counting as unknown as WebSocketImplementation };
}

/** Events 1 to `count`, or from one number to another. */
export function someEvents(count: number, first = 1): AnyEnvelope[] {
  return Array.from({ length: count }, (_, index) => anEvent({ lamport_clock: first + index }));
}

export function toBatch(events: readonly AnyEnvelope[]): BatchItem[] {
  return events.map((event) => ({ eventId: event.event_id, data: JSON.stringify(event) }));
}

export const aBatch = (count: number, first = 1): BatchItem[] => toBatch(someEvents(count, first));
