/** A run of agents, for people who watch it and for those who read about it. Pure. */
import type { AbortResult } from '../workflow/orchestrate/abort-run.ts';
import type { PlanResult, RunStatusResult } from '../workflow/orchestrate/orchestrate.ts';
import type { RunChange, RunSummary } from '../workflow/orchestrate/run-change.ts';
import { duration, rows, visible } from './words.ts';

/** A change in one line, with the local time of day in front. */
export function runLine(change: RunChange, now: number): string {
  return `${new Date(now).toTimeString().slice(0, 8)} ${visible(words(change)).replaceAll('\n', ' ')}`;
}

function words(change: RunChange): string {
  switch (change.kind) {
    case 'started': {
      const verb = change.resumed ? 'Going on with' : 'Starting';
      return `${verb} ${change.feature}: ${change.packages.length} packages (run ${change.run_id}). Ctrl-C pauses.`;
    }
    case 'assigned': {
      const what = change.role === 'review' ? 'reviews' : 'implements';
      const again = change.is_retry
        ? ', once more'
        : change.retry_count > 0
          ? ` (start ${change.retry_count + 1})`
          : '';
      return `${change.wp_id}: ${change.agent} ${what}${again}${change.self_review ? ', its own work' : ''}`;
    }
    case 'log':
      return `${change.wp_id}: log ${change.log_file}`;
    case 'lane':
      return `${change.wp_id}: ${change.previous} -> ${change.next}`;
    case 'attempt-failed':
      return `${change.wp_id}: ${change.agent} failed (${change.class}): ${change.message}`;
    case 'rejected':
      return `${change.wp_id}: ${change.agent} asks for changes: ${change.reason}`;
    case 'completed':
      return `${change.wp_id}: done`;
    case 'failed':
      return `${change.wp_id}: failed: ${change.message}`;
    case 'warning':
      return `Warning: ${change.message}`;
    case 'ended':
      return headline(change);
    default:
      return change satisfies never;
  }
}

function headline(summary: RunSummary): string {
  switch (summary.status) {
    case 'completed':
      return summary.skipped > 0 ? `Completed, ${summary.skipped} skipped.` : 'Completed.';
    case 'paused':
      return `Paused: ${summary.pause_reason ?? ''}`;
    case 'pending':
    case 'running':
      return 'Running.';
    case 'failed':
      return 'Aborted.';
    default:
      return summary.status satisfies never;
  }
}

/** The end of a run, and what leads on from there. */
export function renderRunSummary(summary: RunSummary): string {
  const done = `${summary.completed} of ${summary.total} done`;
  const facts = rows([
    ['Feature', summary.feature],
    ['Packages', [done, count(summary.failed, 'failed'), count(summary.skipped, 'skipped')].filter(Boolean).join(', ')],
    ['Agents', summary.agents.length === 0 ? '–' : summary.agents.join(', ')],
    ['Time', duration(summary.duration_seconds * 1000)],
  ]);
  const failed = summary.work_packages
    .filter((wp) => wp.status === 'failed')
    .map(
      (wp) =>
        `${wp.wp_id}: ${visible(wp.last_error ?? '').slice(0, 200)}${wp.log_file === null ? '' : `\n      log: ${wp.log_file}`}`,
    );
  const next =
    summary.status === 'completed'
      ? [`Next: spec-kitty merge --feature ${summary.feature}`]
      : summary.ways_on.length === 0
        ? []
        : ['Go on with one of:', ...summary.ways_on.map((way) => `  ${way}`)];
  return [headline(summary), facts, ...failed, ...next].join('\n');
}

/** Where the run stands, package by package. */
export function renderRunStatus(status: RunStatusResult | undefined): string {
  if (status === undefined) return 'There is no run in this project.\nStart one: spec-kitty orchestrate --feature SLUG';
  const owner =
    status.status !== 'running'
      ? ''
      : status.owner === 'alive'
        ? `\nAt work: process ${status.pid}`
        : status.owner === 'elsewhere'
          ? `\nAt work on ${status.host}, last sign of life ${status.heartbeat_at}`
          : '\nIts process is gone. Take it up: spec-kitty orchestrate --resume';
  const packages = status.work_packages.map((wp) => {
    const who = wp.status === 'review' ? wp.review_agent : wp.implementation_agent;
    return [wp.wp_id, `${wp.status.padEnd(14)}  ${who ?? ''}`.trimEnd()] as const;
  });
  return `${renderRunSummary(status)}${owner}\n\n${rows(packages)}`;
}

/** What a run would do. */
export function renderRunPlan(plan: PlanResult): string {
  const waves = plan.waves.flatMap((wave, index) => [
    `Wave ${index + 1}`,
    ...wave.map((work) => {
      const reviewer =
        work.reviewer === null ? '' : `, reviewed by ${work.reviewer}${work.self_review ? ' (itself)' : ''}`;
      return `  ${work.wp_id}  ${work.implementer ?? 'implemented already'}${reviewer}`;
    }),
  ]);
  const agents = plan.agents.map(({ id, version }) => (version === null ? id : `${id} ${version}`)).join(', ');
  const consent = plan.unattended
    ? 'Agents may act without asking.'
    : 'Agents that ask for permission will wait for nobody: --unattended lets them act without asking.';
  return [
    `${plan.feature}: ${waves.length === 0 ? 'everything is done' : `at most ${plan.global_concurrency} agents at a time`}`,
    ...waves,
    `Agents: ${agents}`,
    consent,
  ].join('\n');
}

export function renderAbort(result: AbortResult): string {
  if (result.run_id === null) return 'There was no run. Nothing to end.';
  return [
    `The run of ${result.feature ?? ''} is over${result.ended_process ? '; its process has been ended' : ''}. Lanes and branches stay as they are.`,
    ...(result.removed_worktrees.length === 0 ? [] : [`Removed: ${result.removed_worktrees.join(', ')}`]),
    ...(result.kept_worktrees.length === 0 ? [] : [`Still there: ${result.kept_worktrees.join(', ')}`]),
  ].join('\n');
}

function count(number: number, what: string): string {
  return number === 0 ? '' : `${number} ${what}`;
}
