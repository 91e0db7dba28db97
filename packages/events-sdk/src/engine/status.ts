/**
 * Where a home stands, read from the store in one consistent view: every figure has its evidence there,
 * none comes from a flag in memory.
 */
import { HELD_REASONS } from '../emit-outcome.ts';
import type { StoreReader } from '../storage/port.ts';
import { readSize, type QueueSize } from '../queue/offline-queue.ts';
import { readLastSuccess, readLastSync, type LastSync } from './history.ts';
import { isLive, readLease, type LeaseOwner } from './lease.ts';
import { readLink, type LinkStatus } from './link-record.ts';

export interface SyncStatus extends QueueSize {
  /** Held events by reason; `unknown` for a reason that is none of ours. */
  readonly heldBy: Readonly<Record<string, number>>;
  /** When the oldest waiting event was stored, in milliseconds since the epoch. */
  readonly oldestWaitingAt: number | null;
  readonly lastSync: LastSync | null;
  readonly lastSuccessAt: number | null;
  /** Who is delivering at this moment. */
  readonly deliveredBy: { readonly role: string; readonly pid: number; readonly since: number } | null;
  /** The realtime link, as the process that holds it last said and as far as that can still be believed. */
  readonly link: LinkStatus;
  readonly clock: number;
}

export function readStatus(
  reader: StoreReader,
  deps: { cap: number; now: number; isGone: (owner: LeaseOwner) => boolean },
): SyncStatus {
  const size = readSize(reader, deps.cap);
  const oldest = reader.events({ states: ['queued', 'held'], limit: 1 })[0];
  const lease = readLease(reader);
  return {
    ...size,
    heldBy: countHeld(reader, size.held),
    oldestWaitingAt: oldest === undefined ? null : oldest.enqueuedAt * 1000,
    lastSync: readLastSync(reader),
    lastSuccessAt: readLastSuccess(reader),
    deliveredBy: isLive(lease, deps.now, deps.isGone)
      ? { role: lease.owner.role, pid: lease.owner.pid, since: lease.since }
      : null,
    link: readLink(reader, { now: deps.now, isGone: deps.isGone }),
    clock: reader.clock(),
  };
}

/** Counted where the rows are: after every emitting command a full queue would be too much to fetch. */
function countHeld(reader: StoreReader, held: number): Readonly<Record<string, number>> {
  if (held === 0) return {};
  const known = HELD_REASONS.map((reason) => [reason, reader.count({ states: ['held'], reason })] as const);
  const unknown = known.reduce((rest, [, count]) => rest - count, held);
  return Object.fromEntries([...known, ['unknown', unknown] as const].filter(([, count]) => count > 0));
}
