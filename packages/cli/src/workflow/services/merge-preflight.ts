/** What has to be right before anything is merged. Everything that is not is said at once, each with its way out. */
import { WorkflowError } from '../errors.ts';
import { mustRun, statusLines, upstreamOf } from '../git/repository.ts';
import type { Git } from '../ports.ts';
import type { MergedWhere } from '../project/merged-work.ts';
import { quoted } from '../rules/shell-word.ts';
import type { Candidate } from './merge-candidates.ts';

/** How long a fetch may take before the last known state counts. */
const FETCH_LIMIT_MS = 15_000;

/** One thing that stands in the way. */
interface Problem {
  readonly code: string;
  readonly wp_id?: string;
  readonly message: string;
  readonly remedy: string;
}

/** What is looked at. */
export interface PreflightInput extends MergedWhere {
  readonly candidates: readonly Candidate[];
  /** `fetch`: ask the remote whether the target is behind it; `known`: the last known state; `skip`: it was asked before. */
  readonly upstream: 'fetch' | 'known' | 'skip';
  readonly push: boolean;
  /** Files that may be changed: this tool did it. */
  readonly ours?: readonly string[];
}

/** Warnings. Rejects with `merge-not-ready`, listing every problem, when there is one. */
export async function checkReady(git: Git, input: PreflightInput): Promise<readonly string[]> {
  const warnings: string[] = [];
  const found = await Promise.all([
    checkoutProblems(git, input),
    ...input.candidates.map((candidate) => packageProblems(git, input, candidate)),
    upstreamProblems(git, input, warnings),
  ]);
  const problems = found.flat();
  if (problems.length === 0) return warnings;
  const { slug } = input.feature;
  const [first] = problems;
  const count = problems.length === 1 ? 'one thing stands' : `${problems.length} things stand`;
  throw new WorkflowError(
    'merge-not-ready',
    [
      `${slug} cannot be merged, ${count} in the way${problems.length === 1 ? `: ${first?.message ?? ''}` : ':'}`,
      ...(problems.length === 1 ? [] : problems.map(({ message }) => `  - ${message}`)),
    ].join('\n'),
    {
      remedy: [...new Set(problems.map(({ remedy }) => remedy))].join('\n'),
      details: { problems },
      ...(problems.length === 1 && first?.wp_id !== undefined ? { wpId: first.wp_id } : {}),
    },
  );
}

/** Untracked files may stay: git refuses by itself to overwrite one. What is staged would get into the merge. */
async function checkoutProblems(git: Git, { project, ours = [] }: PreflightInput): Promise<readonly Problem[]> {
  const args = ['--no-optional-locks', 'status', '--porcelain', '-z', '--no-renames', '--untracked-files=no'];
  const text = await mustRun(git, project.root, args, 'read the status of the working tree');
  const lines = text.split('\0').filter((line) => line !== '');
  const files = lines
    .filter((line) => !line.startsWith(' ') || !line.startsWith('.kittify/', 3))
    .map((line) => line.slice(3))
    .filter((file) => !ours.includes(file));
  if (files.length === 0) return [];
  const message = `The main checkout has changes that are not committed: ${some(files)}.`;
  return [{ code: 'checkout-dirty', message, remedy: 'git stash   (git stash pop brings it back afterwards)' }];
}

async function packageProblems(
  git: Git,
  { project, feature }: PreflightInput,
  { wp, workspace, worktree, isMerged }: Candidate,
): Promise<readonly Problem[]> {
  const start = `spec-kitty implement ${wp.id} --feature ${feature.slug}`;
  if (wp.lane === 'planned') {
    const message = `${wp.id} is in planned: its work has not begun.`;
    return [{ code: 'not-started', wp_id: wp.id, message, remedy: start }];
  }
  if (worktree === undefined) {
    if (isMerged) return [];
    const message = `${wp.id} is in ${wp.lane}, but has no workspace at ${workspace.relativePath}.`;
    return [{ code: 'no-workspace', wp_id: wp.id, message, remedy: start }];
  }
  const there = `git -C ${quoted(workspace.relativePath)}`;
  if (worktree.branch !== workspace.branch) {
    const on = worktree.branch === undefined ? 'on no branch' : `on ${worktree.branch}`;
    const message = `The workspace of ${wp.id} is ${on}, not on ${workspace.branch}.`;
    const remedy = `${there} switch ${quoted(workspace.branch)}`;
    return [{ code: 'workspace-elsewhere', wp_id: wp.id, message, remedy }];
  }
  const dirty = await statusLines(git, `${project.root}/${workspace.relativePath}`);
  if (dirty.length === 0) return [];
  const message = `${workspace.relativePath} has work that is not committed: ${some(dirty.map((line) => line.slice(3)))}.`;
  const remedy = `${there} add --all && ${there} commit --message "Work of ${wp.id}"`;
  return [{ code: 'workspace-dirty', wp_id: wp.id, message, remedy }];
}

async function upstreamProblems(git: Git, input: PreflightInput, warnings: string[]): Promise<readonly Problem[]> {
  if (input.upstream === 'skip') return [];
  const { project, target } = input;
  const upstream = await upstreamOf(git, project.root, target);
  if (upstream === undefined) return input.push ? remoteProblems(git, project.root) : [];
  const { remote, remoteRef, tracking } = upstream;
  if (input.upstream === 'fetch') {
    const args = ['fetch', '--quiet', '--no-tags', remote, remoteRef];
    const fetched = await git.run(project.root, args, { limitMs: FETCH_LIMIT_MS });
    if (fetched.exitCode !== 0)
      warnings.push(`${remote} cannot be reached; the last known state of ${tracking} counts.`);
  }
  const range = `refs/heads/${target}..refs/remotes/${tracking}`;
  const behind = await git.run(project.root, ['rev-list', '--count', range, '--']);
  const count = behind.exitCode === 0 ? Number(behind.stdout.trim()) : 0;
  if (count === 0) return [];
  const message = `${target} is ${count} ${count === 1 ? 'commit' : 'commits'} behind ${tracking}.`;
  return [{ code: 'behind-upstream', message, remedy: `git merge --no-edit ${quoted(tracking)}` }];
}

/** A target without upstream is pushed to `origin`. */
async function remoteProblems(git: Git, root: string): Promise<readonly Problem[]> {
  const remotes = await git.run(root, ['remote']);
  if (remotes.stdout.split('\n').includes('origin')) return [];
  const message = 'There is no remote named origin to push to.';
  return [{ code: 'no-remote', message, remedy: 'git remote add origin URL' }];
}

function some(files: readonly string[]): string {
  const shown = files.slice(0, 5).join(', ');
  return files.length > 5 ? `${shown} and ${files.length - 5} more` : shown;
}
