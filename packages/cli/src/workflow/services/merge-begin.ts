/** How a merge begins, or goes on: what has to be right, and the state it starts from. */
import { WorkflowError } from '../errors.ts';
import { checkCanCommit } from '../git/commit.ts';
import { branchTip, commitOf, conflictedFiles, headBranch } from '../git/repository.ts';
import type { Git, Place, WorkflowDeps } from '../ports.ts';
import type { FeatureWork } from '../project/feature-work.ts';
import { detectFeature, requireTargetBranch, type Feature } from '../project/feature.ts';
import {
  MERGE_STATE,
  readMergeState,
  remainingWps,
  writeMergeState,
  type MergeState,
  type MergeStrategy,
} from '../project/merge-state.ts';
import { refuseForeignState } from '../project/own-state.ts';
import type { Project } from '../project/project-root.ts';
import { keepOutOfStatus } from '../project/workspace.ts';
import { quoted } from '../rules/shell-word.ts';
import { dropHalfMerge, openMerge } from './merge-branch.ts';
import { conflictRemedy, type Begun } from './merge-branches.ts';
import { readCandidates, type Candidate } from './merge-candidates.ts';
import { checkReady } from './merge-preflight.ts';

/** What the user asked for. */
export interface MergeInput extends Place {
  readonly feature?: string;
  /** Branch to merge into. Default: the feature's. */
  readonly target?: string;
  /** Default `merge`. */
  readonly strategy?: MergeStrategy;
  readonly push?: boolean;
  readonly keepBranch?: boolean;
  readonly keepWorktree?: boolean;
}

/** Feature and target of a new merge. Refuses while another is unfinished, or the main checkout is on another branch. */
export async function whatToMerge(
  git: Git,
  project: Project,
  input: MergeInput,
): Promise<{ readonly feature: Feature; readonly target: string }> {
  const unfinished = await mergeUnderWay(git, project);
  if (unfinished !== undefined) {
    throw new WorkflowError('merge-unfinished', `The merge of ${unfinished.feature_slug} is not finished yet.`, {
      remedy: 'spec-kitty merge --resume   (or, to give it up: spec-kitty merge --abort)',
    });
  }
  const feature = await detectFeature(git, project, input);
  const retry = input.retype?.(feature.slug) ?? `spec-kitty merge --feature ${feature.slug}`;
  if (input.target === undefined) return { feature, target: await requireTargetBranch(git, project, feature, retry) };
  await requireHead(git, project, input.target, retry);
  return { feature, target: input.target };
}

/** The state of the merge this machine has begun; undefined when there is none. */
export async function mergeUnderWay(git: Git, project: Project): Promise<MergeState | undefined> {
  await refuseForeignState(git, project.root, MERGE_STATE);
  return readMergeState(project.root);
}

/** Refuses unless the main checkout stands on `target`; nobody's HEAD is ever switched. */
export async function requireHead(git: Git, project: Project, target: string, retry: string): Promise<void> {
  const head = await headBranch(git, project.gitCommonDir);
  if (head === target) return;
  const where = head === undefined ? 'has a detached HEAD' : `is on ${head}`;
  const isThere = (await branchTip(git, project.root, target)) !== undefined;
  throw new WorkflowError('wrong-branch', `The merge goes to ${target}, but the main checkout ${where}.`, {
    remedy: `git switch ${isThere ? '' : '--create '}${quoted(target)} && ${retry}`,
  });
}

type BeginDeps = Pick<WorkflowDeps, 'git' | 'time' | 'newUlid'>;

/** Begins a merge: everything is checked, then the state written, before anything is merged. */
export async function begin(deps: BeginDeps, work: FeatureWork, target: string, input: MergeInput): Promise<Begun> {
  const { project, feature } = work;
  const where = { project, feature, target };
  await checkCanCommit(deps.git, project);
  const candidates = await readCandidates(deps.git, where);
  const isPush = input.push === true;
  const warnings = await checkReady(deps.git, { ...where, candidates, upstream: 'fetch', push: isPush });
  const skipped = candidates.filter(({ isMerged }) => isMerged);
  const now = new Date(deps.time.now()).toISOString();
  const state: MergeState = {
    feature_slug: feature.slug,
    target_branch: target,
    strategy: input.strategy ?? 'merge',
    push: isPush,
    keep_branch: input.keepBranch === true,
    keep_worktree: input.keepWorktree === true,
    wp_order: candidates.map(({ wp }) => wp.id),
    skipped_wps: skipped.map(({ wp }) => wp.id),
    completed_wps: [],
    current_wp: candidates.find(({ isMerged }) => !isMerged)?.wp.id ?? null,
    has_pending_conflicts: false,
    tips: tipsOf(candidates),
    lanes: Object.fromEntries(candidates.map(({ wp }) => [wp.id, wp.lane])),
    brought_lanes: {},
    // Merged by hand: nobody has been told yet.
    untold_wps: skipped.filter(({ wp }) => wp.lane === 'doing').map(({ wp }) => wp.id),
    told_wps: {},
    causation_id: deps.newUlid(),
    started_from: (await commitOf(deps.git, project.root, 'HEAD')) ?? '',
    started_at: now,
    updated_at: now,
  };
  await keepOutOfStatus(deps.git, project, [MERGE_STATE]);
  writeMergeState(project.root, state);
  return { state, candidates, isResumed: false, warnings: [...warnings, ...emptyHanded(skipped)] };
}

/** Goes on with the merge that `state` tells of. */
export async function resume(deps: BeginDeps, work: FeatureWork, state: MergeState): Promise<Begun> {
  const { project, feature } = work;
  const where = { project, feature, target: state.target_branch };
  // A conflict is the person's; what a killed run was about to commit is not.
  if (!state.has_pending_conflicts) await dropLeftOver(deps.git, project, state);
  await refuseUnresolved(deps.git, project, state);
  await checkCanCommit(deps.git, project);
  const remaining = remainingWps(state);
  const all = await readCandidates(deps.git, where);
  const candidates = all.filter(({ wp }) => remaining.includes(wp.id));
  const missing = remaining.filter((id) => !candidates.some(({ wp }) => wp.id === id));
  if (missing.length > 0) {
    throw new WorkflowError(
      'wp-not-found',
      `The merge has still to bring ${missing.join(', ')}, which ${feature.relativeDir}/tasks does not hold any more.`,
      { remedy: 'spec-kitty merge --abort' },
    );
  }
  // A run killed while it moved lanes may have left one written: that is committed, not refused.
  const ours = all
    .filter(({ wp }) => state.untold_wps.includes(wp.id) && wp.lane === 'for_review' && remaining.length === 0)
    .map(({ wp }) => wp.relativePath);
  const warnings = await checkReady(deps.git, { ...where, candidates, upstream: 'skip', push: state.push, ours });
  return { state, candidates, isResumed: true, warnings };
}

/** Takes back what a killed run was about to commit, if the checkout holds that and nothing else. */
export async function dropLeftOver(git: Git, project: Project, state: MergeState): Promise<void> {
  const tip = state.current_wp === null ? undefined : state.tips[state.current_wp];
  if (tip !== undefined) await dropHalfMerge(git, project, tip);
}

async function refuseUnresolved(git: Git, project: Project, state: MergeState): Promise<void> {
  const open = openMerge(project, state.strategy);
  if (open === undefined) return;
  const files = await conflictedFiles(git, project.root);
  const wait = files.length === 0 ? '' : `, and ${files.join(', ')} ${files.length === 1 ? 'waits' : 'wait'} for you`;
  throw new WorkflowError(
    'merge-unresolved',
    `The merge of ${state.current_wp ?? 'a package'} is not committed${wait}.`,
    {
      remedy: conflictRemedy(files),
      details: { conflicts: files },
      ...(state.current_wp === null ? {} : { wpId: state.current_wp }),
    },
  );
}

function tipsOf(candidates: readonly Candidate[]): Readonly<Record<string, string>> {
  return Object.fromEntries(candidates.flatMap(({ wp, tip }) => (tip === undefined ? [] : [[wp.id, tip]])));
}

/** In doing, and nothing of its own on the branch: it moves on, but somebody may have forgotten to commit. */
function emptyHanded(skipped: readonly Candidate[]): readonly string[] {
  return skipped
    .filter(({ wp, tip }) => wp.lane === 'doing' && tip !== undefined && tip === wp.file.get('base_commit'))
    .map(({ wp }) => `${wp.id} has no commit of its own; there was nothing to merge.`);
}
