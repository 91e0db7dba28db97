/**
 * Whole runs over random features, agents and failures, held against rules that know nothing of the scheduler.
 * SPEC_KITTY_STORM_SEED=n begins with seed n, SPEC_KITTY_STORM_RUNS=1 ends with it; a failure names its seed.
 */
import { tellStorm } from '@spec-kitty/storm';
import { expect, test } from 'vitest';

import type { Outcome } from '../../../src/workflow/orchestrate/outcome.ts';
import type { RunContext, RunPlan } from '../../../src/workflow/orchestrate/run-context.ts';
import type { NextSteps, Step } from '../../../src/workflow/orchestrate/scheduler.ts';
import { engine, type Engine } from './support/run-engine.ts';
import { simulate, type Travelled } from './support/simulation.ts';

const FIRST = Number(process.env['SPEC_KITTY_STORM_SEED'] ?? Date.now() % 1_000_000);
const SEEDS = Number(process.env['SPEC_KITTY_STORM_RUNS'] ?? 2_000);

test('every random run keeps to its slots, its order and its agents, loses and repeats no work, and can be brought to its end', ({
  task,
}) => {
  const total = { packages: 0, starts: 0, deaths: 0, pauses: 0 };

  for (let seed = FIRST; seed < FIRST + SEEDS; seed += 1) {
    const one = travel(seed);
    for (const key of ['packages', 'starts', 'deaths', 'pauses'] as const) total[key] += one[key];
  }

  if (SEEDS > 1) expect(Math.min(total.starts / SEEDS, total.deaths, total.pauses)).toBeGreaterThan(10);
  tellStorm(task, { storm: 'runs', seed: FIRST, counts: { runs: SEEDS, ...total } });
});

const { nextSteps, applyOutcome, applyStep, recoverRun } = engine;

/** Schedulers with one fault each, and the rule that has to notice. */
const BROKEN: readonly (readonly [fault: string, broken: Partial<Engine>, noticed: RegExp])[] = [
  [
    'ignores how many packages an agent may have',
    {
      nextSteps: (state, context) =>
        nextSteps(state, { ...context, limits: { ...context.limits, maxConcurrent: unlimited(context.plan.agents) } }),
    },
    /works on \d packages, allowed/,
  ],
  [
    'ignores how many agents may be at work',
    {
      nextSteps: (state, context) =>
        nextSteps(state, { ...context, limits: { ...context.limits, globalConcurrency: 99 } }),
    },
    /more agents at work than allowed/,
  ],
  [
    'forgets what a package waits for',
    {
      nextSteps: (state, context) => nextSteps(state, { ...context, plan: { ...context.plan, graph: new Map() } }),
    },
    /begins before/,
  ],
  [
    'takes a review without a verdict for an approval',
    {
      applyOutcome: (state, outcome, context) =>
        applyOutcome(state, saysNothing(outcome) ? { kind: 'approved', wpId: outcome.wpId } : outcome, context),
    },
    /completed and nobody approved it/,
  ],
  [
    'loses the pause at the end',
    {
      applyStep: (state, step, context) => applyStep(state, step.kind === 'pause' ? { kind: 'finish' } : step, context),
    },
    /completed with open packages/,
  ],
  [
    'never pauses',
    { nextSteps: (state, context) => dropping(nextSteps(state, context), 'pause') },
    /waits for nothing/,
  ],
  [
    'lets agents review their own work',
    {
      nextSteps: (state, context) => {
        const next = nextSteps(state, context);
        const own = (id: string): string | null => state.work_packages[id]?.implementation_agent ?? null;
        return {
          ...next,
          steps: next.steps.map((step) =>
            step.kind === 'assign' && step.role === 'review' ? { ...step, agent: own(step.wpId) ?? step.agent } : step,
          ),
        };
      },
    },
    /must not take the review/,
  ],
  [
    'serves the latest first',
    {
      nextSteps: (state, context) => {
        const flip = (time: string): string => new Date(4e12 - Date.parse(time)).toISOString();
        const wps = Object.entries(state.work_packages).map(
          ([id, wp]) =>
            [id, { ...wp, waiting_since: wp.waiting_since === null ? null : flip(wp.waiting_since) }] as const,
        );
        return nextSteps({ ...state, work_packages: Object.fromEntries(wps) }, context);
      },
    },
    /overtakes/,
  ],
  [
    'implements again whatever a death cut off',
    { recoverRun: (state) => recoverRun(state, new Map()) },
    /implemented twice without need|the approval of WP\d\d is lost/,
  ],
  [
    'loses what was at work when the run died',
    { recoverRun: (state, lanes) => ({ ...recoverRun(state, lanes), state: { ...state, status: 'paused' } }) },
    /remembered as at work/,
  ],
  [
    'lets those who wait for a failed package fail with it',
    {
      applyOutcome: (state, outcome, context) => {
        const next = applyOutcome(state, outcome, context);
        const failed = Object.values(next.work_packages).filter((wp) => wp.status === 'failed');
        const wps = Object.entries(next.work_packages).map(
          ([id, wp]) =>
            [
              id,
              failed.some((dep) => context.plan.graph.get(id)?.includes(dep.wp_id))
                ? { ...wp, status: 'failed' as const }
                : wp,
            ] as const,
        );
        return { ...next, work_packages: Object.fromEntries(wps) };
      },
    },
    /failed for another's failure/,
  ],
  [
    'tries again with an agent that cannot sign in',
    {
      applyOutcome: (state, outcome, context) =>
        applyOutcome(state, outcome.kind === 'failed' ? { ...outcome, class: 'network' } : outcome, context),
    },
    /again after it could not sign in/,
  ],
  [
    'forgets the feedback',
    {
      applyOutcome: (state, outcome, context) =>
        applyOutcome(state, outcome.kind === 'rejected' ? { ...outcome, feedback: '' } : outcome, context),
    },
    /feedback on WP\d\d is lost/,
  ],
  [
    'never gives up on an agent',
    {
      nextSteps: (state, context) => nextSteps(state, endless(context)),
      applyOutcome: (state, outcome, context) => applyOutcome(state, outcome, endless(context)),
    },
    /started without end/,
  ],
];

test.for(BROKEN)('the same rules catch a scheduler that %s', ([mistake, broken, noticed], { task }) => {
  const faults = new Set<string>();
  for (let seed = 1; seed <= 400; seed += 1) {
    try {
      simulate(seed, { ...engine, ...broken });
    } catch (error) {
      faults.add(String(error));
      if (noticed.test(String(error))) break;
    }
  }

  expect([...faults].join('\n')).toMatch(noticed);
  tellStorm(task, { storm: 'runs', caught: [`a scheduler that ${mistake}`] });
});

function travel(seed: number): Travelled {
  try {
    return simulate(seed);
  } catch (cause) {
    throw new Error(
      `SPEC_KITTY_STORM_SEED=${seed} SPEC_KITTY_STORM_RUNS=1: ${cause instanceof Error ? cause.message : String(cause)}`,
      {
        cause,
      },
    );
  }
}

function unlimited(agents: RunPlan['agents']): ReadonlyMap<string, number> {
  return new Map([...agents.implementation, ...agents.review].map((agent) => [agent, 99]));
}

function endless(context: RunContext): RunContext {
  return { ...context, limits: { ...context.limits, maxRetries: Infinity, maxReviewCycles: Infinity } };
}

function saysNothing(outcome: Outcome): boolean {
  return outcome.kind === 'failed' && outcome.class === 'no-verdict';
}

function dropping(next: NextSteps, kind: Step['kind']): NextSteps {
  return { ...next, steps: next.steps.filter((step) => step.kind !== kind) };
}
