/**
 * Carries a run out: asks the scheduler, starts agents, takes in their outcomes, and keeps the state on disk ahead of
 * everything that happens. Ends when nothing is left to do, or the run pauses.
 */
import { applyOutcome, type Outcome } from './outcome.ts';
import { workOn, type PackageWork } from './package-work.ts';
import type { RunContext, RunLimits, RunPlan } from './run-context.ts';
import type { RunDeps } from './run-deps.ts';
import { withWp, wpOf, type RunState } from './run-state.ts';
import { applyStep, requestPause } from './run-steps.ts';
import { nextSteps, type Assign, type Step } from './scheduler.ts';
import { touchState, writeState } from './state-file.ts';

/** What is carried out. */
export interface RunLoop {
  readonly state: RunState;
  readonly plan: RunPlan;
  readonly limits: RunLimits;
  readonly work: Omit<PackageWork, 'stateOf' | 'note' | 'signal'>;
}

/** How often the run shows that it lives. */
const HEARTBEAT_MS = 15_000;

/** Runs to the end or the pause; answers the last state, which is on disk. */
export async function runLoop(deps: RunDeps, loop: RunLoop): Promise<RunState> {
  const { root } = loop.work.project;
  let { state } = loop;
  const context = (): RunContext => ({ plan: loop.plan, limits: loop.limits, nowMs: deps.time.now() });
  const save = (next: RunState): void => {
    state = next;
    writeState(root, state);
  };
  const tasks = new Map<string, Promise<void>>();
  const ending = new AbortController();
  const work: PackageWork = {
    ...loop.work,
    signal: ending.signal,
    stateOf: (wpId) => wpOf(state, wpId),
    note: (wpId, facts) => {
      save(withWp(state, wpId, facts));
    },
  };

  const settle = (outcome: Outcome): void => {
    const before = wpOf(state, outcome.wpId).status;
    save(applyOutcome(state, outcome, context()));
    const after = wpOf(state, outcome.wpId);
    if (after.status === 'failed' && before !== 'failed')
      deps.tell({ kind: 'failed', wp_id: outcome.wpId, message: after.last_error?.message ?? '' });
  };
  const start = (step: Assign): void => {
    const task = workOn(deps, work, step)
      // What nobody foresaw fails its package, not the run.
      .catch((cause: unknown): Outcome => ({ kind: 'refused', wpId: step.wpId, message: messageOf(cause) }))
      .then(settle)
      .finally(() => {
        tasks.delete(step.wpId);
      });
    tasks.set(step.wpId, task);
  };
  const take = (step: Step): void => {
    save(applyStep(state, step, context()));
    if (step.kind === 'assign') start(step);
    else if (step.kind === 'fail') deps.tell({ kind: 'failed', wp_id: step.wpId, message: step.message });
  };

  const stop = (): void => {
    save(requestPause(state, 'You stopped the run.'));
    ending.abort();
  };
  const { promise: stopped, resolve: wake } = Promise.withResolvers<void>();
  const onAbort = (): void => {
    stop();
    wake();
  };
  if (deps.signal.aborted) onAbort();
  else deps.signal.addEventListener('abort', onAbort, { once: true });
  const stopHeartbeat = beat(deps, root);
  try {
    while (state.status === 'running') {
      const { steps, wakeAtMs } = nextSteps(state, context());
      for (const step of steps) take(step);
      if (state.status !== 'running' || steps.some((step) => step.kind !== 'assign')) continue;
      const waits = [...tasks.values(), ...(deps.signal.aborted ? [] : [stopped])];
      if (wakeAtMs !== undefined && !deps.signal.aborted)
        waits.push(deps.git.pause(Math.max(0, wakeAtMs - deps.time.now())));
      await Promise.race(waits);
    }
    return state;
  } finally {
    stopHeartbeat();
    deps.signal.removeEventListener('abort', onAbort);
    await Promise.allSettled(tasks.values());
  }
}

function beat(deps: RunDeps, root: string): () => void {
  let cancel = (): void => {};
  const next = (): void => {
    cancel = deps.time.after(HEARTBEAT_MS, () => {
      touchState(root, deps.time.now());
      next();
    });
  };
  next();
  return () => {
    cancel();
  };
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
