/** What a run will do, before it begins: who waits for whom, in which order, and with which agents. Pure. */
import type { Lane } from '@spec-kitty/events-sdk/contract';

import { refuseBrokenGraph } from '../rules/broken-graph.ts';
import { topologicalOrder, type DependencyGraph } from '../rules/dependency-graph.ts';
import { applyOutcome } from './outcome.ts';
import { noteReady } from './readiness.ts';
import type { RunContext, RunLimits, RunPlan } from './run-context.ts';
import { createRun, isSettled, type Role, type RunState } from './run-state.ts';
import { applyStep } from './run-steps.ts';
import { nextSteps, type Assign } from './scheduler.ts';

/** A package as its file has it. */
export interface PlannedPackage {
  readonly id: string;
  readonly dependencies: readonly string[];
  readonly lane: Lane;
}

/** The plan. Refuses unknown ids and circles as finalize-tasks does. */
export function planRun(
  packages: readonly PlannedPackage[],
  agents: Readonly<Record<Role, readonly string[]>>,
): RunPlan {
  const graph: DependencyGraph = new Map(packages.map(({ id, dependencies }) => [id, dependencies]));
  refuseBrokenGraph(graph, new Set(graph.keys()));
  const done = packages.filter(({ lane }) => lane === 'done').map(({ id }) => id);
  return { graph, order: topologicalOrder(graph), doneOnDisk: new Set(done), agents };
}

/** One package in a wave, with the agents it would get when nothing goes wrong. Null: there is nobody, or no need. */
export interface PlannedWork {
  readonly wpId: string;
  readonly implementer: string | null;
  readonly reviewer: string | null;
  readonly selfReview: boolean;
}

/** Packages that can be worked on at the same time, when there are agents enough; each wave waits for those before it. */
export function wavesOf(state: RunState, plan: RunPlan, limits: RunLimits): readonly (readonly PlannedWork[])[] {
  const assigned = rehearse(state, plan, limits);
  const waves: PlannedWork[][] = [];
  const waveOf = new Map<string, number>();
  for (const id of plan.order) {
    const wp = state.work_packages[id];
    if (wp === undefined || isSettled(wp) || plan.doneOnDisk.has(id)) continue;
    const wave = Math.max(0, ...(plan.graph.get(id) ?? []).map((dep) => (waveOf.get(dep) ?? -1) + 1));
    waveOf.set(id, wave);
    const [implementation, review] = (['implementation', 'review'] as const).map((role) =>
      assigned.get(`${id} ${role}`),
    );
    (waves[wave] ??= []).push({
      wpId: id,
      implementer: implementation?.agent ?? null,
      reviewer: review?.agent ?? null,
      selfReview: review?.selfReview ?? false,
    });
  }
  return waves;
}

/** The run as it would go if every agent succeeded, all of them equally fast: the scheduler itself says who gets what. */
function rehearse(state: RunState, plan: RunPlan, limits: RunLimits): ReadonlyMap<string, Assign> {
  const assigned = new Map<string, Assign>();
  let context: RunContext = { plan, limits, nowMs: Date.parse(state.started_at) };
  let rehearsed: RunState = noteReady({ ...state, status: 'running', pause_reason: null }, context);
  while (rehearsed.status === 'running') {
    const { steps } = nextSteps(rehearsed, context);
    if (steps.length === 0) break;
    context = { ...context, nowMs: context.nowMs + 1 };
    for (const step of steps) rehearsed = applyStep(rehearsed, step, context);
    for (const step of steps) {
      if (step.kind !== 'assign') continue;
      assigned.set(`${step.wpId} ${step.role}`, step);
      const kind = step.role === 'implementation' ? ('implemented' as const) : ('approved' as const);
      rehearsed = applyOutcome(rehearsed, { kind, wpId: step.wpId }, context);
    }
  }
  return assigned;
}

/** A run of everything that is not done, ready to be started; packages in review are only reviewed. */
export function newRun(
  packages: readonly (PlannedPackage & { readonly agent?: string })[],
  plan: RunPlan,
  facts: Omit<Parameters<typeof createRun>[0], 'packages'>,
): RunState {
  const open = packages.filter(({ id }) => !plan.doneOnDisk.has(id));
  const state = createRun({
    ...facts,
    packages: open.map(({ id, lane, agent }) =>
      lane === 'for_review' ? { id, implementedBy: agent ?? null } : { id },
    ),
  });
  return noteReady(state, { plan, nowMs: facts.nowMs });
}
