/**
 * `merge`: brings the work of every package of a feature to its target branch, in the order they wait for each other,
 * moves what was in doing to for_review, and takes workspaces and branches away. How far it came stands in a file from
 * before the first step on, so that a conflict, a failed push or a kill is carried on with `--resume`.
 */
import { WorkflowError } from '../errors.ts';
import type { Place, WorkflowDeps } from '../ports.ts';
import { withFeatureLock } from '../project/feature-lock.ts';
import { changeFeature, type FeatureWork } from '../project/feature-work.ts';
import { openFeature, type Feature } from '../project/feature.ts';
import { MERGE_STATE, removeMergeState, type MergeStrategy } from '../project/merge-state.ts';
import { findProject, refuseInWorktree, type Project } from '../project/project-root.ts';
import { begin, mergeUnderWay, requireHead, resume, whatToMerge, type MergeInput } from './merge-begin.ts';
import { mergeAll, type Begun } from './merge-branches.ts';
import { cleanUp, push, type CleanedUp } from './merge-clean-up.ts';
import { tellMerged, type Moved } from './merge-telling.ts';

/** The JSON answer. */
export interface MergeResult extends CleanedUp {
  readonly result: 'success';
  readonly feature: string;
  readonly target_branch: string;
  readonly strategy: MergeStrategy;
  /** Every package, in the order of merging. */
  readonly order: readonly string[];
  readonly merged: readonly string[];
  readonly already_merged: readonly string[];
  readonly moved: readonly Moved[];
  readonly pushed: boolean;
  readonly events_emitted: number;
  readonly causation_id: string | null;
}

/** What a merge takes from outside. */
export type MergeDeps = Pick<WorkflowDeps, 'git' | 'lock' | 'time' | 'events' | 'newUlid' | 'progress'>;

/** Merges a feature from the start. */
export async function merge(deps: MergeDeps, input: MergeInput): Promise<MergeResult> {
  const project = await findProject(deps.git, input);
  refuseInWorktree(project, input, 'spec-kitty merge');
  return oneMerge(deps, project, async () => {
    const { feature, target } = await whatToMerge(deps.git, project, input);
    return run(deps, { project, feature, agent: agentOf(input) }, (work) => begin(deps, work, target, input));
  });
}

/** Carries on the merge that stopped. */
export async function resumeMerge(deps: MergeDeps, place: Place): Promise<MergeResult> {
  const project = await findProject(deps.git, place);
  refuseInWorktree(project, place, 'spec-kitty merge --resume');
  return oneMerge(deps, project, async () => {
    const state = await mergeUnderWay(deps.git, project);
    if (state === undefined) {
      throw new WorkflowError('no-merge-begun', `There is no merge to resume: ${MERGE_STATE} does not exist.`, {
        remedy: 'spec-kitty merge',
      });
    }
    const feature = openFeature(project.root, state.feature_slug);
    await requireHead(deps.git, project, state.target_branch, 'spec-kitty merge --resume');
    return run(deps, { project, feature, agent: agentOf(place) }, (work) => resume(deps, work, state));
  });
}

/** One merge at a time in a main checkout, whatever the feature. */
function oneMerge<T>(deps: MergeDeps, project: Project, work: () => Promise<T>): Promise<T> {
  return withFeatureLock(deps.lock, project, 'merge', work);
}

interface Run {
  readonly project: Project;
  readonly feature: Feature;
  readonly agent: string;
}

async function run(
  deps: MergeDeps,
  { project, feature, agent }: Run,
  start: (work: FeatureWork) => Promise<Begun>,
): Promise<MergeResult> {
  const { result, told } = await changeFeature(deps, project, feature, async (work) => {
    const begun = await start(work);
    const state = await mergeAll(deps, work, begun);
    const moved = await tellMerged(deps, work, state, { agent, isResumed: begun.isResumed });
    return { state, warnings: begun.warnings, moved };
  });
  const { state, moved } = result;
  if (state.push) {
    deps.progress(`Pushing ${state.target_branch}`);
    await push(deps.git, project.root, state.target_branch);
  }
  deps.progress('Removing workspaces and branches');
  const { result: cleaned } = await changeFeature(deps, project, feature, async (work) => {
    const done = await cleanUp(deps.git, work, state);
    removeMergeState(project.root);
    return done;
  });
  return {
    result: 'success',
    feature: state.feature_slug,
    target_branch: state.target_branch,
    strategy: state.strategy,
    order: state.wp_order,
    merged: state.completed_wps,
    already_merged: state.skipped_wps,
    moved,
    pushed: state.push,
    ...cleaned,
    warnings: [...result.warnings, ...cleaned.warnings],
    events_emitted: told.recorded,
    causation_id: told.recorded === 0 ? null : state.causation_id,
  };
}

function agentOf({ env }: Place): string {
  return env?.['SPEC_KITTY_AGENT']?.trim() || 'user';
}
