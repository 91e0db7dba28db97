/**
 * Which commit a work package starts from: the target branch, or the branch of the one package it waits for.
 * "Done" is not taken for "merged": git is asked.
 */
import { WorkflowError } from '../errors.ts';
import type { Feature } from './feature.ts';
import type { Git } from '../ports.ts';
import { branchTip, currentBranch, isAncestor } from '../git/repository.ts';
import { findWp, type WorkPackage } from './wp-file.ts';
import { isWorktree, workspaceOf } from './workspace.ts';

/** Where a workspace begins. */
export interface WorkspaceBase {
  /** A work package id, or the target branch. */
  readonly label: string;
  readonly branch: string;
  readonly commit: string;
  readonly warnings: readonly string[];
}

/** What decides about it. */
export interface BaseInput {
  readonly root: string;
  readonly feature: Feature;
  readonly wp: WorkPackage;
  readonly target: string;
  /** A work package the user named. */
  readonly base?: string;
  /** Take the target branch where a done package's branch is gone. */
  readonly force: boolean;
}

/** Decides the base. Refuses with the exact command when a package it needs has no work to build on. */
export async function chooseBase(git: Git, input: BaseInput): Promise<WorkspaceBase> {
  const { wp, base } = input;
  if (base === wp.id || wp.dependencies.includes(wp.id)) {
    throw new WorkflowError('dependency-self', `${wp.id} cannot wait for itself.`, { wpId: wp.id });
  }
  if (base !== undefined) {
    const chosen = await baseOn(git, input, base);
    const isDeclared = wp.dependencies.includes(base);
    return isDeclared
      ? chosen
      : { ...chosen, warnings: [`${base} is not among the declared dependencies of ${wp.id}.`, ...chosen.warnings] };
  }
  const [first, ...others] = wp.dependencies;
  if (first === undefined) return targetAsBase(git, input);
  if (others.length === 0) return baseOn(git, input, first);
  return onSeveral(git, input);
}

/** With several dependencies there is one safe start: the target branch, once it holds all of them. */
async function onSeveral(git: Git, input: BaseInput): Promise<WorkspaceBase> {
  const open: string[] = [];
  for (const id of input.wp.dependencies) {
    if (!(await isInTarget(git, input, id))) open.push(id);
  }
  if (open.length === 0) return targetAsBase(git, input);
  const started: string[] = [];
  for (const id of open) {
    if ((await branchTip(git, input.root, workspaceOf(input.root, input.feature, id).branch)) !== undefined)
      started.push(id);
  }
  const [last] = started.toReversed();
  const way =
    last === undefined
      ? 'none of them has a workspace yet: start with the first'
      : 'choose one to build on with --base';
  throw new WorkflowError(
    'several-bases',
    `${input.wp.id} waits for ${input.wp.dependencies.join(', ')}; not merged into ${input.target}: ${open.join(', ')}; ${way}.`,
    {
      wpId: input.wp.id,
      // Only a package that has been started can be built on.
      remedy: `spec-kitty implement ${last === undefined ? (open[0] ?? '') : `${input.wp.id} --base ${last}`} --feature ${input.feature.slug}`,
    },
  );
}

async function isInTarget(git: Git, input: BaseInput, id: string): Promise<boolean> {
  if (findWp(input.feature, id).lane !== 'done') return false;
  const { branch } = workspaceOf(input.root, input.feature, id);
  const tip = await branchTip(git, input.root, branch);
  if (tip !== undefined) return isAncestor(git, input.root, tip, `refs/heads/${input.target}`);
  return input.force || (await wasMerged(git, input, id, branch));
}

async function baseOn(git: Git, input: BaseInput, id: string): Promise<WorkspaceBase> {
  const dependency = findWp(input.feature, id);
  const { branch, path } = workspaceOf(input.root, input.feature, id);
  if (dependency.lane === 'done') return baseOnDone(git, input, id, branch);

  // Someone may have switched branches inside the workspace: what is checked out there is the work.
  const isThere = await isWorktree(git, input.root, path);
  const actual = (isThere ? await currentBranch(git, path) : undefined) ?? branch;
  const commit = await branchTip(git, input.root, actual);
  if (commit === undefined) {
    throw new WorkflowError(
      'base-not-started',
      `${input.wp.id} builds on ${id}, which is in ${dependency.lane} and has no workspace yet.`,
      {
        wpId: input.wp.id,
        remedy: `spec-kitty implement ${id} --feature ${input.feature.slug}`,
      },
    );
  }
  return { label: id, branch: actual, commit, warnings: [] };
}

async function baseOnDone(git: Git, input: BaseInput, id: string, branch: string): Promise<WorkspaceBase> {
  const tip = await branchTip(git, input.root, branch);
  if (tip !== undefined) {
    const isMerged = await isAncestor(git, input.root, tip, `refs/heads/${input.target}`);
    return isMerged ? targetAsBase(git, input) : { label: id, branch, commit: tip, warnings: [] };
  }
  if (input.force || (await wasMerged(git, input, id, branch))) return targetAsBase(git, input);
  throw new WorkflowError(
    'dependency-branch-gone',
    `${id} is done, but its branch ${branch} is gone and nothing on ${input.target} says it was merged.`,
    {
      wpId: input.wp.id,
      remedy: `spec-kitty implement ${input.wp.id} --feature ${input.feature.slug} --force   (when its work is on ${input.target})`,
    },
  );
}

/** A deleted branch leaves its merge commit: ours say `Merge WP01 from <slug>`, git's own name the branch. */
async function wasMerged(git: Git, input: BaseInput, id: string, branch: string): Promise<boolean> {
  const args = [
    'log',
    '--no-show-signature',
    '-1',
    '--format=%H',
    '--fixed-strings',
    `--grep=Merge ${id} from ${input.feature.slug}`,
  ];
  const answer = await git.run(input.root, [
    ...args,
    `--grep=Merge branch '${branch}'`,
    `refs/heads/${input.target}`,
    '--',
  ]);
  return answer.exitCode === 0 && answer.stdout.trim() !== '';
}

async function targetAsBase(git: Git, input: BaseInput): Promise<WorkspaceBase> {
  const commit = await branchTip(git, input.root, input.target);
  if (commit === undefined) {
    throw new WorkflowError(
      'no-commit-yet',
      `The branch ${input.target} has no commit yet, so no workspace can start from it.`,
      {
        remedy: 'git commit --allow-empty -m "Start"',
      },
    );
  }
  return { label: input.target, branch: input.target, commit, warnings: [] };
}
