/** A TCP proxy on this machine that makes a server look far away: every byte takes its time, in order. Node only. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

import { systemTime } from '../internal/time.ts';

export interface DelayingProxy {
  /** `http://127.0.0.1:port`, no trailing slash. */
  readonly url: string;
  /** Ends every connection. */
  close(): Promise<void>;
}

/**
 * Listens on a free port and passes everything on to `target`. `roundTripMs`: half of it each way, and one whole before
 * the first byte of a connection, as opening it would take.
 */
export async function createDelayingProxy(options: {
  readonly target: string;
  readonly roundTripMs: number;
}): Promise<DelayingProxy> {
  const { roundTripMs } = options;
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

  function carry(from: Socket, to: Socket, notBefore: number): void {
    let arrivesAt = notBefore;
    const later = (act: () => void): void => {
      arrivesAt = Math.max(arrivesAt, performance.now() + roundTripMs / 2);
      systemTime.after(arrivesAt - performance.now(), act);
    };
    from.on('data', (bytes: Buffer) => {
      later(() => to.write(bytes));
    });
    from.on('end', () => {
      later(() => to.end());
    });
    from.on('close', () => {
      later(() => to.destroy());
    });
  }

  const server = createServer((near) => {
    const far = keep(connect(Number(port), hostname));
    keep(near);
    carry(near, far, performance.now() + 1.5 * roundTripMs);
    carry(far, near, 0);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // A TCP server's address is never text.
  const { port: ownPort } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${ownPort}`,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
