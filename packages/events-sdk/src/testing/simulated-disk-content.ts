/**
 * What may stand in a file after a loss of power, when some of its writes were never synced: all of them, some, a part
 * of one (torn at a block boundary or at any byte), a file of the right length with zeros where data had not arrived,
 * a later block without an earlier one.
 */
import { createHash } from 'node:crypto';

/** A change of a file's content. */
export type ContentEffect =
  | { readonly kind: 'write'; readonly node: number; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'empty'; readonly node: number };

/** One possible content; the hash stands for its bytes. */
export interface Content {
  readonly bytes: Uint8Array;
  readonly hash: string;
}

/** A write no longer than this is torn at every byte, a longer one around its blocks. */
const TORN_EVERYWHERE = 512;
const BLOCK = 4_096;

/** The content after a change. */
export function applyContent(bytes: Uint8Array, effect: ContentEffect): Uint8Array {
  return effect.kind === 'empty' ? new Uint8Array() : overlay(bytes, effect.at, effect.bytes);
}

/** Every content that may be left of `durable` and the unsynced `pending` changes: first that none arrived, last that all did. */
export function possibleContents(durable: Uint8Array, pending: readonly ContentEffect[]): readonly Content[] {
  const found = new Map<string, Content>();
  const add = (bytes: Uint8Array): string => {
    const hash = createHash('sha1').update(bytes).digest('base64');
    if (!found.has(hash)) found.set(hash, { bytes, hash });
    return hash;
  };
  add(durable);
  let before = durable;
  for (const effect of pending) {
    if (effect.kind === 'write') for (const torn of tornWrites(before, effect.at, effect.bytes)) add(torn);
    before = applyContent(before, effect);
    add(before);
  }
  // A write may reach the disk before an earlier one.
  if (pending.length > 1) {
    for (const left of pending) add(pending.filter((effect) => effect !== left).reduce(applyContent, durable));
  }
  const whole = add(before);
  return [...found.values()].toSorted((a, b) => Number(a.hash === whole) - Number(b.hash === whole));
}

function* tornWrites(before: Uint8Array, at: number, bytes: Uint8Array): Generator<Uint8Array> {
  for (const length of tornLengths(bytes.length)) {
    const torn = overlay(before, at, bytes.subarray(0, length));
    yield torn;
    // The length arrived, the rest of the data did not.
    if (at + bytes.length > before.length) yield overlay(torn, at + bytes.length, new Uint8Array());
    // The end arrived, the beginning did not.
    yield overlay(before, at + length, bytes.subarray(length));
  }
}

function tornLengths(length: number): readonly number[] {
  if (length <= TORN_EVERYWHERE) return Array.from({ length }, (_, index) => index);
  const lengths = new Set([0, 1, 99, 511, 512, 513, Math.floor(length / 2) | 1, length - 1]);
  for (let block = BLOCK; block < length; block += BLOCK) for (const near of [-1, 0, 1]) lengths.add(block + near);
  return [...lengths].filter((torn) => torn < length);
}

/** `part` written over `bytes` at `at`; a gap is filled with zeros. */
function overlay(bytes: Uint8Array, at: number, part: Uint8Array): Uint8Array {
  const result = new Uint8Array(Math.max(bytes.length, at + part.length));
  result.set(bytes);
  result.set(part, at);
  return result;
}
