/**
 * A `Transport` from scratch: batches leave through a Unix socket (a named pipe on Windows) to a gateway on the same
 * machine, which has the network. For programs that run where there is none: a container, an agent's sandbox.
 */
import { connect, type Socket } from 'node:net';

import type { PushAnswer, Time, Transport } from '@spec-kitty/events-sdk';

import { readLine, toAnswer, type Question } from './frame.ts';

/** Where the gateway listens, and how long an answer may take. */
export interface SocketTransportOptions {
  readonly socketPath: string;
  readonly time: Time;
  /** For the whole exchange, in milliseconds. Default 60,000. */
  readonly timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 60_000;

/** Creates the transport. Opens nothing until the first push; each push has a connection of its own. */
export function createSocketTransport(options: SocketTransportOptions): Transport {
  const { socketPath, time, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  return {
    async push(batch, { server, accessToken, signal }) {
      // Before a socket is opened: a stopped push must leave nothing behind.
      if (signal?.aborted === true) return later('aborted', 'Sending was stopped.');
      const socket = connect(socketPath);
      let endedBy: 'aborted' | 'timeout' | undefined;
      const end = (why: 'aborted' | 'timeout') => (): void => {
        endedBy ??= why;
        socket.destroy();
      };
      const stopWaiting = time.after(timeoutMs, end('timeout'));
      const stop = end('aborted');
      signal?.addEventListener('abort', stop, { once: true });
      try {
        const answer = toAnswer(await ask(socket, { server, accessToken, batch }), batch);
        return answer ?? { kind: 'failure', reason: 'protocol', message: 'The gateway answered with something else.' };
      } catch {
        // The cause may quote what was sent, and that holds the token.
        if (endedBy === 'aborted') return later('aborted', 'Sending was stopped.');
        if (endedBy === 'timeout') return later('timeout', `The gateway did not answer within ${timeoutMs / 1000} s.`);
        return later('unreachable', 'The gateway cannot be reached, or cut the connection.');
      } finally {
        stopWaiting();
        signal?.removeEventListener('abort', stop);
        socket.destroy();
      }
    },
  };
}

async function ask(socket: Socket, question: Question): Promise<string> {
  const answer = readLine(socket);
  socket.write(`${JSON.stringify(question)}\n`);
  return await answer;
}

function later(reason: 'aborted' | 'timeout' | 'unreachable', message: string): PushAnswer {
  return { kind: 'retryable', reason, message };
}
