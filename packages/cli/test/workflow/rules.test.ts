/** Words of the rules: what is refused is named, and what helps is said. */
import { expect, test } from 'vitest';

import { WorkflowError } from '../../src/workflow/errors.ts';
import { refuseBrokenGraph } from '../../src/workflow/rules/broken-graph.ts';
import { dependentsOf, findCycles, topologicalOrder } from '../../src/workflow/rules/dependency-graph.ts';
import { judgeMove, LANES, parseLane } from '../../src/workflow/rules/lanes.ts';
import { quoted } from '../../src/workflow/rules/shell-word.ts';
import { parseWpId, readWpId, wpIdOfFile } from '../../src/workflow/rules/wp-id.ts';

const graph = (edges: Readonly<Record<string, readonly string[]>>) => new Map(Object.entries(edges));

function refusalOf(work: () => unknown): WorkflowError {
  try {
    work();
  } catch (cause) {
    if (cause instanceof WorkflowError) return cause;
    throw cause;
  }
  throw new Error('Nothing was refused.');
}

test('an unknown lane is refused with the lanes there are, and with the package where one is meant', () => {
  const refusal = refusalOf(() => parseLane('blocked'));

  expect(refusal.message).toBe('"blocked" is not a lane: the lanes are planned, doing, for_review, done.');
  expect(refusal).toMatchObject({ code: 'lane-unknown', wpId: undefined });
  expect(refusalOf(() => parseLane('blocked', 'WP03')).wpId).toBe('WP03');
  expect(LANES.map((lane) => parseLane(lane.toUpperCase()))).toEqual(LANES);
});

test('a refused move says where the package is and where it can go from there', () => {
  expect(judgeMove({ from: 'planned', to: 'done' })).toEqual({
    kind: 'refused',
    reason: 'it is in planned, and from there it can go to doing',
  });
  expect(judgeMove({ from: 'done', to: 'doing' })).toEqual({
    kind: 'refused',
    reason: 'it is in done, and leaving it needs --force',
  });
  const planned = judgeMove({ from: 'planned', to: 'for_review' });
  expect(planned).toMatchObject({ reason: expect.stringContaining('can go to doing') });
});

test('doing to done needs words of a person, blanks are none, and no other way needs any', () => {
  const reason = 'going from doing to done skips the review and needs a note that says why';
  for (const note of ['', ' \n'])
    expect(judgeMove({ from: 'doing', to: 'done', note })).toEqual({ kind: 'refused', reason });
  expect(judgeMove({ from: 'doing', to: 'done' })).toEqual({ kind: 'refused', reason });
  expect(judgeMove({ from: 'doing', to: 'done', note: 'typo' })).toEqual({
    kind: 'allowed',
    warning: 'It went from doing to done without a review.',
  });
  expect(judgeMove({ from: 'doing', to: 'for_review' })).toEqual({ kind: 'allowed' });
  expect(judgeMove({ from: 'for_review', to: 'done' })).toEqual({ kind: 'allowed' });
  expect(judgeMove({ from: 'doing', to: 'done', force: true })).toEqual({ kind: 'allowed' });
  expect(judgeMove({ from: 'planned', to: 'done', force: false })).toMatchObject({ kind: 'refused' });
});

test('an id is WP and one or two digits, with nothing but a title behind it', () => {
  expect(['WP1', 'wp99', 'WP07-x', 'WP07.md', 'WP7 x'].map(readWpId)).toEqual(['WP01', 'WP99', 'WP07', 'WP07', 'WP07']);
  expect(['XWP01', 'WP0', 'WP00', 'WP', 'WPX', 'WP123', 'WP1a', 'W1'].map(readWpId)).toEqual(Array(8).fill(undefined));
  expect(parseWpId('wp3')).toBe('WP03');
  const refusal = refusalOf(() => parseWpId('three'));
  expect(refusal.message).toBe('"three" is not a work package id: ids are WP01 to WP99.');
  expect(refusal).toMatchObject({ code: 'wp-id-invalid', remedy: 'spec-kitty agent tasks status' });
});

test('a file of tasks/ belongs to a package by its whole first word', () => {
  expect(['WP04.md', 'WP04-a.md', 'WP04_a.md', 'WP04.a.md'].map(wpIdOfFile)).toEqual(Array(4).fill('WP04'));
  expect(
    ['WP00-a.md', 'xWP04-a.md', 'WP4-a.md', 'WP04a.md', 'WP04-a.mdx', 'WP04-md', 'wp04-a.md'].map(wpIdOfFile),
  ).toEqual(Array(7).fill(undefined));
});

test('the first package that waits for itself or for something unknown is refused, with everything wrong about it', () => {
  const known = new Set(['WP01', 'WP02', 'WP03']);
  const refusal = refusalOf(() =>
    refuseBrokenGraph(graph({ WP03: ['WP08'], WP02: ['WP02', 'WP01', 'WP09'], WP01: ['WP02'] }), known),
  );

  const errors = ['WP02 waits for itself', 'WP02 waits for WP09, which does not exist'];
  expect(refusal.message).toBe(`The dependencies of WP02 are wrong: ${errors.join('; ')}.`);
  expect(refusal).toMatchObject({ code: 'dependency-invalid', wpId: 'WP02', details: { wp_id: 'WP02', errors } });
});

test('which package is refused first does not depend on the order of the plan', () => {
  const known = new Set(['WP01', 'WP02', 'WP03']);
  const [two, three] = [
    ['WP02', ['WP09']],
    ['WP03', ['WP09']],
  ] as const;

  expect(refusalOf(() => refuseBrokenGraph(new Map([two, three]), known)).wpId).toBe('WP02');
  expect(refusalOf(() => refuseBrokenGraph(new Map([three, two]), known)).wpId).toBe('WP02');
});

test('every circle is refused with its way round', () => {
  const known = new Set(['WP01', 'WP02', 'WP03', 'WP04']);
  const refusal = refusalOf(() =>
    refuseBrokenGraph(graph({ WP01: ['WP02'], WP02: ['WP01'], WP03: ['WP04'], WP04: ['WP03'] }), known),
  );

  expect(refusal.message).toBe(
    'Work packages wait for each other in a circle: WP01 → WP02 → WP01; WP03 → WP04 → WP03.',
  );
  expect(refusal).toMatchObject({
    code: 'dependency-cycle',
    details: {
      cycles: [
        ['WP01', 'WP02', 'WP01'],
        ['WP03', 'WP04', 'WP03'],
      ],
    },
  });
});

test('a plan without faults is not refused, whether its packages are written down yet or only known', () => {
  expect(() => refuseBrokenGraph(graph({}), new Set())).not.toThrow();
  expect(() => refuseBrokenGraph(graph({ WP02: ['WP01'] }), new Set(['WP01', 'WP02']))).not.toThrow();
});

test('a circle is told from where it is entered, without the way to it, and once', () => {
  expect(findCycles(graph({ WP01: ['WP02'], WP02: ['WP03'], WP03: ['WP02'], WP04: ['WP03', 'WP02'] }))).toEqual([
    ['WP02', 'WP03', 'WP02'],
  ]);
  expect(findCycles(graph({ WP02: ['WP02'], WP01: ['WP09'] }))).toEqual([['WP02', 'WP02']]);
  const late = graph({ WP09: ['WP10'], WP10: ['WP09'], WP01: ['WP10'] });
  expect(findCycles(late), 'by the smallest id first').toEqual([['WP10', 'WP09', 'WP10']]);
});

test('who waits is told in the order of ids, and only who waits directly', () => {
  expect(dependentsOf(graph({ WP03: ['WP01'], WP02: ['WP01'], WP04: ['WP02'] }), 'WP01')).toEqual(['WP02', 'WP03']);
});

test('an order holds every id once', () => {
  expect(topologicalOrder(graph({ WP03: [], WP02: ['WP03'], WP01: ['WP02', 'WP03'] }))).toEqual([
    'WP03',
    'WP02',
    'WP01',
  ]);
  expect(topologicalOrder(graph({}))).toEqual([]);
});

test('a word for the shell is quoted where the shell would read more than a word', () => {
  expect(['main', 'a/b-c_d.e', 'x@y%z+1=2:3,4'].map(quoted)).toEqual(['main', 'a/b-c_d.e', 'x@y%z+1=2:3,4']);
  expect(['', 'a b', 'a;b', '$x', ' a', 'a\n'].map(quoted)).toEqual(["''", "'a b'", "'a;b'", "'$x'", "' a'", "'a\n'"]);
  expect(quoted("it's 'so'")).toBe(String.raw`'it'\''s '\''so'\'''`);
});
