/** `merge --abort`: gives a merge up. What is merged stays merged; how to undo that is said. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { isWorkflowError } from '../errors.ts';
import { unfinished } from '../git/repository.ts';
import type { Git, Place } from '../ports.ts';
import { withFeatureLock } from '../project/feature-lock.ts';
import { changeFeature } from '../project/feature-work.ts';
import { listFeatures, openFeature } from '../project/feature.ts';
import { MERGE_STATE, readMergeState, removeMergeState, type MergeState } from '../project/merge-state.ts';
import { mergeSubject } from '../project/merged-work.ts';
import { refuseForeignState } from '../project/own-state.ts';
import { findProject, refuseInWorktree, type Project } from '../project/project-root.ts';
import type { MergeDeps } from './merge.ts';
import { dropLeftOver } from './merge-begin.ts';
import { openMerge, undoOpenMerge } from './merge-branch.ts';

/** The JSON answer. */
export interface AbortResult {
  readonly result: 'aborted' | 'nothing-to-abort';
  readonly feature: string | null;
  /** Packages whose merge is on the target branch and stays there. */
  readonly stays_merged: readonly string[];
  /** Commands that take those merges back, newest first. */
  readonly undo: readonly string[];
  readonly warnings: readonly string[];
}

/** Gives the merge up. A merge of the person's own, begun without this tool, is left alone. */
export async function abortMerge(deps: MergeDeps, place: Place): Promise<AbortResult> {
  const project = await findProject(deps.git, place);
  refuseInWorktree(project, place, 'spec-kitty merge --abort');
  return withFeatureLock(deps.lock, project, 'merge', () => giveUp(deps, project));
}

async function giveUp(deps: MergeDeps, project: Project): Promise<AbortResult> {
  if (!existsSync(join(project.root, MERGE_STATE))) {
    const own = unfinished(project.gitCommonDir);
    const warnings =
      own === undefined ? [] : [`The ${own} under way is not one of spec-kitty; to give it up: git ${own} --abort`];
    return { result: 'nothing-to-abort', feature: null, stays_merged: [], undo: [], warnings };
  }
  await refuseForeignState(deps.git, project.root, MERGE_STATE);
  const state = readable(project.root);
  const open = openMerge(project, state?.strategy);
  if (open !== undefined) await undoOpenMerge(deps.git, project, open);
  else if (state !== undefined) await dropLeftOver(deps.git, project, state);
  const warnings =
    state === undefined ? [`${MERGE_STATE} could not be understood; what was merged is in git log.`] : [];
  if (state !== undefined && listFeatures(project.root).includes(state.feature_slug)) {
    // What a killed run did not get to tell has its evidence in the file that goes now.
    const feature = openFeature(project.root, state.feature_slug);
    await changeFeature(deps, project, feature, async () => {
      removeMergeState(project.root);
    });
  } else {
    removeMergeState(project.root);
  }
  return {
    result: 'aborted',
    feature: state?.feature_slug ?? null,
    stays_merged: state?.completed_wps ?? [],
    undo: state === undefined ? [] : await undoing(deps.git, project, state),
    warnings,
  };
}

/** One reset while nothing but these merges was committed since and nobody knows of them; else a revert of each. */
async function undoing(git: Git, project: Project, state: MergeState): Promise<readonly string[]> {
  if (state.completed_wps.length === 0) return [];
  const args = ['log', '--no-show-signature', '--first-parent', '--format=%H %s', `${state.started_from}..HEAD`, '--'];
  const log = await git.run(project.root, args);
  const commits = log.stdout.split('\n').filter((line) => line !== '');
  const subjects = new Set(state.completed_wps.map((id) => mergeSubject(state.feature_slug, id)));
  const merges = commits.filter((line) => subjects.has(line.slice(line.indexOf(' ') + 1)));
  if (merges.length === commits.length && merges.length > 0) return [`git reset --keep ${state.started_from}`];
  const mainline = state.strategy === 'merge' ? '-m 1 ' : '';
  return merges.map((line) => `git revert --no-edit ${mainline}${line.slice(0, line.indexOf(' '))}`);
}

function readable(root: string): MergeState | undefined {
  try {
    return readMergeState(root);
  } catch (cause) {
    if (isWorkflowError(cause)) return undefined;
    throw cause;
  }
}
