/** What the decisions of a run go by, beside its state. Handed in by value: no decision looks at a clock or a file. */
import type { DependencyGraph } from '../rules/dependency-graph.ts';
import type { Role } from './run-state.ts';

/** Who waits for whom, and who may do what. */
export interface RunPlan {
  /** Every package of the feature, in the run or not. */
  readonly graph: DependencyGraph;
  /** The ids of the graph, each behind all it waits for. */
  readonly order: readonly string[];
  /** Packages whose lane on disk is done: nobody waits for them, whatever the run knows. */
  readonly doneOnDisk: ReadonlySet<string>;
  /** For each role the agents that may take it, the preferred one first. */
  readonly agents: Readonly<Record<Role, readonly string[]>>;
  /**
   * Any text, e.g. the id of the run: each package then has another agent as its first choice, by chance drawn from it.
   * Without it the preferred one is everybody's.
   */
  readonly chanceFrom?: string;
}

export interface RunLimits {
  /** Agents at work at the same time. */
  readonly globalConcurrency: number;
  /** The same for each agent; one that is not named has {@link DEFAULT_AGENT_SLOTS}. */
  readonly maxConcurrent: ReadonlyMap<string, number>;
  /** Further runs of the same agent after a failed one. */
  readonly maxRetries: number;
  /** Rejections after which an implementer is given up on. */
  readonly maxReviewCycles: number;
  /** `same_agent` and `fail`: when an agent is given up on, no other one is tried. */
  readonly fallback: 'next_in_list' | 'same_agent' | 'fail';
}

export const DEFAULT_AGENT_SLOTS = 2;

export const DEFAULT_LIMITS: RunLimits = {
  globalConcurrency: 5,
  maxConcurrent: new Map(),
  maxRetries: 3,
  maxReviewCycles: 3,
  fallback: 'next_in_list',
};

/** Plan, limits, and what time it is. */
export interface RunContext {
  readonly plan: RunPlan;
  readonly limits: RunLimits;
  readonly nowMs: number;
}
