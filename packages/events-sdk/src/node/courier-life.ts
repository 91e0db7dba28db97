/**
 * When a courier leaves: a pure decision, so that every way out is one line that can be read. A courier is a help, not a
 * service: it never lives for long without use, and the next command starts another one.
 */
import type { BackgroundStatus } from '../engine/background-sync.ts';

/** How long a courier lives, in milliseconds. */
export interface CourierLimits {
  /** Without an event seen or sent. Default 60,000. */
  readonly idleMs: number;
  /** The same while events wait that cannot be delivered: a server may come back, a person may sign in. Default 600,000. */
  readonly patienceMs: number;
  /** In all: what runs for hours has outlived its installation. Default 4 hours. */
  readonly maxAgeMs: number;
}

export const COURIER_LIMITS: CourierLimits = { idleMs: 60_000, patienceMs: 600_000, maxAgeMs: 4 * 3_600_000 };

/** Why a courier leaves. */
export type Farewell =
  | 'signal'
  /** The home was removed, or another one stands in its place. */
  | 'home-gone'
  | 'signed-out'
  /** Another process asked for the place: `sync watch`, or a courier of another version. */
  | 'asked'
  /** Another process has the lease. */
  | 'lease-lost'
  | 'age'
  | 'idle'
  /** Events wait, and for long nothing helped. */
  | 'gave-up';

/** What a courier knows of itself and its home. Times are milliseconds since the epoch. */
export interface CourierFacts {
  readonly now: number;
  readonly startedAt: number;
  readonly status: Pick<BackgroundStatus, 'phase' | 'lastActivityAt' | 'isUnwanted'>;
  readonly isSignalled: boolean;
  readonly isHomeThere: boolean;
  readonly isSignedIn: boolean;
}

/** The first reason to leave; undefined while there is none. */
export function whyLeave(facts: CourierFacts, limits: CourierLimits): Farewell | undefined {
  const { now, status } = facts;
  if (!facts.isHomeThere) return 'home-gone';
  if (facts.isSignalled) return 'signal';
  if (status.phase === 'ended') return 'lease-lost';
  if (!facts.isSignedIn) return 'signed-out';
  if (status.isUnwanted) return 'asked';
  // A wall clock that is set back must not prolong a life.
  if (Math.abs(now - facts.startedAt) >= limits.maxAgeMs) return 'age';
  const quietMs = Math.abs(now - status.lastActivityAt);
  const isWaiting = status.phase !== 'idle';
  if (quietMs < (isWaiting ? limits.patienceMs : limits.idleMs)) return undefined;
  return isWaiting ? 'gave-up' : 'idle';
}
