/**
 * Events that a server refused alone with a 400. Each is either broken itself, or the server refuses everything and is
 * at fault: setting event after event aside would then empty the queue into the parked ones. So they are only
 * suspects until the server has taken others.
 */
import type { StoredEvent } from '../storage/port.ts';

/** An event refused alone, with the server's reason. */
export interface Suspect {
  readonly event: StoredEvent;
  readonly reason: string;
}

export interface Suspects {
  /** A new batch begins: it is searched whatever the last one showed. */
  beginBatch(): void;
  add(suspect: Suspect): void;
  /** True when searching this batch further would only ask a refusing server more often. */
  isSearchOver(): boolean;
  /** The server has decided on others: the suspects are the culprits. They are handed over and forgotten. */
  convict(): readonly Suspect[];
  /** At the end of a batch or pass: true when it looks as if the server refuses everything. */
  isServerAtFault(at: 'batch' | 'pass'): boolean;
}

/** Single refusals without anything taken in between, after which a batch is searched no further. */
const MOST_A_BATCH = 3;

/** Batches of which nothing was taken, after which the pass ends. */
const MOST_BATCHES = 2;

export function createSuspects(): Suspects {
  let waiting: Suspect[] = [];
  let inBatch = 0;
  let barrenBatches = 0;
  return {
    beginBatch() {
      inBatch = 0;
    },
    add(suspect) {
      waiting.push(suspect);
      inBatch += 1;
    },
    isSearchOver: () => inBatch >= MOST_A_BATCH,
    convict() {
      const found = waiting;
      waiting = [];
      inBatch = 0;
      barrenBatches = 0;
      return found;
    },
    isServerAtFault(at) {
      if (waiting.length < MOST_A_BATCH) return false;
      if (at === 'batch') barrenBatches += 1;
      return at === 'pass' || barrenBatches >= MOST_BATCHES;
    },
  };
}
