/** Why a package does not go on, for whoever watches. Pure. */
import { candidates } from './agent-choice.ts';
import { isReady, openDependencies, type Slots } from './readiness.ts';
import type { RunContext, RunPlan } from './run-context.ts';
import { waitingRole, type RunState } from './run-state.ts';

/**
 * `dependencies`: packages that are not finished. `failed-dependencies`: packages that failed, or wait for one that
 * did; it stays as it is until they are retried or skipped. `agents`: those that could take it are busy. `limit`:
 * as many agents as allowed are at work. `retry-time`: a failed agent is left alone for a while. `run`: the run is
 * pausing or does not run.
 */
export type Wait =
  | { readonly kind: 'dependencies' | 'failed-dependencies' | 'agents'; readonly on: readonly string[] }
  | { readonly kind: 'retry-time'; readonly until: string }
  | { readonly kind: 'limit' | 'run' };

/** The reason of every waiting package that is not among those that move now. */
export function reasonsToWait(
  state: RunState,
  { plan, nowMs }: RunContext,
  { slots, moving }: { readonly slots: Slots; readonly moving: ReadonlySet<string> },
): ReadonlyMap<string, Wait> {
  const lost = hopeless(state, plan);
  const reasons = new Map<string, Wait>();
  for (const wp of Object.values(state.work_packages)) {
    const role = waitingRole(wp);
    if (role === undefined || moving.has(wp.wp_id)) continue;
    if (!isReady(state, wp, plan)) reasons.set(wp.wp_id, waitFor(openDependencies(state, wp.wp_id, plan), lost));
    else if (wp.not_before !== null && Date.parse(wp.not_before) > nowMs)
      reasons.set(wp.wp_id, { kind: 'retry-time', until: wp.not_before });
    else if (state.status !== 'running') reasons.set(wp.wp_id, { kind: 'run' });
    else if (!slots.hasRoom()) reasons.set(wp.wp_id, { kind: 'limit' });
    else reasons.set(wp.wp_id, busyOrPausing(candidates(wp, role, plan), slots));
  }
  return reasons;
}

/** A sentence without a full stop, e.g. `waits for WP02, which failed`. */
export function waitText(wait: Wait): string {
  switch (wait.kind) {
    case 'dependencies':
      return `waits for ${wait.on.join(', ')}`;
    case 'failed-dependencies':
      return `waits for ${wait.on.join(', ')}, which failed or cannot go on`;
    case 'agents':
      return wait.on.length === 1
        ? `waits until ${wait.on[0]} is free`
        : `waits until one of ${wait.on.join(', ')} is free`;
    case 'retry-time':
      return `is tried again at ${wait.until}`;
    case 'limit':
      return 'waits until an agent finishes';
    case 'run':
      return 'waits for the run to be resumed';
    default:
      return wait satisfies never;
  }
}

function busyOrPausing(able: readonly string[], slots: Slots): Wait {
  return able.length > 0 && !able.some((agent) => slots.isFree(agent)) ? { kind: 'agents', on: able } : { kind: 'run' };
}

function waitFor(open: readonly string[], lost: ReadonlySet<string>): Wait {
  const hopelessOnes = open.filter((dep) => lost.has(dep));
  return hopelessOnes.length > 0
    ? { kind: 'failed-dependencies', on: hopelessOnes }
    : { kind: 'dependencies', on: open };
}

/** Failed packages, and those that wait for one, however indirectly. */
function hopeless(state: RunState, plan: RunPlan): ReadonlySet<string> {
  const lost = new Set<string>();
  for (const id of plan.order) {
    const wp = state.work_packages[id];
    if (wp === undefined) continue;
    const isStuck =
      wp.status === 'failed' ||
      (waitingRole(wp) === 'implementation' && openDependencies(state, id, plan).some((dep) => lost.has(dep)));
    if (isStuck) lost.add(id);
  }
  return lost;
}
