/** Adds up what one sync did. */
import type { SettledRejection, Settlement } from '../queue/offline-queue.ts';

export interface Tally {
  /** A batch of `offered` events was decided on. */
  add(offered: number, settlement: Settlement): void;
  /** An event was set aside without a verdict of its own. */
  addParked(event: SettledRejection): void;
  counts(): {
    readonly sent: number;
    readonly duplicates: number;
    readonly pending: number;
    readonly rejected: readonly SettledRejection[];
    readonly batches: number;
  };
  progress(): { readonly offered: number; readonly batches: number };
}

export function createTally(): Tally {
  const rejected: SettledRejection[] = [];
  let sent = 0;
  let duplicates = 0;
  let pending = 0;
  let batches = 0;
  let offered = 0;
  return {
    add(events, settlement) {
      offered += events;
      batches += 1;
      sent += settlement.removed;
      duplicates += settlement.duplicates;
      pending += settlement.pending;
      rejected.push(...settlement.rejected);
    },
    addParked(event) {
      offered += 1;
      rejected.push(event);
    },
    counts: () => ({ sent, duplicates, pending, rejected, batches }),
    progress: () => ({ offered, batches }),
  };
}
