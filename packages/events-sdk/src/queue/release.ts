/**
 * What only a person may decide about waiting events (DESIGN §4.4): that a project's events go to another team than
 * they were kept for, and that a server is now found under another address.
 */
import type { Session } from '../auth/port.ts';
import { parseServerUrl } from '../auth/server-url.ts';
import type { EventStore } from '../storage/port.ts';
import { projectTeamKey } from '../storage/values.ts';
import { rewriteIdentity, type ProjectFacts } from './binding.ts';

/** What became of an adoption. */
export type AdoptAnswer =
  /** The project's team is now this one; so many events were released to it. */
  | { readonly kind: 'adopted'; readonly teamSlug: string; readonly events: number }
  /** Nobody is signed in, or the session has no team. */
  | { readonly kind: 'no-team' }
  /** The project's own settings name another team: they have to be changed first. */
  | { readonly kind: 'named-otherwise'; readonly teamSlug: string };

/**
 * Releases the events of a project that are held because its team has changed, and makes the session's team the
 * project's own. Events bound to a team and not held stay bound to it. Rejects as the store does.
 */
export async function adoptProject(
  store: EventStore,
  request: { readonly project: ProjectFacts; readonly session: Session | null },
): Promise<AdoptAnswer> {
  const { project, session } = request;
  if (session === null || session.teamSlug === null) return { kind: 'no-team' };
  const { teamSlug, server } = session;
  if (project.teamSlug !== null && project.teamSlug !== teamSlug)
    return { kind: 'named-otherwise', teamSlug: project.teamSlug };
  return store.transact((tx) => {
    tx.setValue(projectTeamKey(project.uuid), teamSlug);
    const rows = tx.events({ states: ['held'], projectUuid: project.uuid, reason: 'team-changed' });
    for (const row of rows)
      tx.update(row.eventId, { state: 'queued', reason: null, server, ...rewriteIdentity(row, teamSlug, project) });
    return { kind: 'adopted', teamSlug, events: rows.length };
  });
}

/**
 * Moves every event bound to the address `from` to `to`: the same server under another name, which nobody but the
 * caller can know. Answers how many. Rejects with INVALID_SERVER_URL, and as the store does.
 */
export async function retargetEvents(
  store: EventStore,
  move: { readonly from: string; readonly to: string },
): Promise<number> {
  const from = parseServerUrl(move.from);
  const to = parseServerUrl(move.to);
  if (from === to) return 0;
  return store.transact((tx) => {
    const rows = tx.events({ server: from }).filter((row) => row.server === from);
    for (const row of rows) tx.update(row.eventId, { server: to });
    return rows.length;
  });
}
