/**
 * Workspaces: one git worktree per work package below `.worktrees/`, on a branch of the same name. Nothing
 * tracked is changed and no shared git setting either; `.worktrees/` is kept out of `git status`.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { WorkflowError } from '../errors.ts';
import type { Feature } from './feature.ts';
import { readText, writeText } from '../files/text-files.ts';
import type { Git } from '../ports.ts';
import type { Project } from './project-root.ts';
import { branchTip, conflictedFiles, gitFailed, mustRun } from '../git/repository.ts';

/** Where a package's workspace is, whether it exists or not. */
export interface Workspace {
  /** Name of directory and branch: `<slug>-<WP>`. */
  readonly branch: string;
  readonly path: string;
  /** Relative to the project root. */
  readonly relativePath: string;
}

export function workspaceOf(root: string, feature: Feature, wpId: string): Workspace {
  const branch = `${feature.slug}-${wpId}`;
  return { branch, path: join(root, '.worktrees', branch), relativePath: `.worktrees/${branch}` };
}

/** True when a worktree of this repository stands at `path`. */
export async function isWorktree(git: Git, project: Project, path: string): Promise<boolean> {
  if (!existsSync(join(path, '.git'))) return false;
  const here = await git.run(path, ['rev-parse', '--path-format=absolute', '--show-toplevel', '--git-common-dir']);
  const [top, itsCommon] = here.stdout.split('\n');
  return here.exitCode === 0 && top === realpathSync(path) && itsCommon === project.gitCommonDir;
}

/** Where a workspace begins. */
export interface WorkspaceBase {
  /** A work package id, or the target branch. */
  readonly label: string;
  readonly branch: string;
  readonly commit: string;
  /** Branches merged onto `commit` before the work begins: of a package that waits for several. */
  readonly merged: readonly string[];
  readonly warnings: readonly string[];
}

/** A workspace that was made. */
export interface CreatedWorkspace {
  /** Where the work begins. */
  readonly commit: string;
  remove(): Promise<void>;
}

/**
 * Makes a workspace at `base`, or at its branch when that already exists (work is never thrown away). Rejects, having
 * removed it again, when branches the package waits for conflict.
 */
export async function createWorkspace(
  git: Git,
  project: Project,
  workspace: Workspace,
  base: WorkspaceBase,
): Promise<CreatedWorkspace> {
  if (existsSync(workspace.path)) {
    throw new WorkflowError(
      'workspace-blocked',
      `${workspace.relativePath} exists but is no workspace of this repository.`,
      {
        remedy: `mv ${workspace.relativePath} ${workspace.relativePath}.old`,
      },
    );
  }
  const [tip, isLeftBehind] = await Promise.all([
    branchTip(git, project.root, workspace.branch),
    isRegistered(git, project.root, workspace.path),
    keepOutOfStatus(git, project, ['.worktrees/', '.kittify/workspaces/']),
  ]);
  const hasBranch = tip !== undefined;
  const remove = async (): Promise<void> => {
    await git.run(project.root, ['worktree', 'remove', '--force', workspace.path]);
    rmSync(workspace.path, { recursive: true, force: true });
    if (!hasBranch) await git.run(project.root, ['branch', '--quiet', '-D', workspace.branch]);
  };

  // A directory deleted by hand leaves its registration behind; `--force` takes the place of that one only.
  const force = isLeftBehind ? ['--force'] : [];
  const from = hasBranch
    ? [workspace.path, workspace.branch]
    : ['--no-track', '-b', workspace.branch, workspace.path, base.commit];
  const answer = await git.run(project.root, ['worktree', 'add', '--quiet', ...force, ...from]);
  if (answer.exitCode !== 0) {
    // A failing post-checkout hook reports failure with the worktree in place.
    await remove();
    throw gitFailed(`create the workspace ${workspace.relativePath}`, answer);
  }
  if (hasBranch || base.merged.length === 0) return { commit: base.commit, remove };
  try {
    for (const branch of base.merged) await mergeInto(git, workspace, branch);
    return { commit: (await mustRun(git, workspace.path, ['rev-parse', 'HEAD'], 'read the new base')).trim(), remove };
  } catch (cause) {
    await remove();
    throw cause;
  }
}

async function mergeInto(git: Git, workspace: Workspace, branch: string): Promise<void> {
  const wpId = workspace.branch.slice(-4);
  const message = `Merge ${branch} into multi-parent base for ${wpId}`;
  const answer = await git.run(workspace.path, ['merge', '--quiet', '--no-ff', '-m', message, `refs/heads/${branch}`]);
  if (answer.exitCode === 0) return;
  const conflicts = await conflictedFiles(git, workspace.path);
  if (conflicts.length === 0) throw gitFailed(`merge ${branch} for ${wpId}`, answer);
  throw new WorkflowError(
    'base-conflict',
    `${wpId} waits for packages whose work does not fit together: merging ${branch} conflicts in ${conflicts.join(', ')}. Nothing was created.`,
    {
      wpId,
      details: { conflicts },
      remedy: `spec-kitty implement ${wpId} --base ${branch.slice(-4)} --feature ${workspace.branch.slice(0, -5)}   (then merge the other branches in its workspace)`,
    },
  );
}

/** `.kittify/workspaces/<slug>-<WP>.json`: what later commands want to know of a workspace. */
export interface WorkspaceContext {
  readonly wp_id: string;
  readonly feature_slug: string;
  readonly worktree_path: string;
  readonly branch_name: string;
  readonly base_branch: string;
  readonly base_commit: string;
  readonly dependencies: readonly string[];
  readonly created_at: string;
  readonly created_by: string;
  readonly vcs_backend: 'git';
}

/** Path of a workspace's context file. */
export function contextPath(root: string, workspace: Workspace): string {
  return join(root, '.kittify', 'workspaces', `${workspace.branch}.json`);
}

/** Writes the context file. */
export function writeContext(root: string, workspace: Workspace, context: WorkspaceContext): void {
  writeText(contextPath(root, workspace), `${JSON.stringify(context, undefined, 2)}\n`);
}

/** The context of a workspace; undefined when there is none, or it is unreadable. */
export function readContext(root: string, workspace: Workspace): Partial<WorkspaceContext> | undefined {
  try {
    const value: unknown = JSON.parse(readText(contextPath(root, workspace), 'a workspace context') ?? 'null');
    // Any tool may have written it: every member is checked where it is used.
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

async function isRegistered(git: Git, root: string, path: string): Promise<boolean> {
  const list = await mustRun(git, root, ['worktree', 'list', '--porcelain'], 'list worktrees');
  return list
    .split('\n')
    .includes(`worktree ${join(realpathSync(root), '.worktrees', path.slice(dirname(path).length + 1))}`);
}

/**
 * Keeps what belongs to this machine out of `git status`. `init` writes `.gitignore`; in a repository without it the
 * untracked `info/exclude` does, for this clone only. Folders end in `/`.
 */
export async function keepOutOfStatus(git: Git, project: Project, paths: readonly string[]): Promise<void> {
  const probes = paths.map((path) => (path.endsWith('/') ? `${path}probe` : path));
  const answer = await git.run(project.root, ['check-ignore', '--no-index', ...probes]);
  const ignored = answer.stdout.split('\n');
  const missing = paths.filter((_, index) => !ignored.includes(probes[index] ?? '')).map((path) => `/${path}`);
  if (missing.length === 0) return;
  const path = join(project.gitCommonDir, 'info', 'exclude');
  mkdirSync(dirname(path), { recursive: true });
  const before = existsSync(path) ? readFileSync(path, 'utf8') : '';
  appendFileSync(path, `${before === '' || before.endsWith('\n') ? '' : '\n'}${missing.join('\n')}\n`);
}
