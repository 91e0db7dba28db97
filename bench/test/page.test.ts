/** The page tells what was measured, what was reached, and what failed; nothing is left out in silence. */
import { expect, test } from 'vitest';

import { isFailed, renderPage } from '../src/page.ts';
import { runSections } from '../src/run-sections.ts';
import { createEffort, type Section } from '../src/section.ts';

const good: Section = {
  name: 'good',
  title: 'What went well',
  measure: async () => ({
    text: 'Three figures.',
    goals: [
      { what: 'Speed', goal: '≥ 2', figure: '3', isMet: true, why: 'never shown' },
      { what: 'Size', goal: '≤ 1', figure: '4', isMet: false, why: 'It carries four things.' },
      { what: 'Safety', goal: 'all', figure: 'elsewhere', isMet: null },
    ],
  }),
};
const broken: Section = {
  name: 'broken',
  title: 'What broke',
  measure: async () => {
    throw new Error(`No such file: ${process.cwd()}/x\nand more`);
  },
};
const facts = { date: '2026-03-01', machine: 'Node 24, 2 cores', isQuick: false };
const effort = createEffort(false);
const silent = (): void => {};

test('a section that fails says so on the page and in the exit code, and the others are there all the same', async () => {
  const results = await runSections([broken, good], effort, silent);
  const page = renderPage({ ...facts, results });

  expect(page).toContain('**Not everything could be measured: "What broke" failed.**');
  expect(page).toContain('## What broke\n\nThis part failed: No such file: ./x\n');
  expect(page).toContain('## What went well\n\nThree figures.\n');
  expect(isFailed(results)).toBe(true);
});

test('the goals stand first: met, missed with the reason, or not measured here', async () => {
  const page = renderPage({ ...facts, results: await runSections([good], effort, silent) });

  expect(page.indexOf('## Goals')).toBeLessThan(page.indexOf('## What went well'));
  expect(page).toContain('| Speed | ≥ 2 | 3 | met |');
  expect(page).toContain('| Size | ≤ 1 | 4 | **missed** |');
  expect(page).toContain('| Safety | all | elsewhere | not measured here |');
  expect(page).toContain('- **Size.** It carries four things.');
  expect(page).not.toContain('never shown');
});

test('a goal that is missed does not fail the run, a budget of the requirement does', async () => {
  const over: Section = { ...good, measure: async () => ({ text: '', missed: ['sqljs at 1,000'] }) };

  expect(isFailed(await runSections([good], effort, silent))).toBe(false);
  expect(isFailed(await runSections([over], effort, silent))).toBe(true);
});

test('a quick run makes a quarter of the rounds, at least three and never more than the whole one, and says so', async () => {
  const quick = createEffort(true);

  expect([40, 9, 2, 1].map((full) => quick.rounds(full))).toEqual([10, 3, 2, 1]);
  expect(renderPage({ ...facts, isQuick: true, results: [] })).toContain('A quick run');
});
