/**
 * Flush: one bounded try to deliver everything that was accepted before, and a truthful count of what became of it.
 * It counts settled rows, not requests, so that a request that was cut off is never taken for a delivery.
 */
import type { SessionProvider } from '../auth/port.ts';
import type { DeliveryCounts, SyncReport } from '../engine/report.ts';
import type { SyncOptions } from '../engine/sync-engine.ts';
import { orAborted } from '../internal/deadline.ts';
import type { EventStore } from '../storage/port.ts';
import type { Spill } from '../storage/spill.ts';
import type { Transport } from '../transport/port.ts';
import type { Watch } from './ledger.ts';
import type { Opened } from './parts.ts';

export interface FlushOptions {
  /** When it ends at the latest, aborting a request under way, in milliseconds. Default 5000. */
  readonly deadlineMs?: number;
  /** Ends it as well. */
  readonly signal?: AbortSignal;
}

/** How long `flush` may take where nothing else is said. */
export const FLUSH_DEADLINE_MS = 5_000;

/** Nothing was delivered, and what waits is not known. */
export const NOTHING_KNOWN: DeliveryCounts = { delivered: 0, pending: -1, rejected: 0 };

export interface FlushRequest {
  readonly deadlineMs: number;
  /** Aborts at the deadline. */
  readonly signal: AbortSignal;
  /** What was under way when flush was called. */
  readonly before: readonly Promise<unknown>[];
  readonly spill: WaitingSpill | undefined;
  readonly syncNow: (options: SyncOptions) => Promise<SyncReport>;
}

type WaitingSpill = Pick<Spill, 'isEmpty' | 'list'>;

/** Delivers what waits; undefined where there was nothing to deliver, or no time. Rejects as the store does. */
export async function deliverWaiting({ store }: Opened, request: FlushRequest): Promise<SyncReport | undefined> {
  const { deadlineMs, signal, spill } = request;
  await orAborted<unknown>(Promise.allSettled(request.before), signal, undefined);
  if (signal.aborted || (await countWaiting(store, spill, new Set())) === 0) return undefined;
  return request.syncNow({ signal, waitForOthersMs: deadlineMs, onlyPresent: true });
}

/**
 * What became of events since `watch` began. `report` is of the sync that a flush asked for: another process's where that
 * one delivers for this home, and then its counts are not in our books. Rejects as the store does.
 */
export async function countSettled(
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

const ABORTED = { kind: 'retryable', reason: 'aborted', message: 'Stopped.' } as const;

/** A transport that is let go at the deadline, also one that takes no notice of its signal. */
export function abortableTransport(open: () => Promise<Transport>): Transport {
  return {
    push: (batch, context) =>
      orAborted(
        open().then((transport) => transport.push(batch, context)),
        context.signal,
        ABORTED,
      ),
    serverClock: (context) =>
      orAborted(
        open().then((transport) => transport.serverClock?.(context)),
        context.signal,
        undefined,
      ),
  };
}

const NOT_ASKED = { kind: 'unreachable', message: 'Stopped before the sign-in was renewed.' } as const;

/** A session whose network questions are let go at the deadline as well. */
export function abortableSession(session: SessionProvider): SessionProvider {
  return {
    current: () => session.current(),
    accessToken: (signal) => orAborted(session.accessToken(signal), signal, NOT_ASKED),
    refresh: (rejected, signal) => orAborted(session.refresh(rejected, signal), signal, NOT_ASKED),
  };
}
