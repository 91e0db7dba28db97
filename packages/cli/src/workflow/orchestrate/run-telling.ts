/** What a run tells the team beside the lanes: who is assigned, what failed, what is settled. All of it has the run as its cause. */
import { dependencyResolved, errorLogged, wpAssigned } from '@spec-kitty/events-sdk';
import type { Draft, SpecKittyEvents } from '@spec-kitty/events-sdk/contract';

import { changeFeature } from '../project/feature-work.ts';
import type { Feature } from '../project/feature.ts';
import type { Project } from '../project/project-root.ts';
import { dependentsOf, type DependencyGraph } from '../rules/dependency-graph.ts';
import type { RunDeps } from './run-deps.ts';
import type { Assign } from './scheduler.ts';

/** Whose run it is. */
export interface RunScope {
  readonly project: Project;
  readonly feature: Feature;
  readonly graph: DependencyGraph;
}

/** Tells the team of events that change nothing on disk, as part of the run. */
export async function tellTeam(
  deps: RunDeps,
  { project, feature }: Pick<RunScope, 'project' | 'feature'>,
  drafts: readonly Draft<SpecKittyEvents>[],
): Promise<void> {
  if (drafts.length === 0) return;
  await changeFeature(deps, project, feature, async (featureWork) => {
    featureWork.willTell(drafts.map((draft) => ({ draft })));
  });
}

/** What everybody who waits directly for a package is told once it is settled. */
export function dependentsResolved(
  { graph }: Pick<RunScope, 'graph'>,
  wpId: string,
  resolutionType: 'completed' | 'skipped',
): readonly Draft<SpecKittyEvents>[] {
  return dependentsOf(graph, wpId).map((dependent) =>
    dependencyResolved({ wpId: dependent, dependencyWpId: wpId, resolutionType }),
  );
}

/** Tells that an agent was given a package. */
export function announce(deps: RunDeps, scope: RunScope, step: Assign): Promise<void> {
  const draft = wpAssigned({
    wpId: step.wpId,
    agentId: step.agent,
    phase: step.role,
    retryCount: step.retryCount,
  });
  return tellTeam(deps, scope, [draft]);
}

/** Tells that an agent's run came to nothing. */
export function logError(
  deps: RunDeps,
  scope: RunScope,
  { wpId, agent }: Assign,
  error: { readonly errorType: 'validation' | 'runtime' | 'network' | 'auth'; readonly message: string },
): Promise<void> {
  const errorMessage = deps.redact(firstLine(error.message));
  return tellTeam(deps, scope, [errorLogged({ wpId, agentId: agent, errorType: error.errorType, errorMessage })]);
}

/** The first line of a text that may have many. */
export function firstLine(text: string): string {
  return text.trim().split('\n', 1)[0] ?? '';
}
