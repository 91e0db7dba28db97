/**
 * Which commit a work package starts from: the target branch, the branch of the package it waits for, or several of
 * them merged. "Done" is not taken for "merged": git is asked.
 */
import { WorkflowError } from '../errors.ts';
import type { Feature } from './feature.ts';
import type { Git } from '../ports.ts';
import { branchTip, currentBranch, isAncestor } from '../git/repository.ts';
import { wasMerged } from './merged-work.ts';
import { findWp, type WorkPackage } from './wp-file.ts';
import type { Project } from './project-root.ts';
import { isWorktree, workspaceOf, type WorkspaceBase } from './workspace.ts';

/** What decides about it. */
export interface BaseInput {
  readonly project: Project;
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

/** With several dependencies: what the target branch holds already comes from there, the rest is merged into one base. */
async function onSeveral(git: Git, input: BaseInput): Promise<WorkspaceBase> {
  const bases: WorkspaceBase[] = [];
  for (const id of input.wp.dependencies.toSorted()) bases.push(await baseOn(git, input, id));
  const open = bases.filter((base) => base.label !== input.target);
  const [first, ...others] = open;
  if (first === undefined) return targetAsBase(git, input);
  const isPartlyMerged = open.length < bases.length;
  const start = isPartlyMerged ? await targetAsBase(git, input) : first;
  return {
    label: open.map(({ label }) => label).join('+'),
    branch: start.branch,
    commit: start.commit,
    merged: (isPartlyMerged ? open : others).map(({ branch }) => branch),
    warnings: [],
  };
}

async function baseOn(git: Git, input: BaseInput, id: string): Promise<WorkspaceBase> {
  const dependency = findWp(input.feature, id);
  const { root } = input.project;
  const { branch, path } = workspaceOf(root, input.feature, id);
  if (dependency.lane === 'done') return baseOnDone(git, input, dependency, branch);

  // Someone may have switched branches inside the workspace: what is checked out there is the work.
  const isThere = await isWorktree(git, input.project, path);
  const actual = (isThere ? await currentBranch(git, path) : undefined) ?? branch;
  const commit = await branchTip(git, root, actual);
  if (commit !== undefined) return { label: id, branch: actual, commit, merged: [], warnings: [] };
  // Merged and cleaned up, and not accepted yet.
  if (dependency.lane === 'for_review' && (await wasMerged(git, input, dependency))) return targetAsBase(git, input);
  throw new WorkflowError(
    'base-not-started',
    `${input.wp.id} builds on ${id}, which is in ${dependency.lane} and has no workspace yet.`,
    {
      wpId: input.wp.id,
      remedy: `spec-kitty implement ${id} --feature ${input.feature.slug}`,
    },
  );
}

async function baseOnDone(git: Git, input: BaseInput, dependency: WorkPackage, branch: string): Promise<WorkspaceBase> {
  const { id } = dependency;
  const tip = await branchTip(git, input.project.root, branch);
  if (tip !== undefined) {
    const isMerged = await isAncestor(git, input.project.root, tip, `refs/heads/${input.target}`);
    return isMerged ? targetAsBase(git, input) : { label: id, branch, commit: tip, merged: [], warnings: [] };
  }
  if (input.force || (await wasMerged(git, input, dependency))) return targetAsBase(git, input);
  throw new WorkflowError(
    'dependency-branch-gone',
    `${id} is done, but its branch ${branch} is gone and nothing on ${input.target} says it was merged.`,
    {
      wpId: input.wp.id,
      remedy: `spec-kitty implement ${input.wp.id} --feature ${input.feature.slug} --force   (when its work is on ${input.target})`,
    },
  );
}

async function targetAsBase(git: Git, input: BaseInput): Promise<WorkspaceBase> {
  const commit = await branchTip(git, input.project.root, input.target);
  if (commit === undefined) {
    throw new WorkflowError(
      'no-commit-yet',
      `The branch ${input.target} has no commit yet, so no workspace can start from it.`,
      {
        remedy: 'git commit --allow-empty -m "Start"',
      },
    );
  }
  return { label: input.target, branch: input.target, commit, merged: [], warnings: [] };
}
