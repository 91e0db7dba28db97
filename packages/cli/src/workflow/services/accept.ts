/**
 * `accept`: closes a feature. When every gate is open, the packages in for_review move to done and meta.json says who
 * accepted what, in one commit; then the team is told. A closed gate refuses, and nothing changes.
 */
import { WorkflowError } from '../errors.ts';
import { logTime, readLog } from '../files/activity-log.ts';
import { editedMeta, metaText } from '../files/meta-json.ts';
import { checkCanCommit } from '../git/commit.ts';
import { userName } from '../git/repository.ts';
import type { Place, WorkflowDeps } from '../ports.ts';
import { detectFeature, requireTargetBranch } from '../project/feature.ts';
import { changeFeature, type FeatureWork } from '../project/feature-work.ts';
import { findProject, refuseInWorktree } from '../project/project-root.ts';
import { changeLanes } from '../project/transition.ts';
import type { WorkPackage } from '../project/wp-file.ts';
import { quoted } from '../rules/shell-word.ts';
import { findOut, packagesOf, type Findings } from './acceptance-facts.ts';
import { cleanupAfter, instructionsAfter } from './acceptance-help.ts';
import { reportOf, requireOpen, type AcceptanceReport } from './acceptance-report.ts';

/** What the user asked for. */
export interface AcceptInput extends Place {
  readonly feature?: string;
  /** `auto`, `pr` or `local`. Default `auto`: `pr` where there is a remote. */
  readonly mode?: string;
  /** Who accepts. Default: `SPEC_KITTY_AGENT`, else git's user name, else `USER` or `USERNAME`, else `system`. */
  readonly actor?: string;
  /** Commands that were used to check the work: recorded, never run. */
  readonly tests?: readonly string[];
  /** Leave the metadata of the packages out. */
  readonly lenient?: boolean;
  /** False only says what would happen. */
  readonly commit?: boolean;
}

/** The JSON answer. */
export interface AcceptResult {
  readonly feature: string;
  /** Null when nothing was accepted: a trial run. */
  readonly accepted_at: string | null;
  readonly accepted_by: string;
  readonly mode: string;
  /** True when an earlier run had accepted it and nothing has happened since. */
  readonly already_accepted: boolean;
  /** Packages that moved to done. */
  readonly accepted: readonly string[];
  /** Packages that would have; only in a trial run. */
  readonly would_accept: readonly string[];
  readonly parent_commit: string | null;
  readonly accept_commit: string | null;
  readonly commit_created: boolean;
  readonly instructions: readonly string[];
  readonly cleanup_instructions: readonly string[];
  readonly notes: readonly string[];
  /** As things stand now. */
  readonly summary: AcceptanceReport;
}

type AcceptDeps = Pick<WorkflowDeps, 'git' | 'lock' | 'time' | 'events' | 'newUlid' | 'causationId' | 'progress'>;

/** How many acceptances meta.json remembers. */
const HISTORY_LENGTH = 20;

/** Says how far the feature is from acceptance, wherever the command stands. Changes and tells nothing. */
export async function checkAcceptance(deps: Pick<WorkflowDeps, 'git'>, input: AcceptInput): Promise<AcceptanceReport> {
  const project = await findProject(deps.git, input);
  const feature = await detectFeature(deps.git, project, input);
  const findings = await findOut(deps.git, { project, feature }, input.lenient === true);
  return reportOf(findings, retyped(input, feature.slug));
}

/** Runs it. Emits one WPStatusChanged for_review → done per package it moved, under one causation id. */
export async function accept(deps: AcceptDeps, input: AcceptInput): Promise<AcceptResult> {
  const project = await findProject(deps.git, input);
  const mode = readMode(input);
  refuseInWorktree(project, input, 'spec-kitty accept');
  const feature = await detectFeature(deps.git, project, input);
  const command = retyped(input, feature.slug);
  const target = await requireTargetBranch(deps.git, project, feature, command);
  if (input.commit === false) {
    const actor = actorOf(input, await userName(deps.git, project.root));
    const findings = await findOut(deps.git, { project, feature }, input.lenient === true);
    const report = requireOpen(findings, command);
    const acceptance = { findings, report, input, mode: chosenMode(mode, findings), target, actor };
    return answer(acceptance, standing(findings, deps.time.now()));
  }
  const { result } = await changeFeature(deps, project, feature, async (work) => {
    const actor = actorOf(input, await checkCanCommit(deps.git, project));
    // Judged under the lock: what another command changes meanwhile cannot slip through a gate.
    const findings = await findOut(deps.git, work, input.lenient === true);
    const report = requireOpen(findings, command);
    return record(deps, work, { findings, report, input, mode: chosenMode(mode, findings), target, actor });
  });
  return result;
}

/** Everything an acceptance is made of. */
interface Acceptance {
  readonly findings: Findings;
  readonly report: AcceptanceReport;
  readonly input: AcceptInput;
  readonly mode: 'pr' | 'local';
  readonly target: string;
  readonly actor: string;
}

async function record(deps: AcceptDeps, work: FeatureWork, acceptance: Acceptance): Promise<AcceptResult> {
  const { findings, input, mode, target, actor } = acceptance;
  const { feature } = work;
  // One moment for all of it, so that the log lines are not younger than the acceptance.
  const now = deps.time.now();
  const earlier = standing(findings, now);
  if (earlier !== undefined) return answer(acceptance, earlier);

  const moved = inReview(findings);
  const at = logTime(now);
  const entry = {
    accepted_at: at,
    accepted_by: actor,
    mode,
    branch: target,
    accepted_from_commit: findings.head ?? null,
  };
  const tests = input.tests ?? [];
  const history = findings.meta.acceptance_history;
  deps.progress(`Accepting ${feature.slug}`);
  const { commit } = await changeLanes({ git: deps.git, time: { ...deps.time, now: () => now } }, work, {
    moves: moved.map((wp) => ({
      wp,
      to: 'done',
      agent: actor,
      note: 'Accepted',
      fields: { review_status: 'approved', reviewed_by: actor },
    })),
    files: [
      editedMeta(feature.dir, feature.slug, {
        accepted_at: at,
        accepted_by: actor,
        acceptance_mode: mode,
        accepted_from_commit: findings.head ?? null,
        // The commit cannot know itself; it is in the answer.
        accept_commit: null,
        acceptance_history: [
          ...(Array.isArray(history) ? (history as readonly unknown[]) : []), // whatever others wrote there stays
          { ...entry, ...(tests.length === 0 ? {} : { validation_commands: tests }) },
        ].slice(-HISTORY_LENGTH),
      }),
    ],
    message: `Accept ${feature.slug}`,
  });
  const dirty = findings.facts.dirty.filter(({ path }) => commit?.files.includes(path) !== true);
  const after = { ...findings, facts: { ...findings.facts, wps: packagesOf(feature), dirty } };
  return answer(
    { ...acceptance, report: reportOf(after, retyped(input, feature.slug)) },
    { at, by: actor, mode, moved, commit: commit?.hash },
  );
}

/** What was recorded, now or earlier. */
interface Recorded {
  readonly at: string;
  readonly by: string;
  readonly mode: string;
  readonly isEarlier?: boolean;
  readonly moved?: readonly WorkPackage[];
  readonly commit?: string | undefined;
}

function answer(acceptance: Acceptance, recorded?: Recorded): AcceptResult {
  const { findings, report, input, mode, target, actor } = acceptance;
  const ids = (wps: readonly WorkPackage[]): readonly string[] => wps.map((wp) => wp.id);
  return {
    feature: report.feature,
    accepted_at: recorded?.at ?? null,
    accepted_by: recorded?.by ?? actor,
    mode: recorded?.mode ?? mode,
    already_accepted: recorded?.isEarlier === true,
    accepted: ids(recorded?.moved ?? []),
    would_accept: recorded === undefined ? ids(inReview(findings)) : [],
    parent_commit: findings.head ?? null,
    accept_commit: recorded?.commit ?? null,
    commit_created: recorded?.commit !== undefined,
    instructions: instructionsAfter({
      feature: report.feature,
      mode,
      target,
      remote: findings.remote,
      unmerged: findings.facts.unmerged,
    }),
    cleanup_instructions: cleanupAfter(findings.merged),
    notes: [
      ...(recorded === undefined ? ['This was a trial run: nothing was written or told.'] : []),
      ...(recorded?.isEarlier === true ? ['It was accepted before, and nothing has happened since.'] : []),
      ...(input.lenient === true ? ['The metadata of the packages was not looked at.'] : []),
      ...(recorded?.commit !== undefined && (input.tests ?? []).length > 0
        ? ['The test commands were recorded, not run.']
        : []),
    ],
    summary: report,
  };
}

function inReview({ facts }: Findings): readonly WorkPackage[] {
  return facts.wps.filter((wp) => wp.lane === 'for_review');
}

/** The acceptance that still stands: nothing waits for one, and nothing has happened since. */
function standing(findings: Findings, nowMs: number): Recorded | undefined {
  const { meta, facts } = findings;
  const at = metaText(meta, 'accepted_at');
  if (at === undefined || Number.isNaN(Date.parse(at))) return undefined;
  if (inReview(findings).length > 0 || hasNews(facts.wps, at, nowMs)) return undefined;
  const by = metaText(meta, 'accepted_by') ?? 'unknown';
  return { at, by, mode: metaText(meta, 'acceptance_mode') ?? 'unknown', isEarlier: true };
}

/** A package somebody worked on since. A log entry from the future is no news: it would be so for ever. */
function hasNews(wps: readonly WorkPackage[], acceptedAt: string, nowMs: number): boolean {
  const times = wps.flatMap((wp) => readLog(wp.file.body)).map((entry) => Date.parse(entry.at));
  return times.some((time) => time > Date.parse(acceptedAt) && time <= nowMs);
}

function readMode({ mode = 'auto', feature }: AcceptInput): 'auto' | 'pr' | 'local' {
  if (mode === 'auto' || mode === 'pr' || mode === 'local') return mode;
  throw new WorkflowError('mode-unknown', `"${mode}" is no mode: the modes are auto, pr, local and checklist.`, {
    remedy: `spec-kitty accept --mode auto${feature === undefined ? '' : ` --feature ${quoted(feature)}`}`,
  });
}

function chosenMode(mode: 'auto' | 'pr' | 'local', { remote }: Findings): 'pr' | 'local' {
  if (mode !== 'auto') return mode;
  return remote === undefined ? 'local' : 'pr';
}

function actorOf(input: AcceptInput, gitName: string | undefined): string {
  const { env } = input;
  const names = [input.actor, env?.['SPEC_KITTY_AGENT'], gitName, env?.['USER'], env?.['USERNAME']];
  return names.map((name) => name?.trim()).find((name) => name !== undefined && name !== '') ?? 'system';
}

function retyped(input: AcceptInput, feature: string): string {
  return input.retype?.(feature) ?? `spec-kitty accept --feature ${quoted(feature)}`;
}
