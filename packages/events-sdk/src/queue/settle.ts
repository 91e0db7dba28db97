/**
 * What a server's verdicts do to the rows of a batch (DESIGN §4.6): success and duplicate remove a row, pending leaves
 * it, rejected counts and, at the fifth time, parks it. Nothing else of an answer ever changes a row's standing.
 */
import type { EventVerdict } from '../contract/batch.ts';
import { MAX_REJECTIONS } from '../contract/limits.ts';
import type { StoredEvent, StoreTransaction } from '../storage/port.ts';
import { projectTeamKey } from '../storage/values.ts';

/** What settling a batch changed. */
export interface Settlement {
  readonly removed: number;
  readonly duplicates: number;
  /** Ids the server has taken in but not decided on; their rows are as they were. */
  readonly pending: readonly string[];
  readonly rejected: readonly SettledRejection[];
  /** Ids without a verdict; their rows are as they were. */
  readonly left: readonly string[];
}

export interface SettledRejection {
  readonly eventId: string;
  readonly eventType: string;
  readonly reason: string;
  readonly retryCount: number;
  readonly parked: boolean;
}

/** Applies the verdicts on events of `batch`, the only place where a verdict changes a row. */
export function settleBatch(
  tx: StoreTransaction,
  batch: readonly StoredEvent[],
  verdicts: readonly EventVerdict[],
): Settlement {
  const rows = new Map(batch.map((event) => [event.eventId, event]));
  const delivered: string[] = [];
  const rejected: SettledRejection[] = [];
  const pending: string[] = [];
  let duplicates = 0;
  for (const verdict of verdicts) {
    const row = rows.get(verdict.eventId);
    if (row === undefined) continue;
    // One verdict an event: a server that speaks of it twice is heard once.
    rows.delete(verdict.eventId);
    switch (verdict.verdict) {
      case 'success':
        delivered.push(row.eventId);
        break;
      case 'duplicate':
        delivered.push(row.eventId);
        duplicates += 1;
        break;
      case 'pending':
        pending.push(row.eventId);
        break;
      case 'rejected':
        rejected.push(reject(tx, row, verdict.reason ?? 'rejected without a reason'));
        break;
      default:
        verdict.verdict satisfies never;
    }
  }
  tx.remove(delivered);
  rememberTeams(tx, batch, new Set(delivered));
  return { removed: delivered.length - duplicates, duplicates, pending, rejected, left: [...rows.keys()] };
}

function reject(tx: StoreTransaction, row: StoredEvent, reason: string): SettledRejection {
  // Read again: another process may have counted a rejection since the batch was taken.
  const retryCount = (tx.event(row.eventId)?.retryCount ?? row.retryCount) + 1;
  const parked = retryCount >= MAX_REJECTIONS;
  tx.update(row.eventId, { retryCount, reason, ...(parked ? { state: 'parked' as const } : {}) });
  return { eventId: row.eventId, eventType: row.eventType, reason, retryCount, parked };
}

/** A server that took a project's events under a team has shown whose project it is (DESIGN §4.4). */
function rememberTeams(tx: StoreTransaction, batch: readonly StoredEvent[], delivered: ReadonlySet<string>): void {
  // The store is asked once a project: a batch has a thousand events, of one project or a few.
  const teams = new Map<string, string>();
  for (const { eventId, projectUuid, teamSlug } of batch) {
    if (projectUuid === null || teamSlug === null || !delivered.has(eventId)) continue;
    if (!teams.has(projectUuid)) teams.set(projectUuid, teamSlug);
  }
  for (const [projectUuid, teamSlug] of teams) {
    const key = projectTeamKey(projectUuid);
    if (tx.value(key) === undefined) tx.setValue(key, teamSlug);
  }
}
