/** The end of a merge: the target branch goes to the remote, then what nobody needs any more goes away. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';

import { WorkflowError } from '../errors.ts';
import { isAncestor, lastWords, upstreamOf } from '../git/repository.ts';
import type { Git } from '../ports.ts';
import type { FeatureWork } from '../project/feature-work.ts';
import type { MergeState } from '../project/merge-state.ts';
import { contextPath, workspaceOf } from '../project/workspace.ts';
import { branchTips, listWorktrees } from './merge-candidates.ts';
import { quoted } from '../rules/shell-word.ts';

/** How long a push may take. */
const PUSH_LIMIT_MS = 120_000;

/** The git words that push a branch: to its upstream, or to the branch of its name on `origin`. */
export async function pushArgs(git: Git, root: string, target: string): Promise<readonly string[]> {
  const upstream = await upstreamOf(git, root, target);
  const name = upstream?.remoteRef.replace(/^refs\/heads\//, '') ?? target;
  return ['push', upstream?.remote ?? 'origin', name === target ? target : `${target}:${name}`];
}

/** Pushes. Rejects with `push-failed`; everything else waits for `--resume` then. */
export async function push(git: Git, root: string, target: string): Promise<void> {
  const args = await pushArgs(git, root, target);
  const answer = await git.run(root, args, { limitMs: PUSH_LIMIT_MS });
  if (answer.exitCode === 0) return;
  const [, remote = 'origin', name = target] = args;
  const isBehind = /non-fast-forward|fetch first/.test(answer.stderr);
  const pull = `git pull --no-rebase --no-edit ${quoted(remote)} ${quoted(name.split(':').at(-1) ?? target)} && `;
  throw new WorkflowError(
    'push-failed',
    `Everything is merged into ${target}, but it could not be pushed to ${remote}; workspaces and branches are kept. git said: ${lastWords(answer)}`,
    { kind: 'runtime', remedy: `${isBehind ? pull : ''}spec-kitty merge --resume` },
  );
}

/** What was taken away. */
export interface CleanedUp {
  readonly removed_worktrees: readonly string[];
  readonly deleted_branches: readonly string[];
  readonly warnings: readonly string[];
}

/** Removes workspaces and branches of merged packages, as far as nothing is lost by it; the rest is a warning. */
export async function cleanUp(
  git: Git,
  { project, feature }: Pick<FeatureWork, 'project' | 'feature'>,
  state: MergeState,
): Promise<CleanedUp> {
  const { root } = project;
  const worktrees = new Map(await listWorktrees(git, root));
  const removed: string[] = [];
  const deleted: string[] = [];
  const warnings: string[] = [];
  for (const wpId of state.wp_order) {
    if (state.keep_worktree) break;
    const workspace = workspaceOf(root, feature, wpId);
    if (worktrees.has(workspace.path)) {
      const answer = await git.run(root, ['worktree', 'remove', workspace.path]);
      if (answer.exitCode !== 0) {
        warnings.push(`${workspace.relativePath} stays: ${withoutRoot(root, lastWords(answer))}`);
        continue;
      }
      worktrees.delete(workspace.path);
      removed.push(workspace.relativePath);
    }
    rmSync(contextPath(root, workspace), { force: true });
  }
  if (state.keep_branch) return { removed_worktrees: removed, deleted_branches: deleted, warnings };

  const inUse = new Set([...worktrees.values()].map(({ branch }) => branch));
  const tips = await branchTips(git, { project, feature });
  for (const wpId of state.wp_order) {
    const { branch } = workspaceOf(root, feature, wpId);
    const tip = tips.get(branch);
    // A kept workspace needs its branch.
    if (tip === undefined || inUse.has(branch)) continue;
    const isIn = await isAncestor(git, root, tip, 'HEAD');
    // A squash leaves the branch outside history: what was merged is known by its commit.
    if (!isIn && !(state.strategy === 'squash' && state.tips[wpId] === tip)) {
      warnings.push(`${branch} stays: it has commits that ${state.target_branch} has not.`);
      continue;
    }
    const answer = await git.run(root, ['branch', '--quiet', isIn ? '-d' : '-D', branch]);
    if (answer.exitCode === 0) deleted.push(branch);
    else warnings.push(`${branch} stays: ${lastWords(answer)}`);
  }
  return { removed_worktrees: removed, deleted_branches: deleted, warnings };
}

function withoutRoot(root: string, text: string): string {
  return text.replaceAll(join(root, '/'), '');
}
