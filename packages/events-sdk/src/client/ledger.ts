/** Counts what is settled while somebody looks, whoever in this process settles it: a sync, or delivery in the background. */
import type { OfflineQueue } from '../queue/offline-queue.ts';

/** What was settled since the watch began. */
export interface Watch {
  /** Events the server has taken, duplicates among them. */
  delivered: number;
  /** Events the server has refused and not taken since. */
  readonly refused: Set<string>;
  end(): void;
}

export interface Ledger {
  /** The queue, with its books kept. */
  readonly queue: OfflineQueue;
  watch(): Watch;
}

/** Keeps books over a queue; costs nothing while nobody looks. */
export function createLedger(queue: OfflineQueue): Ledger {
  const watches = new Set<Watch>();
  return {
    queue: {
      ...queue,
      async settle(batch, verdicts, also) {
        const settlement = await queue.settle(batch, verdicts, also);
        const { removed, duplicates, pending, rejected, left } = settlement;
        const here = new Set([...pending, ...left, ...rejected.map(({ eventId }) => eventId)]);
        for (const watch of watches) {
          watch.delivered += removed + duplicates;
          for (const { eventId } of rejected) watch.refused.add(eventId);
          // Refused for its clock, and taken with a new one.
          for (const { eventId } of batch) if (!here.has(eventId)) watch.refused.delete(eventId);
        }
        return settlement;
      },
      async park(eventIds, reason) {
        await queue.park(eventIds, reason);
        for (const watch of watches) for (const eventId of eventIds) watch.refused.add(eventId);
      },
    },
    watch() {
      const watch: Watch = {
        delivered: 0,
        refused: new Set(),
        end: () => void watches.delete(watch),
      };
      watches.add(watch);
      return watch;
    },
  };
}
