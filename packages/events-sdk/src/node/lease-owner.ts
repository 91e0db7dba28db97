/** The drainer's lease in terms of this machine's processes. */
import type { LeaseOwner } from '../engine/lease.ts';
import { currentOwner, lifeOf } from './process-owner.ts';

/** The courier's role. */
export const COURIER_ROLE = 'courier';

/** The role of a person's `sync watch`: it is never asked to make room. */
export const WATCH_ROLE = 'watch';

/** This process as a lease owner. */
export function leaseOwner(role: string, now: number, version?: string): LeaseOwner {
  const { pid, started, host } = currentOwner(now);
  return { pid, startedAt: started, host, role, ...(version === undefined ? {} : { version }) };
}

/** True where both have said their version, and it is not the same. */
export function isOtherVersion(holder: LeaseOwner, version: string | undefined): boolean {
  return holder.version !== undefined && version !== undefined && holder.version !== version;
}

/** True when that process has ended; an owner on another machine is never judged, its lease just expires. */
export function isGoneOwner(owner: LeaseOwner): boolean {
  return lifeOf({ pid: owner.pid, started: owner.startedAt, host: owner.host, takenAtMs: 0, token: '' }) === 'dead';
}
