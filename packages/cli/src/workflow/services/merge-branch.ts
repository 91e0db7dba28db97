/** Brings one package's branch to the target branch, with the user's hooks. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { WorkflowError } from '../errors.ts';
import { retried } from '../git/commit.ts';
import { conflictedFiles, gitFailed, lastWords } from '../git/repository.ts';
import type { Git, GitAnswer } from '../ports.ts';
import type { MergeStrategy } from '../project/merge-state.ts';
import { mergeSubject, squashNote } from '../project/merged-work.ts';
import type { Repository } from '../project/project-root.ts';
import { quoted } from '../rules/shell-word.ts';

/** What is merged, and how. */
export interface BranchMerge {
  readonly feature: string;
  readonly wpId: string;
  readonly branch: string;
  /** Its commit. */
  readonly tip: string;
  readonly strategy: MergeStrategy;
}

/** The git command that merges a branch; a squash takes a commit after it. */
export function mergeArgs({ feature, wpId, branch, strategy }: Omit<BranchMerge, 'tip'>): readonly string[] {
  return strategy === 'squash'
    ? // `--ff`: git refuses to squash where the user has set merge.ff to false.
      ['merge', '--squash', '--ff', `refs/heads/${branch}`]
    : ['merge', '--no-ff', '-m', mergeSubject(feature, wpId), `refs/heads/${branch}`];
}

/**
 * Merges and answers the files in conflict: none when it is done, also when there was nothing to bring. After a
 * conflict the checkout is left as git left it; after any other failure, which rejects, it is as before.
 */
export async function mergeBranch(git: Git, repository: Repository, merge: BranchMerge): Promise<readonly string[]> {
  const { root } = repository;
  const answer = await retried(git, root, mergeArgs(merge));
  if (answer.exitCode === 0) return merge.strategy === 'squash' ? commitSquash(git, repository, merge) : [];
  const conflicts = await conflictedFiles(git, root);
  if (conflicts.length === 0) throw await undone(git, repository, merge, answer);
  // Git would put the log of the branch into the person's commit: they are to find the subject we look for.
  if (merge.strategy === 'squash') writeFileSync(squashMessage(repository), squashText(merge));
  return conflicts;
}

async function commitSquash(git: Git, repository: Repository, merge: BranchMerge): Promise<readonly string[]> {
  const { root } = repository;
  const staged = await git.run(root, ['diff', '--cached', '--quiet']);
  if (staged.exitCode === 0) {
    rmSync(squashMessage(repository), { force: true });
    return [];
  }
  const answer = await retried(git, root, ['commit', '--quiet', '-m', squashText(merge)]);
  if (answer.exitCode !== 0) throw await undone(git, repository, merge, answer);
  return [];
}

/** A merge that this tool began and nobody has concluded. `strategy` is how it merges: a squash looks like any other. */
export function openMerge(repository: Repository, strategy: MergeStrategy | undefined): MergeStrategy | undefined {
  const { gitCommonDir } = repository;
  if (existsSync(join(gitCommonDir, 'MERGE_HEAD'))) {
    const path = join(gitCommonDir, 'MERGE_MSG');
    return existsSync(path) && /^Merge WP\d\d from /.test(readFileSync(path, 'utf8')) ? 'merge' : undefined;
  }
  const path = squashMessage(repository);
  if (!existsSync(path)) return undefined;
  return strategy === 'squash' || /^Merge WP\d\d from /.test(readFileSync(path, 'utf8')) ? 'squash' : undefined;
}

/** Puts the checkout back to before such a merge. */
export async function undoOpenMerge(git: Git, { root }: Repository, strategy: MergeStrategy): Promise<void> {
  const answer = await retried(
    git,
    root,
    strategy === 'merge' ? ['merge', '--abort'] : ['reset', '--quiet', '--merge'],
  );
  if (answer.exitCode !== 0) throw gitFailed('undo the merge', answer);
}

/**
 * Takes back what a git that was killed left staged: git marks a merge as such only when it stops. Does nothing unless
 * the checkout holds exactly what merging `tip` yields, so that nobody's work can be in it.
 */
export async function dropHalfMerge(git: Git, repository: Repository, tip: string): Promise<void> {
  const { root } = repository;
  const [staged, changed] = await Promise.all([
    git.run(root, ['diff', '--cached', '--quiet']),
    git.run(root, ['diff', '--quiet']),
  ]);
  if (staged.exitCode !== 1 || changed.exitCode !== 0) return;
  const [index, merged] = await Promise.all([
    git.run(root, ['write-tree']),
    git.run(root, ['merge-tree', '--write-tree', 'HEAD', tip]),
  ]);
  if (index.exitCode === 0 && merged.exitCode === 0 && index.stdout.trim() === merged.stdout.trim())
    await undoOpenMerge(git, repository, 'squash');
}

async function undone(git: Git, repository: Repository, merge: BranchMerge, answer: GitAnswer): Promise<WorkflowError> {
  const open = openMerge(repository, merge.strategy);
  if (open !== undefined) await undoOpenMerge(git, repository, open);
  return refused(merge.wpId, answer);
}

function refused(wpId: string, answer: GitAnswer): WorkflowError {
  const blocked = /untracked working tree files would be overwritten by merge:\n((?:\t.*(?:\n|$))+)/.exec(
    answer.stderr,
  );
  const files = blocked?.[1]?.split('\n').flatMap((line) => (line.startsWith('\t') ? [line.slice(1)] : [])) ?? [];
  if (files.length > 0) {
    return new WorkflowError(
      'untracked-in-the-way',
      `${wpId} was not merged: it brings files of the name of some that are here and that git does not know: ${files.join(', ')}.`,
      {
        wpId,
        kind: 'runtime',
        details: { files },
        remedy: `${files.map((file) => `mv ${quoted(file)} ${quoted(`${file}.mine`)}`).join(' && ')} && spec-kitty merge --resume`,
      },
    );
  }
  return new WorkflowError(
    'merge-failed',
    `${wpId} was not merged, and the checkout is as before it; perhaps a hook refused: ${lastWords(answer)}`,
    { wpId, kind: 'runtime', remedy: 'spec-kitty merge --resume   (or, to give it up: spec-kitty merge --abort)' },
  );
}

function squashText({ feature, wpId, branch, tip }: BranchMerge): string {
  return `${mergeSubject(feature, wpId)}\n\n${squashNote(branch, tip)}\n`;
}

function squashMessage({ gitCommonDir }: Repository): string {
  return join(gitCommonDir, 'SQUASH_MSG');
}
