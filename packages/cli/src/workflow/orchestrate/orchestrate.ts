/**
 * `orchestrate`: runs the packages of a feature with coding agents, from wherever they stand to done. One run per project
 * at a time; its state is on disk before anything happens, so that it can be resumed from any moment.
 */
import { featureCompleted } from '@spec-kitty/events-sdk';

import { WorkflowError } from '../errors.ts';
import type { Place } from '../ports.ts';
import { withFeatureLock } from '../project/feature-lock.ts';
import { openFeature, type Feature } from '../project/feature.ts';
import { findProject, refuseInWorktree, type Project } from '../project/project-root.ts';
import { readAllWps, wpText } from '../project/wp-file.ts';
import { dependentsResolved, tellTeam } from './run-telling.ts';
import { newRun, wavesOf } from './plan.ts';
import { prepareRun, type OrchestrateInput, type Prepared } from './prepare-run.ts';
import { recoverRun, type LaneOnDisk, type OwnerVerdict } from './recover.ts';
import type { RunSummary } from './run-change.ts';
import type { RunContext } from './run-context.ts';
import type { RunDeps } from './run-deps.ts';
import { runLoop } from './run-loop.ts';
import { endOrphans, ownerOf, refuseOwned, stateHere, storedRun } from './run-owner.ts';
import type { RunState } from './run-state.ts';
import { resumeRun, retryPackage, skipPackage } from './run-steps.ts';
import { summaryOf } from './run-summary.ts';
import { writeState } from './state-file.ts';

/** Starts a run and carries it out. Refuses while another one is unfinished. */
export async function startRun(deps: RunDeps, input: OrchestrateInput): Promise<RunSummary> {
  const prepared = await prepareRun(deps, input, { canWrite: true });
  warn(deps, prepared.warnings);
  const { project, feature, packages, plan } = prepared;
  const state = await withFeatureLock(deps.lock, project, 'orchestrate', async () => {
    await refuseUnfinishedRun(deps, project);
    const run = newRun(packages, plan, {
      runId: deps.newUlid(),
      featureSlug: feature.slug,
      owner: deps.owner,
      nowMs: deps.time.now(),
    });
    writeState(project.root, run);
    return run;
  });
  return carryOut(deps, prepared, { state, isResumed: false });
}

/** What is to be done with a run that is there. */
export interface ResumeInput extends OrchestrateInput {
  /** A failed package to try again. */
  readonly retry?: string;
  /** A failed package to leave out. */
  readonly skip?: string;
}

/** Takes a paused run, or one whose process died, up again. */
export async function resume(deps: RunDeps, input: ResumeInput): Promise<RunSummary> {
  const project = await projectOf(deps, input);
  const stored = await storedRun(deps, project, input.feature?.trim());
  if (stored.status === 'completed' && input.retry === undefined && input.skip === undefined) {
    await finish(deps, project, stored);
    return summaryOf(stored, deps.time.now());
  }
  const prepared = await prepareRun(deps, { ...input, feature: stored.feature_slug }, { canWrite: true });
  warn(deps, prepared.warnings);
  const { feature, plan, limits } = prepared;
  const context = (): RunContext => ({ plan, limits, nowMs: deps.time.now() });
  const state = await withFeatureLock(deps.lock, project, 'orchestrate', async () => {
    const current = await storedRun(deps, project, input.feature?.trim());
    refuseOwned(current, ownerOf(deps, current));
    const recovery = recoverRun(current, lanesOf(feature));
    await endOrphans(deps, current, recovery.orphans);
    let next = recovery.state;
    if (input.retry !== undefined) next = retryPackage(next, input.retry, context());
    if (input.skip !== undefined) next = skipPackage(next, input.skip, context());
    next = resumeRun(next, deps.owner, context());
    writeState(project.root, next);
    return next;
  });
  if (input.skip !== undefined) {
    const runDeps = { ...deps, causationId: state.run_id };
    await tellTeam(runDeps, { project, feature }, dependentsResolved(plan, input.skip, 'skipped'));
  }
  return carryOut(deps, prepared, { state, isResumed: true });
}

/** Where a run stands. */
export interface RunStatusResult extends RunSummary {
  /** Whether the process that runs it lives, as far as this machine can tell. */
  readonly owner: OwnerVerdict;
  readonly pid: number;
  readonly host: string;
  readonly heartbeat_at: string;
}

/** Looks at the project's run; undefined when there is none. Changes nothing. */
export async function statusOfRun(deps: RunDeps, place: Place): Promise<RunStatusResult | undefined> {
  const project = await findProject(deps.git, place);
  const stored = await stateHere(deps, project);
  if (stored === undefined) return undefined;
  if (stored.warning !== undefined) warn(deps, [stored.warning]);
  const { state } = stored;
  const { pid, host, heartbeat_at } = state;
  return { ...summaryOf(state, deps.time.now()), owner: ownerOf(deps, state), pid, host, heartbeat_at };
}

/** Waves and agents of a run that is not begun. */
export interface PlanResult {
  readonly feature: string;
  /** Packages that can be worked on at the same time; each wave waits for those before it. Null: nobody, or no need. */
  readonly waves: readonly (readonly {
    readonly wp_id: string;
    readonly implementer: string | null;
    readonly reviewer: string | null;
    readonly self_review: boolean;
  }[])[];
  readonly agents: readonly { readonly id: string; readonly version: string | null; readonly max_concurrent: number }[];
  readonly global_concurrency: number;
  readonly unattended: boolean;
  readonly warnings: readonly string[];
}

/** Says what a run would do. Starts nothing and changes nothing. */
export async function planOfRun(deps: RunDeps, input: OrchestrateInput): Promise<PlanResult> {
  const prepared = await prepareRun(deps, input, { canWrite: false });
  const { packages, plan, limits, feature, ready } = prepared;
  const state = newRun(packages, plan, {
    runId: deps.newUlid(),
    featureSlug: feature.slug,
    owner: deps.owner,
    nowMs: deps.time.now(),
  });
  return {
    feature: feature.slug,
    waves: wavesOf(state, plan, limits).map((wave) =>
      wave.map(({ wpId, implementer, reviewer, selfReview }) => ({
        wp_id: wpId,
        implementer,
        reviewer,
        self_review: selfReview,
      })),
    ),
    agents: [...ready.values()].map(({ agent, version }) => ({
      id: agent.spec.id,
      version,
      max_concurrent: agent.maxConcurrent,
    })),
    global_concurrency: limits.globalConcurrency,
    unattended: prepared.isUnattended,
    warnings: prepared.warnings,
  };
}

async function carryOut(
  deps: RunDeps,
  prepared: Prepared,
  { state, isResumed }: { readonly state: RunState; readonly isResumed: boolean },
): Promise<RunSummary> {
  const { project, feature, target, limits, ready, isUnattended } = prepared;
  const plan = prepared.isRandom ? { ...prepared.plan, chanceFrom: state.run_id } : prepared.plan;
  // Everything the run tells is the consequence of one action.
  const runDeps: RunDeps = { ...deps, causationId: state.run_id };
  deps.tell({
    kind: 'started',
    run_id: state.run_id,
    feature: feature.slug,
    resumed: isResumed,
    packages: Object.values(state.work_packages).map(({ wp_id, status }) => ({ wp_id, status })),
  });
  const last = await runLoop(runDeps, {
    state,
    plan,
    limits,
    work: {
      project,
      feature,
      target,
      graph: plan.graph,
      runId: state.run_id,
      isUnattended,
      agentOf: (id) => {
        const agent = ready.get(id);
        if (agent === undefined) throw new WorkflowError('agent-not-ready', `The agent ${id} is no longer there.`);
        return agent;
      },
    },
  });
  await finish(runDeps, project, last);
  const summary = summaryOf(last, deps.time.now());
  deps.tell({ kind: 'ended', ...summary });
  return summary;
}

/** Tells of the finished feature, once, when every package of it is done. */
async function finish(deps: RunDeps, project: Project, state: RunState): Promise<void> {
  if (state.status !== 'completed' || state.completed_event_sent) return;
  const feature = openFeature(project.root, state.feature_slug);
  const wps = readAllWps(feature);
  if (wps.some((wp) => wp.lane !== 'done')) return;
  const completedAt = state.completed_at ?? new Date(deps.time.now()).toISOString();
  const seconds = (Date.parse(completedAt) - Date.parse(state.started_at)) / 1000;
  await tellTeam({ ...deps, causationId: state.run_id }, { project, feature }, [
    featureCompleted({
      featureSlug: feature.slug,
      totalWps: wps.length,
      completedAt,
      totalDuration: `${seconds.toFixed(1)}s`,
    }),
  ]);
  writeState(project.root, { ...state, completed_event_sent: true });
}

async function projectOf(deps: RunDeps, input: Place): Promise<Project> {
  const project = await findProject(deps.git, input);
  refuseInWorktree(project, input, 'spec-kitty orchestrate');
  return project;
}

async function refuseUnfinishedRun(deps: RunDeps, project: Project): Promise<void> {
  const stored = await stateHere(deps, project);
  if (stored === undefined || stored.state.status === 'completed' || stored.state.status === 'failed') return;
  const { state } = stored;
  refuseOwned(state, ownerOf(deps, state));
  throw new WorkflowError('run-unfinished', `The run of ${state.feature_slug} is not finished.`, {
    remedy: `spec-kitty orchestrate --feature ${state.feature_slug} --resume   (or: --abort)`,
  });
}

function lanesOf(feature: Feature): ReadonlyMap<string, LaneOnDisk> {
  return new Map(
    readAllWps(feature).map((wp) => {
      const isRejected = wp.lane === 'doing' && wpText(wp.file, 'review_status') === 'has_feedback';
      return [wp.id, isRejected ? 'rejected' : wp.lane];
    }),
  );
}

function warn(deps: RunDeps, messages: readonly string[]): void {
  for (const message of messages) deps.tell({ kind: 'warning', message });
}
