/**
 * The link's state in the store, for other processes to show: written by the process that holds the link, with when it
 * was last seen to be true. A reader believes it only while that process lives and keeps saying so.
 */
import * as v from 'valibot';

import type { StoreReader, StoreTransaction } from '../storage/port.ts';
import { readJson, VALUE } from '../storage/values.ts';
import { LEASE_MS, ownerSchema, type LeaseOwner } from './lease.ts';
import type { Link, LinkReason, LinkState } from './link.ts';

const recordSchema = v.object({
  state: v.picklist(['connected', 'reconnecting', 'offline', 'offline-batch']),
  reason: v.string(),
  since: v.number(),
  seenAt: v.number(),
  owner: ownerSchema,
});

/** The link as any process of the home may show it. */
export interface LinkStatus {
  readonly state: LinkState;
  /** Why: a {@link LinkReason}, or `nobody` when no process holds a link any more. */
  readonly reason: LinkReason | 'nobody' | (string & {});
  /** When that was last seen to be true, in milliseconds since the epoch; null: nothing was ever seen. */
  readonly at: number | null;
}

/** Writes the link as it is at `now`. */
export function writeLink(tx: StoreTransaction, link: Link, owner: LeaseOwner, now: number): void {
  const { state, reason, since } = link;
  tx.setValue(
    VALUE.link,
    JSON.stringify({ state, reason, since, seenAt: now, owner } satisfies v.InferOutput<typeof recordSchema>),
  );
}

/** The link as it may be shown at `now`: offline when whoever wrote it is gone or has been silent for too long. */
export function readLink(
  reader: StoreReader,
  deps: { readonly now: number; readonly isGone: (owner: LeaseOwner) => boolean },
): LinkStatus {
  const parsed = v.safeParse(recordSchema, readJson(reader, VALUE.link));
  if (!parsed.success) return { state: 'offline', reason: 'nobody', at: null };
  const { state, reason, seenAt, owner } = parsed.output;
  const isBelieved = Math.abs(deps.now - seenAt) < LEASE_MS && !deps.isGone(owner);
  return isBelieved ? { state, reason, at: seenAt } : { state: 'offline', reason: 'nobody', at: seenAt };
}
