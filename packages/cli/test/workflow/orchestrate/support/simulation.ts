/**
 * A whole run against random agents: they fail, reject, say nothing, and the process dies at any moment. What is on
 * disk (lanes, and the state as JSON) survives a death; nothing else does. Ends when the run is completed, with a
 * person who retries or skips at every pause.
 */
import type { Outcome } from '../../../../src/workflow/orchestrate/outcome.ts';
import { judgeOwner } from '../../../../src/workflow/orchestrate/recover.ts';
import type { RunContext } from '../../../../src/workflow/orchestrate/run-context.ts';
import type { Role, RunState } from '../../../../src/workflow/orchestrate/run-state.ts';
import { requestPause, resumeRun, skipPackage, waysOn } from '../../../../src/workflow/orchestrate/run-steps.ts';
import type { Step } from '../../../../src/workflow/orchestrate/scheduler.ts';
import { createLedger, fail } from './ledger.ts';
import { chanceOf, NAMES, OWNER, randomAgents, randomWorld, START, type Chance } from './random-world.ts';
import { engine, type Engine } from './run-engine.ts';

/** What a run went through. */
export interface Travelled {
  readonly packages: number;
  readonly starts: number;
  readonly deaths: number;
  readonly pauses: number;
}

export function simulate(seed: number, tested: Engine = engine): Travelled {
  const chance = chanceOf(seed);
  const world = randomWorld(chance);
  const ledger = createLedger(world);
  const moods = { trouble: chance.random() * 0.6, rejects: chance.random() * 0.5, dies: chance.random() * 0.05 };
  const travelled = { packages: world.lanes.size, starts: 0, deaths: 0, pauses: 0 };
  let nowMs = START;
  let state = world.state;
  const context = (): RunContext => ({ plan: world.plan, limits: world.limits, nowMs });

  const remember = (next: RunState): void => {
    state = next;
    ledger.check(state, nowMs);
  };
  /** What people do while it does not run: move a package on by hand, or configure other agents. */
  const meanwhile = (): void => {
    if (chance.happens(0.2)) world.plan = { ...world.plan, agents: randomAgents(chance, NAMES) };
    for (const wp of chance.some(Object.values(state.work_packages), 0.03)) {
      const lane = chance.pick(['for_review', 'done'] as const);
      if (ledger.byHand(wp, lane)) world.lanes.set(wp.wp_id, lane);
    }
  };
  const die = (): void => {
    travelled.deaths += 1;
    ledger.died();
    meanwhile();
    nowMs += chance.below(100_000);
    const probe = { host: OWNER.host, process: chance.happens(0.5) ? undefined : { startedAt: 'later' }, nowMs };
    if (judgeOwner(state, probe) !== 'gone') fail('a dead owner is taken for alive');
    // What the file can hold is all that is left.
    const recovery = tested.recoverRun(JSON.parse(JSON.stringify(state)) as RunState, world.lanes);
    if (recovery.state.status === 'running') fail('a dead run still says it is running');
    const again = tested.recoverRun(recovery.state, world.lanes).state;
    if (JSON.stringify(again) !== JSON.stringify(recovery.state)) fail('recovering twice is not as once');
    remember(recovery.state);
    if (state.status === 'paused') remember(resumeRun(state, OWNER, context()));
  };
  const take = (step: Step): boolean => {
    if (chance.happens(moods.dies)) {
      die();
      return false;
    }
    if (step.kind === 'assign') {
      travelled.starts += 1;
      ledger.assign(state, step);
    }
    if (step.kind === 'fail') ledger.mayFail(step.wpId);
    remember(tested.applyStep(state, step, context()));
    if (step.kind === 'assign' && step.role === 'implementation') world.lanes.set(step.wpId, 'doing');
    return true;
  };
  const end = (outcome: Outcome): void => {
    if (outcome.kind === 'implemented') world.lanes.set(outcome.wpId, 'for_review');
    if (outcome.kind === 'approved') world.lanes.set(outcome.wpId, 'done');
    if (outcome.kind === 'rejected') world.lanes.set(outcome.wpId, 'rejected');
    const isForgotten = chance.happens(moods.dies);
    ledger.outcome(outcome, !isForgotten);
    if (isForgotten) die();
    else remember(tested.applyOutcome(state, outcome, context()));
  };
  const help = (): void => {
    travelled.pauses += 1;
    const failed = Object.values(state.work_packages).filter((wp) => wp.status === 'failed');
    if (failed.length === 0 && state.pause_reason?.kind === 'blocked')
      fail('it pauses with nothing for a person to do');
    if (waysOn('004-x', state.pause_reason?.wp_id ?? null).length < 2) fail('no ways on');
    for (const { wp_id: wpId } of chance.some(failed, 0.7)) {
      const how = travelled.pauses < 20 && chance.happens(0.5) ? 'retry' : 'skip';
      ledger.helped(wpId, how);
      remember(how === 'retry' ? tested.retryPackage(state, wpId, context()) : skipPackage(state, wpId, context()));
    }
    nowMs += chance.below(60_000);
    meanwhile();
    remember(tested.recoverRun(state, world.lanes).state);
    remember(resumeRun(state, OWNER, context()));
  };

  remember(state);
  for (let turn = 0; state.status !== 'completed'; turn += 1) {
    if (turn > 40_000) fail('it never ends');
    const next = tested.nextSteps(state, context());
    ledger.checkNext(state, next, nowMs);
    if (!next.steps.every(take)) continue;
    if (state.status === 'paused') help();
    else if (next.steps.length === 0 || chance.happens(0.7)) {
      const atWork = [...ledger.atWork];
      const isInterrupted = chance.happens(moods.dies / 4);
      nowMs += chance.below(3) * 1000;
      if (isInterrupted) {
        remember(requestPause(state, 'Stopped by hand.'));
        for (const [wpId] of atWork) if (ledger.atWork.has(wpId)) end({ kind: 'interrupted', wpId });
      } else if (atWork.length > 0) {
        const [wpId, { role }] = chance.pick(atWork);
        end(randomOutcome(chance, moods, { wpId, role }));
      } else if (next.wakeAtMs !== undefined) nowMs = Math.max(nowMs, next.wakeAtMs);
      else if (state.status === 'running' && next.steps.length === 0) fail('it waits for nothing');
    }
  }
  return travelled;
}

function randomOutcome(
  chance: Chance,
  { trouble, rejects }: { readonly trouble: number; readonly rejects: number },
  { wpId, role }: { readonly wpId: string; readonly role: Role },
): Outcome {
  if (chance.happens(trouble)) {
    const classes = ['auth', 'rate', 'network', 'timeout', 'missing', 'killed', 'general'] as const;
    const kind = chance.below(10);
    if (kind === 0)
      return { kind: 'refused', wpId, message: 'no', isImplemented: role === 'review' || chance.happens(0.5) };
    if (kind < 4 && role === 'review')
      return { kind: 'failed', wpId, class: 'no-verdict', message: 'It says nothing.' };
    return { kind: 'failed', wpId, class: chance.pick(classes), message: 'It broke.' };
  }
  if (role === 'implementation') return { kind: 'implemented', wpId };
  return chance.happens(rejects)
    ? { kind: 'rejected', wpId, feedback: `Change this (${chance.below(1000)}).` }
    : { kind: 'approved', wpId };
}
