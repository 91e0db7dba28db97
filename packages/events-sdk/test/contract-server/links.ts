/** A bare WebSocket client: sends what a test says and keeps what comes back. */
import { once } from 'node:events';

import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';

import type { Setup } from './setup.ts';

export const LINK_PATH = '/ws/v1/events/';
export const LINK_TOKEN_PATH = '/api/v1/ws-token/';

export interface Frame {
  readonly type: string;
  readonly [field: string]: unknown;
}

export interface Client {
  readonly socket: WebSocket;
  readonly frames: readonly Frame[];
  send(frame: unknown): void;
  /** The next frame nobody has asked for yet. */
  next(): Promise<Frame>;
  /** The close code, once the link is closed. */
  readonly closed: Promise<number>;
}

export async function linkToken({ call, alice }: Setup, token = alice): Promise<string> {
  return (await call('POST', LINK_TOKEN_PATH, { token })).body.ws_token;
}

/** Opens a link; by default with alice's token in the header. `null`: without a header. */
export async function openClient(setup: Setup, token?: string | null): Promise<Client> {
  const bearer = token === undefined ? await linkToken(setup) : token;
  const headers = bearer === null ? {} : { authorization: `Bearer ${bearer}` };
  const socket = new WebSocket(`${setup.url.replace('http', 'ws')}${LINK_PATH}`, { headers });
  onTestFinished(() => {
    socket.terminate();
  });
  const frames: Frame[] = [];
  let read = 0;
  const listeners = new Set<() => void>();
  socket.on('message', (data: Buffer) => {
    frames.push(JSON.parse(data.toString()));
    for (const listener of listeners) listener();
  });
  const closed = new Promise<number>((resolve) => {
    socket.on('close', resolve);
  });
  await once(socket, 'open');
  return {
    socket,
    frames,
    closed,
    send: (frame) => {
      socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
    },
    next: () =>
      new Promise((resolve) => {
        const look = (): void => {
          const frame = frames[read];
          if (frame === undefined) return;
          read += 1;
          listeners.delete(look);
          resolve(frame);
        };
        listeners.add(look);
        look();
      }),
  };
}
