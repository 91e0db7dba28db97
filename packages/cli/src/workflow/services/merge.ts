/**
 * `merge`: brings the work of every package of a feature to its target branch, in the order they wait for each other,
 * moves what was in doing to for_review, and takes workspaces and branches away. How far it came stands in a file from
 * before the first step on, so that a conflict, a failed push or a kill is carried on with `--resume`.
 */
import { WorkflowError } from '../errors.ts';
import { checkCanCommit } from '../git/commit.ts';
import { branchTip, conflictedFiles, commitOf, headBranch } from '../git/repository.ts';
import type { Git, Place, WorkflowDeps } from '../ports.ts';
import { withFeatureLock } from '../project/feature-lock.ts';
import { changeFeature, type FeatureWork } from '../project/feature-work.ts';
import { detectFeature, openFeature, requireTargetBranch, type Feature } from '../project/feature.ts';
import {
  MERGE_STATE,
  readMergeState,
  remainingWps,
  removeMergeState,
  writeMergeState,
  type MergeState,
  type MergeStrategy,
} from '../project/merge-state.ts';
import { mergeSubject } from '../project/merged-work.ts';
import { findProject, refuseInWorktree, type Project } from '../project/project-root.ts';
import { keepOutOfStatus } from '../project/workspace.ts';
import { quoted } from '../rules/shell-word.ts';
import { mergeBranch, openMerge } from './merge-branch.ts';
import { readCandidates, type Candidate } from './merge-candidates.ts';
import { cleanUp, push, type CleanedUp } from './merge-clean-up.ts';
import { checkReady } from './merge-preflight.ts';
import { tellMerged, type Moved } from './merge-telling.ts';

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

export type MergeDeps = Pick<WorkflowDeps, 'git' | 'lock' | 'time' | 'events' | 'newUlid' | 'progress'>;

/** Merges a feature from the start. */
export async function merge(deps: MergeDeps, input: MergeInput): Promise<MergeResult> {
  const project = await findProject(deps.git, input);
  refuseInWorktree(project, input, 'spec-kitty merge');
  return oneMerge(deps, project, async () => {
    const { feature, target } = await whatToMerge(deps.git, project, input);
    return run(deps, { project, feature, target, agent: agentOf(input) }, (work) => begin(deps, work, target, input));
  });
}

/** Carries on the merge that stopped. */
export async function resumeMerge(deps: MergeDeps, place: Place): Promise<MergeResult> {
  const project = await findProject(deps.git, place);
  refuseInWorktree(project, place, 'spec-kitty merge --resume');
  return oneMerge(deps, project, async () => {
    const state = readMergeState(project.root);
    if (state === undefined) {
      throw new WorkflowError('no-merge-begun', `There is no merge to resume: ${MERGE_STATE} does not exist.`, {
        remedy: 'spec-kitty merge',
      });
    }
    const feature = openFeature(project.root, state.feature_slug);
    const target = state.target_branch;
    await requireHead(deps.git, project, target, 'spec-kitty merge --resume');
    return run(deps, { project, feature, target, agent: agentOf(place) }, (work) => resume(deps, work, state));
  });
}

/** Feature and target of a new merge. Refuses while another is unfinished, or the main checkout is on another branch. */
export async function whatToMerge(
  git: Git,
  project: Project,
  input: MergeInput,
): Promise<{ readonly feature: Feature; readonly target: string }> {
  const unfinished = readMergeState(project.root);
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

async function requireHead(git: Git, project: Project, target: string, retry: string): Promise<void> {
  const head = await headBranch(git, project.gitCommonDir);
  if (head === target) return;
  const where = head === undefined ? 'has a detached HEAD' : `is on ${head}`;
  const isThere = (await branchTip(git, project.root, target)) !== undefined;
  throw new WorkflowError('wrong-branch', `The merge goes to ${target}, but the main checkout ${where}.`, {
    remedy: `git switch ${isThere ? '' : '--create '}${quoted(target)} && ${retry}`,
  });
}

/** One merge at a time in a main checkout, whatever the feature. */
function oneMerge<T>(deps: MergeDeps, project: Project, work: () => Promise<T>): Promise<T> {
  return withFeatureLock(deps.lock, project, 'merge', work);
}

interface Run {
  readonly project: Project;
  readonly feature: Feature;
  readonly target: string;
  readonly agent: string;
}

/** A merge that may go on. */
interface Begun {
  readonly state: MergeState;
  readonly candidates: readonly Candidate[];
  readonly isResumed: boolean;
  readonly warnings: readonly string[];
}

async function run(
  deps: MergeDeps,
  { project, feature, agent }: Run,
  start: (work: FeatureWork) => Promise<Begun>,
): Promise<MergeResult> {
  const { result, told } = await changeFeature(deps, project, feature, async (work) => {
    const begun = await start(work);
    const state = await mergeAll(deps, work, begun);
    return { state, warnings: begun.warnings, moved: await tellMerged(deps, work, state, agent) };
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

async function begin(deps: MergeDeps, work: FeatureWork, target: string, input: MergeInput): Promise<Begun> {
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

async function resume(deps: MergeDeps, work: FeatureWork, state: MergeState): Promise<Begun> {
  const { project, feature } = work;
  const where = { project, feature, target: state.target_branch };
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
  const warnings = await checkReady(deps.git, { ...where, candidates, upstream: 'skip', push: state.push });
  return { state, candidates, isResumed: true, warnings };
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

async function mergeAll(deps: MergeDeps, work: FeatureWork, begun: Begun): Promise<MergeState> {
  const { root } = work.project;
  let state = begun.state;
  const save = (changes: Partial<MergeState>): void => {
    state = { ...state, ...changes, updated_at: new Date(deps.time.now()).toISOString() };
    writeMergeState(root, state);
  };
  const ids = remainingWps(state);
  for (const [index, wpId] of ids.entries()) {
    const candidate = begun.candidates.find(({ wp }) => wp.id === wpId);
    const tip = candidate?.tip;
    if (
      candidate !== undefined &&
      tip !== undefined &&
      !(begun.isResumed && (await isIn(deps.git, root, state, candidate)))
    ) {
      deps.progress(`Merging ${wpId} (${index + 1} of ${ids.length})`);
      if (state.tips[wpId] !== tip) save({ tips: { ...state.tips, [wpId]: tip } });
      const { branch } = candidate.workspace;
      const of = { feature: work.feature.slug, wpId, branch, tip, strategy: state.strategy };
      const conflicts = await mergeBranch(deps.git, work.project, of);
      if (conflicts.length > 0) {
        save({ current_wp: wpId, has_pending_conflicts: true });
        throw conflicted(state, wpId, conflicts);
      }
    }
    save({
      completed_wps: [...state.completed_wps, wpId],
      untold_wps: [...state.untold_wps, wpId],
      current_wp: ids[index + 1] ?? null,
      has_pending_conflicts: false,
    });
  }
  return state;
}

/** True when the package was merged meanwhile: by a run that was killed, or by the person who resolved a conflict. */
async function isIn(git: Git, root: string, state: MergeState, { wp, tip, isMerged }: Candidate): Promise<boolean> {
  if (isMerged) return true;
  if (state.strategy === 'merge' || tip !== state.tips[wp.id]) return false;
  const log = await git.run(root, ['log', '--no-show-signature', '--format=%s', `${state.started_from}..HEAD`, '--']);
  return log.stdout.split('\n').includes(mergeSubject(state.feature_slug, wp.id));
}

function conflicted(state: MergeState, wpId: string, files: readonly string[]): WorkflowError {
  const merged = state.completed_wps;
  const before = merged.length === 0 ? 'Nothing else was merged yet.' : `Merged before it: ${merged.join(', ')}.`;
  return new WorkflowError(
    'merge-conflict',
    `${wpId} does not fit together with ${state.target_branch}: ${files.join(', ')}.\n${before} The checkout waits in the middle of the merge.`,
    { kind: 'runtime', wpId, details: { conflicts: files, merged }, remedy: conflictRemedy(files) },
  );
}

function conflictRemedy(files: readonly string[]): string {
  const first = files.length === 0 ? '' : `once ${files.join(', ')} ${files.length === 1 ? 'is' : 'are'} resolved; `;
  return `${files.length === 0 ? '' : 'git add --update && '}git commit --no-edit && spec-kitty merge --resume   (${first}or, to give it up: spec-kitty merge --abort)`;
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

function agentOf({ env }: Place): string {
  return env?.['SPEC_KITTY_AGENT']?.trim() || 'user';
}
