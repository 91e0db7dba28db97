/**
 * The Lamport clock: a counter that only grows, kept where the events are kept, so that giving out a
 * value and appending the event it belongs to are one turn. Source: CONTRACT §3, DESIGN §4.2.
 */
import { EventsSdkError } from '../errors.ts';

/**
 * The largest value accepted from elsewhere. At a million events a second it is nine years away; a larger
 * one is a fault or an attack, and taking it would use up the numbers for everyone.
 */
export const MAX_REMOTE_CLOCK = 2 ** 48;

/** The value after one local event. */
export function nextTick(value: number): number {
  return value + 1;
}

/** The value after seeing `remote`: above both. A remote value that cannot be true leaves the clock alone. */
export function afterReceiving(value: number, remote: number): number {
  if (!Number.isSafeInteger(remote) || remote < 0 || remote > MAX_REMOTE_CLOCK) return value;
  return Math.max(value, remote) + 1;
}

/** Total order of events (DESIGN §4.2): clock, then node, then id. Never wall time. */
export function compareEvents(a: OrderKey, b: OrderKey): number {
  return a.lamport_clock - b.lamport_clock || compareText(a.node_id, b.node_id) || compareText(a.event_id, b.event_id);
}

/** The envelope keys that decide order. */
export interface OrderKey {
  readonly lamport_clock: number;
  readonly node_id: string;
  readonly event_id: string;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The part of an event store a clock needs. */
export interface ClockStore {
  transact<T>(work: (cell: ClockCell) => T): Promise<T>;
}

/** The clock's value inside one transaction. */
export interface ClockCell {
  clock(): number;
  raiseClock(value: number): void;
}

/** A clock shared by all processes of a home. Every value is given out once and is durable when it is given. */
export interface LamportClock {
  /** The next value. */
  tick(): Promise<number>;
  /** Moves above a value seen elsewhere and returns the new one. */
  receive(remote: number): Promise<number>;
}

/** A clock over an event store. Rejects as the store does (STORAGE_*). */
export function createLamportClock(deps: { readonly store: ClockStore }): LamportClock {
  const move = (step: (value: number) => number): Promise<number> =>
    deps.store.transact((cell) => {
      const next = step(cell.clock());
      cell.raiseClock(next);
      return next;
    });
  return {
    tick: () => move(nextTick),
    receive(remote) {
      if (!Number.isSafeInteger(remote) || remote < 0) {
        return Promise.reject(
          new EventsSdkError('INVALID_ARGUMENT', 'A remote clock value must be a whole number, 0 or more.'),
        );
      }
      return move((value) => afterReceiving(value, remote));
    },
  };
}
