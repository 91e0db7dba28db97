/**
 * Flush: one bounded try to deliver everything that was accepted before, and a truthful count of what became of it.
 * It counts settled rows, not requests, so that a request that was cut off is never taken for a delivery.
 */
import type { DeliveryCounts, SyncReport } from '../engine/report.ts';
import type { SyncOptions } from '../engine/sync-engine.ts';
import { orAborted, startDeadline } from '../internal/deadline.ts';
import type { Logger } from '../internal/logger.ts';
import type { Time } from '../internal/time.ts';
import type { EventStore } from '../storage/port.ts';
import type { Spill } from '../storage/spill.ts';
import type { Watch } from './ledger.ts';
import { closedError, type Opened, type Parts } from './parts.ts';

export interface FlushOptions {
  /** When it ends at the latest, aborting a request under way, in milliseconds. Default 5000. */
  readonly deadlineMs?: number;
  /** Ends it as well. */
  readonly signal?: AbortSignal;
}

/** How long `flush` may take where nothing else is said. */
const FLUSH_DEADLINE_MS = 5_000;

/** Nothing was delivered, and what waits is not known. */
export const NOTHING_KNOWN: DeliveryCounts = { delivered: 0, pending: -1, rejected: 0 };

type WaitingSpill = Pick<Spill, 'isEmpty' | 'list'>;

export interface FlusherDeps {
  readonly parts: Parts;
  readonly spill: WaitingSpill | undefined;
  /** Work of the client under way. */
  readonly running: ReadonlySet<Promise<unknown>>;
  /** Aborted at the end: with it every delivery of the client. */
  readonly ending: AbortController;
  readonly syncNow: (opened: Opened, options: SyncOptions) => Promise<SyncReport>;
  /** Ends delivery in the background at once. */
  readonly stopBackgrounds: () => Promise<unknown>;
  readonly logger: Logger;
  readonly time: Time;
}

export interface Flusher {
  /** Rejects with CLOSED after `close`, else never. */
  flush(options: FlushOptions): Promise<DeliveryCounts>;
  /** Gives delivery the time it is told, none by default; then nothing of the client goes on. */
  close(options: FlushOptions): Promise<DeliveryCounts>;
}

/** Flush and close of one client. */
export function createFlusher(deps: FlusherDeps): Flusher {
  const { parts, spill, running, ending, time, logger } = deps;

  /** Delivers what waits; undefined where there was nothing to deliver, or no time. `before` is what was under way. */
  async function deliver(
    opened: Opened,
    { deadlineMs = FLUSH_DEADLINE_MS, signal: outer }: FlushOptions,
    before: readonly Promise<unknown>[],
  ): Promise<SyncReport | undefined> {
    const { signal, cancel } = startDeadline(time, deadlineMs, outer, ending.signal);
    try {
      await orAborted<unknown>(Promise.allSettled(before), signal, undefined);
      if (signal.aborted || (await countWaiting(opened.store, spill, new Set())) === 0) return undefined;
      return await deps.syncNow(opened, { signal, waitForOthersMs: deadlineMs, onlyPresent: true });
    } finally {
      cancel();
    }
  }

  /** Counts what is settled while `work` runs. Never rejects. */
  async function counting(opened: Opened, work: () => Promise<SyncReport | undefined>): Promise<DeliveryCounts> {
    const watch = opened.ledger.watch();
    try {
      return await countSettled(opened, { watch, report: await work(), spill });
    } catch (cause) {
      logger.debug('flush-failed', String(cause));
      return { ...NOTHING_KNOWN, delivered: watch.delivered, rejected: watch.refused.size };
    } finally {
      watch.end();
    }
  }

  /** No delivery goes on; what was emitted is stored. */
  async function endAll(): Promise<void> {
    ending.abort();
    while (running.size > 0) await Promise.allSettled(running);
    await deps.stopBackgrounds();
  }

  return {
    async flush(options) {
      if (parts.isClosed) throw closedError();
      const before = [...running];
      const opened = await parts.open().catch(() => undefined);
      return opened === undefined ? NOTHING_KNOWN : counting(opened, () => deliver(opened, options, before));
    },

    async close({ deadlineMs = 0, ...options }) {
      parts.refuseMore();
      const opened = await parts.opened();
      if (opened === undefined) {
        await endAll();
        return NOTHING_KNOWN;
      }
      const counts = await counting(opened, async () => {
        try {
          return await deliver(opened, { ...options, deadlineMs }, [...running]);
        } finally {
          await endAll();
        }
      });
      await parts.close();
      return counts;
    },
  };
}

/**
 * What became of events since `watch` began. `report` is of the sync that a flush asked for: another process's where that
 * one delivers for this home, and then its counts are not in our books. Rejects as the store does.
 */
async function countSettled(
  { store }: Opened,
  { watch, report, spill }: { watch: Watch; report: SyncReport | undefined; spill: WaitingSpill | undefined },
): Promise<DeliveryCounts> {
  const refused = new Set([...watch.refused, ...(report?.rejected ?? []).map(({ eventId }) => eventId)]);
  const told = Object.values(report?.rejectedBy ?? {}).reduce((sum, events) => sum + events, 0);
  return {
    delivered: Math.max(watch.delivered, report === undefined ? 0 : report.sent + report.duplicates),
    pending: await countWaiting(store, spill, refused),
    rejected: Math.max(refused.size, told),
  };
}

/** Events that wait, also beside the queue, but for those that are counted as refused. */
async function countWaiting(
  store: EventStore,
  spill: WaitingSpill | undefined,
  refused: ReadonlySet<string>,
): Promise<number> {
  const inStore = await store.read((reader) => {
    const stays = [...refused].filter((eventId) => (reader.event(eventId)?.state ?? 'parked') !== 'parked');
    return reader.count({ states: ['queued', 'held'] }) - stays.length;
  });
  if (spill === undefined || spill.isEmpty()) return inStore;
  return spill.list().reduce((sum, { events }) => sum + events.length, inStore);
}
