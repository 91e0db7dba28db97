/**
 * Questions and answers about a git repository, in the domain's words. Everything that only asks; the one
 * way to write history is commit.ts.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { WorkflowError } from '../errors.ts';
import type { Git, GitAnswer } from '../ports.ts';

/** Runs git and insists on exit code 0; `what` completes the sentence "git could not …". */
export async function mustRun(git: Git, cwd: string, args: readonly string[], what: string): Promise<string> {
  const answer = await git.run(cwd, args);
  if (answer.exitCode !== 0) throw gitFailed(what, answer);
  return answer.stdout;
}

/** The error for a git call that failed, with git's own first words. */
export function gitFailed(what: string, answer: GitAnswer): WorkflowError {
  const said = lastWords(answer);
  return new WorkflowError('git-failed', `git could not ${what}${said === '' ? '.' : `: ${said}`}`, {
    kind: 'runtime',
  });
}

/** What git (or a hook of the user) said, cut to what fits on a screen. */
export function lastWords(answer: GitAnswer): string {
  const text = (answer.stderr.trim() === '' ? answer.stdout : answer.stderr).trim();
  return text.length > 600 ? `${text.slice(0, 600)}…` : text;
}

/** The branch HEAD is on; undefined when detached. An unborn branch has a name too. */
export async function currentBranch(git: Git, cwd: string): Promise<string | undefined> {
  const answer = await git.run(cwd, ['symbolic-ref', '--quiet', '--short', 'HEAD']);
  return answer.exitCode === 0 ? answer.stdout.trim() : undefined;
}

/** A branch to go to from a detached HEAD: `main` or `master` where there is one, else the one committed to last. */
export async function aBranch(git: Git, cwd: string): Promise<string> {
  const list = await git.run(cwd, ['for-each-ref', '--sort=-committerdate', '--format=%(refname:short)', 'refs/heads']);
  const branches = list.stdout.split('\n').filter((name) => name !== '');
  return ['main', 'master'].find((name) => branches.includes(name)) ?? branches[0] ?? 'main';
}

/** The commit a name points at; undefined when it names none. */
export async function commitOf(git: Git, cwd: string, name: string): Promise<string | undefined> {
  const answer = await git.run(cwd, ['rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`]);
  return answer.exitCode === 0 ? answer.stdout.trim() : undefined;
}

/** The commit of a local branch; undefined when there is no such branch. A tag of that name does not count. */
export function branchTip(git: Git, cwd: string, branch: string): Promise<string | undefined> {
  return commitOf(git, cwd, `refs/heads/${branch}`);
}

/** True when every commit of `ancestor` is in `descendant`. */
export async function isAncestor(git: Git, cwd: string, ancestor: string, descendant: string): Promise<boolean> {
  const answer = await git.run(cwd, ['merge-base', '--is-ancestor', ancestor, descendant]);
  if (answer.exitCode > 1) throw gitFailed('compare two branches', answer);
  return answer.exitCode === 0;
}

/**
 * The branch the main checkout is on, without asking git; undefined when detached. `gitDir` is that checkout's git
 * directory (gitrepository-layout(5): `HEAD` holds `ref: refs/heads/…`, also for an unborn branch).
 */
export async function headBranch(git: Git, gitDir: string): Promise<string | undefined> {
  const head = readFileSync(join(gitDir, 'HEAD'), 'utf8');
  const branch = /^ref: refs\/heads\/(.+)\n?$/.exec(head)?.[1];
  // What the reftable format leaves there: only git knows.
  if (branch !== '.invalid') return branch;
  const answer = await git.run(gitDir, ['--git-dir', gitDir, 'symbolic-ref', '--quiet', '--short', 'HEAD']);
  return answer.exitCode === 0 ? answer.stdout.trim() : undefined;
}

/** The branch of a remote that a local one follows. */
export interface Upstream {
  readonly remote: string;
  /** The remote's name for the branch, in full: `refs/heads/main`. */
  readonly remoteRef: string;
  /** Its last known state here: `origin/main`. */
  readonly tracking: string;
}

/** The upstream of a local branch; undefined when it has none, or one in this repository. */
export async function upstreamOf(git: Git, cwd: string, branch: string): Promise<Upstream | undefined> {
  // Not `:short`: it grows where a branch or tag has the name of the tracking branch.
  const format = '%(upstream:remotename)%0a%(upstream:remoteref)%0a%(upstream:lstrip=2)';
  const answer = await git.run(cwd, ['for-each-ref', `--format=${format}`, `refs/heads/${branch}`]);
  const [remote, remoteRef, tracking] = answer.stdout.split('\n');
  return !remote || remote === '.' || !remoteRef || !tracking ? undefined : { remote, remoteRef, tracking };
}

/** What a checkout is in the middle of: git refuses partial commits then, and a branch is not what it seems. */
export function unfinished(gitDir: string): 'merge' | 'rebase' | 'cherry-pick' | 'revert' | undefined {
  const isThere = (name: string): boolean => existsSync(join(gitDir, name));
  if (isThere('MERGE_HEAD')) return 'merge';
  if (isThere('rebase-merge') || isThere('rebase-apply')) return 'rebase';
  if (isThere('CHERRY_PICK_HEAD')) return 'cherry-pick';
  return isThere('REVERT_HEAD') ? 'revert' : undefined;
}

/** Lines of `git status --porcelain`, for the given paths or everything. Takes no lock. */
export async function statusLines(git: Git, cwd: string, paths: readonly string[] = []): Promise<readonly string[]> {
  const args = ['--no-optional-locks', 'status', '--porcelain', '--untracked-files=all', '--', ...paths.map(literal)];
  const text = await mustRun(git, cwd, args, 'read the status of the working tree');
  return text.split('\n').filter((line) => line !== '');
}

/** A file that differs from the last commit: git's two letters for how, and its path in the repository. */
export interface DirtyFile {
  readonly code: string;
  readonly path: string;
}

/** Everything uncommitted, untracked files included, except below these directories. Takes no lock. */
export async function dirtyFiles(git: Git, root: string, except: readonly string[]): Promise<readonly DirtyFile[]> {
  const flags = ['--porcelain', '-z', '--untracked-files=all', '--no-renames'];
  const paths = ['.', ...except.map((path) => `:(exclude,literal)${path}`)];
  const args = ['--no-optional-locks', 'status', ...flags, '--', ...paths];
  const text = await mustRun(git, root, args, 'read the status of the working tree');
  const entries = text.split('\0').filter((entry) => entry !== '');
  return entries.map((entry) => ({ code: entry.slice(0, 2), path: entry.slice(3) }));
}

/** Files of an unfinished merge that wait for a person, relative to the repository. */
export async function conflictedFiles(git: Git, cwd: string): Promise<readonly string[]> {
  const answer = await git.run(cwd, ['diff', '--name-only', '--diff-filter=U', '-z']);
  return answer.stdout.split('\0').filter((path) => path !== '');
}

/** The user's name for commits, from git's configuration or the environment; undefined when there is none. */
export async function userName(git: Git, cwd: string): Promise<string | undefined> {
  const answer = await git.run(cwd, ['-c', 'user.useConfigOnly=true', 'var', 'GIT_COMMITTER_IDENT']);
  const name = /^(.*?) <[^>]*> \d+ [+-]\d{4}$/.exec(answer.stdout.trim())?.[1];
  return answer.exitCode === 0 && name !== undefined && name !== '' ? name : undefined;
}

/** The refusal when git does not know who commits. */
export function identityMissing(): WorkflowError {
  return new WorkflowError('git-identity-missing', 'git does not know who you are, so nothing can be committed.', {
    remedy: 'git config --global user.name "Your Name"\ngit config --global user.email you@example.com',
  });
}

/** A pathspec that means this path and nothing else, whatever characters it holds. */
export function literal(path: string): string {
  return `:(literal)${path}`;
}
