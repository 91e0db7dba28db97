/**
 * When a server may be asked again, kept in the store so that all processes of a home share it: the pace of background
 * batches (FR-033), and the floor a server sets with `Retry-After`. Pure readings; the engine waits.
 */
import * as v from 'valibot';

import { BATCH_INTERVAL_MS } from '../contract/limits.ts';
import type { StoreReader, StoreTransaction } from '../storage/port.ts';
import { readJson, retryFloorKey, VALUE } from '../storage/values.ts';
import { MAX_RETRY_AFTER_MS } from '../transport/retry-after.ts';
import type { DeliveryStop } from './stops.ts';

const floorSchema = v.object({
  setAt: v.number(),
  until: v.number(),
  by: v.picklist(['throttled', 'server-error', 'unreachable', 'aborted']),
  message: v.string(),
});

/** Notes that the server has decided on a batch. */
export function noteBatch(tx: StoreTransaction, now: number): void {
  tx.setValue(VALUE.lastBatch, String(now));
}

/** Milliseconds until the next background batch may leave; 0: now. A clock set back does not make it longer. */
export function readPaceWait(reader: StoreReader, now: number): number {
  const sinceMs = now - Number(reader.value(VALUE.lastBatch) ?? Number.NaN);
  return sinceMs >= 0 ? Math.max(0, BATCH_INTERVAL_MS - sinceMs) : 0;
}

/** Keeps the server's floor, if the stop carries one. */
export function noteFloor(tx: StoreTransaction, server: string, stop: DeliveryStop, now: number): void {
  const { by, message, retryAfterMs } = stop;
  if (retryAfterMs === undefined || retryAfterMs <= 0) return;
  tx.setValue(retryFloorKey(server), JSON.stringify({ setAt: now, until: now + retryAfterMs, by, message }));
}

/** The stop a pass ends with while the server's floor lasts; undefined once it may be asked. */
export function readFloor(reader: StoreReader, server: string, now: number): DeliveryStop | undefined {
  const parsed = v.safeParse(floorSchema, readJson(reader, retryFloorKey(server)));
  if (!parsed.success) return undefined;
  const { setAt, until, by, message } = parsed.output;
  const retryAfterMs = until - now;
  // Set in the future, or further away than any floor can be: this machine's clock was set back, and nothing is known.
  if (retryAfterMs <= 0 || now < setAt || retryAfterMs > MAX_RETRY_AFTER_MS) return undefined;
  return { by, message, retryAfterMs };
}
