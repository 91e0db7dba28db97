/**
 * Workspaces: one git worktree per work package below `.worktrees/`, on a branch of the same name. Nothing
 * tracked is changed and no shared git setting either; `.worktrees/` is kept out of `git status`.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { WorkflowError } from '../errors.ts';
import type { Feature } from './feature.ts';
import { writeText } from '../files/text-files.ts';
import type { Git } from '../ports.ts';
import type { Project } from './project-root.ts';
import { branchTip, gitFailed, mustRun } from '../git/repository.ts';

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
export async function isWorktree(git: Git, root: string, path: string): Promise<boolean> {
  if (!existsSync(join(path, '.git'))) return false;
  const here = await git.run(path, ['rev-parse', '--path-format=absolute', '--show-toplevel', '--git-common-dir']);
  const common = await git.run(root, ['rev-parse', '--path-format=absolute', '--git-common-dir']);
  const [top, itsCommon] = here.stdout.split('\n');
  return here.exitCode === 0 && top === realpathSync(path) && itsCommon === common.stdout.trim();
}

/** Makes a workspace at `commit`, or at its branch when that already exists (work is never thrown away). */
export async function createWorkspace(
  git: Git,
  project: Project,
  workspace: Workspace,
  commit: string,
): Promise<{ readonly remove: () => Promise<void> }> {
  if (existsSync(workspace.path)) {
    throw new WorkflowError(
      'workspace-blocked',
      `${workspace.relativePath} exists but is no workspace of this repository.`,
      {
        remedy: `mv ${workspace.relativePath} ${workspace.relativePath}.old`,
      },
    );
  }
  await keepOutOfStatus(git, project);
  const hasBranch = (await branchTip(git, project.root, workspace.branch)) !== undefined;
  const remove = async (): Promise<void> => {
    await git.run(project.root, ['worktree', 'remove', '--force', workspace.path]);
    rmSync(workspace.path, { recursive: true, force: true });
    if (!hasBranch) await git.run(project.root, ['branch', '--quiet', '-D', workspace.branch]);
  };

  // A directory deleted by hand leaves its registration behind; `--force` takes the place of that one only.
  const force = (await isRegistered(git, project.root, workspace.path)) ? ['--force'] : [];
  const from = hasBranch
    ? [workspace.path, workspace.branch]
    : ['--no-track', '-b', workspace.branch, workspace.path, commit];
  const answer = await git.run(project.root, ['worktree', 'add', '--quiet', ...force, ...from]);
  if (answer.exitCode !== 0) {
    // A failing post-checkout hook reports failure with the worktree in place.
    await remove();
    throw gitFailed(`create the workspace ${workspace.relativePath}`, answer);
  }
  return { remove };
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

async function isRegistered(git: Git, root: string, path: string): Promise<boolean> {
  const list = await mustRun(git, root, ['worktree', 'list', '--porcelain'], 'list worktrees');
  return list
    .split('\n')
    .includes(`worktree ${join(realpathSync(root), '.worktrees', path.slice(dirname(path).length + 1))}`);
}

/** `init` writes `.gitignore`; in a repository without it the untracked `info/exclude` does, for this clone only. */
async function keepOutOfStatus(git: Git, project: Project): Promise<void> {
  const folders = ['.worktrees/', '.kittify/workspaces/'];
  const answer = await git.run(project.root, [
    'check-ignore',
    '--no-index',
    ...folders.map((folder) => `${folder}probe`),
  ]);
  const ignored = answer.stdout.split('\n');
  const missing = folders.filter((folder) => !ignored.includes(`${folder}probe`)).map((folder) => `/${folder}`);
  if (missing.length === 0) return;
  const path = join(project.gitCommonDir, 'info', 'exclude');
  mkdirSync(dirname(path), { recursive: true });
  const before = existsSync(path) ? readFileSync(path, 'utf8') : '';
  appendFileSync(path, `${before === '' || before.endsWith('\n') ? '' : '\n'}${missing.join('\n')}\n`);
}
