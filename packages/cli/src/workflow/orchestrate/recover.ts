/**
 * How a run is taken up again after its process ended, in whatever moment. Pure. What the disk shows wins over what the
 * state remembers: a lane is moved first and remembered afterwards, so work that was finished is not done again.
 */
import type { Lane } from '@spec-kitty/events-sdk/contract';

import { failedWp, interruptedWp } from './outcome.ts';
import { isSettled, runningRole, type ChildProcess, type RunState, type WpState } from './run-state.ts';

/** What the caller found out about the process that owns a run. */
export interface OwnerProbe {
  /** Name of this machine. */
  readonly host: string;
  /** The process here that has the owner's pid now; undefined when there is none. `startedAt`: null when nobody can say. */
  readonly process: { readonly startedAt: string | null } | undefined;
  readonly nowMs: number;
}

/** `gone`: it can be taken over. `elsewhere`: on another machine, where nobody here can look. */
export type OwnerVerdict = 'gone' | 'alive' | 'elsewhere';

/** A process whose start time nobody can tell is the owner as long as the run showed life within this time. */
export const HEARTBEAT_STALE_MS = 60_000;

/** A package whose implementation was cut off this often fails: it may be what kills the run. */
export const MAX_RESTARTS = 3;

/** The feedback of a rejection whose words the run died before it could remember: the package's file has them. */
export const FEEDBACK_IN_FILE = 'It stands below, in the section "Review Feedback".';

/** Judges. Only a run that says it is running has an owner. */
export function judgeOwner(state: RunState, probe: OwnerProbe): OwnerVerdict {
  if (state.status !== 'running') return 'gone';
  if (state.host !== probe.host) return 'elsewhere';
  if (probe.process === undefined) return 'gone';
  const { startedAt } = probe.process;
  if (startedAt !== null && state.process_started_at !== null)
    return startedAt === state.process_started_at ? 'alive' : 'gone';
  return probe.nowMs - Date.parse(state.heartbeat_at) < HEARTBEAT_STALE_MS ? 'alive' : 'gone';
}

/** Where a package's file says it stands; `rejected`: in doing, with feedback of a review that nobody has taken up yet. */
export type LaneOnDisk = Lane | 'rejected';

/** A package that is not where the state had it. */
export interface Recovered {
  readonly wpId: string;
  readonly from: WpState['status'];
  readonly to: WpState['status'];
}

export interface Recovery {
  /** Paused, or as it was when it was over. */
  readonly state: RunState;
  readonly changes: readonly Recovered[];
  /** Agents that may still be at work on their own: to be ended before their packages are started again. */
  readonly orphans: readonly (ChildProcess & { readonly wpId: string })[];
}

/**
 * Takes up a run whose owner is gone, or that was paused: always before it is resumed. `lanes` are those on disk. Does
 * nothing to a run that is over; twice is as once.
 */
export function recoverRun(state: RunState, lanes: ReadonlyMap<string, LaneOnDisk>): Recovery {
  if (state.status === 'completed' || state.status === 'failed') return { state, changes: [], orphans: [] };
  const before = Object.values(state.work_packages);
  const after = before.map((wp) => recovered(wp, lanes.get(wp.wp_id), state));
  const died = state.status === 'running' && state.pause_reason === null;
  const lost = after.find((wp, index) => wp.status === 'failed' && before[index]?.status !== 'failed');
  return {
    state: {
      ...state,
      status: 'paused',
      pause_reason: died
        ? { kind: 'owner-died', wp_id: lost?.wp_id ?? null, message: 'The process that ran it ended without a word.' }
        : state.pause_reason,
      work_packages: Object.fromEntries(after.map((wp) => [wp.wp_id, wp])),
    },
    changes: after.flatMap((wp, index) => {
      const from = before[index]?.status ?? wp.status;
      return from === wp.status ? [] : [{ wpId: wp.wp_id, from, to: wp.status }];
    }),
    orphans: before.flatMap((wp) => (wp.child === null ? [] : [{ ...wp.child, wpId: wp.wp_id }])),
  };
}

function recovered(before: WpState, lane: LaneOnDisk | undefined, state: RunState): WpState {
  const role = runningRole(before);
  const wp = before.child === null ? before : { ...before, child: null };
  if (isSettled(wp)) return wp;
  if (lane === 'done') return { ...wp, status: 'completed', last_error: null, not_before: null };
  // The review had ended with a rejection: its feedback stands in the package's file.
  if (role === 'review' && lane === 'rejected') return toRework(wp);
  if (role === 'review') return interruptedWp(wp);
  // Its lane shows, or the state says, that it is implemented: by an agent when the run died, or by hand since then.
  const isImplemented = wp.implementation_completed !== null || lane === 'for_review';
  if (isImplemented && (wp.status === 'implementation' || wp.status === 'pending')) return toReview(wp, state);
  if (role === undefined) return wp;
  const restarts = wp.restarts + 1;
  if (restarts <= MAX_RESTARTS) return { ...interruptedWp(wp), restarts };
  const message = `The run ended ${restarts} times while it was being implemented.`;
  return failedWp({ ...wp, restarts }, { class: 'restarts', message });
}

function toRework(wp: WpState): WpState {
  return {
    ...wp,
    status: 'rework',
    implementation_started: null,
    implementation_completed: null,
    review_agent: null,
    review_started: null,
    review_completed: wp.review_started,
    review_cycles: wp.review_cycles + 1,
    review_feedback: FEEDBACK_IN_FILE,
    attempts: 0,
    no_verdicts: 0,
    not_before: null,
  };
}

function toReview(wp: WpState, state: RunState): WpState {
  const begun = wp.implementation_started ?? state.heartbeat_at;
  return {
    ...interruptedWp(wp),
    status: 'review',
    // Nobody knows when it was finished; it was not before this.
    implementation_started: begun,
    implementation_completed: wp.implementation_completed ?? begun,
    review_agent: null,
    review_started: null,
    attempts: 0,
    no_verdicts: 0,
    not_before: null,
  };
}
