/**
 * Why an event has not left yet: the first gate that holds it, in the order in which delivery meets them, as things
 * stand now. Reads only. Whether an event may go is decided by the very rules delivery uses.
 */
import type { AuthStatus } from '../auth/token-manager.ts';
import type { HeldReason } from '../emit-outcome.ts';
import { HELD_REASONS } from '../emit-outcome.ts';
import { bindRow, knownTeam, type ProjectFacts } from '../queue/binding.ts';
import type { EventStore, StoredEvent, StoreReader } from '../storage/port.ts';
import { projectOf, type ProjectLookup } from './binder.ts';
import { readLastSync, type LastSync } from './history.ts';
import { isLive, readLease, type Lease, type LeaseOwner } from './lease.ts';
import { readFloor } from './pace.ts';
import type { SyncStop } from './report.ts';

/** What holds an event. */
export type WaitingGate =
  /** Not readable as an event; never sent. */
  | 'unreadable'
  /** Refused too often, or refused alone; a person decides. */
  | 'parked'
  | HeldReason
  | 'logged-out'
  /** The sign-in has run out. */
  | 'expired'
  /** Bound to another team or server than the one signed in. */
  | 'other-account'
  /** The server asked to be left alone until a time. */
  | 'throttled'
  /** Another process is delivering right now. */
  | 'delivering'
  /** The last attempt failed. */
  | 'failed'
  /** Nothing is delivered by itself here. */
  | 'delivery-off'
  /** Nothing: it leaves with the next delivery. */
  | 'ready';

/** One event and its gate. Times are milliseconds since the epoch. */
export interface EventExplanation {
  readonly eventId: string;
  readonly eventType: string;
  readonly aggregateId: string;
  readonly recordedAt: number;
  readonly gate: WaitingGate;
  /** Since when that is known; null where nothing tells. */
  readonly since: number | null;
  /** When it ends by itself; null: not before somebody acts, or soon. */
  readonly until: number | null;
  /** What is known beyond the gate: the server's words, or who delivers. */
  readonly detail: string | null;
  /** Where it is to go; null while unknown. */
  readonly teamSlug: string | null;
  readonly server: string | null;
  /** Root of the project it came from, where one is known. */
  readonly projectRoot: string | null;
}

export interface ExplainDeps {
  readonly store: EventStore;
  readonly auth: Pick<AuthStatus, 'session' | 'state'>;
  readonly lookUpProject: ProjectLookup;
  readonly isGone: (owner: LeaseOwner) => boolean;
  /** False where commands do not hand delivery over. */
  readonly isAutomatic: boolean;
  readonly now: number;
}

/** Explains every event of a store, in sending order. Rejects as the store does. */
export async function explainEvents(deps: ExplainDeps): Promise<readonly EventExplanation[]> {
  const rows = await deps.store.read((reader) => reader.events());
  const projects = new Map<string, ProjectFacts | null>();
  for (const root of new Set(rows.map(({ projectRoot }) => projectRoot)))
    if (root !== null) projects.set(root, await deps.lookUpProject(root));

  return deps.store.read((reader) => {
    const home = readHome(reader, deps);
    return rows.map((row) => {
      const found = row.projectRoot === null ? null : (projects.get(row.projectRoot) ?? null);
      const bound = bind(row, projectOf(row, found, reader), deps.auth.session);
      return {
        eventId: row.eventId,
        eventType: row.eventType,
        aggregateId: row.aggregateId,
        recordedAt: row.enqueuedAt * 1000,
        teamSlug: knownTeam(bound.teamSlug),
        server: bound.server,
        projectRoot: row.projectRoot,
        ...gateOf(bound, deps, home),
      };
    });
  });
}

/** How a last sync may have ended without saying anything about the next one. */
const NO_FAILURE: readonly string[] = ['drained', 'logged-out', 'no-team'] satisfies readonly SyncStop[];

/** What holds for every event of the home. */
interface HomeFacts {
  readonly lease: Lease | undefined;
  readonly lastSync: LastSync | null;
  readonly floor: { readonly until: number; readonly message: string } | null;
}

function readHome(reader: StoreReader, { auth, now, isGone }: ExplainDeps): HomeFacts {
  const lease = readLease(reader);
  const floor = auth.session === null ? undefined : readFloor(reader, auth.session.server, now);
  return {
    lease: isLive(lease, now, isGone) ? lease : undefined,
    lastSync: readLastSync(reader),
    floor: floor?.retryAfterMs === undefined ? null : { until: now + floor.retryAfterMs, message: floor.message ?? '' },
  };
}

/** The row as the next delivery would make it. */
function bind(row: StoredEvent, project: ProjectFacts | null, session: AuthStatus['session']): StoredEvent {
  if (row.state === 'parked' || session === null) return row;
  return { ...row, ...bindRow(row, project, session) };
}

function gateOf(
  row: StoredEvent,
  { auth, isAutomatic }: ExplainDeps,
  { lease, lastSync, floor }: HomeFacts,
): Pick<EventExplanation, 'gate' | 'since' | 'until' | 'detail'> {
  const because = (
    gate: WaitingGate,
    more: Partial<Pick<EventExplanation, 'since' | 'until' | 'detail'>> = {},
  ): Pick<EventExplanation, 'gate' | 'since' | 'until' | 'detail'> => ({
    gate,
    since: null,
    until: null,
    detail: null,
    ...more,
  });
  const { session, state } = auth;
  if (row.state === 'parked') {
    return row.reason === 'unreadable' ? because('unreadable') : because('parked', { detail: row.reason });
  }
  if (row.state === 'held') {
    const reason = HELD_REASONS.find((known) => known === row.reason) ?? 'team';
    // Without a sign-in nobody looks at the team: signing in comes first.
    return because(reason === 'team' && session === null ? 'logged-out' : reason, { since: row.enqueuedAt * 1000 });
  }
  if (session === null) return because('logged-out');
  if (row.teamSlug !== session.teamSlug || (row.server !== null && row.server !== session.server))
    return because('other-account');
  if (state === 'expired') return because('expired');
  if (lease !== undefined)
    return because('delivering', { since: lease.since, detail: `${lease.owner.role}, process ${lease.owner.pid}` });
  if (floor !== null) return because('throttled', { until: floor.until, detail: floor.message });
  if (lastSync !== null && !NO_FAILURE.includes(lastSync.stoppedBy))
    return because('failed', { since: lastSync.at, detail: lastSync.message ?? lastSync.stoppedBy });
  if (row.retryCount > 0) return because('ready', { detail: row.reason });
  return because(isAutomatic ? 'ready' : 'delivery-off');
}
