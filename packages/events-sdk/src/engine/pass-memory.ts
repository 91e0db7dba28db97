/**
 * What one pass has done so far: which rows had their attempt, and which must wait so that nothing overtakes within an
 * aggregate. It forgets with the pass; the rows themselves know nothing of it.
 */
import type { StoredEvent } from '../storage/port.ts';

export interface PassMemory {
  /** True while this very copy of the row may be sent in this pass. */
  mayGo(event: StoredEvent): boolean;
  /** The server has spoken of these: no second attempt in this pass. */
  tried(eventIds: readonly string[]): void;
  /** These were offered in vain: neither they nor anything behind them of the same aggregate leaves in this pass. */
  left(events: readonly StoredEvent[]): void;
  /** This row has a new clock value: older copies of it are void. */
  moved(eventId: string, lamportClock: number): void;
  /** True when the row has had a new clock value in this pass. */
  hasMoved(eventId: string): boolean;
  /** These may be tried once more. */
  retry(eventIds: readonly string[]): void;
  /** How many rows were left. */
  readonly leftCount: number;
}

export function createPassMemory(): PassMemory {
  const done = new Set<string>();
  const leftRows = new Set<string>();
  const waitingAggregates = new Set<string>();
  const newClocks = new Map<string, number>();
  return {
    mayGo(event) {
      if (done.has(event.eventId) || waitingAggregates.has(aggregateKey(event))) return false;
      return (newClocks.get(event.eventId) ?? event.lamportClock) === event.lamportClock;
    },
    tried(eventIds) {
      for (const id of eventIds) done.add(id);
    },
    left(events) {
      for (const event of events) {
        done.add(event.eventId);
        leftRows.add(event.eventId);
        waitingAggregates.add(aggregateKey(event));
      }
    },
    moved: (eventId, lamportClock) => void newClocks.set(eventId, lamportClock),
    hasMoved: (eventId) => newClocks.has(eventId),
    retry(eventIds) {
      for (const id of eventIds) done.delete(id);
    },
    get leftCount() {
      return leftRows.size;
    },
  };
}

/** One thing on one board: the same package id in another project is another thing. */
function aggregateKey({ teamSlug, projectUuid, aggregateId }: StoredEvent): string {
  return JSON.stringify([teamSlug, projectUuid, aggregateId]);
}
