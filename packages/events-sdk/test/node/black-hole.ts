/** A server that takes connections and requests and never says a word. */
import { createServer, type AddressInfo } from 'node:net';

import { onTestFinished } from 'vitest';

import type { Env } from './world.ts';

export async function blackHole(): Promise<{ readonly url: string; readonly requests: () => number }> {
  let requests = 0;
  const server = createServer((socket) => {
    // A connection alone is no request: the client may open one in advance.
    socket.once('data', () => {
      requests += 1;
    });
    socket.on('error', () => {});
    onTestFinished(() => void socket.destroy());
  });
  onTestFinished(() => void server.close());
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  // A TCP server's address is never text.
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests: () => requests };
}

/** Signs in to it, or to any server, by the environment. */
export const withToken = (server: string): Env => ({
  SPEC_KITTY_TOKEN: 'a-token',
  SPEC_KITTY_TEAM: 'acme',
  SPEC_KITTY_SERVER: server,
});
