/** The page tells every round's figures together, a lost storm before all else, and leaves alone what people wrote. */
import { expect, test } from 'vitest';

import { pageWith, type StormResult } from '../src/page.ts';
import { readRound } from '../src/round.ts';

const MARKS =
  '# Reliability\n\n<!-- written by `npm run storm`: begin -->\nold\n<!-- written by `npm run storm`: end -->\n\nOurs.\n';

const result = (part: Partial<StormResult>): StormResult => ({
  storm: { name: 'kills', proves: 'nothing is lost' },
  rounds: 2,
  seconds: 61,
  figures: [],
  failures: [],
  ...part,
});

const RUN = { date: '2026-11-25', commit: '1acd16d', machine: 'Node 24', command: 'npm run storm -- --only kills' };
const NAMES = ['kills', 'power'];

const write = (part: Partial<StormResult>, page = MARKS): string =>
  pageWith(page, NAMES, { ...RUN, result: result(part) });

test('sums the counts of all rounds and puts their times together, by variant', () => {
  const page = write({
    figures: [
      { storm: 'kills', variant: 'sqljs', counts: { kills: 700 }, times: { 'first answer': [1, 2] } },
      { storm: 'kills', variant: 'sqljs', counts: { kills: 800 }, times: { 'first answer': [9] } },
      { storm: 'kills', caught: ['no lock'] },
      { storm: 'kills', caught: ['no lock', 'no sync'] },
    ],
  });

  expect(page).toContain('| kills | nothing is lost | 2 | 61 s | survived |');
  expect(page).toContain(
    'Run on 2026-11-25 at commit 1acd16d: Node 24. Repeat it with `npm run storm -- --only kills`.',
  );
  expect(page).toContain('- sqljs: 1,500 kills; first answer: median 2 ms, 99 % below 9 ms, longest 9 ms\n');
  expect(page).toContain('- Found out: no lock; no sync.');
});

test('names a lost storm with the seed that replays it', () => {
  const page = write({ failures: [{ title: 'sqljs: nothing is lost', seed: 12 }] });

  expect(page).toContain('| **lost** |');
  expect(page).toContain('- **Lost** with seed 12: sqljs: nothing is lost');
});

test('replaces what a storm left, and keeps what the others have, in their order', () => {
  const power = {
    storm: { name: 'power', proves: 'all is synced' },
    figures: [{ storm: 'power', counts: { states: 5 } }],
  };
  const gone = { storm: { name: 'gone', proves: 'nothing any more' } };
  const kills = (count: number): Partial<StormResult> => ({ figures: [{ storm: 'kills', counts: { kills: count } }] });
  const once = write(kills(1), write(power, write(gone)));
  const again = write(kills(2), once);

  expect(again).toBe(once.replace('1 kills', '2 kills'));
  expect(write(kills(2), again)).toBe(again);
  expect(again).not.toContain('gone');
  expect(again).toMatch(/\| kills [^]*\| power [^]*### kills\n[^]*2 kills\n\n### power\n[^]*5 states\n/u);
});

test('keeps what stands outside its marks, and refuses a page without them', () => {
  expect(write({})).toMatch(/^# Reliability\n/);
  expect(write({})).toMatch(/end -->\n\nOurs\.\n$/);
  expect(write({})).not.toContain('old');
  expect(() => write({}, '# Reliability\n')).toThrow('docs/reliability.md needs the lines');
});

test('a round has failed by a test, by a file that could not be run, or by the exit code alone', () => {
  const told = { storm: { storm: 'kills', counts: { kills: 1 } } };
  const file = (status: string, ...states: string[]) => ({
    name: 'a.test.ts',
    status,
    assertionResults: states.map((state) => ({ title: `it ${state}`, status: state, meta: told })),
  });

  expect(readRound({ testResults: [file('passed', 'passed')] }, 0)).toEqual({ figures: [told.storm], failures: [] });
  expect(readRound({ testResults: [file('failed', 'failed')] }, 1)).toEqual({ figures: [], failures: ['it failed'] });
  expect(readRound({ testResults: [file('failed')] }, 1).failures).toEqual(['a.test.ts could not be run']);
  expect(readRound({ testResults: [file('passed', 'passed')] }, 1).failures).toEqual(['vitest ended with exit code 1']);
});
