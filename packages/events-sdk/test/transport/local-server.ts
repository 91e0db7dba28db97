/** Real servers on loopback for the transport's tests: each counts its sockets and leaves nothing running. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer, type Socket } from 'node:net';

import { onTestFinished } from 'vitest';

/** A request as it arrived. */
export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** Answers requests with `respond`; keeps what it has seen. */
export async function startHttpServer(
  respond: (request: SeenRequest, response: ServerResponse) => void,
): Promise<{ readonly address: string; readonly seen: SeenRequest[]; readonly openSockets: () => number }> {
  const seen: SeenRequest[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('error', () => {});
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const one = { method, url, headers, body: Buffer.concat(chunks) };
      seen.push(one);
      respond(one, response);
    });
  });
  const sockets = await listen(server);
  return { address: addressOf(server), seen, openSockets: () => sockets.size };
}

/** Speaks raw TCP: for answers that are no HTTP. */
export async function startTcpServer(
  onConnection: (socket: Socket) => void,
): Promise<{ readonly address: string; readonly openSockets: () => number }> {
  const server = createTcpServer(onConnection);
  const sockets = await listen(server);
  return { address: addressOf(server), openSockets: () => sockets.size };
}

/** An address where nobody listens. */
export async function closedAddress(): Promise<string> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = addressOf(server);
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return address;
}

/** Resolves once `isSo` holds, looking again at every turn of the event loop. The test's own timeout bounds it. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) {
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
}

async function listen(server: Server | TcpServer): Promise<ReadonlySet<Socket>> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(async () => {
    const closed = new Promise((resolve) => {
      server.close(resolve);
    });
    for (const socket of sockets) socket.destroy();
    await closed;
  });
  return sockets;
}

function addressOf(server: Server | TcpServer): string {
  // A server that listens on a port has an AddressInfo.
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
