/**
 * Sees what other processes do to the store: new rows, a request, another look asked for. Where nothing was committed
 * that costs the native store a pragma; the clock's value is the sign that something was emitted.
 */
import { afterReceiving } from '../clock/lamport.ts';
import type { Time } from '../internal/time.ts';
import type { EventStore } from '../storage/port.ts';
import { VALUE } from '../storage/values.ts';
import type { Ground } from './background-ground.ts';
import type { HeldLease } from './lease.ts';
import { readPaceWait } from './pace.ts';
import { readSyncRequest } from './sync-request.ts';

/** How often to look, in milliseconds. */
export const LOOK_MS = 200;

export interface StoreWatch {
  look(): Promise<void>;
  /** A clock value seen elsewhere: with the next look ours moves above it. */
  sawRemoteClock(value: number): void;
}

export function createStoreWatch(deps: {
  readonly ground: Ground;
  readonly store: EventStore;
  readonly lease: HeldLease;
  readonly time: Time;
}): StoreWatch {
  const { ground, store, lease, time } = deps;
  let lastClock: number | undefined;
  let remoteClock = 0;

  return {
    async look() {
      const seen = await store.read((reader) => ({
        clock: reader.clock(),
        queued: reader.count({ states: ['queued'] }),
        held: reader.count({ states: ['held'] }),
        isAsked: reader.value(VALUE.drainRequest) !== undefined,
        request: readSyncRequest(reader) ?? null,
        isUnwanted: lease.isUnwanted(reader),
        paceMs: readPaceWait(reader, time.now()),
      }));
      const { queued, held, request, isAsked, paceMs } = seen;
      const hasMoved = lastClock !== undefined && seen.clock !== lastClock;
      // More rows without a tick: events stamped elsewhere, released or moved here.
      const isNew = isAsked || hasMoved || queued > ground.state().queued;
      lastClock = seen.clock;
      const remote = remoteClock;
      if (isAsked || remote > seen.clock) {
        await store.transact((tx) => {
          tx.setValue(VALUE.drainRequest, null);
          if (remote > tx.clock()) tx.raiseClock(afterReceiving(tx.clock(), remote));
          // An emission in between has moved it as well, and must not look like our own doing.
          if (tx.clock() === afterReceiving(seen.clock, remote)) lastClock = tx.clock();
        });
      }
      // With nothing left there is nothing left to try; what comes later is new.
      const work = queued + held === 0 ? 'none' : ground.state().work;
      const now = time.now();
      ground.activity.isUnwanted ||= seen.isUnwanted;
      ground.set({
        queued,
        held,
        request,
        work,
        paceAt: paceMs === 0 ? null : now + paceMs,
        lookAt: now + LOOK_MS,
      });
      if (!isNew) return;
      ground.activity.lastAt = time.now();
      if (ground.state().work === 'none') ground.set({ work: 'new' });
      ground.link({ kind: 'new-event' });
    },
    sawRemoteClock(value) {
      remoteClock = Math.max(remoteClock, value);
    },
  };
}
