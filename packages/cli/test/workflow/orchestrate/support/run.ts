/** A small run whose agents do what the test says. */
import type { Lane } from '@spec-kitty/events-sdk/contract';

import { applyOutcome, type Outcome } from '../../../../src/workflow/orchestrate/outcome.ts';
import { newRun, planRun } from '../../../../src/workflow/orchestrate/plan.ts';
import {
  DEFAULT_LIMITS,
  type RunContext,
  type RunLimits,
  type RunPlan,
} from '../../../../src/workflow/orchestrate/run-context.ts';
import { wpOf, type RunState, type WpState } from '../../../../src/workflow/orchestrate/run-state.ts';
import { applyStep } from '../../../../src/workflow/orchestrate/run-steps.ts';
import { nextSteps, type NextSteps, type Step } from '../../../../src/workflow/orchestrate/scheduler.ts';
import { OWNER, START } from './random-world.ts';

export interface TestRun {
  readonly plan: RunPlan;
  state: RunState;
  nowMs: number;
  context(): RunContext;
  next(): NextSteps;
  /** Takes every step there is now, and says what was done: `WP01 implementation claude`, `pause`, … */
  go(): readonly string[];
  end(outcome: Outcome): void;
  wp(id: string): WpState;
}

/** `packages`: id → what it waits for. All are planned, unless `lanes` says otherwise. */
export function createTestRun(options: {
  readonly packages: Readonly<Record<string, readonly string[]>>;
  readonly lanes?: Readonly<Record<string, Lane>>;
  readonly agents?: RunPlan['agents'];
  readonly limits?: Partial<RunLimits>;
}): TestRun {
  const agents = options.agents ?? { implementation: ['claude', 'codex'], review: ['codex', 'claude'] };
  const packages = Object.entries(options.packages).map(([id, dependencies]) => ({
    id,
    dependencies,
    lane: options.lanes?.[id] ?? ('planned' as const),
    ...(options.lanes?.[id] === 'for_review' ? { agent: 'claude' } : {}),
  }));
  const plan = planRun(packages, agents);
  const facts = { runId: '01JNB6J9Z8E4VWQ1T5N4Q0F7ZB', featureSlug: '004-x', owner: OWNER, nowMs: START };
  const run: TestRun = {
    plan,
    state: newRun(packages, plan, facts),
    nowMs: START,
    context: () => ({ plan, limits: { ...DEFAULT_LIMITS, ...options.limits }, nowMs: run.nowMs }),
    next: () => nextSteps(run.state, run.context()),
    go() {
      const { steps } = run.next();
      for (const step of steps) run.state = applyStep(run.state, step, run.context());
      return steps.map(stepText);
    },
    end(outcome) {
      run.state = applyOutcome(run.state, outcome, run.context());
    },
    wp: (id) => wpOf(run.state, id),
  };
  return run;
}

function stepText(step: Step): string {
  if (step.kind === 'assign') return `${step.wpId} ${step.role} ${step.agent}`;
  return step.kind === 'fail' ? `${step.wpId} fails` : step.kind;
}
