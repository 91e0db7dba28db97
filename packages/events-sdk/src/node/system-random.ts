/**
 * Chance for event ids on Node. Node's own `crypto` is the same source and costs a command 4 ms to load for the sixteen bytes
 * an id takes; where the system gives them as a file, they are read from there.
 */
import { closeSync, openSync, readSync } from 'node:fs';

const SOURCE = '/dev/urandom';
/** Enough for thirty ids at once. */
const BLOCK_BYTES = 512;

/** Numbers in [0, 1), each from a byte of the system's own generator. */
export function systemRandom(source = SOURCE): () => number {
  const block = new Uint8Array(BLOCK_BYTES);
  let used = BLOCK_BYTES;
  return () => {
    if (used === BLOCK_BYTES) {
      if (!fill(block, source)) globalThis.crypto.getRandomValues(block);
      used = 0;
    }
    const byte = block[used] ?? 0;
    used += 1;
    return byte / 256;
  };
}

/** False where there is no such file, or it gives less than was asked for: Windows, a bare container. */
function fill(block: Uint8Array, source: string): boolean {
  let file: number | undefined;
  try {
    file = openSync(source, 'r');
    return readSync(file, block, 0, block.length, null) === block.length;
  } catch {
    return false;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
