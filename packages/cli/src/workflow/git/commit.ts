/**
 * The one way this tool writes history: a commit of exactly the named paths, on the branch that is checked
 * out. What the user has staged or changed elsewhere stays as it was; the user's hooks run.
 */
import { WorkflowError } from '../errors.ts';
import type { Git, GitAnswer } from '../ports.ts';
import { identityMissing, lastWords, literal, mustRun, unfinished, userName } from './repository.ts';

/** Waits between tries while another git process holds `index.lock`: about five seconds in all. */
const INDEX_LOCK_WAITS_MS = [25, 50, 100, 200, 400, 800, 1600, 1600];

/** The part of a repository a commit needs; `gitCommonDir` is the git directory of the main checkout. */
interface Repository {
  readonly root: string;
  readonly gitCommonDir: string;
}

/** A commit that was made. */
export interface Commit {
  readonly hash: string;
  /** Paths in it, relative to the repository. */
  readonly files: readonly string[];
}

/**
 * Commits `paths` (files or directories, relative to `root`; untracked ones are added) and nothing else.
 * Undefined when there is nothing to commit. Rejects, with the index as it was, when git or a hook refuses.
 */
export async function commitOnly(
  git: Git,
  root: string,
  input: { readonly message: string; readonly paths: readonly string[] },
): Promise<Commit | undefined> {
  const { isDirty, added } = await pendingChanges(git, root, input.paths);
  if (!isDirty) return undefined;
  // `--intent-to-add` makes them known to `commit --only` without putting their content in the user's index.
  if (added.length > 0) {
    const answer = await retried(git, root, ['add', '--force', '--intent-to-add', '--', ...added.map(literal)]);
    if (answer.exitCode !== 0) throw commitRefused(answer);
  }
  const answer = await commitPaths(git, root, input);
  if (answer.exitCode !== 0) {
    if (added.length > 0) await retried(git, root, ['reset', '--quiet', '--', ...added.map(literal)]);
    throw commitRefused(answer);
  }
  return lastCommit(git, root);
}

/**
 * The same for files that were just written: git is not asked first whether there is something to commit, which
 * saves a process. Files git does not know yet are found out by its refusal, and added.
 */
export async function commitWritten(
  git: Git,
  root: string,
  input: { readonly message: string; readonly paths: readonly string[] },
): Promise<Commit | undefined> {
  const answer = await commitPaths(git, root, input);
  if (answer.exitCode === 0) return lastCommit(git, root);
  if (/did not match any file/.test(answer.stderr)) return commitOnly(git, root, input);
  // What git prints, unasked for, when the files are as the last commit has them.
  if (
    answer.exitCode === 1 &&
    answer.stderr === '' &&
    /nothing (?:added )?to commit|no changes added/.test(answer.stdout)
  )
    return undefined;
  throw commitRefused(answer);
}

/**
 * Who commits, by name. Rejects when a commit could not be made for a reason known beforehand: git does not
 * know who commits, or a merge is under way.
 */
export async function checkCanCommit(git: Git, repository: Repository): Promise<string> {
  const name = await userName(git, repository.root);
  if (name === undefined) throw identityMissing();
  refuseUnfinished(repository);
  return name;
}

/** Rejects while a merge or the like waits to be concluded in the main checkout. */
export function refuseUnfinished(repository: Repository): void {
  const what = unfinished(repository.gitCommonDir);
  if (what !== undefined) throw inProgress(what);
}

function commitPaths(
  git: Git,
  root: string,
  { message, paths }: { readonly message: string; readonly paths: readonly string[] },
): Promise<GitAnswer> {
  return retried(git, root, ['commit', '--quiet', '--only', '--message', message, '--', ...paths.map(literal)]);
}

/** New files to take along are: of a directory what the user's rules do not ignore, of a named file the file anyway. */
async function pendingChanges(
  git: Git,
  root: string,
  paths: readonly string[],
): Promise<{ readonly isDirty: boolean; readonly added: readonly string[] }> {
  const flags = ['--porcelain', '-z', '--untracked-files=all', '--ignored=traditional', '--no-renames'];
  const text = await mustRun(
    git,
    root,
    ['--no-optional-locks', 'status', ...flags, '--', ...paths.map(literal)],
    'read the status of the working tree',
  );
  const entries = text.split('\0').filter((entry) => entry !== '');
  const added = entries
    .filter((entry) => entry.startsWith('?? ') || (entry.startsWith('!! ') && paths.includes(entry.slice(3))))
    .map((entry) => entry.slice(3));
  return { isDirty: added.length > 0 || entries.some((entry) => !/^(?:\?\?|!!) /.test(entry)), added };
}

/** Runs git again while another git process holds the index, for about five seconds. */
export async function retried(git: Git, root: string, args: readonly string[]): Promise<GitAnswer> {
  let answer = await git.run(root, args);
  for (const waitMs of INDEX_LOCK_WAITS_MS) {
    if (answer.exitCode === 0 || !/index\.lock|cannot lock ref/.test(answer.stderr)) return answer;
    // Another git at work (an editor, a sibling command). Half random, so that two waiters part.
    await git.pause(waitMs * (0.5 + Math.random() / 2));
    answer = await git.run(root, args);
  }
  return answer;
}

function commitRefused(answer: GitAnswer): WorkflowError {
  if (/Please tell me who you are|empty ident name|auto-detect email/.test(answer.stderr)) return identityMissing();
  if (/index\.lock/.test(answer.stderr)) {
    return new WorkflowError(
      'git-busy',
      'Another git process holds the repository (index.lock); nothing was committed.',
      {
        kind: 'runtime',
        remedy: 'git status   (when no git process runs any more, remove .git/index.lock)',
      },
    );
  }
  const during = /cannot do a partial commit during a ([a-z-]+)/.exec(answer.stderr)?.[1];
  if (during !== undefined) return inProgress(during);
  const said = lastWords(answer);
  return new WorkflowError('commit-refused', `git did not commit, perhaps a hook refused: ${said}`, {
    kind: 'runtime',
  });
}

function inProgress(what: string): WorkflowError {
  return new WorkflowError(
    `${what}-in-progress`,
    `A ${what} is in progress, and git makes no partial commit before it ends.`,
    { remedy: `git ${what} --continue   (or: git ${what} --abort)` },
  );
}

/** The commit that was just made. Never rejects: it is made, whatever git says when it is asked about it. */
async function lastCommit(git: Git, root: string): Promise<Commit> {
  const args = ['diff-tree', '--root', '-r', '-z', '--no-renames', '--name-only', 'HEAD'];
  const answer = await git.run(root, args).catch(() => undefined);
  if (answer?.exitCode !== 0) return { hash: 'unknown', files: [] };
  const [hash = '', ...files] = answer.stdout.split('\0');
  return { hash, files: files.filter((path) => path !== '') };
}
