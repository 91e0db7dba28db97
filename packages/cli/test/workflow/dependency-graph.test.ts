/** Who waits for whom. */
import { expect, test } from 'vitest';

import { topologicalOrder } from '../../src/workflow/rules/dependency-graph.ts';

const order = (graph: Readonly<Record<string, readonly string[]>>): readonly string[] =>
  topologicalOrder(new Map(Object.entries(graph)));

test('puts every package after those it waits for, and the smallest id first where there is a choice', () => {
  expect(order({ WP04: ['WP02', 'WP03'], WP03: ['WP01'], WP02: ['WP01'], WP01: [] })).toEqual([
    'WP01',
    'WP02',
    'WP03',
    'WP04',
  ]);
  expect(order({ WP01: ['WP03'], WP02: [], WP03: [] })).toEqual(['WP02', 'WP03', 'WP01']);
});

test('goes by ids where nothing waits for anything, and is held up by no package that does not exist', () => {
  expect(order({ WP03: [], WP01: ['WP09'], WP02: [] })).toEqual(['WP01', 'WP02', 'WP03']);
});

test('leaves out a circle and what waits for it, which is refused before anybody asks for an order', () => {
  expect(order({ WP01: ['WP02'], WP02: ['WP01'], WP03: ['WP01'], WP04: [] })).toEqual(['WP04']);
});
