/** What an agent left in its workspace: an implementer work that is not finished, a reviewer things that are not the work. */
import { isWorkflowError } from '../errors.ts';
import { mustRun, statusLines } from '../git/repository.ts';
import { refuseUnready, type ReadinessInput } from '../project/review-readiness.ts';
import { workspaceOf, type Workspace } from '../project/workspace.ts';
import type { RunDeps } from './run-deps.ts';
import type { Assign } from './scheduler.ts';

const UNFINISHED_WORK = ['work-unfinished', 'work-detached', 'work-uncommitted', 'work-missing', 'work-behind'];

/**
 * What an implementer left undone in its workspace: its failure, to be met by another try. Undefined: nothing. Commits it
 * lacks of the branch it builds on are not its fault; they are merged in where that goes without a conflict.
 */
export async function whyUnready(
  deps: Pick<RunDeps, 'git'>,
  input: Omit<ReadinessInput, 'skipSubtasks'>,
): Promise<string | undefined> {
  try {
    await refuseUnready(deps.git, { ...input, skipSubtasks: true });
    return undefined;
  } catch (cause) {
    if (!isWorkflowError(cause) || !UNFINISHED_WORK.includes(cause.code)) throw cause;
    const base = cause.code === 'work-behind' ? cause.details['base_branch'] : undefined;
    if (typeof base !== 'string' || !(await mergedIn(deps, input, base))) return cause.message;
    return await whyUnready(deps, input);
  }
}

/** Takes the commits of a base branch into a workspace; false when they conflict, with everything as it was. */
async function mergedIn(
  deps: Pick<RunDeps, 'git'>,
  { project, feature, wp }: Omit<ReadinessInput, 'skipSubtasks'>,
  base: string,
): Promise<boolean> {
  const { path, branch } = workspaceOf(project.root, feature, wp.id);
  const args = ['merge', '--quiet', '--no-edit', '-m', `Merge ${base} into ${branch}`, `refs/heads/${base}`];
  const answer = await deps.git.run(path, args);
  if (answer.exitCode === 0) return true;
  await deps.git.run(path, ['merge', '--abort']);
  return false;
}

/** The commit the workspace stands at. */
export async function headOf(deps: Pick<RunDeps, 'git'>, workspace: Workspace): Promise<string> {
  return (await mustRun(deps.git, workspace.path, ['rev-parse', 'HEAD'], `look at ${workspace.relativePath}`)).trim();
}

/** A reviewer that fixed or littered has not reviewed what will be merged: its changes are put aside, not lost. */
export async function undoReviewersChanges(
  deps: RunDeps,
  { workspace, head, step }: { readonly workspace: Workspace; readonly head: string; readonly step: Assign },
): Promise<void> {
  const [lines, now] = await Promise.all([statusLines(deps.git, workspace.path), headOf(deps, workspace)]);
  if (lines.length === 0 && now === head) return;
  const message = `Left by the review of ${step.wpId} by ${step.agent}`;
  const doing = `put aside what ${step.agent} left in ${workspace.relativePath}`;
  if (now !== head) await mustRun(deps.git, workspace.path, ['reset', '--quiet', '--soft', head], doing);
  await mustRun(deps.git, workspace.path, ['stash', 'push', '--quiet', '--include-untracked', '-m', message], doing);
  deps.tell({
    kind: 'warning',
    message: `${step.agent} changed files while it reviewed ${step.wpId}; they are in git stash: "${message}".`,
  });
}
