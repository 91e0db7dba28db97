/**
 * Hands delivery over when a command has done its work: to the courier that is running, to a new one, or, where
 * that is chosen, to one short try within the command (DESIGN §4.9). An event that was stored before the call is
 * looked at by whoever the answer names.
 */
import type { AuthStatus } from '../auth/token-manager.ts';
import { readLastSync } from '../engine/history.ts';
import { isLive, readLease, requestDrain, requestLeave, type LeaseOwner } from '../engine/lease.ts';
import type { SyncReport } from '../engine/report.ts';
import type { DeliveryMode } from '../identity/project-identity.ts';
import type { Time } from '../internal/time.ts';
import type { EventStore, StoreReader } from '../storage/port.ts';
import { VALUE } from '../storage/values.ts';
import { startCourier, type CourierCommand } from './courier.ts';
import type { Env, Home } from './home.ts';
import { COURIER_ROLE, isOtherVersion } from './lease-owner.ts';

/** How long an inline delivery may take, in milliseconds. */
export const INLINE_DEADLINE_MS = 500;

/** After a failed inline try, commands leave the server alone for this long. */
export const INLINE_PAUSE_MS = 30_000;

/** A courier that was started is given this long to take the lease before another one is started. */
export const COURIER_START_MS = 10_000;

/** Rows looked at for one that a sign-in has freed; the next queued event frees the others. */
const HELD_ROWS_SEEN = 100;

/**
 * Who sees to the events that wait: a courier, running or just started; nobody, because this command has just
 * tried itself; or nobody, because there is nothing to send, nobody is signed in, or delivery is switched off.
 */
export type HandOff = 'courier' | 'tried' | 'none';

export interface Dispatch {
  /** Rejects as the store does. */
  nudge(facts: {
    readonly delivery: DeliveryMode;
    readonly auth: Pick<AuthStatus, 'session' | 'state'>;
    readonly syncNow: (options: {
      readonly deadlineMs: number;
      readonly waitForOthersMs: number;
    }) => Promise<SyncReport>;
  }): Promise<HandOff>;
}

export interface DispatchDeps {
  readonly home: Home;
  readonly env: Env;
  readonly time: Time;
  readonly store: () => Promise<EventStore>;
  readonly isGone: (owner: LeaseOwner) => boolean;
  /** Version of this program: a courier of another one is replaced. */
  readonly version?: string;
  /** The script of a courier. Without one, nothing is started. */
  readonly courier?: CourierCommand;
}

export function createDispatch(deps: DispatchDeps): Dispatch {
  const { time } = deps;

  async function tryInline(store: EventStore, syncNow: Parameters<Dispatch['nudge']>[0]['syncNow']): Promise<HandOff> {
    if (await store.read((reader) => isPaused(reader, time.now()))) return 'none';
    const report = await syncNow({ deadlineMs: INLINE_DEADLINE_MS, waitForOthersMs: 0 });
    if (report.stoppedBy === 'busy')
      return (await requestDrain({ store, time, isGone: deps.isGone })) ? 'courier' : 'tried';
    // A deadline that ends a long queue is no failure: something was delivered.
    const failedAt = report.batches === 0 && report.stoppedBy !== 'drained' ? String(time.now()) : null;
    await store.transact((tx) => {
      tx.setValue(VALUE.inlineFailure, failedAt);
    });
    return 'tried';
  }

  async function toCourier(store: EventStore): Promise<HandOff> {
    const who = await store.transact((tx) => {
      const now = time.now();
      const lease = readLease(tx);
      if (isLive(lease, now, deps.isGone)) {
        tx.setValue(VALUE.drainRequest, String(now));
        const { owner } = lease;
        if (owner.role !== COURIER_ROLE || !isOtherVersion(owner, deps.version)) return 'running';
        // It runs code that may be gone by now; its successor waits for the lease.
        requestLeave(tx, lease);
      }
      // Taking the lease removes this mark, so while it stands that courier's first look is still to come.
      if (isWithin(tx.value(VALUE.courierStart), COURIER_START_MS, now)) return 'starting';
      if (deps.courier === undefined) return 'nobody';
      tx.setValue(VALUE.courierStart, String(now));
      return 'ours to start';
    });
    if (who !== 'ours to start') return who === 'nobody' ? 'none' : 'courier';
    if (deps.courier !== undefined && (await startCourier(deps.home, deps.courier, deps.env))) return 'courier';
    await store.transact((tx) => {
      tx.setValue(VALUE.courierStart, null);
    });
    return 'none';
  }

  return {
    async nudge({ delivery, auth, syncNow }) {
      // With an expired sign-in only a login helps, and that is a person's to do (US7-3).
      const maySend = auth.session !== null && auth.session.teamSlug !== null && auth.state !== 'expired';
      if (delivery === 'off' || !maySend) return 'none';
      const store = await deps.store();
      if (!(await store.read(hasSomethingToSend))) return 'none';
      return delivery === 'inline' ? tryInline(store, syncNow) : toCourier(store);
    },
  };
}

/** Events withheld for another reason than a missing team need a person; a courier could only look at them. */
function hasSomethingToSend(reader: StoreReader): boolean {
  if (reader.count({ states: ['queued'] }) > 0) return true;
  if (reader.count({ states: ['held'] }) === 0) return false;
  return reader
    .events({ states: ['held'], teamSlug: null, limit: HELD_ROWS_SEEN })
    .some(({ reason }) => reason === 'team');
}

/** The server was tried in vain a moment ago, by a command or by a sync, and nothing has succeeded since. */
function isPaused(reader: StoreReader, now: number): boolean {
  const lastSync = readLastSync(reader);
  const own = reader.value(VALUE.inlineFailure);
  if (lastSync?.stoppedBy === 'drained') return isWithin(own, INLINE_PAUSE_MS, now) && Number(own) > lastSync.at;
  return (
    isWithin(own, INLINE_PAUSE_MS, now) || (lastSync !== null && isWithin(String(lastSync.at), INLINE_PAUSE_MS, now))
  );
}

/** True while less than `ms` lie between then and now; a clock set back must not make that long. */
function isWithin(at: string | undefined, ms: number, now: number): boolean {
  return at !== undefined && Math.abs(now - Number(at)) < ms;
}
