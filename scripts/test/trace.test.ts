/** The trace counts only what is proven. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { sum, summaryLine, tally } from '../test-report.ts';
import { idsIn, readRequirements, trace, type Requirement } from '../trace-report.ts';

// Ids are put together here, so that these titles and inputs never count as proof themselves.
const fr = (rest: string): string => `FR-${rest}`;

test.each([
  ['a single id', `keeps the row (${fr('026')})`, [fr('026')]],
  ['a list', `a (US2-2, ${fr('026')})`, [fr('026'), 'US2-2']],
  ['a range with two dots', `a (${fr('008')}..${fr('010')})`, [fr('008'), fr('009'), fr('010')]],
  ['a range without the second prefix', `a (${fr('008')}…010)`, [fr('008'), fr('009'), fr('010')]],
  ['a range of letters', `a (${fr('028a')}–d)`, [fr('028a'), fr('028b'), fr('028c'), fr('028d')]],
  ['a range of story numbers', 'a (US4-1..US4-3)', ['US4-1', 'US4-2', 'US4-3']],
  ['nothing', 'sends UTF-8 and SHA-256', []],
])('%s is read from a title', (_name, title, ids) => {
  expect([...idsIn(title)].toSorted()).toEqual(ids);
});

const requirement = (id: string, since: Requirement['since'] = '1'): Requirement => ({ id, since, title: 'A' });
const states = (requirements: readonly Requirement[], title: string, status: string): readonly string[] =>
  trace(requirements, [{ title, status }]).requirements.map(({ state }) => state);

test('a passing test proves its id', () => {
  expect(states([requirement(fr('001'))], `a (${fr('001')})`, 'passed')).toEqual(['proven']);
});

test.each(['failed', 'skipped', 'pending', 'todo'])('a %s test proves nothing', (status) => {
  expect(states([requirement(fr('001'))], `a (${fr('001')})`, status)).toEqual(['missing']);
});

test('a later id without a test is not yet due, and with one asks to be promoted', () => {
  expect(states([requirement(fr('031'), 'later')], 'a', 'passed')).toEqual(['not yet']);
  expect(states([requirement(fr('031'), 'later')], `a (${fr('031')})`, 'passed')).toEqual(['promote']);
});

test('an id nobody knows is reported with the title that cites it', () => {
  const title = `a (${fr('999')})`;

  expect(trace([requirement(fr('001'))], [{ title, status: 'passed' }]).unknown).toEqual([
    { id: fr('999'), test: title },
  ]);
});

test('the requirement list is complete, unique and readable', () => {
  const list = readRequirements(
    readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'requirements.tsv'), 'utf8'),
  );

  expect(list).toHaveLength(99);
  expect(new Set(list.map(({ id }) => id)).size).toBe(99);
  expect(() => readRequirements('id\tsince\ttitle\nFR\tsoon\tA')).toThrow('cannot read the line');
});

test('a test file that cannot be loaded counts as a failure', () => {
  const report = {
    testResults: [
      { status: 'failed', assertionResults: [] },
      {
        status: 'passed',
        assertionResults: [
          { title: 'a', status: 'passed' },
          { title: 'b', status: 'skipped' },
        ],
      },
    ],
  };

  expect(summaryLine(sum([tally(report)]))).toBe('1 passed, 1 failed, 1 skipped');
  expect(summaryLine({ passed: 3, failed: 0, skipped: 0 })).toBe('3 passed, 0 failed');
});
