/** The realtime transport over WebSocket (CONTRACT §10). Never rejects: every failure is an answer. */
import { parseServerUrl } from '../../auth/server-url.ts';
import { silentLogger, type Logger } from '../../internal/logger.ts';
import type { Time } from '../../internal/time.ts';
import { isSendableToken } from '../http/bearer.ts';
import type { Fetch } from '../http/exchange.ts';
import type { ConnectAnswer, RealtimeContext, RealtimeTransport } from '../realtime-port.ts';
import { openLink } from './link.ts';
import { loadWebSocket } from './load-isomorphic-ws.ts';
import { obtainRealtimeToken } from './realtime-token.ts';
import type { WebSocketImplementation } from './socket.ts';

/** How links are opened. */
export interface WebSocketTransportOptions {
  readonly time: Time;
  /** Details for someone looking for a fault. Default: none. */
  readonly logger?: Logger;
  /** For the request that gets a link's token. Default: the runtime's own. */
  readonly fetch?: Fetch;
  /** Default: what `isomorphic-ws` finds in this runtime, loaded at the first attempt. */
  readonly implementation?: WebSocketImplementation;
}

/** Creates the realtime transport. Loads and opens nothing until the first attempt. */
export function createWebSocketTransport(options: WebSocketTransportOptions): RealtimeTransport {
  const { time, logger = silentLogger, fetch } = options;

  async function attempt(context: RealtimeContext): Promise<ConnectAnswer> {
    const { server, accessToken, signal } = context;
    if (!isAllowedServer(server)) {
      const message = 'The server address may not receive a token. Use https:// (http only on this machine).';
      return { kind: 'unsupported', message };
    }
    // SEC-3: nothing leaves without a token a server could check.
    if (!isSendableToken(accessToken)) return { kind: 'unauthorized' };
    const answer = await obtainRealtimeToken({
      server,
      accessToken,
      time,
      ...(fetch === undefined ? {} : { fetch }),
      ...(signal === undefined ? {} : { signal }),
    });
    if (answer.kind !== 'token') return answer;
    const implementation = options.implementation ?? (await loadWebSocket());
    if (signal?.aborted === true) return { kind: 'retryable', reason: 'aborted', message: 'Connecting was stopped.' };
    return openLink({ implementation, token: answer.token, context, time, logger });
  }

  return {
    async connect(context) {
      try {
        return await attempt(context);
      } catch {
        // Only an injected or a missing part can fail here; its error may quote what it was given.
        return { kind: 'unsupported', message: 'A realtime link cannot be opened in this runtime.' };
      }
    },
  };
}

function isAllowedServer(server: string): boolean {
  try {
    return parseServerUrl(server) === server;
  } catch {
    return false;
  }
}
