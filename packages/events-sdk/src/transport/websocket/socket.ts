/**
 * One WebSocket, whoever made it: Node's `ws`, which takes headers and can be cut, or a browser's, which can do
 * neither. Says once how it ended, and nothing afterwards.
 */
import { authFrame } from '../../contract/realtime.ts';
import { describeNetworkError } from '../http/network-error.ts';

/** What a listener of a WebSocket may find in an event; which fields are there depends on the event. */
export interface WebSocketEvent {
  readonly data?: unknown;
  readonly code?: number;
  readonly reason?: string;
  readonly error?: unknown;
}

/** What is used of a WebSocket of any kind. */
interface AnyWebSocket {
  readonly bufferedAmount: number;
  send(text: string): void;
  close(): void;
  addEventListener(type: string, listener: (event: WebSocketEvent) => void): void;
}

/** What Node's `ws` can do beyond that. */
interface NodeWebSocket extends AnyWebSocket {
  terminate(): void;
  on(event: 'ping' | 'pong', listener: () => void): void;
  on(
    event: 'unexpected-response',
    listener: (request: unknown, response: { statusCode?: number; headers: Record<string, unknown> }) => void,
  ): void;
}

/** A WebSocket class: a browser's, or one that behaves like Node's `ws`. */
export type WebSocketImplementation = new (url: string, protocols: string[], options?: object) => AnyWebSocket;

/** How a socket ended. */
export type SocketEnd =
  | { readonly kind: 'closed'; readonly code: number; readonly reason: string }
  /** The server answered the upgrade with HTTP. Browsers hide this: there it is `closed` with 1006. */
  | { readonly kind: 'refused'; readonly status: number; readonly headers: { get(name: string): string | null } }
  | { readonly kind: 'broken'; readonly cause: string }
  /** What came is no WebSocket, no text, or too long. */
  | { readonly kind: 'protocol' };

/** Who listens. */
export interface SocketListener {
  /** Open, and the token is on its way. */
  onOpen(): void;
  onText(text: string): void;
  /** A sign of life without content. */
  onSign(): void;
  /** Called once, unless `end` was called first. */
  onEnd(end: SocketEnd): void;
}

/** An opening or open socket. */
export interface Socket {
  /** Bytes (in browsers, about) that were sent and have not left this machine yet. */
  readonly bufferedAmount: number;
  /** Never throws: a socket that cannot send ends. */
  send(text: string): void;
  /** Ends it at once, without waiting for the other side where the runtime can. Safe to call twice. */
  end(): void;
}

/** Starts opening. The token travels in a header where that is possible, else in the first frame; never in the URL. */
export function openSocket(options: {
  readonly implementation: WebSocketImplementation;
  readonly url: string;
  readonly token: string;
  readonly maxFrameBytes: number;
  readonly listener: SocketListener;
}): Socket {
  const { implementation, url, token, maxFrameBytes, listener } = options;
  const takesHeaders = isNodeWebSocket(implementation.prototype);
  const raw = takesHeaders
    ? new implementation(url, [], {
        headers: { authorization: `Bearer ${token}` },
        maxPayload: maxFrameBytes,
        followRedirects: false,
        // Compression costs memory per socket and saves little on frames of half a kilobyte.
        perMessageDeflate: false,
      })
    : new implementation(url, []);
  let isOver = false;

  function cut(): void {
    isOver = true;
    if (isNodeWebSocket(raw)) raw.terminate();
    else raw.close();
  }
  function over(how: SocketEnd): void {
    if (isOver) return;
    cut();
    listener.onEnd(how);
  }

  // Listeners stay on: an error nobody listens to would end the process.
  raw.addEventListener('open', () => {
    if (isOver) return;
    if (!takesHeaders) socket.send(authFrame(token));
    listener.onOpen();
  });
  raw.addEventListener('message', ({ data }) => {
    if (isOver) return;
    if (typeof data === 'string' && data.length <= maxFrameBytes) listener.onText(data);
    else over({ kind: 'protocol' });
  });
  raw.addEventListener('error', ({ error }) => {
    // Only `ws` says what is wrong. The others say at most that something is, and then close with a code.
    if (takesHeaders) over(endOf(error));
  });
  raw.addEventListener('close', ({ code = 1006, reason = '' }) => {
    over({ kind: 'closed', code, reason });
  });
  if (isNodeWebSocket(raw)) {
    raw.on('ping', listener.onSign);
    raw.on('pong', listener.onSign);
    raw.on('unexpected-response', (_request, { statusCode = 0, headers }) => {
      const get = (name: string): string | null => {
        const value = headers[name];
        return typeof value === 'string' ? value : null;
      };
      over({ kind: 'refused', status: statusCode, headers: { get } });
    });
  }

  const socket: Socket = {
    get bufferedAmount() {
      return raw.bufferedAmount;
    },
    send(text) {
      if (isOver) return;
      try {
        raw.send(text);
      } catch {
        over({ kind: 'broken', cause: 'the connection was cut' });
      }
    },
    end() {
      if (!isOver) cut();
    },
  };
  return socket;
}

function isNodeWebSocket(socket: object): socket is NodeWebSocket {
  return 'terminate' in socket && typeof socket.terminate === 'function' && 'on' in socket;
}

/** `ws` names what is wrong with a frame `WS_ERR_…`, and a handshake that is none has no code at all. */
function endOf(error: unknown): SocketEnd {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  if (code === undefined || (typeof code === 'string' && code.startsWith('WS_ERR_'))) return { kind: 'protocol' };
  return { kind: 'broken', cause: describeNetworkError(error) };
}
