/** A TCP proxy on this machine that makes a server look far away: every byte takes its time, in order. Node only. */
import type { Socket } from 'node:net';

import { systemTime } from '../internal/time.ts';
import { createTcpProxy } from './tcp-proxy.ts';

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
  const { target, roundTripMs } = options;

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

  const { url, close } = await createTcpProxy({
    target,
    serve(near, reach) {
      const far = reach();
      carry(near, far, performance.now() + 1.5 * roundTripMs);
      carry(far, near, 0);
    },
  });
  return { url, close };
}
