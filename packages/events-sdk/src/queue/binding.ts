/**
 * Binding: an event that was stored without a team, a project or a server gets them before it may leave
 * (FR-028b, FR-028d, DESIGN §4.4). Pure decisions; the engine gathers the facts and writes the patches.
 */
import type { Session } from '../auth/port.ts';
import type { HeldReason } from '../emit-outcome.ts';
import type { StoredEvent, StoredEventPatch } from '../storage/port.ts';

/** What is known of a project at this moment. */
export interface ProjectFacts {
  readonly uuid: string;
  readonly slug: string | null;
  /** The team this project belongs to, from its config or from what was delivered before; null when open. */
  readonly teamSlug: string | null;
  /** False when the project's config says its events must stay. */
  readonly syncEnabled: boolean;
}

/** Where an event stands with these facts: free to leave for a team, or held for a reason. */
export type Gate = { readonly teamSlug: string } | { readonly held: HeldReason };

/** The gates in order: project, consent, team. The one rule for new events and for waiting ones. */
export function decideGate(project: ProjectFacts | null, session: Session | null): Gate {
  if (project === null) return { held: 'project' };
  if (!project.syncEnabled) return { held: 'disabled' };
  if (session === null || session.teamSlug === null) return { held: 'team' };
  if (project.teamSlug !== null && project.teamSlug !== session.teamSlug) return { held: 'team-changed' };
  return { teamSlug: session.teamSlug };
}

/** The Python original wrote `local` where it knew no team; it never named one. */
export function knownTeam(teamSlug: string | null): string | null {
  return teamSlug === 'local' ? null : teamSlug;
}

/**
 * The change a waiting row needs, or undefined when it is right as it is. A row bound to a team keeps that
 * team whoever is signed in, and one without a team waits for a sign-in on its server. `project` is the row's project as
 * far as it is known now.
 */
export function bindRow(
  row: StoredEvent,
  project: ProjectFacts | null,
  session: Session,
): StoredEventPatch | undefined {
  const bound = knownTeam(row.teamSlug);
  // Recorded under another server's sign-in: a team given to it here would bind it to a pair that no sign-in speaks for.
  if (bound === null && row.server !== null && row.server !== session.server) return undefined;
  const gate = decideGate(project, bound === null ? session : { ...session, teamSlug: bound });
  if ('held' in gate) {
    return row.state === 'held' && row.reason === gate.held ? undefined : { state: 'held', reason: gate.held };
  }
  // An event of a team this session does not speak for stays as it is; its own session will send it.
  if (gate.teamSlug !== session.teamSlug && row.state === 'queued') return undefined;
  const server = row.server ?? (gate.teamSlug === session.teamSlug ? session.server : null);
  const isComplete = row.state === 'queued' && row.server === server && bound !== null && row.projectUuid !== null;
  if (isComplete || project === null) return undefined;
  return {
    state: 'queued',
    reason: row.state === 'queued' ? row.reason : null,
    server,
    ...rewriteIdentity(row, gate.teamSlug, project),
  };
}

/** The envelope's text with team and project filled in; key order and everything else stay. */
export function rewriteIdentity(
  row: StoredEvent,
  teamSlug: string,
  project: Pick<ProjectFacts, 'uuid' | 'slug'>,
): StoredEventPatch {
  if (row.teamSlug === teamSlug && row.projectUuid !== null) return {};
  // Rows are JSON objects: the store does not hand out others.
  const envelope = JSON.parse(row.data) as Record<string, unknown>;
  const projectUuid = row.projectUuid ?? project.uuid;
  const bound = {
    ...envelope,
    team_slug: teamSlug,
    project_uuid: projectUuid,
    project_slug: envelope['project_slug'] ?? project.slug,
    // The original's first version did not write these three yet; on the wire they are never missing.
    git_branch: envelope['git_branch'] ?? null,
    head_commit_sha: envelope['head_commit_sha'] ?? null,
    repo_slug: envelope['repo_slug'] ?? null,
  };
  return { data: JSON.stringify(bound), teamSlug, projectUuid };
}
