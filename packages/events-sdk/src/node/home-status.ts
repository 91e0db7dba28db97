/** Everything a home knows about its own queue and delivery, each figure with its evidence and time. */
import type { Session } from '../auth/port.ts';
import type { LinkState } from '../engine/link.ts';
import { describeLinkReason } from '../engine/link-words.ts';
import type { SyncStatus } from '../engine/status.ts';
import type { DeliveryMode } from '../identity/project-identity.ts';
import type { QueueDriver } from './config-file.ts';
import type { ProjectHere } from './project-facts.ts';

/** The link to the server, with what is known about it and since when. */
export interface ConnectionStatus {
  readonly state: LinkState;
  /** What the state is concluded from, in a few words. */
  readonly evidence: string;
  /** When that was seen, in milliseconds since the epoch; null when it never was. */
  readonly at: number | null;
}

/** Times are milliseconds since the epoch. */
export interface HomeStatus {
  readonly queued: number;
  /** Held events by reason: `team`, `project`, `disabled`, `team-changed`. */
  readonly held: Readonly<Record<string, number>>;
  /** Lying beside the queue, which could not be had; the next command that can takes them in. */
  readonly spilled: number;
  /** Set aside after refusals; kept, not sent. */
  readonly parked: number;
  /** Ever refused or evicted because the queue was full. */
  readonly dropped: number;
  readonly cap: number;
  readonly oldestPendingAt: number | null;
  readonly lastSync: SyncStatus['lastSync'];
  /** When the server last decided on a batch. */
  readonly lastSuccessAt: number | null;
  readonly connection: ConnectionStatus;
  /** The process that is delivering now. `role`: `courier`, `watch`, or what a host calls itself. */
  readonly courier: { readonly pid: number; readonly since: number; readonly role: string } | null;
  readonly clock: number;
  readonly server: string | null;
  readonly session: Session | null;
  readonly project: ProjectHere | null;
  /** Why the file of the project here cannot be read, and what helps; null when nothing is wrong with it. */
  readonly projectProblem: string | null;
  readonly driver: QueueDriver;
  /** How events of the project here leave by themselves. */
  readonly delivery: DeliveryMode;
  /** The home directory as people may see it. */
  readonly home: string;
}

export function readHomeStatus(facts: {
  readonly sync: SyncStatus;
  readonly session: Session | null;
  readonly server: string | null;
  readonly project: ProjectHere | null;
  readonly projectProblem: string | null;
  readonly driver: QueueDriver;
  readonly delivery: DeliveryMode;
  readonly home: string;
  readonly spilled: number;
}): HomeStatus {
  const { sync, ...rest } = facts;
  return {
    queued: sync.queued,
    held: sync.heldBy,
    parked: sync.parked,
    dropped: sync.dropped,
    cap: sync.cap,
    oldestPendingAt: sync.oldestWaitingAt,
    lastSync: sync.lastSync,
    lastSuccessAt: sync.lastSuccessAt,
    connection: describeLink(sync),
    courier: sync.deliveredBy,
    clock: sync.clock,
    ...rest,
  };
}

/**
 * What the process that delivers last said of its link, as far as it can still be believed. Without such a process no
 * connection is open, so the state is offline and the words say what the last delivery showed.
 */
function describeLink({ link, lastSync, lastSuccessAt }: SyncStatus): ConnectionStatus {
  const { state, reason, at } = link;
  const words = describeLinkReason(reason);
  if (words !== undefined || state !== 'offline') return { state, evidence: words ?? reason, at };

  const isDrained = lastSync?.stoppedBy === 'drained';
  // An empty queue is drained without asking the server: that shows nothing about it.
  if (lastSync === null || (isDrained && lastSuccessAt === null))
    return { state, evidence: 'nothing has been delivered yet', at: null };
  if (isDrained)
    return { state, evidence: 'no open connection; the last delivery succeeded', at: lastSuccessAt ?? lastSync.at };
  return { state, evidence: `the last delivery stopped: ${lastSync.message ?? lastSync.stoppedBy}`, at: lastSync.at };
}
