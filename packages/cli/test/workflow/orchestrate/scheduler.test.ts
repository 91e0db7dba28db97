/** What a run starts, in which order, and why the rest waits. */
import { expect, test } from 'vitest';

import { waitText } from '../../../src/workflow/orchestrate/blocked.ts';
import { countsOf } from '../../../src/workflow/orchestrate/run-state.ts';
import {
  applyStep,
  requestPause,
  resumeRun,
  retryPackage,
  skipPackage,
} from '../../../src/workflow/orchestrate/run-steps.ts';
import { nextSteps } from '../../../src/workflow/orchestrate/scheduler.ts';
import { OWNER } from './support/random-world.ts';
import { createTestRun, type TestRun } from './support/run.ts';

test('takes a package from its implementation over another agent’s review to its dependents, and finishes', () => {
  const run = createTestRun({ packages: { WP01: [], WP02: ['WP01'] } });

  const steps = [run.go()];
  for (const wpId of ['WP01', 'WP02']) {
    run.end({ kind: 'implemented', wpId });
    steps.push(run.go());
    run.end({ kind: 'approved', wpId });
    steps.push(run.go());
  }

  expect(steps).toEqual([
    ['WP01 implementation claude'],
    ['WP01 review codex'],
    ['WP02 implementation claude'],
    ['WP02 review codex'],
    ['finish'],
  ]);
  expect(run.state).toMatchObject({ status: 'completed', pause_reason: null });
  expect(countsOf(run.state)).toEqual({ total: 2, completed: 2, failed: 0, skipped: 0, running: 0, assignments: 4 });
});

test('starts no more agents than allowed, gives each no more than its own limit, and says why the rest waits', () => {
  const packages = { WP01: [], WP02: [], WP03: [], WP04: [], WP05: ['WP01', 'WP04'] };
  const run = createTestRun({
    packages,
    limits: {
      globalConcurrency: 3,
      maxConcurrent: new Map([
        ['claude', 1],
        ['codex', 1],
      ]),
    },
  });

  const started = run.go();

  expect(started).toEqual(['WP01 implementation claude', 'WP02 implementation codex']);
  expect(texts(run)).toEqual({
    WP03: 'waits until one of claude, codex is free',
    WP04: 'waits until one of claude, codex is free',
    WP05: 'waits for WP01, WP04',
  });

  const crowded = createTestRun({ packages, limits: { globalConcurrency: 1 } });
  crowded.go();
  expect(texts(crowded)).toMatchObject({ WP02: 'waits until an agent finishes' });
});

test('serves whoever has waited longest first, and of those the one the plan has first', () => {
  const packages = { WP01: [], WP02: [], WP03: ['WP01'] };
  const run = createTestRun({ packages, limits: { globalConcurrency: 1 } });
  run.go();
  run.nowMs += 1000;

  run.end({ kind: 'implemented', wpId: 'WP01' });

  expect(run.go()).toEqual(['WP02 implementation claude']);
  run.nowMs += 1000;
  run.end({ kind: 'implemented', wpId: 'WP02' });
  expect(run.go()).toEqual(['WP01 review codex']);
});

test('lets an only agent review its own work and says so, and never where another reviewer is configured', () => {
  const alone = createTestRun({ packages: { WP01: [] }, agents: { implementation: ['claude'], review: ['claude'] } });
  alone.go();
  alone.end({ kind: 'implemented', wpId: 'WP01' });
  const two = createTestRun({ packages: { WP01: [] }, limits: { maxConcurrent: new Map([['codex', 0]]) } });
  two.go();
  two.end({ kind: 'implemented', wpId: 'WP01' });

  expect(alone.next().steps).toMatchObject([{ kind: 'assign', role: 'review', agent: 'claude', selfReview: true }]);
  expect(two.next().steps.map((step) => step.kind)).toEqual(['pause']);
});

test('only reviews a package that is in review already, and does not wait for one that is done', () => {
  const run = createTestRun({
    packages: { WP01: [], WP02: ['WP01'], WP03: ['WP01'] },
    lanes: { WP01: 'done', WP02: 'for_review' },
  });

  expect(run.go()).toEqual(['WP02 review codex', 'WP03 implementation claude']);
  expect(Object.keys(run.state.work_packages)).toEqual(['WP02', 'WP03']);
});

test('lets what has begun finish after a failure, begins nothing new, then pauses with the reason', () => {
  const run = createTestRun({
    packages: { WP01: [], WP02: [], WP03: [], WP04: ['WP01'] },
    limits: { globalConcurrency: 2 },
  });
  run.go();
  run.end({ kind: 'refused', wpId: 'WP01', message: 'The lane could not be moved.' });
  run.end({ kind: 'implemented', wpId: 'WP02' });

  expect(run.go()).toEqual(['WP02 review codex']);
  expect(texts(run)).toEqual({
    WP03: 'waits for the run to be resumed',
    WP04: 'waits for WP01, which failed or cannot go on',
  });
  run.end({ kind: 'approved', wpId: 'WP02' });
  expect(run.go()).toEqual(['pause']);
  expect(run.state).toMatchObject({
    status: 'paused',
    pause_reason: { kind: 'package-failed', wp_id: 'WP01', message: 'WP01 failed: The lane could not be moved.' },
  });
  expect(run.next().steps).toEqual([]);
});

test('resumed with a failed package it does everything else first, then pauses again', () => {
  const run = createTestRun({ packages: { WP01: [], WP02: ['WP01'], WP03: [] }, limits: { globalConcurrency: 1 } });
  run.go();
  run.end({ kind: 'refused', wpId: 'WP01', message: 'no' });
  run.go();

  run.state = resumeRun(run.state, OWNER, run.context());

  expect(run.go()).toEqual(['WP03 implementation claude']);
  run.end({ kind: 'implemented', wpId: 'WP03' });
  run.go();
  run.end({ kind: 'approved', wpId: 'WP03' });
  expect(run.go()).toEqual(['pause']);
  expect(run.state.pause_reason).toEqual({
    kind: 'blocked',
    wp_id: 'WP01',
    message: 'WP01 failed. WP02 cannot go on.',
  });
});

test('a skipped package frees its dependents, and a retried one is tried by everybody again', () => {
  const skipped = failedRun();
  skipped.state = resumeRun(skipPackage(skipped.state, 'WP01', skipped.context()), OWNER, skipped.context());
  const retried = failedRun();
  retried.state = resumeRun(retryPackage(retried.state, 'WP01', retried.context()), OWNER, retried.context());

  expect(skipped.go()).toEqual(['WP02 implementation claude']);
  expect(retried.go()).toEqual(['WP01 implementation claude']);
  expect(retried.wp('WP01')).toMatchObject({
    attempts: 0,
    tried: { implementation: [], review: [] },
    last_error: null,
  });
});

test('refuses to retry or skip what has not failed, naming one that has', () => {
  const run = failedRun();

  expect(() => retryPackage(run.state, 'WP02', run.context())).toThrow(
    expect.objectContaining({ code: 'wp-not-failed', remedy: 'spec-kitty orchestrate --feature 004-x --retry WP01' }),
  );
  expect(() => skipPackage(run.state, 'WP09', run.context())).toThrow(/WP09 is not part of the run/);
});

test('starts nothing after an interrupt, and pauses once the agents at work have been ended', () => {
  const run = createTestRun({ packages: { WP01: [], WP02: ['WP01'] } });
  run.go();

  run.state = requestPause(run.state, 'Stopped by hand.');

  expect(run.go()).toEqual([]);
  run.end({ kind: 'interrupted', wpId: 'WP01' });
  expect(run.go()).toEqual(['pause']);
  expect(run.state).toMatchObject({ status: 'paused', pause_reason: { kind: 'interrupted' } });
  expect(run.wp('WP01')).toMatchObject({ status: 'pending', implementation_agent: 'claude', restarts: 0 });
});

test('fails a package when the configuration leaves nobody who could take it', () => {
  const run = createTestRun({ packages: { WP01: [] } });
  const context = { ...run.context(), plan: { ...run.plan, agents: { implementation: [], review: [] } } };

  const [step] = nextSteps(run.state, context).steps;

  expect(step).toEqual({
    kind: 'fail',
    wpId: 'WP01',
    role: 'implementation',
    message: 'No agent is left to implement WP01.',
  });
  run.state = step === undefined ? run.state : applyStep(run.state, step, context);
  expect(run.wp('WP01')).toMatchObject({ status: 'failed', last_error: { class: 'no-agent' } });
});

test('an agent that is gone from the configuration is replaced, and the new one is announced', () => {
  const run = createTestRun({ packages: { WP01: [] } });
  run.go();
  run.end({ kind: 'failed', wpId: 'WP01', class: 'network', message: 'no route' });
  run.nowMs += 5_000;
  const context = {
    ...run.context(),
    plan: { ...run.plan, agents: { implementation: ['codex'], review: ['gemini'] } },
  };

  expect(nextSteps(run.state, context).steps).toMatchObject([{ agent: 'codex', isRetry: false, retryCount: 1 }]);
});

test('spreads first choices over the agents where the plan leaves them to chance, the same ones every time', () => {
  const packages = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`WP${n + 10}`, []]));
  const limits = {
    globalConcurrency: 20,
    maxConcurrent: new Map([
      ['claude', 20],
      ['codex', 20],
    ]),
  };
  const run = createTestRun({ packages, limits });
  const choices = (chanceFrom: string): readonly string[] =>
    nextSteps(run.state, { ...run.context(), plan: { ...run.plan, chanceFrom } }).steps.map((step) =>
      step.kind === 'assign' ? step.agent : step.kind,
    );

  const claudes = choices('a').filter((agent) => agent === 'claude').length;

  expect(claudes).toBeGreaterThan(4);
  expect(claudes).toBeLessThan(16);
  expect(choices('a')).toEqual(choices('a'));
  expect(choices('a')).not.toEqual(choices('b'));
});

test('refuses to resume a run that has finished', () => {
  const run = createTestRun({ packages: {} });
  run.go();

  expect(() => resumeRun(run.state, OWNER, run.context())).toThrow(expect.objectContaining({ code: 'run-over' }));
});

function texts(run: TestRun): Readonly<Record<string, string>> {
  return Object.fromEntries([...run.next().blocked].map(([id, wait]) => [id, waitText(wait)]));
}

function failedRun(): TestRun {
  const run = createTestRun({ packages: { WP01: [], WP02: ['WP01'] } });
  run.go();
  run.end({ kind: 'failed', wpId: 'WP01', class: 'auth', message: 'Sign in first.' });
  run.go();
  run.end({ kind: 'failed', wpId: 'WP01', class: 'auth', message: 'Sign in first.' });
  run.go();
  return run;
}
