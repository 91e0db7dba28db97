/**
 * The drainer's lease: only one process at a time delivers for a home (DESIGN §4.9). It is a record in the
 * store with an owner, a heartbeat and an expiry; a dead owner's lease is taken over.
 */
import * as v from 'valibot';

import type { EventStore, StoreReader, StoreTransaction } from '../storage/port.ts';
import { readJson, VALUE } from '../storage/values.ts';

/** How long a lease lasts without a heartbeat: longer than one batch request may take. */
export const LEASE_MS = 75_000;

/** A process as the host can recognise it later: a pid alone may be reused. */
export interface LeaseOwner {
  readonly pid: number;
  /** Start time of the process in the host's own terms; empty where unknown. */
  readonly startedAt: string;
  readonly host: string;
  /** What it is: `sync now`, `courier`. */
  readonly role: string;
  /** Version of the program; absent where it has not said. */
  readonly version?: string;
}

/** An owner as it stands in the store. */
export const ownerSchema = v.object({
  pid: v.number(),
  startedAt: v.string(),
  host: v.string(),
  role: v.string(),
  version: v.exactOptional(v.string()),
});

const leaseSchema = v.object({
  owner: ownerSchema,
  token: v.string(),
  since: v.number(),
  heartbeatAt: v.number(),
});

export type Lease = v.InferOutput<typeof leaseSchema>;

export interface LeaseDeps {
  readonly store: EventStore;
  readonly time: { now(): number };
  readonly owner: LeaseOwner;
  /** Distinguishes two leases of one process. */
  readonly newToken: () => string;
  /** True when the host knows that process to be gone; false when it lives or cannot be judged. */
  readonly isGone: (owner: LeaseOwner) => boolean;
}

/** A lease that is held. */
export interface HeldLease {
  /**
   * Proves life and keeps the lease. False when another process has taken it over: stop sending. `also` runs in the
   * same transaction while the lease is ours.
   */
  renew(also?: (tx: StoreTransaction) => void): Promise<boolean>;
  /** Gives the lease up. False when someone asked for another drain meanwhile: then it is kept, drain again. */
  finish(): Promise<boolean>;
  /** Gives the lease up whatever was asked. */
  release(): Promise<void>;
  /** True once another process has asked this one to make room. */
  isUnwanted(reader: StoreReader): boolean;
}

export type LeaseAnswer =
  | { readonly kind: 'held'; readonly lease: HeldLease }
  | { readonly kind: 'busy'; readonly holder: Lease };

/** The lease on record, whoever holds it and however old it is. */
export function readLease(reader: StoreReader): Lease | undefined {
  const parsed = v.safeParse(leaseSchema, readJson(reader, VALUE.lease));
  return parsed.success ? parsed.output : undefined;
}

/** True while `lease` keeps others out. */
export function isLive(lease: Lease | undefined, now: number, isGone: (owner: LeaseOwner) => boolean): lease is Lease {
  // A heartbeat from the future (a clock set back) must not hold the lease for longer than its length.
  return lease !== undefined && Math.abs(now - lease.heartbeatAt) < LEASE_MS && !isGone(lease.owner);
}

/** Takes the lease if no living process holds it. */
export async function acquireLease(deps: LeaseDeps): Promise<LeaseAnswer> {
  const { store, time, owner, isGone } = deps;
  const token = deps.newToken();
  const since = time.now();

  const write = (heartbeatAt: number): string => JSON.stringify({ owner, token, since, heartbeatAt } satisfies Lease);

  const holder = await store.transact((tx) => {
    const present = readLease(tx);
    if (isLive(present, time.now(), isGone)) return present;
    tx.setValue(VALUE.lease, write(since));
    tx.setValue(VALUE.drainRequest, null);
    tx.setValue(VALUE.leaveRequest, null);
    // Whoever was waited for: from here on it is the lease that shows that somebody delivers.
    tx.setValue(VALUE.courierStart, null);
    return undefined;
  });
  if (holder !== undefined) return { kind: 'busy', holder };

  const isOurs = (reader: StoreReader): boolean => readLease(reader)?.token === token;
  return {
    kind: 'held',
    lease: {
      renew: (also) =>
        store.transact((tx) => {
          if (!isOurs(tx)) return false;
          tx.setValue(VALUE.lease, write(time.now()));
          also?.(tx);
          return true;
        }),
      finish: () =>
        store.transact((tx) => {
          if (!isOurs(tx)) return true;
          if (tx.value(VALUE.drainRequest) !== undefined) {
            tx.setValue(VALUE.drainRequest, null);
            tx.setValue(VALUE.lease, write(time.now()));
            return false;
          }
          tx.setValue(VALUE.lease, null);
          return true;
        }),
      release: () =>
        store.transact((tx) => {
          if (isOurs(tx)) tx.setValue(VALUE.lease, null);
        }),
      isUnwanted: (reader) => reader.value(VALUE.leaveRequest) === token,
    },
  };
}

/**
 * Asks whoever is delivering to drain once more before it stops. False when nobody is: then the caller has
 * to see to the delivery itself.
 */
export function requestDrain(deps: Pick<LeaseDeps, 'store' | 'time' | 'isGone'>): Promise<boolean> {
  return deps.store.transact((tx) => {
    if (!isLive(readLease(tx), deps.time.now(), deps.isGone)) return false;
    tx.setValue(VALUE.drainRequest, String(deps.time.now()));
    return true;
  });
}

/**
 * Asks the holder of that very lease to make room. It ends in its own time; whoever asks waits for the lease. A request
 * outlives its lease without meaning anything to the next one.
 */
export function requestLeave(tx: StoreTransaction, holder: Lease): void {
  tx.setValue(VALUE.leaveRequest, holder.token);
}
