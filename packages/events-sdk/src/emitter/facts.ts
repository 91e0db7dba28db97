/** What an emission knows of itself, and what follows from that for the rows it makes. Pure. */
import type { Session } from '../auth/port.ts';
import type { HeldReason } from '../emit-outcome.ts';
import type { StampFacts } from '../events/stamp.ts';
import type { Gate, ProjectFacts } from '../queue/binding.ts';
import type { Placement } from '../queue/offline-queue.ts';

/** What is known at the moment of emission. Gathered by the host, without network. */
export interface EmissionFacts {
  /** Empty where the store that knows it cannot be had: then the event can only be spilled. */
  readonly nodeId: string;
  readonly session: Session | null;
  readonly project: ProjectFacts | null;
  /** Root of the project, to find its identity later; null outside one. */
  readonly projectRoot: string | null;
  /** True when the person has been told already why `project` is null. Default false. */
  readonly isProjectReported?: boolean;
  readonly gitBranch: string | null;
  readonly headCommitSha: string | null;
  readonly repoSlug: string | null;
}

/** Why an event is held, for a person. Being switched off is the project's own choice and needs no words. */
export const HELD_BECAUSE: Readonly<Record<Exclude<HeldReason, 'disabled'>, string>> = {
  team: 'no team is signed in',
  project: 'the project has no identity yet',
  'team-changed': 'this project belongs to another team than the one signed in',
};

/** Where an event of these facts stands. */
export function toPlacement(facts: EmissionFacts, gate: Gate): Placement {
  const held = 'held' in gate;
  return {
    state: held ? 'held' : 'queued',
    reason: held ? gate.held : null,
    server: facts.session?.server ?? null,
    projectRoot: facts.projectRoot,
  };
}

/** What an event of these facts carries. */
export function toStampFacts(facts: EmissionFacts, gate: Gate): StampFacts {
  return {
    nodeId: facts.nodeId,
    teamSlug: 'held' in gate ? heldTeam(gate.held, facts) : gate.teamSlug,
    projectUuid: facts.project?.uuid ?? null,
    projectSlug: facts.project?.slug ?? null,
    gitBranch: facts.gitBranch,
    headCommitSha: facts.headCommitSha,
    repoSlug: facts.repoSlug,
  };
}

/** A held event keeps the team it would go to, except where the team itself is the open question. */
function heldTeam(reason: HeldReason, facts: EmissionFacts): string | null {
  return reason === 'disabled' || reason === 'project' ? (facts.session?.teamSlug ?? null) : null;
}
