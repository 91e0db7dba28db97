/** A feature with random packages, agents and limits. The same random source gives the same world. */
import type { LaneOnDisk } from '../../../../src/workflow/orchestrate/recover.ts';
import type { Lane } from '@spec-kitty/events-sdk/contract';

import { newRun, planRun } from '../../../../src/workflow/orchestrate/plan.ts';
import type { RunLimits, RunPlan } from '../../../../src/workflow/orchestrate/run-context.ts';
import type { Owner, RunState } from '../../../../src/workflow/orchestrate/run-state.ts';

export const START = Date.parse('2026-03-02T14:30:00Z');
export const OWNER: Owner = { pid: 7, host: 'here', process_started_at: 'once' };

export interface Chance {
  readonly random: () => number;
  below(count: number): number;
  happens(probability: number): boolean;
  pick<T>(list: readonly T[]): T;
  some<T>(list: readonly T[], probability: number): readonly T[];
  shuffled<T>(list: readonly T[]): readonly T[];
}

/** The same seed gives the same choices (mulberry32). */
export function chanceOf(seed: number): Chance {
  let drawn = seed >>> 0;
  const random = (): number => {
    drawn = (drawn + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(drawn ^ (drawn >>> 15), drawn | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
  const below = (count: number): number => Math.floor(random() * count);
  const happens = (probability: number): boolean => random() < probability;
  return {
    random,
    below,
    happens,
    // Callers hand in at least one.
    pick: <T>(list: readonly T[]) => list[below(list.length)] as T,
    some: (list, probability) => list.filter(() => happens(probability)),
    shuffled: (list) =>
      list
        .map((item) => ({ item, key: random() }))
        .toSorted((a, b) => a.key - b.key)
        .map(({ item }) => item),
  };
}

export interface World {
  /** Changes when a person changes the configuration. */
  plan: RunPlan;
  readonly limits: RunLimits;
  readonly state: RunState;
  readonly lanes: Map<string, LaneOnDisk>;
}

export const NAMES = ['claude', 'codex', 'gemini', 'qwen', 'cursor'] as const;

export function randomWorld(chance: Chance): World {
  const size = 1 + Math.floor(40 * chance.random() * chance.random());
  const ids = chance.shuffled(Array.from({ length: size }, (_, n) => `WP${String(n + 1).padStart(2, '0')}`));
  const density = chance.random() * 0.4;
  const packages = ids.map((id, index) => ({
    id,
    dependencies: chance.some(ids.slice(Math.max(0, index - 6), index), density).toSorted(),
    lane: chance.pick<Lane>(['planned', 'planned', 'planned', 'planned', 'planned', 'doing', 'for_review', 'done']),
  }));
  const names = NAMES.slice(0, 1 + chance.below(NAMES.length));
  const plan = planRun(packages, randomAgents(chance, names));
  const limits: RunLimits = {
    globalConcurrency: 1 + chance.below(6),
    maxConcurrent: new Map(NAMES.map((name) => [name, 1 + chance.below(3)])),
    maxRetries: chance.below(4),
    maxReviewCycles: 1 + chance.below(3),
    fallback: chance.pick(['next_in_list', 'next_in_list', 'same_agent', 'fail']),
  };
  const facts = { runId: '01JNB6J9Z8E4VWQ1T5N4Q0F7ZB', featureSlug: '004-x', owner: OWNER, nowMs: START };
  return {
    plan: chance.happens(0.3) ? { ...plan, chanceFrom: 'x' } : plan,
    limits,
    state: newRun(packages, plan, facts),
    lanes: new Map<string, LaneOnDisk>(packages.map(({ id, lane }) => [id, lane])),
  };
}

/** At least one can implement; perhaps nobody reviews. */
export function randomAgents(chance: Chance, names: readonly string[]): RunPlan['agents'] {
  const implementation = chance.some(names, 0.7);
  return {
    implementation: implementation.length === 0 ? names : implementation,
    review: chance.shuffled(chance.some(names, 0.7)),
  };
}
