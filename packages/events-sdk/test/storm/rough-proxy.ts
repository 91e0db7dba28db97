/**
 * A TCP proxy on a bad line: what becomes of a connection is drawn by chance. It passes bytes on, late, in crumbs, up to a point,
 * one way only, or not at all; it never changes one. Real sockets, no knowledge of HTTP or WebSockets.
 */
import type { Socket } from 'node:net';

import { createTcpProxy } from '../../src/testing/tcp-proxy.ts';
import { between } from './random.ts';

/** What becomes of a connection. */
export const FATES = ['through', 'late', 'crumbs', 'cut-up', 'cut-down', 'half-closed', 'refused', 'mute'] as const;
export type Fate = (typeof FATES)[number];

export interface RoughProxy {
  /** `http://127.0.0.1:port`, no trailing slash. */
  readonly url: string;
  /** How many connections met which fate. */
  readonly met: Readonly<Partial<Record<Fate, number>>>;
  /** From now on everything passes; connections of before are cut. */
  calm(): void;
  /** From now on nobody gets through; connections of before are cut. */
  away(): void;
  close(): Promise<void>;
}

/** Longest delay of a chunk, and of a line that says nothing before it is cut, in milliseconds. */
const MOST_DELAY_MS = 12;
const MUTE_MS = 60;
/** A request or answer of a small batch is about as long; a good line lasts for twice that at most. */
const MOST_BYTES = 1_500;

/** Listens on a free port and passes on to `target` what the line lets through. `random` gives numbers in [0, 1). */
export async function createRoughProxy(target: string, random: () => number): Promise<RoughProxy> {
  const met: Partial<Record<Fate, number>> = {};
  let weather: 'bad' | 'calm' | 'away' = 'bad';

  function drawFate(): Fate {
    if (weather === 'away') return 'refused';
    if (weather === 'calm' || random() < 0.3) return 'through';
    return FATES[between(random, 1, FATES.length - 1)] ?? 'through';
  }

  function serve(near: Socket, reach: () => Socket): void {
    const fate = drawFate();
    met[fate] = (met[fate] ?? 0) + 1;
    if (fate === 'refused') {
      near.resetAndDestroy();
      return;
    }
    const far = reach();
    const cut = (): void => {
      near.destroy();
      far.destroy();
    };
    near.on('close', cut);
    far.on('close', cut);
    near.on('end', () => far.end());
    far.on('end', () => near.end());
    // In bad weather nothing lasts: a good line is cut as well, only later.
    const room = (isShort: boolean): number =>
      weather === 'calm' ? Infinity : between(random, 0, isShort ? MOST_BYTES : 2 * MOST_BYTES);
    near.on('data', upTo(room(fate === 'cut-up'), carrier(fate, far), cut));
    if (fate === 'mute') {
      far.resume();
      setTimeout(cut, between(random, 1, MUTE_MS)).unref();
    } else {
      const end = fate === 'half-closed' ? () => void near.end() : cut;
      far.on('data', upTo(room(fate === 'cut-down' || fate === 'half-closed'), carrier(fate, near), end));
    }
  }

  function carrier(fate: Fate, to: Socket): (bytes: Buffer) => void {
    let before = Promise.resolve();
    const inTurn = (step: () => Promise<void> | void): void => {
      before = before.then(step);
    };
    if (fate === 'late')
      return (bytes) =>
        inTurn(async () => {
          await new Promise((resolve) => setTimeout(resolve, between(random, 0, MOST_DELAY_MS)));
          to.write(bytes);
        });
    if (fate !== 'crumbs') return (bytes) => void to.write(bytes);
    return (bytes) => {
      for (let at = 0; at < bytes.length;) {
        const end = at + between(random, 1, 400);
        const crumb = bytes.subarray(at, end);
        inTurn(async () => {
          await new Promise((resolve) => setImmediate(resolve));
          to.write(crumb);
        });
        at = end;
      }
    };
  }

  const proxy = await createTcpProxy({ target, serve, allowHalfOpen: true });
  const turn = (to: typeof weather): void => {
    weather = to;
    proxy.cut();
  };
  return {
    url: proxy.url,
    met,
    calm: () => turn('calm'),
    away: () => turn('away'),
    close: () => proxy.close(),
  };
}

/** Passes on that many bytes and then, instead of the next, does `end` once. */
function upTo(bytes: number, pass: (chunk: Buffer) => void, end: () => void): (chunk: Buffer) => void {
  let left = bytes;
  return (chunk) => {
    if (left <= 0) return;
    pass(chunk.subarray(0, left));
    left -= chunk.length;
    if (left <= 0) end();
  };
}
