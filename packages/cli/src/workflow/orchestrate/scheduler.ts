/**
 * What a run does next: which package goes to which agent, and whether the run pauses or is finished. Pure; the caller
 * makes each step true (state first by {@link applyStep}, then the agent) and asks again after every outcome.
 */
import { candidates, isSelfReview } from './agent-choice.ts';
import { reasonsToWait, type Wait } from './blocked.ts';
import { hasBegun, isReady, slotsOf, type Slots } from './readiness.ts';
import type { RunContext, RunPlan } from './run-context.ts';
import {
  agentOf,
  isSettled,
  runningRole,
  waitingRole,
  type PauseReason,
  type Role,
  type RunState,
  type WpState,
} from './run-state.ts';

/** One package to one agent. */
export interface Assign {
  readonly kind: 'assign';
  readonly wpId: string;
  readonly role: Role;
  readonly agent: string;
  /** The reviewer wrote it: nobody else is configured. */
  readonly selfReview: boolean;
  /** The same agent once more after a failure: not a new assignment, so nothing is to be announced. */
  readonly isRetry: boolean;
  /** Earlier assignments of the package in this role, for WPAssigned. */
  readonly retryCount: number;
}

/** `fail`: nobody is left who could take it. `finish`: everything is completed or skipped. */
export type Step =
  | Assign
  | { readonly kind: 'fail'; readonly wpId: string; readonly role: Role; readonly message: string }
  | { readonly kind: 'pause'; readonly reason: PauseReason }
  | { readonly kind: 'finish' };

export interface NextSteps {
  /** In the order they are to be made. */
  readonly steps: readonly Step[];
  /** For every package that could not go on: why. */
  readonly blocked: ReadonlyMap<string, Wait>;
  /** When a retry becomes possible; undefined: only an outcome changes anything. */
  readonly wakeAtMs: number | undefined;
}

/** Decides. A run that is not running has no steps. */
export function nextSteps(state: RunState, context: RunContext): NextSteps {
  const { plan, limits, nowMs } = context;
  const slots = slotsOf(state, limits);
  const steps: Step[] = [];
  if (state.status === 'running') {
    for (const wp of queueOf(state, plan)) {
      if (!mayStart(state, wp, nowMs)) continue;
      const step = stepFor(wp, plan, slots);
      if (step === undefined) continue;
      steps.push(step);
      if (step.kind === 'assign') slots.take(step.agent);
    }
    const last = steps.length === 0 ? endOf(state, nowMs) : undefined;
    if (last !== undefined) steps.push(last);
  }
  const moving = new Set(steps.flatMap((step) => ('wpId' in step ? [step.wpId] : [])));
  return { steps, blocked: reasonsToWait(state, context, { slots, moving }), wakeAtMs: wakeAt(state, nowMs) };
}

/** Ready packages: the longest waiting first, then as the plan has them. */
function queueOf(state: RunState, plan: RunPlan): readonly WpState[] {
  const place = new Map(plan.order.map((id, index) => [id, index]));
  return Object.values(state.work_packages)
    .filter((wp) => isReady(state, wp, plan))
    .map((wp) => ({
      wp,
      sinceMs: timeOr(wp.waiting_since, Number.MAX_VALUE),
      place: place.get(wp.wp_id) ?? place.size,
    }))
    .toSorted((a, b) => a.sinceMs - b.sinceMs || a.place - b.place || (a.wp.wp_id < b.wp.wp_id ? -1 : 1))
    .map(({ wp }) => wp);
}

function timeOr(time: string | null, otherwise: number): number {
  return time === null ? otherwise : Date.parse(time);
}

/** After a failure what has begun goes on to its end; after an interrupt nothing does. */
function mayStart(state: RunState, wp: WpState, nowMs: number): boolean {
  if (wp.not_before !== null && Date.parse(wp.not_before) > nowMs) return false;
  return state.pause_reason === null || (state.pause_reason.kind === 'package-failed' && hasBegun(wp));
}

function stepFor(wp: WpState, plan: RunPlan, slots: Slots): Step | undefined {
  const role = waitingRole(wp);
  if (role === undefined) return undefined;
  const able = candidates(wp, role, plan);
  if (able.length === 0) {
    const who = role === 'implementation' ? 'implement' : 'review';
    return { kind: 'fail', wpId: wp.wp_id, role, message: `No agent is left to ${who} ${wp.wp_id}.` };
  }
  const agent = able.find((each) => slots.isFree(each));
  if (agent === undefined) return undefined;
  return {
    kind: 'assign',
    wpId: wp.wp_id,
    role,
    agent,
    selfReview: isSelfReview(wp, role, agent),
    isRetry: agent === agentOf(wp, role) && wp.attempts + wp.no_verdicts > 0,
    retryCount: wp.assignments[role],
  };
}

/** How it ends, once nothing is at work and nothing can be started, now or later. */
function endOf(state: RunState, nowMs: number): Step | undefined {
  const wps = Object.values(state.work_packages);
  if (wps.every(isSettled)) return { kind: 'finish' };
  if (wps.some((wp) => runningRole(wp) !== undefined)) return undefined;
  if (wps.some((wp) => mayStart(state, wp, Infinity) && isWaitingForTime(wp, nowMs))) return undefined;
  return { kind: 'pause', reason: state.pause_reason ?? stuck(wps) };
}

function stuck(wps: readonly WpState[]): PauseReason {
  const failed = wps.filter((wp) => wp.status === 'failed').map((wp) => wp.wp_id);
  const open = wps.filter((wp) => !isSettled(wp) && wp.status !== 'failed').map((wp) => wp.wp_id);
  const rest = open.length === 0 ? '' : ` ${open.join(', ')} cannot go on.`;
  const message = failed.length === 0 ? `Nothing can be started.${rest}` : `${failed.join(', ')} failed.${rest}`;
  return { kind: 'blocked', wp_id: failed[0] ?? null, message };
}

function isWaitingForTime(wp: WpState, nowMs: number): boolean {
  return waitingRole(wp) !== undefined && wp.not_before !== null && Date.parse(wp.not_before) > nowMs;
}

function wakeAt(state: RunState, nowMs: number): number | undefined {
  if (state.status !== 'running') return undefined;
  const times = Object.values(state.work_packages)
    .filter((wp) => isWaitingForTime(wp, nowMs) && mayStart(state, wp, Infinity))
    .map((wp) => Date.parse(wp.not_before ?? ''));
  return times.length === 0 ? undefined : Math.min(...times);
}
