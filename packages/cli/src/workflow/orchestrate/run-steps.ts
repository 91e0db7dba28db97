/** How a run moves, apart from how its agents end: steps made true, and what people do to it. Pure. */
import { WorkflowError } from '../errors.ts';
import { failedWp, withResult } from './outcome.ts';
import { noteReady } from './readiness.ts';
import type { RunContext } from './run-context.ts';
import { agentOf, isoTime, wpOf, type Owner, type PauseReason, type RunState, type WpState } from './run-state.ts';
import type { Assign, Step } from './scheduler.ts';

/** The state once the step is taken. For `assign`: the agent counts as at work from here on. */
export function applyStep(state: RunState, step: Step, context: RunContext): RunState {
  switch (step.kind) {
    case 'assign':
      return { ...state, work_packages: { ...state.work_packages, [step.wpId]: assigned(state, step, context.nowMs) } };
    case 'fail': {
      const wp = wpOf(state, step.wpId);
      const error = wp.last_error ?? { class: 'no-agent' as const, message: step.message };
      return withResult(state, failedWp(wp, error), context);
    }
    case 'pause':
      return { ...state, status: 'paused', pause_reason: step.reason };
    case 'finish':
      return { ...state, status: 'completed', pause_reason: null, completed_at: isoTime(context.nowMs) };
    default:
      return step satisfies never;
  }
}

function assigned(state: RunState, step: Assign, nowMs: number): WpState {
  const before = wpOf(state, step.wpId);
  const now = isoTime(nowMs);
  const { role, agent } = step;
  const counts = step.isRetry
    ? {}
    : {
        attempts: 0,
        no_verdicts: 0,
        assignments: { ...before.assignments, [role]: before.assignments[role] + 1 },
        ...(role === 'implementation' && agent !== agentOf(before, role) ? { review_cycles: 0 } : {}),
      };
  const wp = { ...before, ...counts, child: null, waiting_since: null, not_before: null };
  return role === 'implementation'
    ? { ...wp, status: 'implementation', implementation_agent: agent, implementation_started: now }
    : { ...wp, status: 'review', review_agent: agent, review_started: now };
}

/** Nothing more is started. The caller ends the agents at work and reports each as interrupted; then the run pauses. */
export function requestPause(state: RunState, message: string): RunState {
  const reason: PauseReason = { kind: 'interrupted', wp_id: null, message };
  return state.status === 'running' ? { ...state, pause_reason: reason } : state;
}

/** The run goes on, in this process. Packages that failed stay so, and no longer hold up the others. */
export function resumeRun(state: RunState, owner: Owner, context: RunContext): RunState {
  if (state.status === 'completed' || state.status === 'failed') {
    throw new WorkflowError(
      'run-over',
      `The run of ${state.feature_slug} has ${overWord(state)}; there is nothing to resume.`,
      {
        remedy: `spec-kitty orchestrate --feature ${state.feature_slug}`,
      },
    );
  }
  const now = isoTime(context.nowMs);
  return noteReady({ ...state, ...owner, status: 'running', pause_reason: null, heartbeat_at: now }, context);
}

/**
 * Everybody may try a failed package again. It goes on where it stood: what was implemented is only reviewed, what was
 * rejected is reworked with the feedback.
 */
export function retryPackage(state: RunState, wpId: string, context: RunContext): RunState {
  const wp = failedOf(state, wpId);
  const isImplemented = wp.implementation_completed !== null;
  const again: WpState = {
    ...wp,
    status: isImplemented ? 'review' : wp.review_feedback === null ? 'pending' : 'rework',
    ...(isImplemented ? {} : { implementation_agent: null, implementation_started: null }),
    review_agent: null,
    review_started: null,
    attempts: 0,
    no_verdicts: 0,
    review_cycles: 0,
    tried: { implementation: [], review: [] },
    restarts: 0,
    last_error: null,
  };
  return noteReady({ ...state, work_packages: { ...state.work_packages, [wpId]: again } }, context);
}

/** A failed package is left out; what waited for it waits no longer. */
export function skipPackage(state: RunState, wpId: string, context: RunContext): RunState {
  const wp: WpState = { ...failedOf(state, wpId), status: 'skipped' };
  return noteReady({ ...state, work_packages: { ...state.work_packages, [wpId]: wp } }, context);
}

/** The three ways on from a paused run, as commands. `wpId` null: it is not about one package. */
export function waysOn(featureSlug: string, wpId: string | null): readonly string[] {
  const command = `spec-kitty orchestrate --feature ${featureSlug}`;
  return wpId === null
    ? [`${command} --resume`, `${command} --abort`]
    : [`${command} --retry ${wpId}`, `${command} --skip ${wpId}`, `${command} --abort`];
}

function failedOf(state: RunState, wpId: string): WpState {
  const wp = Object.hasOwn(state.work_packages, wpId) ? state.work_packages[wpId] : undefined;
  if (wp?.status === 'failed') return wp;
  const failed = Object.values(state.work_packages).filter((each) => each.status === 'failed');
  const [first] = failed;
  const which = first === undefined ? 'none has' : `these have: ${failed.map((each) => each.wp_id).join(', ')}`;
  const what = wp === undefined ? 'is not part of the run' : `is ${wp.status}`;
  throw new WorkflowError(
    'wp-not-failed',
    `${wpId} ${what}: only a package that failed can be retried or skipped, and ${which}.`,
    {
      wpId,
      remedy:
        first === undefined
          ? `spec-kitty orchestrate --feature ${state.feature_slug} --status`
          : `spec-kitty orchestrate --feature ${state.feature_slug} --retry ${first.wp_id}`,
    },
  );
}

function overWord(state: RunState): string {
  return state.status === 'completed' ? 'finished' : 'been aborted';
}
