/**
 * One assignment from its start to its outcome: the workspace, the lane, the agent, and what its answer means. Lanes are
 * moved by the same services as by hand, in this process, in the agent's name. A lane is moved first and the run's state
 * follows: a run that dies in between finds it on disk.
 */
import type { Lane } from '@spec-kitty/events-sdk/contract';

import { isWorkflowError } from '../errors.ts';
import { reviewRange } from '../project/review-range.ts';
import { workspaceOf, type Workspace } from '../project/workspace.ts';
import { findWp, wpText } from '../project/wp-file.ts';
import { implement } from '../services/implement.ts';
import { markStatus } from '../services/mark-status.ts';
import { moveTask, type MoveTaskInput } from '../services/move-task.ts';
import { readDoneReport } from './agents/done-report.ts';
import type { FailureClass as AgentFailure } from './agents/agent-spec.ts';
import { failureErrorType } from './agents/failure-class.ts';
import { implementationPrompt, reviewPrompt } from './agents/prompt.ts';
import type { AgentRun } from './agents/run-agent.ts';
import { readVerdict } from './agents/verdict.ts';
import type { Outcome } from './outcome.ts';
import type { ReadyAgent, RunDeps } from './run-deps.ts';
import type { WpState } from './run-state.ts';
import { announce, dependentsResolved, firstLine, logError, type RunScope } from './run-telling.ts';
import type { Assign } from './scheduler.ts';
import { headOf, undoReviewersChanges, whyUnready } from './workspace-check.ts';

/** What an assignment works with. */
export interface PackageWork extends RunScope {
  readonly target: string;
  readonly runId: string;
  readonly isUnattended: boolean;
  readonly agentOf: (id: string) => ReadyAgent;
  /** The package as the run has it. */
  readonly stateOf: (wpId: string) => WpState;
  /** Facts the run's state must hold from here on; durable when this returns. */
  readonly note: (wpId: string, facts: Partial<Omit<WpState, 'wp_id'>>) => void;
  /** Ends the agent. */
  readonly signal: AbortSignal;
}

/** Does it. Rejects only for what nobody foresaw. */
export async function workOn(deps: RunDeps, work: PackageWork, step: Assign): Promise<Outcome> {
  if (!step.isRetry) await announce(deps, work, step);
  deps.tell({
    kind: 'assigned',
    wp_id: step.wpId,
    role: step.role,
    agent: step.agent,
    retry_count: step.retryCount,
    is_retry: step.isRetry,
    self_review: step.selfReview,
  });
  try {
    return step.role === 'implementation' ? await implementOne(deps, work, step) : await reviewOne(deps, work, step);
  } catch (cause) {
    if (!isWorkflowError(cause)) throw cause;
    // What the repository refuses no other agent can do better.
    await logError(deps, work, step, { errorType: cause.kind, message: cause.message });
    return { kind: 'refused', wpId: step.wpId, message: firstLine(cause.message) };
  }
}

async function implementOne(deps: RunDeps, work: PackageWork, step: Assign): Promise<Outcome> {
  const { project, feature } = work;
  const { wpId, agent } = step;
  const before = findWp(feature, wpId).lane;
  const made = await implement(deps, {
    cwd: project.root,
    wpId,
    feature: feature.slug,
    agent,
    shellPid: deps.owner.pid,
  });
  if (made.status === 'created') work.note(wpId, { created_by_run: true });
  work.note(wpId, { worktree_path: made.workspace_path });
  tellLane(deps, wpId, before, 'doing');
  await takeOver(deps, work, step);

  const workspace = workspaceOf(project.root, feature, wpId);
  const state = work.stateOf(wpId);
  const run = await runAgent(deps, work, step, {
    workspace,
    prompt: implementationPrompt({
      wpId,
      wpText: findWp(feature, wpId).file.text,
      feature: feature.slug,
      workspace: workspace.path,
      branch: workspace.branch,
      ...(state.review_feedback === null ? {} : { feedback: state.review_feedback }),
      ...(state.last_error === null ? {} : { lastError: state.last_error.message }),
    }),
  });
  const failed = await failureOf(deps, work, step, run);
  if (failed !== undefined) return failed;

  const finished = await checkBoxes(deps, work, step, run);
  const { target } = work;
  const unready = await whyUnready(deps, { project, feature, target, wp: findWp(feature, wpId) });
  if (unready !== undefined) return fail(deps, work, step, { class: 'general', message: unready });
  await move(deps, work, {
    wpId,
    to: 'for_review',
    agent,
    skipSubtasks: true,
    note: finished ? 'Implemented' : 'Implemented; subtasks were not reported one by one',
  });
  return { kind: 'implemented', wpId };
}

async function reviewOne(deps: RunDeps, work: PackageWork, step: Assign): Promise<Outcome> {
  const { project, feature, target } = work;
  const { wpId, agent } = step;
  const workspace = workspaceOf(project.root, feature, wpId);
  // Its implementation was finished, but the lane could not be moved then.
  const { lane, file } = findWp(feature, wpId);
  if (lane === 'doing')
    await move(deps, work, {
      wpId,
      to: 'for_review',
      agent: wpText(file, 'agent') ?? agent,
      skipSubtasks: true,
      note: 'Implemented',
    });
  // What is reviewed is what will be merged: with the commits its base got meanwhile.
  const behind = await whyUnready(deps, { project, feature, target, wp: findWp(feature, wpId) });
  if (behind !== undefined) return sendBack(deps, work, step, { reason: behind, feedback: behind });
  const nonce = deps.newNonce();
  const head = await headOf(deps, workspace);
  const range = await reviewRange(deps.git, project, { feature, wp: findWp(feature, wpId), target });
  const run = await runAgent(deps, work, step, {
    workspace,
    prompt: reviewPrompt({
      wpId,
      wpText: findWp(feature, wpId).file.text,
      feature: feature.slug,
      workspace: workspace.path,
      base: range?.base ?? target,
      branch: workspace.branch,
      nonce,
    }),
  });
  await undoReviewersChanges(deps, { workspace, head, step });
  const failed = await failureOf(deps, work, step, run);
  if (failed !== undefined) return failed;

  const verdict = readVerdict(run.output.finalText, nonce);
  switch (verdict.kind) {
    case 'none':
      return fail(deps, work, step, { class: 'no-verdict', message: verdict.why });
    case 'approved': {
      const left = await whyUnready(deps, { project, feature, target, wp: findWp(feature, wpId) });
      if (left !== undefined) return sendBack(deps, work, step, { reason: left, feedback: left });
      // In one note with the lane: whatever happens to this process, dependents hear of it once.
      await move(deps, work, {
        wpId,
        to: 'done',
        agent,
        skipSubtasks: true,
        note: 'Approved',
        follows: dependentsResolved(work, wpId, 'completed'),
      });
      deps.tell({ kind: 'completed', wp_id: wpId });
      return { kind: 'approved', wpId };
    }
    case 'rejected':
      return sendBack(deps, work, step, {
        reason: verdict.reason,
        feedback: feedbackOf(verdict.reason, run.output.finalText, nonce),
      });
    default:
      return verdict satisfies never;
  }
}

/** Back to the implementer, with what has to change in the package's file. */
async function sendBack(
  deps: RunDeps,
  work: PackageWork,
  { wpId, agent }: Assign,
  { reason, feedback }: { readonly reason: string; readonly feedback: string },
): Promise<Outcome> {
  await move(deps, work, { wpId, to: 'doing', agent, reviewFeedback: feedback, note: 'Changes requested' });
  deps.tell({ kind: 'rejected', wp_id: wpId, agent, reason: deps.redact(reason) });
  return { kind: 'rejected', wpId, feedback };
}

/** A package that comes back from review, or from another agent, is in this agent's hands from here on. */
async function takeOver(deps: RunDeps, work: PackageWork, { wpId, agent }: Assign): Promise<void> {
  const wp = findWp(work.feature, wpId);
  const owner = wpText(wp.file, 'agent');
  const hasFeedback = wpText(wp.file, 'review_status') === 'has_feedback';
  if (wp.lane === 'doing' && owner === agent && !hasFeedback) return;
  const note = owner === agent || wp.lane !== 'doing' ? 'Taken up again' : `Taken over from ${owner ?? 'nobody'}`;
  // Forced past one guard only: the agent before has been given up on.
  await move(deps, work, { wpId, to: 'doing', agent, note, force: wp.lane === 'doing' });
}

async function move(
  deps: RunDeps,
  { project, feature }: PackageWork,
  wish: Pick<MoveTaskInput, 'wpId' | 'to' | 'agent' | 'note' | 'force' | 'reviewFeedback' | 'skipSubtasks' | 'follows'>,
): Promise<void> {
  const moved = await moveTask(deps, { cwd: project.root, feature: feature.slug, ...wish });
  tellLane(deps, moved.task_id, moved.old_lane, moved.new_lane);
}

function tellLane(deps: RunDeps, wpId: string, previous: Lane, next: Lane): void {
  if (previous !== next) deps.tell({ kind: 'lane', wp_id: wpId, previous, next });
}

async function runAgent(
  deps: RunDeps,
  work: PackageWork,
  step: Assign,
  { workspace, prompt }: { readonly workspace: Workspace; readonly prompt: string },
): Promise<AgentRun> {
  const { agent, path } = work.agentOf(step.agent);
  return await deps.agents.run({
    spec: agent.spec,
    path,
    role: step.role,
    wpId: step.wpId,
    feature: work.feature.slug,
    root: work.project.root,
    workspace: workspace.path,
    prompt,
    timeoutMs: agent.timeoutS * 1000,
    isUnattended: work.isUnattended,
    runId: work.runId,
    signal: work.signal,
    onStart: ({ pid, startedAt, logFile }) => {
      work.note(step.wpId, { child: { pid, started_at: startedAt === '' ? null : startedAt }, log_file: logFile });
      deps.tell({ kind: 'log', wp_id: step.wpId, log_file: logFile });
    },
  });
}

/** Undefined when the agent did what it was asked. */
async function failureOf(deps: RunDeps, work: PackageWork, step: Assign, run: AgentRun): Promise<Outcome | undefined> {
  if (run.aborted) return { kind: 'interrupted', wpId: step.wpId };
  if (run.failure === null) return undefined;
  return fail(deps, work, step, { class: run.failure, message: run.failureText });
}

async function fail(
  deps: RunDeps,
  work: PackageWork,
  step: Assign,
  failure: { readonly class: AgentFailure | 'no-verdict'; readonly message: string },
): Promise<Outcome> {
  const message = firstLine(deps.redact(failure.message));
  const errorType = failure.class === 'no-verdict' ? ('runtime' as const) : failureErrorType(failure.class);
  await logError(deps, work, step, { errorType, message });
  const { wpId, role, agent } = step;
  deps.tell({ kind: 'attempt-failed', wp_id: wpId, role, agent, class: failure.class, message });
  return { kind: 'failed', wpId, class: failure.class, message };
}

/** Checks the boxes the agent says it has finished. False when some of the package's are still open. */
async function checkBoxes(deps: RunDeps, work: PackageWork, step: Assign, run: AgentRun): Promise<boolean> {
  const ids = readDoneReport(run.output.finalText);
  if (ids.length === 0) return false;
  try {
    const { wpId, agent } = step;
    const { project, feature } = work;
    await markStatus(deps, { cwd: project.root, ids, status: 'done', feature: feature.slug, wp: wpId, agent });
    return true;
  } catch (cause) {
    if (!isWorkflowError(cause)) throw cause;
    // An agent's report of boxes that are not there is no reason to throw its work away.
    deps.tell({ kind: 'warning', message: `${step.wpId}: ${firstLine(cause.message)}` });
    return false;
  }
}

/** What the implementer is told: the reviewer's answer, and its reason where the answer does not hold it. */
function feedbackOf(reason: string, answer: string, nonce: string): string {
  const text = answer
    .split('\n')
    .filter((line) => !line.includes(nonce))
    .join('\n')
    .trim();
  return text.includes(reason) || text === '' ? text || reason : `${text}\n\n${reason}`;
}
