/** Which packages may be started, and for how many agents there is room. Pure. */
import { DEFAULT_AGENT_SLOTS, type RunContext, type RunLimits, type RunPlan } from './run-context.ts';
import { agentOf, isoTime, isSettled, runningRole, waitingRole, type RunState, type WpState } from './run-state.ts';

/** What a package still waits for, in the order of the plan's graph. */
export function openDependencies(state: RunState, wpId: string, plan: RunPlan): readonly string[] {
  return (plan.graph.get(wpId) ?? []).filter((dep) => {
    const wp = state.work_packages[dep];
    return !plan.doneOnDisk.has(dep) && (wp === undefined || !isSettled(wp));
  });
}

/** True when only a free agent is missing. A package that is in review already waits for nobody. */
export function isReady(state: RunState, wp: WpState, plan: RunPlan): boolean {
  const role = waitingRole(wp);
  return role === 'review' || (role === 'implementation' && openDependencies(state, wp.wp_id, plan).length === 0);
}

/** True once somebody has worked on it in this run. */
export function hasBegun(wp: WpState): boolean {
  return wp.status === 'review' || wp.assignments.implementation > 0;
}

/** Starts the waiting time of every package that has become ready, and stops that of the others. */
export function noteReady(state: RunState, { plan, nowMs }: Pick<RunContext, 'plan' | 'nowMs'>): RunState {
  const entries = Object.entries(state.work_packages).map(([id, wp]): [string, WpState] => {
    const since = isReady(state, wp, plan) ? (wp.waiting_since ?? isoTime(nowMs)) : null;
    return [id, since === wp.waiting_since ? wp : { ...wp, waiting_since: since }];
  });
  return { ...state, work_packages: Object.fromEntries(entries) };
}

/** Room for agents, as it shrinks while steps are chosen. */
export interface Slots {
  /** False: no agent at all can be started. */
  hasRoom(): boolean;
  isFree(agent: string): boolean;
  take(agent: string): void;
}

export function slotsOf(state: RunState, limits: RunLimits): Slots {
  const used = new Map<string, number>();
  let total = 0;
  const take = (agent: string): void => {
    used.set(agent, (used.get(agent) ?? 0) + 1);
    total += 1;
  };
  for (const wp of Object.values(state.work_packages)) {
    const role = runningRole(wp);
    if (role !== undefined) take(agentOf(wp, role) ?? '');
  }
  const hasRoom = (): boolean => total < limits.globalConcurrency;
  const roomFor = (agent: string): number => limits.maxConcurrent.get(agent) ?? DEFAULT_AGENT_SLOTS;
  return { hasRoom, take, isFree: (agent) => hasRoom() && (used.get(agent) ?? 0) < roomFor(agent) };
}
