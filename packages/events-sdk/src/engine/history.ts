/**
 * What the home remembers of its syncs: the last attempt and the last success, as evidence with a time,
 * for `sync status` and the indicator of later commands. Written with the report, in one transaction.
 */
import * as v from 'valibot';

import type { EventStore, StoreReader } from '../storage/port.ts';
import { readJson, VALUE } from '../storage/values.ts';
import type { SyncReport, SyncStop } from './report.ts';
import type { DeliveryStop } from './stops.ts';
import type { Counts } from './tally.ts';

const lastSyncSchema = v.object({
  at: v.number(),
  sent: v.number(),
  stoppedBy: v.string(),
  message: v.optional(v.string()),
});

/** The last sync that tried to deliver: when, how many events, how it ended. */
export type LastSync = v.InferOutput<typeof lastSyncSchema>;

export function readLastSync(reader: StoreReader): LastSync | null {
  const parsed = v.safeParse(lastSyncSchema, readJson(reader, VALUE.lastSync));
  return parsed.success ? parsed.output : null;
}

/** When the server last decided on a batch; null: never. Milliseconds since the epoch. */
export function readLastSuccess(reader: StoreReader): number | null {
  const at = Number(reader.value(VALUE.lastSuccess) ?? Number.NaN);
  return Number.isFinite(at) ? at : null;
}

/** A sync that has ended. */
export interface EndedSync extends Counts {
  readonly stop: DeliveryStop;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly endedAt: number;
}

/** These ended before anything was tried, so they say nothing about the link. */
const NOT_AN_ATTEMPT: readonly SyncStop[] = ['busy', 'aborted', 'storage'];

/** Remembers the sync and completes its report with what is left. A store that fails makes the report say so. */
export async function recordSync(store: EventStore, ended: EndedSync): Promise<SyncReport> {
  const { stop, startedAt, endedAt, ...counts } = ended;
  const finish = (
    left: Pick<SyncReport, 'remaining' | 'held' | 'parked'>,
    by: SyncStop,
    message?: string,
  ): SyncReport => ({
    ...counts,
    ...left,
    stoppedBy: by,
    ...(message === undefined ? {} : { message }),
    ...(stop.retryAfterMs === undefined ? {} : { retryAfterMs: stop.retryAfterMs }),
    durationMs: endedAt - startedAt,
  });
  try {
    const left = await store.transact((tx) => {
      if (!NOT_AN_ATTEMPT.includes(stop.by)) {
        const last: LastSync = {
          at: endedAt,
          sent: counts.sent + counts.duplicates,
          stoppedBy: stop.by,
          ...(stop.message === undefined ? {} : { message: stop.message }),
        };
        tx.setValue(VALUE.lastSync, JSON.stringify(last));
      }
      if (isDecided(counts)) tx.setValue(VALUE.lastSuccess, String(endedAt));
      return {
        remaining: tx.count({ states: ['queued'] }),
        held: tx.count({ states: ['held'] }),
        parked: tx.count({ states: ['parked'] }),
      };
    });
    return finish(left, stop.by, stop.message);
  } catch (cause) {
    const message = stop.message ?? (cause instanceof Error ? cause.message : 'The store cannot be read.');
    return finish({ remaining: 0, held: 0, parked: 0 }, 'storage', message);
  }
}

/** A batch that was answered without a verdict on any event is no success. */
function isDecided({ sent, duplicates, pending, rejected }: Counts): boolean {
  return sent + duplicates + pending + rejected.length > 0;
}
