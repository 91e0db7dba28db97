/**
 * What everything in a simulation shares: one source of chance, one virtual time, one record of what happened. All of it
 * runs in one thread and follows from the seed, so that the same seed is the same history to the letter.
 */
import { createHash } from 'node:crypto';

import { createRandom } from '../../src/testing/seeded-random.ts';
import { between } from '../storm/random.ts';

/** Chance, drawn from the seed alone. */
export interface Chance {
  readonly random: () => number;
  /** A whole number, both ends included. */
  between(least: number, most: number): number;
  oneOf<const L extends readonly [unknown, ...unknown[]]>(list: L): L[number];
  /** True once in `times` calls on average; 0: never. */
  once(times: number): boolean;
}

/** Time that stands still until everything that can be done at this moment has been done. */
export interface VirtualTime {
  /** Milliseconds since the simulation began. No wall clock: that one may jump. */
  now(): number;
  /** How many timers have come due so far. */
  steps(): number;
  after(delayMs: number, action: () => void): () => void;
  sleep(delayMs: number): Promise<void>;
  /** Moves on from timer to timer until `isOver`; answers why it ended. */
  runUntil(isOver: () => boolean, longestMs: number): Promise<'over' | 'nothing-left' | 'too-long'>;
}

export interface World {
  readonly chance: Chance;
  readonly time: VirtualTime;
  /** What the machine's wall clock is off by. */
  skewMs: number;
  /** No fault of any kind from here on. */
  isClear: boolean;
  /** To be asked at every call of a port: true when there were so many at one moment that time will not go on. */
  isSpinning(): boolean;
  /** Nothing reaches a server before this moment. */
  partitionedUntil: number;
  /** Adds a line to the history. */
  note(line: string): void;
  /** Notes that something of this kind did happen, for the check that every kind does. */
  sometimes(kind: string): void;
  /** A promise was seen broken. */
  breach(kind: string, detail: string): void;
  readonly kinds: ReadonlyMap<string, number>;
  readonly breaches: readonly string[];
  /** Of the whole history. */
  hash(): string;
  /** The end of the history. */
  tail(): readonly string[];
}

/** An ordinary day; the wall clock starts here. */
export const START_MS = Date.UTC(2026, 1, 7, 18, 4, 5);
const TAIL_LINES = 60;
/** Timers of one simulation; most need a few hundred. */
const MOST_STEPS = 200_000;
/** Calls of all processes between two timers; a batch of everything needs a few hundred. */
const MOST_CALLS_AT_ONCE = 50_000;

export function createWorld(seed: number): World {
  const time = createVirtualTime();
  const hash = createHash('sha256');
  const lines: string[] = [];
  const kinds = new Map<string, number>();
  const breaches: string[] = [];
  let calls = { at: 0, count: 0 };
  const note = (text: string): void => {
    const line = `${time.now()} ${text}`;
    hash.update(line);
    lines.push(line);
    if (lines.length > 2 * TAIL_LINES) lines.splice(0, TAIL_LINES);
  };
  return {
    chance: createChance(seed),
    time,
    skewMs: 0,
    isClear: false,
    isSpinning() {
      calls = { at: time.steps(), count: calls.at === time.steps() ? calls.count + 1 : 1 };
      if (calls.count <= MOST_CALLS_AT_ONCE) return false;
      // Whoever asked is ended for it; the others begin anew.
      calls.count = 0;
      return true;
    },
    partitionedUntil: 0,
    note,
    sometimes: (kind) => void kinds.set(kind, (kinds.get(kind) ?? 0) + 1),
    breach(kind, detail) {
      note(`BROKEN ${kind}: ${detail}`);
      breaches.push(`${kind}: ${detail}`);
    },
    kinds,
    breaches,
    hash: () => hash.copy().digest('hex'),
    tail: () => lines.slice(-TAIL_LINES),
  };
}

function createChance(seed: number): Chance {
  const random = createRandom(seed);
  // The first numbers of neighbouring seeds of this generator resemble each other.
  for (let skipped = 0; skipped < 4; skipped += 1) random();
  return {
    random,
    between: (least, most) => between(random, least, most),
    oneOf: (list) => list[between(random, 0, list.length - 1)],
    once: (times) => times > 0 && random() * times < 1,
  };
}

function createVirtualTime(): VirtualTime {
  let now = 0;
  let count = 0;
  let steps = 0;
  const timers = new Map<number, { readonly at: number; readonly action: () => void }>();
  const after = (delayMs: number, action: () => void): (() => void) => {
    const id = (count += 1);
    timers.set(id, { at: now + Math.max(0, delayMs), action });
    return () => void timers.delete(id);
  };
  /** The first due; of those due at once, the one set first: a map keeps their order. */
  const next = (): number | undefined => {
    let first: number | undefined;
    let at = Number.POSITIVE_INFINITY;
    for (const [id, timer] of timers) {
      if (timer.at < at) [first, at] = [id, timer.at];
    }
    return first;
  };
  return {
    now: () => now,
    steps: () => steps,
    after,
    sleep: (delayMs) =>
      new Promise((resolve) => {
        after(delayMs, resolve);
      }),
    async runUntil(isOver, longestMs) {
      const end = now + longestMs;
      const last = steps + MOST_STEPS;
      for (;;) {
        // Every promise that can go on does so before this turn of the event loop comes.
        await new Promise<void>((resolve) => {
          setImmediate(resolve);
        });
        if (isOver()) return 'over';
        const id = next();
        const timer = id === undefined ? undefined : timers.get(id);
        if (id === undefined || timer === undefined) return 'nothing-left';
        if (timer.at > end || (steps += 1) > last) return 'too-long';
        timers.delete(id);
        now = timer.at;
        timer.action();
      }
    },
  };
}
