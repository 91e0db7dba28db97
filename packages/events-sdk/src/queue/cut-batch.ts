/** Cutting what waits to the size of one request. Pure. */
import { batchBytes } from '../contract/batch.ts';

/** What one request may hold. */
export interface BatchSize {
  readonly maxEvents: number;
  /** Bytes of the body before compression. */
  readonly maxBytes: number;
}

/** The first events that fit, in order. The very first always does: alone it is the server's to judge. */
export function cutBatch<T extends { readonly data: string }>(events: readonly T[], size: BatchSize): readonly T[] {
  const most = events.length <= size.maxEvents ? events : events.slice(0, Math.max(1, size.maxEvents));
  const empty = batchBytes([]);
  // UTF-8 never takes more than three bytes a UTF-16 unit, so most batches need no exact count.
  const atMost = most.reduce((sum, event) => sum + event.data.length * 3 + 1, empty);
  if (atMost <= size.maxBytes) return most;
  let bytes = empty;
  const end = most.findIndex((event, index) => {
    bytes += batchBytes([event]) - empty;
    return index > 0 && bytes > size.maxBytes;
  });
  return end === -1 ? most : most.slice(0, end);
}

/** All events in requests of that size, in order. */
export function cutIntoBatches<T extends { readonly data: string }>(
  events: readonly T[],
  size: BatchSize,
): readonly (readonly T[])[] {
  const batches: (readonly T[])[] = [];
  for (let rest = events; rest.length > 0;) {
    const batch = cutBatch(rest, size);
    batches.push(batch);
    rest = rest.slice(batch.length);
  }
  return batches;
}
