/** A run, looked back at or at while it goes on. Pure. */
import type { RunSummary } from './run-change.ts';
import { agentOf, countsOf, type RunState } from './run-state.ts';
import { waysOn } from './run-steps.ts';

/** The facts of a run for people and programs. */
export function summaryOf(state: RunState, nowMs: number): RunSummary {
  const wps = Object.values(state.work_packages);
  const counts = countsOf(state);
  const end = state.completed_at === null ? nowMs : Date.parse(state.completed_at);
  const failed = wps.find((wp) => wp.status === 'failed');
  const agents = wps.flatMap((wp) => [agentOf(wp, 'implementation'), agentOf(wp, 'review')]);
  return {
    run_id: state.run_id,
    feature: state.feature_slug,
    status: state.status,
    pause_reason: state.pause_reason?.message ?? null,
    ways_on: state.status === 'paused' ? waysOn(state.feature_slug, failed?.wp_id ?? null) : [],
    total: counts.total,
    completed: counts.completed,
    failed: counts.failed,
    skipped: counts.skipped,
    duration_seconds: Math.round((end - Date.parse(state.started_at)) / 100) / 10,
    agents: [...new Set(agents.filter((agent) => agent !== null))].toSorted(),
    work_packages: wps.map((wp) => ({
      wp_id: wp.wp_id,
      status: wp.status,
      implementation_agent: wp.implementation_agent,
      review_agent: wp.review_agent,
      last_error: wp.last_error?.message ?? null,
      log_file: wp.log_file,
    })),
  };
}
