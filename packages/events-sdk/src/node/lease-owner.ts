/** The drainer's lease in terms of this machine's processes. */
import type { LeaseOwner } from '../engine/lease.ts';
import { currentOwner, lifeOf } from './process-owner.ts';

/** This process as a lease owner. */
export function leaseOwner(role: string, now: number): LeaseOwner {
  const { pid, started, host } = currentOwner(now);
  return { pid, startedAt: started, host, role };
}

/** True when that process has ended; an owner on another machine is never judged, its lease just expires. */
export function isGoneOwner(owner: LeaseOwner): boolean {
  return lifeOf({ pid: owner.pid, started: owner.startedAt, host: owner.host, takenAtMs: 0, token: '' }) === 'dead';
}
