/** What becomes of a package when its agent has ended. */
import { expect, test } from 'vitest';

import type { Outcome } from '../../../src/workflow/orchestrate/outcome.ts';
import {
  applyStep,
  requestPause,
  resumeRun,
  retryPackage,
  waysOn,
} from '../../../src/workflow/orchestrate/run-steps.ts';
import { wpOf, type FailureClass } from '../../../src/workflow/orchestrate/run-state.ts';
import { nextSteps } from '../../../src/workflow/orchestrate/scheduler.ts';
import { OWNER } from './support/random-world.ts';
import { createTestRun, type TestRun } from './support/run.ts';

test('tries a failed agent again after 5, 10, 20 seconds, then the next one at once, then the package has failed', () => {
  const run = createTestRun({ packages: { WP01: [] } });
  const pauses: number[] = [];

  const started = untilPaused(run, () => failure('network'), pauses);

  expect(started).toEqual([
    ...Array.from({ length: 4 }, () => 'WP01 implementation claude'),
    ...Array.from({ length: 4 }, () => 'WP01 implementation codex'),
    'pause',
  ]);
  expect(pauses).toEqual([5_000, 10_000, 20_000, 0, 5_000, 10_000, 20_000, 0]);
  expect(run.wp('WP01')).toMatchObject({
    status: 'failed',
    last_error: { class: 'network', message: 'It broke.' },
    assignments: { implementation: 2, review: 0 },
    tried: { implementation: ['claude', 'codex'], review: [] },
  });
});

test('never waits longer than a minute between two tries', () => {
  const run = createTestRun({ packages: { WP01: [] }, limits: { maxRetries: 6, fallback: 'fail' } });
  const pauses: number[] = [];

  untilPaused(run, () => failure('general'), pauses);

  expect(pauses).toEqual([5_000, 10_000, 20_000, 40_000, 60_000, 60_000, 0]);
});

test.each(['auth', 'missing'] as const)('does not try an agent again after a failure of class %s', (lost) => {
  const run = createTestRun({ packages: { WP01: [] } });

  expect(untilPaused(run, () => failure(lost))).toEqual([
    'WP01 implementation claude',
    'WP01 implementation codex',
    'pause',
  ]);
});

test.each(['same_agent', 'fail'] as const)('with the fallback %s no other agent is tried', (fallback) => {
  const run = createTestRun({ packages: { WP01: [] }, limits: { maxRetries: 1, fallback } });

  expect(untilPaused(run, () => failure('timeout'))).toEqual([
    'WP01 implementation claude',
    'WP01 implementation claude',
    'pause',
  ]);
});

test('asks a reviewer without a verdict once more, then the next one, and never takes silence for approval', () => {
  const agents = { implementation: ['claude'], review: ['codex', 'gemini', 'claude'] };
  const run = createTestRun({ packages: { WP01: [] }, agents });
  run.go();
  run.end({ kind: 'implemented', wpId: 'WP01' });

  expect(untilPaused(run, () => failure('no-verdict'))).toEqual([
    'WP01 review codex',
    'WP01 review codex',
    'WP01 review gemini',
    'WP01 review gemini',
    'pause',
  ]);
  expect(run.wp('WP01')).toMatchObject({ status: 'failed', assignments: { implementation: 1, review: 2 } });
  expect(run.wp('WP01').implementation_completed).not.toBeNull();
});

test('gives rejected work back to the one who did it, with the feedback, three reviews long, then to the next', () => {
  const agents = { implementation: ['claude', 'codex'], review: ['gemini'] };
  const run = createTestRun({ packages: { WP01: [] }, agents });
  let reviews = 0;

  const started = untilPaused(run, () => {
    if (run.wp('WP01').status === 'implementation') return { kind: 'implemented', wpId: 'WP01' };
    reviews += 1;
    return { kind: 'rejected', wpId: 'WP01', feedback: `Round ${reviews}.` };
  });

  const rounds = (agent: string): string[] =>
    Array.from({ length: 3 }, () => [`WP01 implementation ${agent}`, 'WP01 review gemini']).flat();
  expect(started).toEqual([...rounds('claude'), ...rounds('codex'), 'pause']);
  expect(run.wp('WP01')).toMatchObject({
    status: 'failed',
    review_feedback: 'Round 6.',
    last_error: { class: 'review-cycles', message: 'Its review asked for changes 3 times; last: Round 6.' },
    assignments: { implementation: 6, review: 6 },
  });
});

test('counts rejections and failures apart', () => {
  const run = createTestRun({ packages: { WP01: [] }, limits: { maxRetries: 1, maxReviewCycles: 2 } });
  run.go();
  run.end(failure('network'));
  run.nowMs += 5_000;
  run.go();
  run.end({ kind: 'implemented', wpId: 'WP01' });
  run.go();
  run.end({ kind: 'rejected', wpId: 'WP01', feedback: 'More tests.' });
  run.go();

  run.end(failure('network'));

  expect(run.wp('WP01')).toMatchObject({
    status: 'implementation',
    implementation_agent: 'claude',
    attempts: 1,
    review_cycles: 1,
    review_feedback: 'More tests.',
  });
});

test('a retry by the same agent is no new assignment; a rework and another agent are', () => {
  const run = createTestRun({ packages: { WP01: [] }, limits: { maxRetries: 1 } });
  const said: unknown[] = [];
  const note = (): void => {
    const [step] = run.next().steps;
    if (step?.kind === 'assign') said.push([step.role, step.agent, step.isRetry, step.retryCount]);
    run.go();
  };

  note();
  run.end(failure('network'));
  run.nowMs += 5_000;
  note();
  run.end(failure('network'));
  note();
  run.end({ kind: 'implemented', wpId: 'WP01' });
  note();
  run.end({ kind: 'rejected', wpId: 'WP01', feedback: 'no' });
  note();

  expect(said).toEqual([
    ['implementation', 'claude', false, 0],
    ['implementation', 'claude', true, 1],
    ['implementation', 'codex', false, 1],
    ['review', 'claude', false, 0],
    ['implementation', 'codex', false, 2],
  ]);
});

test('remembers of a failure only what still matters', () => {
  const run = createTestRun({ packages: { WP01: [] } });
  run.go();
  run.end(failure('network'));
  expect(run.wp('WP01')).toMatchObject({ attempts: 1, not_before: '2026-03-02T14:30:05.000Z' });
  run.nowMs += 5_000;
  run.go();
  expect(run.wp('WP01')).toMatchObject({ attempts: 1, not_before: null, waiting_since: null });
  run.end({ kind: 'implemented', wpId: 'WP01' });
  expect(run.wp('WP01')).toMatchObject({ attempts: 0, last_error: null });
  run.go();
  run.end(failure('no-verdict'));
  run.go();

  run.end({ kind: 'approved', wpId: 'WP01' });

  expect(run.wp('WP01')).toMatchObject({ status: 'completed', last_error: null });
});

test('a retry waits for its own agent, and an interrupted one is a new assignment', () => {
  const limits = { maxConcurrent: new Map(['claude', 'codex'].map((agent) => [agent, 1])) };
  const run = createTestRun({ packages: { WP01: [], WP02: [], WP03: [] }, limits });
  run.go();
  run.end(failure('network'));
  run.end({ kind: 'implemented', wpId: 'WP02' });

  expect(run.go()).toEqual(['WP02 review claude', 'WP03 implementation codex']);
  run.end({ kind: 'interrupted', wpId: 'WP03' });
  run.nowMs += 5_000;
  expect(run.go()).toEqual(['WP03 implementation codex']);
  run.end({ kind: 'implemented', wpId: 'WP03' });
  expect(run.go()).toEqual([]);
  run.end({ kind: 'approved', wpId: 'WP02' });
  expect(run.next().steps).toMatchObject([{ wpId: 'WP01', agent: 'claude', isRetry: true }]);
  run.go();
  run.end({ kind: 'interrupted', wpId: 'WP01' });
  expect(run.wp('WP01')).toMatchObject({ status: 'pending', attempts: 0, assignments: { implementation: 1 } });
});

test('an interrupt stays the reason of the pause when a package fails while its agents are being ended', () => {
  const run = createTestRun({ packages: { WP01: [] } });
  run.go();
  run.state = requestPause(run.state, 'Stopped by hand.');

  run.end({ kind: 'refused', wpId: 'WP01', message: 'no' });
  run.go();

  expect(run.state).toMatchObject({ status: 'paused', pause_reason: { kind: 'interrupted' } });
});

test('a retry after the review gave up is only a review, and its implementer has all rounds again', () => {
  const run = createTestRun({ packages: { WP01: [] }, limits: { maxReviewCycles: 2 } });
  run.go();
  run.end({ kind: 'implemented', wpId: 'WP01' });
  run.go();
  run.end({ kind: 'rejected', wpId: 'WP01', feedback: 'More tests.' });
  run.go();
  run.end({ kind: 'implemented', wpId: 'WP01' });
  run.go();
  run.end(failure('auth'));
  run.go();

  run.state = resumeRun(retryPackage(run.state, 'WP01', run.context()), OWNER, run.context());

  expect(run.go()).toEqual(['WP01 review codex']);
  run.end({ kind: 'rejected', wpId: 'WP01', feedback: 'Still.' });
  expect(run.go()).toEqual(['WP01 implementation claude']);
});

test('another implementer begins with all rounds, whoever it replaces', () => {
  const run = createTestRun({ packages: { WP01: [] }, limits: { maxReviewCycles: 2, maxRetries: 0 } });
  run.go();
  run.end({ kind: 'implemented', wpId: 'WP01' });
  run.go();
  run.end({ kind: 'rejected', wpId: 'WP01', feedback: 'More tests.' });
  const context = { ...run.context(), plan: { ...run.plan, agents: { implementation: ['gemini'], review: [] } } };
  const [replacing] = nextSteps(run.state, context).steps;
  run.go();

  run.end(failure('network'));

  expect(run.wp('WP01')).toMatchObject({ status: 'rework', implementation_agent: null, review_cycles: 0 });
  const replaced = replacing === undefined ? run.state : applyStep(run.state, replacing, context);
  expect(wpOf(replaced, 'WP01')).toMatchObject({ implementation_agent: 'gemini', review_cycles: 0 });
});

test('a refused lane move fails the package at once; what was implemented is then only reviewed on a retry', () => {
  const run = createTestRun({ packages: { WP01: [] } });
  run.go();

  run.end({ kind: 'refused', wpId: 'WP01', message: 'Open subtasks.', isImplemented: true });

  expect(run.wp('WP01')).toMatchObject({
    status: 'failed',
    last_error: { class: 'transition', message: 'Open subtasks.' },
  });
  expect(run.wp('WP01').implementation_completed).not.toBeNull();
});

test('refuses an outcome of work that nobody is at', () => {
  const run = createTestRun({ packages: { WP01: [] } });

  expect(() => run.end({ kind: 'approved', wpId: 'WP01' })).toThrow(
    expect.objectContaining({ code: 'outcome-unexpected', wpId: 'WP01' }),
  );
});

test('names the three ways on', () => {
  expect(waysOn('004-x', 'WP03')).toEqual([
    'spec-kitty orchestrate --feature 004-x --retry WP03',
    'spec-kitty orchestrate --feature 004-x --skip WP03',
    'spec-kitty orchestrate --feature 004-x --abort',
  ]);
});

function failure(failed: FailureClass): Outcome {
  return { kind: 'failed', wpId: 'WP01', class: failed, message: 'It broke.' };
}

/** Every start, until the run pauses; `pauses` gets how long was waited after each outcome. */
function untilPaused(run: TestRun, outcome: () => Outcome, pauses: number[] = []): readonly string[] {
  const started = [...run.go()];
  while (run.state.status === 'running' && started.length < 100) {
    run.end(outcome());
    const { wakeAtMs } = run.next();
    pauses.push((wakeAtMs ?? run.nowMs) - run.nowMs);
    run.nowMs = wakeAtMs ?? run.nowMs;
    started.push(...run.go());
  }
  return started;
}
