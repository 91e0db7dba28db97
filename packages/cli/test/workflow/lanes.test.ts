/** Lanes, the words for them, and the table of moves. */
import { LANES } from '@spec-kitty/events-sdk/contract';
import { expect, test } from 'vitest';

import { findCycles, dependentsOf } from '../../src/workflow/rules/dependency-graph.ts';
import { judgeMove, parseLane, readLane } from '../../src/workflow/rules/lanes.ts';
import { readWpId, wpIdOfFile } from '../../src/workflow/rules/wp-id.ts';

test('reads lanes in any case, with blanks, and under their aliases', () => {
  expect([' Doing ', 'in_progress', 'pending', 'claimed', 'in_review', 'DONE'].map(readLane)).toEqual([
    'doing',
    'doing',
    'planned',
    'planned',
    'for_review',
    'done',
  ]);
  expect(readLane('blocked')).toBeUndefined();
  expect(readLane('constructor')).toBeUndefined();
  expect(() => parseLane('blocked', 'WP01')).toThrow(expect.objectContaining({ code: 'lane-unknown', wpId: 'WP01' }));
});

test('allows exactly the moves of the table', () => {
  const allowed = LANES.flatMap((from) =>
    LANES.filter((to) => judgeMove({ from, to, note: 'why' }).kind === 'allowed').map((to) => `${from} ${to}`),
  );

  expect(allowed.toSorted()).toEqual([
    'doing done',
    'doing for_review',
    'doing planned',
    'for_review doing',
    'for_review done',
    'for_review planned',
    'planned doing',
  ]);
});

test('takes a move to the same lane for no transition, even by force', () => {
  for (const lane of LANES) expect(judgeMove({ from: lane, to: lane, force: true })).toEqual({ kind: 'same' });
});

test('wants a note for doing to done and warns, and lets force through everywhere', () => {
  expect(judgeMove({ from: 'doing', to: 'done' }).kind).toBe('refused');
  expect(judgeMove({ from: 'doing', to: 'done', note: 'tiny' })).toEqual({
    kind: 'allowed',
    warning: expect.any(String),
  });
  expect(judgeMove({ from: 'done', to: 'planned' }).kind).toBe('refused');
  expect(judgeMove({ from: 'done', to: 'planned', force: true })).toEqual({ kind: 'allowed' });
});

test('normalises ids, and knows the id a file belongs to', () => {
  expect(['wp01', 'WP1', 'WP01-title', ' wp7 ', 'WP12.md'].map(readWpId)).toEqual([
    'WP01',
    'WP01',
    'WP01',
    'WP07',
    'WP12',
  ]);
  expect(['WP100', 'WP', 'WP00', 'T001', 'WP04b', ''].map(readWpId)).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  expect(
    ['WP04-x.md', 'WP04.md', 'WP04_x.md', 'WP04b-x.md', 'README.md', 'WP100-x.md', 'WP04-x.txt'].map(wpIdOfFile),
  ).toEqual(['WP04', 'WP04', 'WP04', undefined, undefined, undefined, undefined]);
});

test('finds every circle and who waits for whom', () => {
  const graph = new Map([
    ['WP01', ['WP02']],
    ['WP02', ['WP01']],
    ['WP03', ['WP04', 'WP01']],
    ['WP04', ['WP03']],
  ]);

  expect(findCycles(graph)).toEqual([
    ['WP01', 'WP02', 'WP01'],
    ['WP03', 'WP04', 'WP03'],
  ]);
  expect(dependentsOf(graph, 'WP01')).toEqual(['WP02', 'WP03']);
  expect(
    findCycles(
      new Map([
        ['WP01', []],
        ['WP02', ['WP01']],
        ['WP03', ['WP01', 'WP02']],
      ]),
    ),
  ).toEqual([]);
});
