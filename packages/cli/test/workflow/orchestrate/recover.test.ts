/** Taking up a run whose process ended. */
import { expect, test } from 'vitest';

import {
  FEEDBACK_IN_FILE,
  HEARTBEAT_STALE_MS,
  judgeOwner,
  recoverRun,
  type LaneOnDisk,
} from '../../../src/workflow/orchestrate/recover.ts';
import { withWp } from '../../../src/workflow/orchestrate/run-state.ts';
import { resumeRun, retryPackage } from '../../../src/workflow/orchestrate/run-steps.ts';
import { OWNER, START } from './support/random-world.ts';
import { createTestRun, type TestRun } from './support/run.ts';

test('takes a running run whose process is gone, or is another one by now, for paused', () => {
  const { state } = createTestRun({ packages: { WP01: [] } });
  const judge = (process: { readonly startedAt: string | null } | undefined, nowMs = START): string =>
    judgeOwner(state, { host: 'here', process, nowMs });

  expect(judge(undefined)).toBe('gone');
  expect(judge({ startedAt: 'later' })).toBe('gone');
  expect(judge({ startedAt: 'once' })).toBe('alive');
  expect(judge({ startedAt: null }, START + HEARTBEAT_STALE_MS - 1)).toBe('alive');
  expect(judge({ startedAt: null }, START + HEARTBEAT_STALE_MS)).toBe('gone');
  expect(judgeOwner(state, { host: 'there', process: undefined, nowMs: START })).toBe('elsewhere');
  expect(judgeOwner({ ...state, status: 'paused' }, { host: 'there', process: undefined, nowMs: START })).toBe('gone');
});

test('an implementation that was cut off is begun again, by the same agent, and its orphan is named', () => {
  const run = begun();
  run.state = withWp(run.state, 'WP01', { child: { pid: 99, started_at: 'then' } });

  const { state, changes, orphans } = recoverRun(run.state, lanes('doing'));

  expect(changes).toEqual([{ wpId: 'WP01', from: 'implementation', to: 'pending' }]);
  expect(orphans).toEqual([{ wpId: 'WP01', pid: 99, started_at: 'then' }]);
  expect(state).toMatchObject({ status: 'paused', pause_reason: { kind: 'owner-died' } });
  expect(state.work_packages['WP01']).toMatchObject({ restarts: 1, child: null, implementation_agent: 'claude' });
});

test('an implementation that was finished goes to review, whether state or lane says so', () => {
  const byLane = begun();
  const byState = begun();
  byState.state = withWp(byState.state, 'WP01', { implementation_completed: new Date(START).toISOString() });

  for (const [run, lane] of [
    [byLane, 'for_review'],
    [byState, 'doing'],
  ] as const) {
    run.state = resumeRun(recoverRun(run.state, lanes(lane)).state, OWNER, run.context());
    expect(run.go()).toEqual(['WP01 review codex']);
  }
});

test('a review that was cut off is done again; one whose approval is on disk is over', () => {
  const again = begun();
  again.end({ kind: 'implemented', wpId: 'WP01' });
  again.go();
  const approved = recoverRun(again.state, lanes('done'));
  again.state = resumeRun(recoverRun(again.state, lanes('for_review')).state, OWNER, again.context());

  expect(again.go()).toEqual(['WP01 review codex']);
  expect(approved.changes).toEqual([{ wpId: 'WP01', from: 'review', to: 'completed' }]);
});

test('a package that a person finished or closed meanwhile is not implemented again', () => {
  const run = createTestRun({ packages: { WP01: [], WP02: ['WP01'], WP03: [] } });
  run.state = { ...run.state, status: 'paused' };
  const byHand = new Map<string, LaneOnDisk>([
    ['WP01', 'done'],
    ['WP02', 'planned'],
    ['WP03', 'for_review'],
  ]);

  run.state = resumeRun(recoverRun(run.state, byHand).state, OWNER, run.context());

  expect(run.go()).toEqual(['WP02 implementation claude', 'WP03 review codex']);
});

test('a package that was being implemented when the run died for the fourth time has failed', () => {
  const run = begun();

  for (let death = 1; death <= 4; death += 1) {
    run.state = resumeRun(recoverRun(run.state, lanes('doing')).state, OWNER, run.context());
    if (death < 4) run.go();
  }

  expect(run.wp('WP01')).toMatchObject({ status: 'failed', restarts: 4, last_error: { class: 'restarts' } });
  expect(retryPackage(run.state, 'WP01', run.context()).work_packages['WP01']).toMatchObject({
    status: 'pending',
    restarts: 0,
  });
});

test('a failed package stays failed, a pause keeps its reason, and a run that is over stays over', () => {
  const run = begun();
  run.end({ kind: 'refused', wpId: 'WP01', message: 'no' });

  const { state, changes } = recoverRun(run.state, lanes('doing'));

  expect(changes).toEqual([]);
  expect(state).toMatchObject({ status: 'paused', pause_reason: { kind: 'package-failed', wp_id: 'WP01' } });
  const over = { ...state, status: 'completed' as const };
  expect(recoverRun(over, lanes('doing')).state).toBe(over);
});

test('a review that ended with a rejection nobody wrote down goes to rework, and counts', () => {
  const run = begun();
  run.end({ kind: 'implemented', wpId: 'WP01' });
  run.go();

  const { state } = recoverRun(run.state, lanes('rejected'));

  expect(state.work_packages['WP01']).toMatchObject({
    status: 'rework',
    review_cycles: 1,
    review_feedback: FEEDBACK_IN_FILE,
    implementation_agent: 'claude',
  });
});

function begun(): TestRun {
  const run = createTestRun({ packages: { WP01: [] } });
  run.go();
  return run;
}

function lanes(lane: LaneOnDisk): ReadonlyMap<string, LaneOnDisk> {
  return new Map([['WP01', lane]]);
}
