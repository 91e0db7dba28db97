/**
 * The spill: where events wait that were recorded while the store could not be had (DESIGN §3: what is acknowledged is
 * on disk). Whoever next gets a transaction of the store takes them in (`take-in.ts`). It keeps what it is told and
 * knows no order but that of its names; clock and node come from the store.
 *
 * All but `keep` is synchronous: it is used inside a transaction, and only there two processes cannot take the same in.
 */
import type { UnclockedEnvelope } from '../events/stamp.ts';
import type { EventState } from './port.ts';

/** One event as it waits. Everything a row needs but its clock. */
export interface SpilledEvent {
  readonly envelope: UnclockedEnvelope;
  readonly state: Extract<EventState, 'queued' | 'held'>;
  readonly reason: string | null;
  readonly server: string | null;
  readonly projectRoot: string | null;
  /** Wall time of the emission, in seconds since the epoch. */
  readonly enqueuedAt: number;
  /** The team the project's own settings name; null where only the store may know one. */
  readonly projectTeam: string | null;
}

/** What became of an attempt to keep events. Failures of the disk reject instead. */
export type SpillAnswer =
  /** They survive a loss of power from here on. */
  | 'kept'
  /** There lies so much already that more is refused; nothing was kept. */
  | 'full';

/** The events of one emission. */
export interface SpilledEmission {
  /** Unique for ever, and rising: the order of emission as well as wall time knows it. */
  readonly name: string;
  readonly events: readonly SpilledEvent[];
}

export interface Spill {
  /** Keeps the events of one emission, all or none, durably. Rejects when the disk does not take them. */
  keep(events: readonly SpilledEvent[]): Promise<SpillAnswer>;
  /** True when nothing lies there. Asked in every transaction, so it has to be cheap. */
  isEmpty(): boolean;
  /** What lies there and can be read, in the order of its names. Never throws: what cannot be read is told and left out. */
  list(): readonly SpilledEmission[];
  /** Removes emissions. Never throws: what cannot be removed is offered again. */
  remove(names: readonly string[]): void;
}
