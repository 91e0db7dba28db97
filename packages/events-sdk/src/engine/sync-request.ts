/**
 * How a process that wants a sync speaks to the one that delivers (DESIGN §4.9): it leaves a request in the store and
 * finds the report there. Whoever comes while a request still waits joins it. Unlike a drain request, which only says
 * that there is something new, this one is a person's: it is served at once and without pace.
 */
import * as v from 'valibot';

import type { EventStore, StoreReader, StoreTransaction } from '../storage/port.ts';
import { readJson, VALUE } from '../storage/values.ts';
import { isLive, readLease, type LeaseDeps } from './lease.ts';
import { SYNC_STOPS, type SyncReport } from './report.ts';

/** Rejections carried over to the other process; the counts by reason are complete. */
const MOST_REJECTED = 200;

const requestSchema = v.object({ id: v.string() });

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const answerSchema = v.object({
  id: v.string(),
  report: v.object({
    sent: count,
    duplicates: count,
    pending: count,
    rejected: v.array(
      v.object({
        eventId: v.string(),
        eventType: v.string(),
        reason: v.string(),
        retryCount: count,
        parked: v.boolean(),
      }),
    ),
    rejectedBy: v.record(v.string(), count),
    restamped: count,
    batches: count,
    remaining: count,
    held: count,
    parked: count,
    stoppedBy: v.picklist(SYNC_STOPS),
    message: v.exactOptional(v.string()),
    retryAfterMs: v.exactOptional(v.number()),
    durationMs: v.number(),
  }),
});

/** Leaves a request, or joins the one that waits. Answers its id; undefined when nobody is delivering. */
export function requestSync(
  deps: Pick<LeaseDeps, 'time' | 'isGone' | 'newToken'> & { readonly store: EventStore },
): Promise<string | undefined> {
  return deps.store.transact((tx) => {
    if (!isLive(readLease(tx), deps.time.now(), deps.isGone)) return undefined;
    const waiting = readSyncRequest(tx);
    if (waiting !== undefined) return waiting;
    const id = deps.newToken();
    tx.setValue(VALUE.syncRequest, JSON.stringify({ id }));
    return id;
  });
}

/** The request that waits. */
export function readSyncRequest(reader: StoreReader): string | undefined {
  const parsed = v.safeParse(requestSchema, readJson(reader, VALUE.syncRequest));
  return parsed.success ? parsed.output.id : undefined;
}

/** Takes the request up: who comes later starts a new one. */
export function takeSyncRequest(tx: StoreTransaction): void {
  tx.setValue(VALUE.syncRequest, null);
}

/** Leaves the report for whoever asked. */
export function answerSyncRequest(tx: StoreTransaction, id: string, report: SyncReport): void {
  const short = { ...report, rejected: report.rejected.slice(0, MOST_REJECTED) };
  tx.setValue(VALUE.syncReport, JSON.stringify({ id, report: short }));
}

/** The report on that request, once it is there. */
export function readSyncAnswer(reader: StoreReader, id: string): SyncReport | undefined {
  const parsed = v.safeParse(answerSchema, readJson(reader, VALUE.syncReport));
  return parsed.success && parsed.output.id === id ? parsed.output.report : undefined;
}
