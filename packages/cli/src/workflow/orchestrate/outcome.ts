/**
 * What becomes of a package when its agent has ended. Pure. Each failed run is met by the mildest way on that is left:
 * the same agent again, then another one, then the package has failed and the run pauses. Failures and rejections are
 * counted apart.
 */
import { candidates } from './agent-choice.ts';
import { noteReady } from './readiness.ts';
import { WorkflowError } from '../errors.ts';
import type { RunContext } from './run-context.ts';
import {
  agentOf,
  isoTime,
  runningRole,
  wpOf,
  type Failure,
  type FailureClass,
  type Role,
  type RunState,
  type WpState,
} from './run-state.ts';

/**
 * How the run of an agent ended. Its lane has been moved already (for_review, done, or doing after a rejection); `refused`
 * is a lane that could not be moved, with `isImplemented` when the work itself was finished.
 */
export type Outcome =
  | { readonly kind: 'implemented' | 'approved' | 'interrupted'; readonly wpId: string }
  | { readonly kind: 'rejected'; readonly wpId: string; readonly feedback: string }
  | Failed
  | { readonly kind: 'refused'; readonly wpId: string; readonly message: string; readonly isImplemented?: boolean };

type Failed = { readonly kind: 'failed'; readonly wpId: string } & Failure;

/** First pause after a failure; each further one doubles it, up to {@link MAX_BACKOFF_MS}. */
export const FIRST_BACKOFF_MS = 5_000;
export const MAX_BACKOFF_MS = 60_000;

/** The same agent would fail again: somebody has to sign in or install it. */
const LOST_CAUSES: ReadonlySet<FailureClass> = new Set(['auth', 'missing']);

/** Rejects with `outcome-unexpected` when no agent is at work on the package in a role that could end like this. */
export function applyOutcome(state: RunState, outcome: Outcome, context: RunContext): RunState {
  const before = wpOf(state, outcome.wpId);
  const role = runningRole(before);
  if (role === undefined || !fits(outcome, role)) {
    throw new WorkflowError(
      'outcome-unexpected',
      `${outcome.wpId} is ${before.status} and cannot end with "${outcome.kind}".`,
      { kind: 'runtime', wpId: outcome.wpId },
    );
  }
  return withResult(state, ended(before, role, outcome, context), context);
}

/** The package as it now is in the run, which pauses when it has failed. */
export function withResult(state: RunState, wp: WpState, context: RunContext): RunState {
  const next = { ...state, work_packages: { ...state.work_packages, [wp.wp_id]: wp } };
  const hasFailed = wp.status === 'failed' && state.work_packages[wp.wp_id]?.status !== 'failed';
  const reason = `${wp.wp_id} failed: ${wp.last_error?.message ?? 'nobody knows why.'}`;
  return noteReady(
    hasFailed && state.pause_reason === null
      ? { ...next, pause_reason: { kind: 'package-failed', wp_id: wp.wp_id, message: reason } }
      : next,
    context,
  );
}

/** Failed for good: only a person's retry or skip leads on. */
export function failedWp(wp: WpState, error: Failure): WpState {
  return { ...stopped(wp), status: 'failed', last_error: error, not_before: null };
}

/** The package waits again for what it was at; its agent goes on with it. No time is lost, no failure is counted. */
export function interruptedWp(wp: WpState): WpState {
  const role = runningRole(wp);
  if (role === undefined) return wp;
  const next = { ...stopped(wp), attempts: 0, no_verdicts: 0 };
  return role === 'review' ? next : { ...next, status: waitingStatus(wp) };
}

function fits(outcome: Outcome, role: Role): boolean {
  switch (outcome.kind) {
    case 'implemented':
      return role === 'implementation';
    case 'approved':
    case 'rejected':
      return role === 'review';
    case 'failed':
      return role === 'review' || outcome.class !== 'no-verdict';
    case 'refused':
    case 'interrupted':
      return true;
    default:
      return outcome satisfies never;
  }
}

function ended(before: WpState, role: Role, outcome: Outcome, context: RunContext): WpState {
  const wp: WpState = { ...before, child: null, waiting_since: null, not_before: null };
  const now = isoTime(context.nowMs);
  switch (outcome.kind) {
    case 'implemented':
      return { ...forReview(wp), implementation_completed: now, last_error: null };
    case 'approved':
      return { ...wp, status: 'completed', review_completed: now, last_error: null };
    case 'rejected':
      return rejected({ ...wp, review_feedback: outcome.feedback }, context);
    case 'refused':
      return failedWp(outcome.isImplemented === true ? { ...wp, implementation_completed: now } : wp, {
        class: 'transition',
        message: outcome.message,
      });
    case 'interrupted':
      return interruptedWp(wp);
    case 'failed':
      return retried(wp, role, outcome, context);
    default:
      return outcome satisfies never;
  }
}

function retried(wp: WpState, role: Role, failure: Failed, context: RunContext): WpState {
  const isVerdictless = failure.class === 'no-verdict';
  const counted: WpState = {
    ...stopped(wp),
    attempts: wp.attempts + (isVerdictless ? 0 : 1),
    no_verdicts: wp.no_verdicts + (isVerdictless ? 1 : 0),
    last_error: { class: failure.class, message: failure.message },
  };
  if (isVerdictless) return counted.no_verdicts <= 1 ? counted : givenUp(counted, role, context);
  if (LOST_CAUSES.has(failure.class) || counted.attempts > context.limits.maxRetries)
    return givenUp(counted, role, context);
  const pauseMs = Math.min(MAX_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (counted.attempts - 1));
  const notBefore = isoTime(context.nowMs + pauseMs);
  // It waits from when it may be started, so that a failing agent does not jump the queue.
  return { ...counted, not_before: notBefore, waiting_since: notBefore };
}

function rejected(wp: WpState, context: RunContext): WpState {
  const again: WpState = {
    ...wp,
    status: 'rework',
    implementation_started: null,
    implementation_completed: null,
    review_agent: null,
    review_completed: isoTime(context.nowMs),
    review_started: null,
    attempts: 0,
    no_verdicts: 0,
    review_cycles: wp.review_cycles + 1,
  };
  if (again.review_cycles < context.limits.maxReviewCycles) return again;
  const message = `Its review asked for changes ${again.review_cycles} times; last: ${firstLine(wp.review_feedback)}`;
  return givenUp({ ...again, last_error: { class: 'review-cycles', message } }, 'implementation', context);
}

/** The current agent of the role is done with this package; another one takes it, or nobody is left. */
function givenUp(wp: WpState, role: Role, context: RunContext): WpState {
  const agent = agentOf(wp, role);
  const tried = { ...wp.tried, [role]: [...wp.tried[role], ...(agent === null ? [] : [agent])] };
  const left: WpState = { ...wp, tried };
  const error = wp.last_error ?? { class: 'general', message: 'It failed.' };
  const hasOther = candidates(left, role, context.plan).length > 0;
  if (context.limits.fallback !== 'next_in_list' || !hasOther) return failedWp(left, error);
  const fresh: WpState = { ...left, attempts: 0, no_verdicts: 0 };
  return role === 'review'
    ? { ...fresh, review_agent: null }
    : { ...fresh, status: waitingStatus(wp), implementation_agent: null, review_cycles: 0 };
}

function forReview(wp: WpState): WpState {
  return { ...wp, status: 'review', review_agent: null, review_started: null, attempts: 0, no_verdicts: 0 };
}

function stopped(wp: WpState): WpState {
  const none = { child: null, waiting_since: null };
  if (wp.status === 'review') return { ...wp, ...none, review_started: null };
  return wp.implementation_completed === null ? { ...wp, ...none, implementation_started: null } : { ...wp, ...none };
}

function waitingStatus(wp: WpState): 'pending' | 'rework' {
  return wp.review_feedback === null ? 'pending' : 'rework';
}

function firstLine(text: string | null): string {
  return text?.trim().split('\n')[0] ?? '';
}
