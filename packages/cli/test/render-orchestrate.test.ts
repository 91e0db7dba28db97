/** How a run of agents looks: the live table, the lines elsewhere, the summary, the plan. */
import { expect, test } from 'vitest';

import { renderRunPlan, renderRunStatus, renderRunSummary, runLine } from '../src/render/orchestrate.ts';
import { plain } from '../src/render/paint.ts';
import { boardAfter, EMPTY_BOARD, renderBoard } from '../src/render/run-board.ts';
import type { RunChange, RunSummary } from '../src/workflow/orchestrate/run-change.ts';

const START = Date.parse('2026-03-02T14:30:00Z');

const summary: RunSummary = {
  run_id: '01J',
  feature: '004-invoice-export',
  status: 'paused',
  pause_reason: 'WP02 failed: network error',
  ways_on: ['spec-kitty orchestrate --feature 004-invoice-export --retry WP02'],
  total: 3,
  completed: 1,
  failed: 1,
  skipped: 0,
  duration_seconds: 192,
  agents: ['claude', 'codex'],
  work_packages: [
    {
      wp_id: 'WP01',
      status: 'completed',
      implementation_agent: 'claude',
      review_agent: 'codex',
      last_error: null,
      log_file: null,
    },
    {
      wp_id: 'WP02',
      status: 'failed',
      implementation_agent: 'claude',
      review_agent: null,
      last_error: 'network error',
      log_file: '.kittify/logs/WP02-implementation-20260302-143000.log',
    },
    {
      wp_id: 'WP03',
      status: 'pending',
      implementation_agent: null,
      review_agent: null,
      last_error: null,
      log_file: null,
    },
  ],
};

const story: readonly (readonly [afterMs: number, change: RunChange])[] = [
  [
    0,
    {
      kind: 'started',
      run_id: '01J',
      feature: '004-invoice-export',
      resumed: false,
      packages: [
        { wp_id: 'WP02', status: 'pending' },
        { wp_id: 'WP01', status: 'pending' },
      ],
    },
  ],
  [
    1_000,
    {
      kind: 'assigned',
      wp_id: 'WP01',
      role: 'implementation',
      agent: 'claude',
      retry_count: 0,
      is_retry: false,
      self_review: false,
    },
  ],
  [2_000, { kind: 'lane', wp_id: 'WP01', previous: 'planned', next: 'doing' }],
  [
    5_000,
    {
      kind: 'assigned',
      wp_id: 'WP02',
      role: 'implementation',
      agent: 'codex',
      retry_count: 1,
      is_retry: false,
      self_review: false,
    },
  ],
  [
    9_000,
    {
      kind: 'attempt-failed',
      wp_id: 'WP02',
      role: 'implementation',
      agent: 'codex',
      class: 'auth',
      message: 'not\u001B[2J signed in',
    },
  ],
  [10_000, { kind: 'lane', wp_id: 'WP01', previous: 'doing', next: 'for_review' }],
  [10_000, { kind: 'completed', wp_id: 'WP01' }],
];

test('the table has a row a package in the order of their ids, who is at it and for how long, and the progress below', () => {
  const at = (count: number): string =>
    renderBoard(
      story
        .slice(0, count)
        .reduce((board, [afterMs, change]) => boardAfter(board, change, START + afterMs), EMPTY_BOARD),
      { now: START + 11_000, columns: 100, paint: plain, sync: '[Connected]' },
    );

  expect(at(4)).toBe(
    [
      '004-invoice-export',
      'WP01  implementation  claude      10s',
      'WP02  implementation  codex       6s',
      'Progress: 0/2 (0%) | 11s | [Connected]',
    ].join('\n'),
  );
  expect(at(7)).toBe(
    [
      '004-invoice-export',
      'WP01  done            claude',
      String.raw`WP02  waiting         codex                codex failed: not\u001b[2J signed in`,
      'Progress: 1/2 (50%) | 11s | [Connected]',
    ].join('\n'),
  );
});

test('no line of the table is wider than the terminal, and failures stand out', () => {
  const board = story.reduce((before, [afterMs, change]) => boardAfter(before, change, START + afterMs), EMPTY_BOARD);
  const failed = boardAfter(board, { kind: 'failed', wp_id: 'WP02', message: 'x'.repeat(200) }, START + 10_000);

  const text = renderBoard(failed, {
    now: START,
    columns: 40,
    paint: (style, words) => `<${style}>${words}`,
    sync: '',
  });

  expect(text).toContain('<red>WP02');
  for (const line of text.split('\n')) expect(line.replace(/^<\w+>/, '').length).toBeLessThan(40);
});

test('each change is one line, without characters a terminal would obey', () => {
  const lines = story.map(([afterMs, change]) => runLine(change, START + afterMs).slice('00:00:00 '.length));

  expect(lines).toEqual([
    'Starting 004-invoice-export: 2 packages (run 01J). Ctrl-C pauses.',
    'WP01: claude implements',
    'WP01: planned -> doing',
    'WP02: codex implements (start 2)',
    String.raw`WP02: codex failed (auth): not\u001b[2J signed in`,
    'WP01: doing -> for_review',
    'WP01: done',
  ]);
});

test('the summary names what failed, its log, and the ways on; a finished run names the next command', () => {
  expect(renderRunSummary(summary)).toBe(
    [
      'Paused: WP02 failed: network error',
      'Feature   004-invoice-export',
      'Packages  1 of 3 done, 1 failed',
      'Agents    claude, codex',
      'Time      3m 12s',
      'WP02: network error',
      '      log: .kittify/logs/WP02-implementation-20260302-143000.log',
      'Go on with one of:',
      '  spec-kitty orchestrate --feature 004-invoice-export --retry WP02',
    ].join('\n'),
  );
  expect(renderRunSummary({ ...summary, status: 'completed', failed: 0, ways_on: [], work_packages: [] })).toContain(
    'Next: spec-kitty merge --feature 004-invoice-export',
  );
});

test('the status says whether the process that runs it lives', () => {
  const status = {
    ...summary,
    status: 'running' as const,
    pid: 42,
    host: 'tower',
    heartbeat_at: '2026-03-02T14:30:00Z',
  };

  expect(renderRunStatus({ ...status, owner: 'alive' })).toContain('At work: process 42');
  expect(renderRunStatus({ ...status, owner: 'elsewhere' })).toContain(
    'At work on tower, last sign of life 2026-03-02T14:30:00Z',
  );
  expect(renderRunStatus({ ...status, owner: 'gone' })).toContain('spec-kitty orchestrate --resume');
  expect(renderRunStatus(undefined)).toContain('There is no run in this project.');
});

test('the plan lists waves with who implements and who reviews, and says what consent is missing', () => {
  const text = renderRunPlan({
    feature: '004-invoice-export',
    waves: [
      [{ wp_id: 'WP01', implementer: 'claude', reviewer: 'codex', self_review: false }],
      [{ wp_id: 'WP02', implementer: null, reviewer: 'claude', self_review: true }],
    ],
    agents: [
      { id: 'claude', version: '2.1', max_concurrent: 2 },
      { id: 'codex', version: null, max_concurrent: 2 },
    ],
    global_concurrency: 5,
    unattended: false,
    warnings: [],
  });

  expect(text.split('\n')).toEqual([
    '004-invoice-export: at most 5 agents at a time',
    'Wave 1',
    '  WP01  claude, reviewed by codex',
    'Wave 2',
    '  WP02  implemented already, reviewed by claude (itself)',
    'Agents: claude 2.1, codex',
    'Agents that ask for permission will wait for nobody: --unattended lets them act without asking.',
  ]);
});
