/**
 * Event ids: ULIDs that never repeat in a process and rise within a millisecond. Ids name events and
 * nothing else; order comes from the Lamport clock, so a wrong wall clock costs nothing but looks.
 */
import { monotonicFactory } from 'ulid';

import { ULID_PATTERN } from '../contract/envelope.ts';
import { EventsSdkError } from '../errors.ts';
import type { Time } from '../internal/time.ts';

/** What the factory needs. Make one per process: two of them interleave at random within a millisecond. */
export interface UlidFactoryDeps {
  readonly time: Pick<Time, 'now'>;
  /** Numbers in [0, 1). Default: drawn from `globalThis.crypto`. */
  readonly random?: () => number;
}

/** A wall clock set back by more than this is believed; up to it, ids keep rising through small corrections. */
const MAX_LEAD_MS = 10_000;

/** Largest millisecond a ULID can carry: 48 bits. */
const MAX_ULID_TIME_MS = 2 ** 48 - 1;

/** Makes a function that returns a new id (26 characters, {@link ULID_PATTERN}) at each call. */
export function createUlidFactory(deps: UlidFactoryDeps): () => string {
  const random = deps.random ?? createCryptoRandom();
  let next = monotonicFactory(random);
  let lastMs = 0;

  return () => {
    const nowMs = toUlidTime(deps.time.now());
    // One id from a future wall clock would pin every later id to that future: start afresh instead.
    if (lastMs - nowMs > MAX_LEAD_MS) {
      next = monotonicFactory(random);
      lastMs = 0;
    }
    lastMs = Math.max(lastMs, nowMs);

    let id: string;
    try {
      id = next(lastMs);
    } catch {
      // The random part ran over within this millisecond; the next one has room again.
      lastMs = Math.min(lastMs + 1, MAX_ULID_TIME_MS);
      id = next(lastMs);
    }
    if (isUlid(id)) return id;
    throw new EventsSdkError('INVALID_ARGUMENT', 'Cannot make an event id: the random source gave unusable numbers.');
  };
}

/** True for text that may stand in `event_id` or `causation_id`. */
export function isUlid(value: unknown): value is string {
  return typeof value === 'string' && ULID_PATTERN.test(value);
}

/** The library reads 0 as "take Date.now()" and refuses fractions, so neither may reach it. */
function toUlidTime(nowMs: number): number {
  if (!(nowMs >= 1)) return 1;
  return Math.min(Math.floor(nowMs), MAX_ULID_TIME_MS);
}

/** Draws bytes by the block: the library asks for 16 numbers an id, one at a time. */
function createCryptoRandom(): () => number {
  const block = new Uint8Array(512);
  let used = block.length;
  return () => {
    if (used === block.length) {
      globalThis.crypto.getRandomValues(block);
      used = 0;
    }
    const byte = block[used] ?? 0;
    used += 1;
    return byte / 256;
  };
}
