/** Open boards: each gets the whole board at once and again shortly after every change of its team. */
import type { ServerResponse } from 'node:http';

import type { Time } from '@spec-kitty/events-sdk';
import type { Board } from '@spec-kitty/events-sdk/testing';

/** What a board page is told. Times are the server's, in milliseconds since the epoch. */
export interface BoardMessage {
  /** All teams the reader may look at. */
  readonly teams: readonly string[];
  readonly board: Board;
  readonly lastEventAt: number | null;
  readonly now: number;
}

/** The open boards. */
export interface LiveBoards {
  /** Streams to `response` until it closes, or until `message` says undefined: no longer allowed. */
  open(team: string, response: ServerResponse, message: () => BoardMessage | undefined): void;
}

/** Batches come in bursts: one message for all that arrives within this time. */
const GATHER_MS = 50;
/** A sign of life, so that a page notices a dead connection. An event, because pages cannot see comments. */
const SIGN_OF_LIFE_MS = 10_000;

/** No boards open yet. */
export function createLiveBoards(deps: {
  readonly onStored: (listener: (team: string) => void) => () => void;
  readonly time: Time;
}): LiveBoards {
  const { onStored, time } = deps;

  return {
    open(team, response, message) {
      let cancelGathering: (() => void) | undefined;
      let cancelSignOfLife = (): void => {};

      const send = (): void => {
        cancelGathering = undefined;
        const next = message();
        if (next === undefined) response.end();
        else response.write(`event: board\ndata: ${JSON.stringify(next)}\n\n`);
      };
      const stayAlive = (): void => {
        response.write('event: alive\ndata: {}\n\n');
        cancelSignOfLife = time.after(SIGN_OF_LIFE_MS, stayAlive);
      };
      const stopListening = onStored((changed) => {
        if (changed === team) cancelGathering ??= time.after(GATHER_MS, send);
      });
      response.on('close', () => {
        stopListening();
        cancelGathering?.();
        cancelSignOfLife();
      });

      response.writeHead(200, {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      });
      response.write('retry: 2000\n\n');
      send();
      cancelSignOfLife = time.after(SIGN_OF_LIFE_MS, stayAlive);
    },
  };
}
