/** What a run would do. */
import { expect, test } from 'vitest';

import { planRun, wavesOf } from '../../../src/workflow/orchestrate/plan.ts';
import { topologicalOrder } from '../../../src/workflow/rules/dependency-graph.ts';
import { createTestRun } from './support/run.ts';

const agents = { implementation: ['claude'], review: ['codex'] };

test('puts every id behind what it waits for, ties by id, and leaves a circle out', () => {
  const graph = new Map([
    ['WP03', []],
    ['WP01', ['WP03', 'WP00']],
    ['WP02', []],
    ['WP04', ['WP05']],
    ['WP05', ['WP04']],
    ['WP06', ['WP05']],
  ]);

  expect(topologicalOrder(graph)).toEqual(['WP02', 'WP03', 'WP01']);
});

test('refuses unknown ids and circles in the words of finalize-tasks', () => {
  const wp = (id: string, ...dependencies: string[]) => ({ id, dependencies, lane: 'planned' as const });

  expect(() => planRun([wp('WP01', 'WP09')], agents)).toThrow(
    'The dependencies of WP01 are wrong: WP01 waits for WP09',
  );
  expect(() => planRun([wp('WP01', 'WP02'), wp('WP02', 'WP01')], agents)).toThrow(
    expect.objectContaining({ code: 'dependency-cycle', details: { cycles: [['WP01', 'WP02', 'WP01']] } }),
  );
});

test('shows the waves of what is open, with the agents the scheduler would choose', () => {
  const { state, plan, context } = createTestRun({
    packages: { WP01: [], WP02: ['WP01'], WP03: ['WP01'], WP04: ['WP02', 'WP03'], WP05: [] },
    lanes: { WP01: 'done', WP05: 'for_review' },
    limits: {
      maxConcurrent: new Map([
        ['claude', 1],
        ['codex', 2],
      ]),
    },
  });

  const waves = wavesOf(state, plan, context().limits);

  expect(waves.map((wave) => wave.map((each) => `${each.wpId} ${each.implementer} ${each.reviewer}`))).toEqual([
    ['WP02 claude codex', 'WP03 codex claude', 'WP05 null codex'],
    ['WP04 claude codex'],
  ]);
});

test('shows a package that nobody could take, and says when a reviewer would be the implementer', () => {
  const nobody = createTestRun({ packages: { WP01: [] }, agents: { implementation: [], review: [] } });
  const alone = createTestRun({ packages: { WP01: [] }, agents: { implementation: ['claude'], review: [] } });

  expect(wavesOf(nobody.state, nobody.plan, nobody.context().limits)).toEqual([
    [{ wpId: 'WP01', implementer: null, reviewer: null, selfReview: false }],
  ]);
  expect(wavesOf(alone.state, alone.plan, alone.context().limits)).toEqual([
    [{ wpId: 'WP01', implementer: 'claude', reviewer: 'claude', selfReview: true }],
  ]);
});
