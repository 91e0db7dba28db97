/**
 * The other end of the socket: takes batches from programs on this machine and pushes each over another transport. It
 * keeps nothing: the events stay in the sender's queue until the server has spoken about them.
 */
import { createServer, type Socket } from 'node:net';

import type { PushAnswer, Transport } from '@spec-kitty/events-sdk';

import { readLine, toQuestion } from './frame.ts';

/** What a gateway needs. */
export interface GatewayOptions {
  readonly socketPath: string;
  /** The way to the server. */
  readonly transport: Transport;
  /** The servers it speaks to; a token goes to no other. */
  readonly servers: readonly string[];
}

/** A listening gateway. */
export interface Gateway {
  /** Ends every connection. Their senders keep the events. */
  close(): Promise<void>;
}

/** Starts listening. Rejects when the socket cannot be made. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    void serve(socket, options);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.socketPath, resolve);
  });
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        for (const socket of sockets) socket.destroy();
      }),
  };
}

async function serve(socket: Socket, { transport, servers }: GatewayOptions): Promise<void> {
  const gone = new AbortController();
  socket.on('close', () => {
    gone.abort();
  });
  try {
    const question = toQuestion(await readLine(socket));
    const answer: PushAnswer =
      question === undefined
        ? { kind: 'failure', reason: 'protocol', message: 'The gateway did not understand the batch.' }
        : servers.includes(question.server)
          ? await transport.push(question.batch, { ...question, signal: gone.signal })
          : { kind: 'failure', reason: 'protocol', message: `The gateway does not serve ${question.server}.` };
    socket.end(`${JSON.stringify(answer)}\n`);
  } catch {
    socket.destroy();
  }
}
