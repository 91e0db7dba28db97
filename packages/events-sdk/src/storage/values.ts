/** The named values a home keeps beside its events: who writes which key, and how it reads. */
import type { StoreReader, StoreTransaction } from './port.ts';

/** Keys of named values. */
export const VALUE = {
  nodeId: 'node_id',
  homeId: 'home_id',
  /** Events refused or evicted because the queue was full, or dropped by a person, ever. */
  dropped: 'dropped_events',
  lastSync: 'last_sync',
  lastSuccess: 'last_success',
  lease: 'drainer_lease',
  /** Set by a process that wants a drain while another holds the lease. */
  drainRequest: 'drain_request',
  /** Token of the lease whose holder is asked to make room. */
  leaveRequest: 'leave_request',
  /** Set by a process that waits for the report of a sync while another holds the lease. */
  syncRequest: 'sync_request',
  /** The answer to it. */
  syncReport: 'sync_report',
  /** When the server last decided on a batch of this home, whoever sent it: the pace of FR-033. */
  lastBatch: 'last_batch',
  /** State of the realtime link, written by the process that holds it. */
  link: 'link',
  /** When a courier was started that has not taken the lease yet. */
  courierStart: 'courier_start',
  /** The damaged file whose events were saved into this one, see `node/damaged-queue.ts`. */
  salvaged: 'salvaged_file',
  /** Spills that are taken in but may still lie there, see `take-in.ts`. */
  takenIn: 'taken_in',
  /** When a command's own short try last failed. */
  inlineFailure: 'inline_failure',
} as const;

/** Key of the team a project was last synced under (DESIGN §4.4). */
export function projectTeamKey(projectUuid: string): string {
  return `project_team:${projectUuid}`;
}

/** Key of what a server has shown about the size of batches it takes (DESIGN §4.6). */
export function batchLimitsKey(server: string): string {
  return `batch_limits:${server}`;
}

/** Key of the time before which a server wants no further batch (`Retry-After`). */
export function retryFloorKey(server: string): string {
  return `retry_floor:${server}`;
}

/** A counter; 0 when unset or unreadable. */
export function readCounter(reader: StoreReader, key: string): number {
  const value = Number(reader.value(key) ?? '0');
  return Number.isSafeInteger(value) && value > 0 ? value : 0;
}

/** Adds to a counter. */
export function addToCounter(tx: StoreTransaction, key: string, amount: number): void {
  tx.setValue(key, String(readCounter(tx, key) + amount));
}

/** A JSON value; undefined when unset or unreadable. Shape is the caller's to check. */
export function readJson(reader: StoreReader, key: string): unknown {
  const text = reader.value(key);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
