/**
 * How large a batch a server takes, learned from what it refuses and remembered per server (DESIGN §4.6). A 413 halves
 * the batch that was refused; a limit the server names is believed. What was lost is won back slowly, and never up to
 * a size that was refused within the last day. Pure decisions, and their place in the store.
 */
import * as v from 'valibot';

import { batchBytes, type AdvertisedLimits } from '../contract/batch.ts';
import { MAX_BATCH_BYTES, MAX_EVENTS_PER_BATCH } from '../contract/limits.ts';
import type { BatchSize } from '../queue/cut-batch.ts';
import type { StoreReader, StoreTransaction } from '../storage/port.ts';
import { batchLimitsKey, readJson } from '../storage/values.ts';

/** How long a refusal is remembered, in milliseconds. Afterwards the server may have been given more room. */
const REFUSAL_MEMORY_MS = 86_400_000;

/** A batch accepted at its limit raises the limit by this share, or by half of the way to a refused size. */
const GROWTH = 1 / 8;

const whole = v.pipe(v.number(), v.safeInteger(), v.minValue(1));
const limitsSchema = v.object({
  maxEvents: v.pipe(whole, v.maxValue(MAX_EVENTS_PER_BATCH)),
  maxBytes: v.pipe(whole, v.maxValue(MAX_BATCH_BYTES)),
  /** The smallest size known to be too large; null when that is too long ago or never was. */
  refusedBytes: v.nullable(whole),
  refusedAt: v.number(),
});

/** What is known of one server. Sizes count the body before compression. */
export type BatchLimits = v.InferOutput<typeof limitsSchema>;

/** Before a server has said anything. */
export const NO_LIMITS: BatchLimits = {
  maxEvents: MAX_EVENTS_PER_BATCH,
  maxBytes: MAX_BATCH_BYTES,
  refusedBytes: null,
  refusedAt: 0,
};

/** What a refusal of `bytes` bytes teaches. The new limit is below the refused size, whatever the server names. */
export function afterTooLarge(
  limits: BatchLimits,
  bytes: number,
  named: AdvertisedLimits | undefined,
  now: number,
): BatchLimits {
  // Of the events; what stands around them is needed twice.
  const half = Math.floor((bytes + batchBytes([])) / 2);
  const isNamedUsable = named?.maxBytes !== undefined && named.maxBytes < bytes;
  const tooLarge = isNamedUsable ? (named.maxBytes ?? 0) + 1 : bytes;
  return {
    maxEvents: Math.min(limits.maxEvents, named?.maxEvents ?? limits.maxEvents),
    maxBytes: Math.min(limits.maxBytes, isNamedUsable ? (named.maxBytes ?? half) : half),
    refusedBytes: Math.min(limits.refusedBytes ?? tooLarge, tooLarge),
    refusedAt: now,
  };
}

/** What the acceptance of `bytes` bytes teaches: the same object when nothing. */
export function afterAccepted(limits: BatchLimits, bytes: number, now: number): BatchLimits {
  const isForgotten = Math.abs(now - limits.refusedAt) >= REFUSAL_MEMORY_MS;
  // A batch far below the limit shows nothing about it.
  const isAtLimit = bytes * 2 > limits.maxBytes;
  const step = Math.ceil(limits.maxBytes * GROWTH);
  const roof = isForgotten ? null : limits.refusedBytes;
  const room = roof === null ? step : Math.floor((roof - limits.maxBytes) / 2);
  // So close to a refused size that growing would mostly earn refusals.
  const grown = !isAtLimit || room < step / 2 ? limits.maxBytes : limits.maxBytes + Math.min(step, room);
  const maxBytes = Math.min(MAX_BATCH_BYTES, grown);
  const maxEvents = isForgotten ? MAX_EVENTS_PER_BATCH : limits.maxEvents;
  if (maxBytes === limits.maxBytes && maxEvents === limits.maxEvents && roof === limits.refusedBytes) return limits;
  return { ...limits, maxBytes, maxEvents, refusedBytes: roof };
}

/** The limits as a request's size. */
export function toBatchSize({ maxEvents, maxBytes }: BatchLimits): BatchSize {
  return { maxEvents, maxBytes };
}

/** What the store knows of the server. */
export function readBatchLimits(reader: StoreReader, server: string): BatchLimits {
  const parsed = v.safeParse(limitsSchema, readJson(reader, batchLimitsKey(server)));
  return parsed.success ? parsed.output : NO_LIMITS;
}

/** Remembers; limits that are back at the top are forgotten. */
export function writeBatchLimits(tx: StoreTransaction, server: string, limits: BatchLimits): void {
  const isTop =
    limits.maxBytes === MAX_BATCH_BYTES && limits.maxEvents === MAX_EVENTS_PER_BATCH && limits.refusedBytes === null;
  tx.setValue(batchLimitsKey(server), isTop ? null : JSON.stringify(limits));
}
