/**
 * What really happened in a simulated run, written down apart from the run's own state, and the rules that it must
 * keep. A broken rule throws; the message says which.
 */
import { FEEDBACK_IN_FILE } from '../../../../src/workflow/orchestrate/recover.ts';
import {
  isSettled,
  runningRole,
  waitingRole,
  type Role,
  type RunState,
  type WpState,
} from '../../../../src/workflow/orchestrate/run-state.ts';
import type { Outcome } from '../../../../src/workflow/orchestrate/outcome.ts';
import type { Assign, NextSteps } from '../../../../src/workflow/orchestrate/scheduler.ts';
import type { World } from './random-world.ts';

interface Record {
  approved: boolean;
  implemented: boolean;
  skipped: boolean;
  /** Something happened that may let it fail. */
  mayFail: boolean;
  feedback: string | null;
  announced: { [role in Role]: number };
  refusedKey: Set<string>;
  /** Starts, and interruptions, since a person last helped. */
  starts: number;
  interruptions: number;
  lastAgent: { [role in Role]: string | null };
  readySinceMs: number | undefined;
}

export type Ledger = ReturnType<typeof createLedger>;

export function createLedger(world: Readonly<World>) {
  const { limits } = world;
  const place = new Map(world.plan.order.map((id, index) => [id, index]));
  const records = new Map<string, Record>(
    Object.values(world.state.work_packages).map((wp) => [
      wp.wp_id,
      {
        approved: false,
        implemented: wp.status === 'review',
        skipped: false,
        mayFail: false,
        feedback: null,
        announced: { implementation: 0, review: 0 },
        refusedKey: new Set(),
        starts: 0,
        interruptions: 0,
        lastAgent: { implementation: null, review: null },
        readySinceMs: undefined,
      },
    ]),
  );
  const atWork = new Map<string, { readonly role: Role; readonly agent: string }>();
  const of = (id: string): Record => records.get(id) ?? fail(`${id} is not part of the run`);
  const isFinished = (id: string): boolean => {
    const record = records.get(id);
    return record === undefined ? world.plan.doneOnDisk.has(id) : record.approved || record.skipped;
  };
  const agentsOf = (wp: WpState, role: Role): readonly string[] => {
    if (role === 'implementation') return world.plan.agents.implementation;
    const others = world.plan.agents.review.filter((agent) => agent !== wp.implementation_agent);
    if (others.length > 0) return others;
    return wp.implementation_agent === null ? world.plan.agents.implementation : [wp.implementation_agent];
  };
  const couldTake = (wp: WpState, role: Role, agent: string): boolean => {
    const bound = role === 'implementation' ? wp.implementation_agent : wp.review_agent;
    return agentsOf(wp, role).includes(agent) && !wp.tried[role].includes(agent) && (bound === null || bound === agent);
  };
  const isReady = (wp: WpState): boolean => {
    const role = waitingRole(wp);
    return role === 'review' || (role === 'implementation' && (world.plan.graph.get(wp.wp_id) ?? []).every(isFinished));
  };
  const isHeldBack = (state: RunState, wp: WpState, nowMs: number): boolean =>
    (wp.not_before !== null && Date.parse(wp.not_before) > nowMs) ||
    (state.pause_reason !== null &&
      (state.pause_reason.kind === 'interrupted' ||
        (wp.status !== 'review' && of(wp.wp_id).announced.implementation === 0)));
  const seen = { implementation: new Set<string>(), review: new Set<string>() };
  const mostStarts = (): number => {
    for (const role of ['implementation', 'review'] as const)
      for (const agent of world.plan.agents[role]) seen[role].add(agent);
    const rounds = limits.maxReviewCycles * seen.implementation.size;
    const reviewers = Math.max(1, seen.review.size);
    return rounds * (limits.maxRetries + 1) + (rounds + 1) * reviewers * (limits.maxRetries + 2);
  };

  function checkSlots(): void {
    if (atWork.size > limits.globalConcurrency) fail('more agents at work than allowed');
    for (const [agent, most] of limits.maxConcurrent) {
      const used = [...atWork.values()].filter((each) => each.agent === agent).length;
      if (used > most) fail(`${agent} works on ${used} packages, allowed are ${most}`);
    }
  }

  function checkAssign(state: RunState, step: Assign): void {
    const wp = state.work_packages[step.wpId] ?? fail(`${step.wpId} is not part of the run`);
    const record = of(step.wpId);
    if (atWork.has(step.wpId)) fail(`${step.wpId} is assigned twice at once`);
    if (isFinished(step.wpId)) fail(`${step.wpId} is finished and assigned again`);
    if (step.role === 'implementation') {
      const open = (world.plan.graph.get(step.wpId) ?? []).filter((dep) => !isFinished(dep));
      if (open.length > 0) fail(`${step.wpId} begins before ${open.join()}`);
      if (record.implemented) fail(`${step.wpId} is implemented twice without need`);
      if (wp.review_feedback !== record.feedback) fail(`the feedback on ${step.wpId} is lost`);
    } else if (!record.implemented) fail(`${step.wpId} is reviewed before it is implemented`);
    if (!agentsOf(wp, step.role).includes(step.agent))
      fail(`${step.agent} must not take the ${step.role} of ${step.wpId}`);
    if (
      step.selfReview !==
      (step.role === 'review' && step.agent === record.lastAgent.implementation && step.agent !== null)
    )
      fail(`the self review of ${step.wpId} is not said`);
    if (record.refusedKey.has(`${step.role} ${step.agent}`))
      fail(`${step.agent} gets ${step.wpId} again after it could not sign in`);
    if (step.isRetry && record.lastAgent[step.role] !== step.agent) fail('a retry by another agent');
    if (step.retryCount !== record.announced[step.role])
      fail(`${step.wpId} says retry ${step.retryCount}, was assigned ${record.announced[step.role]} times`);
  }

  return {
    atWork,
    checkNext(state: RunState, next: NextSteps, nowMs: number): void {
      const moving = new Map(next.steps.flatMap((step) => ('wpId' in step ? [[step.wpId, step] as const] : [])));
      const waiting = Object.values(state.work_packages).filter(
        (wp) => waitingRole(wp) !== undefined && !moving.has(wp.wp_id),
      );
      for (const wp of waiting) if (!next.blocked.has(wp.wp_id)) fail(`nobody says why ${wp.wp_id} waits`);
      if (state.status !== 'running') return;
      const ready = waiting.filter((wp) => isReady(wp) && !isHeldBack(state, wp, nowMs));
      const used = [...atWork.values(), ...[...moving.values()].filter((step) => step.kind === 'assign')];
      for (const wp of ready) {
        const role = waitingRole(wp) ?? fail('it waits');
        const free = agentsOf(wp, role).filter(
          (agent) =>
            couldTake(wp, role, agent) &&
            used.filter((each) => each.agent === agent).length < (limits.maxConcurrent.get(agent) ?? 2),
        );
        if (used.length < limits.globalConcurrency && free.length > 0)
          fail(`${wp.wp_id} waits although ${free.join()} is free`);
        const mine = of(wp.wp_id).readySinceMs ?? Infinity;
        for (const step of moving.values()) {
          if (step.kind !== 'assign' || !couldTake(wp, role, step.agent)) continue;
          const theirs = of(step.wpId).readySinceMs ?? Infinity;
          const isOlder =
            mine < theirs || (mine === theirs && (place.get(wp.wp_id) ?? 0) < (place.get(step.wpId) ?? 0));
          if (isOlder) fail(`${step.wpId} overtakes ${wp.wp_id}, which waits longer`);
        }
      }
    },
    assign(state: RunState, step: Assign): void {
      checkAssign(state, step);
      const record = of(step.wpId);
      record.starts += 1;
      if (record.starts > mostStarts() + record.interruptions * (limits.maxRetries + 2))
        fail(`${step.wpId} is started without end`);
      if (!step.isRetry) record.announced[step.role] += 1;
      record.lastAgent[step.role] = step.agent;
      record.readySinceMs = undefined;
      atWork.set(step.wpId, step);
      checkSlots();
    },
    mayFail: (wpId: string): void => void (of(wpId).mayFail = true),
    /** `isRemembered` false: it happened, and the run died before it could write it down. */
    outcome(outcome: Outcome, isRemembered: boolean): void {
      const record = of(outcome.wpId);
      const work = atWork.get(outcome.wpId) ?? fail('nobody is at work');
      if (isRemembered) atWork.delete(outcome.wpId);
      if (outcome.kind === 'implemented') record.implemented = true;
      // Its lane could not be moved: when the run dies now, nothing shows that the work was finished.
      if (outcome.kind === 'refused' && outcome.isImplemented === true && isRemembered) record.implemented = true;
      if (outcome.kind === 'approved') record.approved = true;
      if (outcome.kind === 'interrupted') record.interruptions += 1;
      if (outcome.kind === 'rejected') {
        record.implemented = false;
        record.feedback = isRemembered ? outcome.feedback : FEEDBACK_IN_FILE;
      }
      if (!isRemembered) return;
      if (outcome.kind === 'failed' && outcome.class === 'auth') record.refusedKey.add(`${work.role} ${work.agent}`);
      if (outcome.kind === 'failed' || outcome.kind === 'refused' || outcome.kind === 'rejected') record.mayFail = true;
    },
    died(): void {
      for (const id of atWork.keys()) {
        of(id).interruptions += 1;
        of(id).mayFail = true;
      }
      atWork.clear();
    },
    helped(wpId: string, how: 'retry' | 'skip'): void {
      const record = of(wpId);
      if (how === 'skip') record.skipped = true;
      record.refusedKey.clear();
      record.starts = 0;
      record.interruptions = 0;
      record.mayFail = false;
    },
    /** A person has moved it on. False where it is at work, or over. */
    byHand(wp: WpState, lane: 'for_review' | 'done'): boolean {
      const record = of(wp.wp_id);
      if (record.approved || record.skipped || atWork.has(wp.wp_id)) return false;
      if (lane === 'for_review' && wp.status !== 'pending') return false;
      record.implemented = true;
      record.lastAgent.implementation = wp.implementation_agent;
      if (lane === 'done') record.approved = true;
      return true;
    },
    /** Holds the state against what happened. */
    check(state: RunState, nowMs: number): void {
      for (const wp of Object.values(state.work_packages)) {
        const record = of(wp.wp_id);
        const role = runningRole(wp);
        if (role !== atWork.get(wp.wp_id)?.role) fail(`${wp.wp_id} is remembered as at work: ${role}`);
        if (wp.status === 'completed' && !record.approved) fail(`${wp.wp_id} is completed and nobody approved it`);
        if (wp.status !== 'completed' && record.approved) fail(`the approval of ${wp.wp_id} is lost`);
        if (wp.status === 'failed' && !record.mayFail) fail(`${wp.wp_id} is failed for another's failure`);
        if (isReady(wp) && role === undefined) {
          const from = wp.not_before === null ? nowMs : Math.max(nowMs, Date.parse(wp.not_before));
          record.readySinceMs ??= from;
        } else record.readySinceMs = undefined;
      }
      if (state.status === 'completed' && !Object.values(state.work_packages).every(isSettled))
        fail('it is completed with open packages');
      if (state.status === 'paused' && state.pause_reason === null) fail('it pauses and says no reason');
    },
  };
}

export function fail(message: string): never {
  throw new Error(message);
}
