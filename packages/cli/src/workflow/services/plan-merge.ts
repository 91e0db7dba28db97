/** `merge --dry-run`: what a merge would do and where it would stop. Nothing is changed, fetched, locked or told. */
import { checkCanCommit } from '../git/commit.ts';
import type { WorkflowDeps } from '../ports.ts';
import { mergeSubject } from '../project/merged-work.ts';
import type { MergeStrategy } from '../project/merge-state.ts';
import { findProject, refuseInWorktree } from '../project/project-root.ts';
import { quoted } from '../rules/shell-word.ts';
import { mergeArgs } from './merge-branch.ts';
import { readCandidates, type Candidate } from './merge-candidates.ts';
import { pushArgs } from './merge-clean-up.ts';
import { forecast, type ForecastConflict } from './merge-forecast.ts';
import { checkReady } from './merge-preflight.ts';
import { whatToMerge, type MergeInput } from './merge-begin.ts';

/** The JSON answer. */
export interface MergePlan {
  readonly result: 'success';
  readonly dry_run: true;
  readonly feature: string;
  readonly target_branch: string;
  readonly strategy: MergeStrategy;
  /** Every package, in the order of merging. */
  readonly order: readonly string[];
  readonly already_merged: readonly string[];
  /** Packages that would go from doing to for_review. */
  readonly would_move: readonly string[];
  /** The git commands, ready for a shell; the commits of the lanes are not among them. */
  readonly commands: readonly string[];
  readonly forecast: readonly ForecastConflict[];
  readonly warnings: readonly string[];
}

/** Answers the plan, or rejects as the merge itself would. */
export async function planMerge(deps: Pick<WorkflowDeps, 'git'>, input: MergeInput): Promise<MergePlan> {
  const { git } = deps;
  const project = await findProject(git, input);
  refuseInWorktree(project, input, 'spec-kitty merge --dry-run');
  const { feature, target } = await whatToMerge(git, project, input);
  await checkCanCommit(git, project);
  const where = { project, feature, target };
  const candidates = await readCandidates(git, where);
  const push = input.push === true;
  const warnings = await checkReady(git, { ...where, candidates, upstream: 'known', push });
  const open = candidates.filter(({ isMerged }) => !isMerged);
  const strategy = input.strategy ?? 'merge';
  const branches = open.flatMap(({ wp, tip }) => (tip === undefined ? [] : [{ wpId: wp.id, tip }]));
  return {
    result: 'success',
    dry_run: true,
    feature: feature.slug,
    target_branch: target,
    strategy,
    order: candidates.map(({ wp }) => wp.id),
    already_merged: candidates.filter(({ isMerged }) => isMerged).map(({ wp }) => wp.id),
    would_move: candidates.filter(({ wp }) => wp.lane === 'doing').map(({ wp }) => wp.id),
    commands: [
      ...open.flatMap((candidate) => mergeCommands(feature.slug, strategy, candidate)),
      ...(push ? [command(await pushArgs(git, project.root, target))] : []),
      ...candidates.flatMap((candidate) => removals(strategy, candidate, input)),
    ],
    forecast: await forecast(git, project.root, target, branches),
    warnings,
  };
}

function mergeCommands(feature: string, strategy: MergeStrategy, { wp, workspace }: Candidate): readonly string[] {
  const merge = command(mergeArgs({ feature, wpId: wp.id, branch: workspace.branch, strategy }));
  return strategy === 'merge' ? [merge] : [merge, command(['commit', '-m', mergeSubject(feature, wp.id)])];
}

function removals(strategy: MergeStrategy, candidate: Candidate, input: MergeInput): readonly string[] {
  const { workspace, worktree, tip } = candidate;
  const isRemoved = worktree !== undefined && input.keepWorktree !== true;
  const isDeleted = tip !== undefined && input.keepBranch !== true && (worktree === undefined || isRemoved);
  return [
    ...(isRemoved ? [command(['worktree', 'remove', workspace.relativePath])] : []),
    ...(isDeleted ? [command(['branch', strategy === 'merge' ? '-d' : '-D', workspace.branch])] : []),
  ];
}

function command(words: readonly string[]): string {
  return ['git', ...words.map(quoted)].join(' ');
}
