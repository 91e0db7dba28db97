/** A TCP proxy on this machine; what becomes of the bytes is its user's to say. Node only. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface TcpProxy {
  /** `http://127.0.0.1:port`, no trailing slash. */
  readonly url: string;
  /** Ends every connection there is; new ones are taken. */
  cut(): void;
  /** Ends every connection, and takes no more. */
  close(): Promise<void>;
}

/**
 * Listens on a free port. `serve` gets each connection, and `reach`, which opens one to `target`; bytes go from one to the other
 * as it decides. `allowHalfOpen` as Node has it. Default: false.
 */
export async function createTcpProxy(options: {
  readonly target: string;
  readonly allowHalfOpen?: boolean;
  serve(near: Socket, reach: () => Socket): void;
}): Promise<TcpProxy> {
  const { hostname, port } = new URL(options.target);
  const sockets = new Set<Socket>();

  function keep(socket: Socket): Socket {
    sockets.add(socket);
    socket.setNoDelay(true);
    // The other side hears of an error by the close that follows it.
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    return socket;
  }

  function cut(): void {
    for (const socket of sockets) socket.destroy();
  }

  const server = createServer({ allowHalfOpen: options.allowHalfOpen ?? false }, (near) => {
    options.serve(keep(near), () => keep(connect(Number(port), hostname)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A TCP server's address is never text.
  const { port: ownPort } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${ownPort}`,
    cut,
    async close() {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}
