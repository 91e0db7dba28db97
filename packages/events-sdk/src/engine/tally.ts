/** Adds up what one sync did. */
import type { SettledRejection, Settlement } from '../queue/settle.ts';
import type { SyncReport } from './report.ts';

/** The part of a report that is counted while it happens. */
export type Counts = Pick<
  SyncReport,
  'sent' | 'duplicates' | 'pending' | 'rejected' | 'rejectedBy' | 'restamped' | 'batches'
>;

export interface Tally {
  /** A batch of `offered` events was decided on. */
  add(offered: number, settlement: Settlement): void;
  /** An event was set aside without a verdict of its own. */
  addParked(event: SettledRejection): void;
  /** So many events got a new clock value; the refusals of those that leave again in this pass are not the last word. */
  addRestamped(events: number, leavingAgain: ReadonlySet<string>): void;
  counts(): Counts;
  /** True once the server has decided on an event, or one was set aside. */
  hasDecided(): boolean;
  /** Ids the server has spoken of that are still here. */
  kept(): readonly string[];
  progress(): { readonly offered: number; readonly batches: number };
}

export function createTally(): Tally {
  let rejected: SettledRejection[] = [];
  const pending: string[] = [];
  let sent = 0;
  let duplicates = 0;
  let batches = 0;
  let offered = 0;
  let restamped = 0;
  return {
    add(events, settlement) {
      offered += events;
      batches += 1;
      sent += settlement.removed;
      duplicates += settlement.duplicates;
      pending.push(...settlement.pending);
      rejected.push(...settlement.rejected);
    },
    addParked(event) {
      offered += 1;
      rejected.push(event);
    },
    addRestamped(events, leavingAgain) {
      restamped += events;
      rejected = rejected.filter((event) => !leavingAgain.has(event.eventId));
    },
    counts: () => ({
      sent,
      duplicates,
      pending: pending.length,
      rejected,
      rejectedBy: countReasons(rejected),
      restamped,
      batches,
    }),
    hasDecided: () => sent + duplicates + pending.length + rejected.length > 0,
    kept: () => [...pending, ...rejected.map((event) => event.eventId)],
    progress: () => ({ offered, batches }),
  };
}

function countReasons(rejected: readonly SettledRejection[]): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  for (const { reason } of rejected) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return Object.fromEntries(counts);
}
