/** Flipping boxes: the wanted ones, and not a byte more. */
import { describe, expect, test } from 'vitest';

import { parseTasksMd } from '../../src/workflow/files/tasks-md.ts';
import { setBoxes } from '../../src/workflow/files/tasks-boxes.ts';

const TASKS = `# Work Packages: Invoice export

## Work Package WP01: CSV writer
- [ ] T001 Create the writer → with “quotes” 🚀
- [x] T002 [P] Escape rules for \`T001\`

## Work Package WP02: Scheduling
* [X] **T003** Cron entry
+ [] \`T004\`: Empty box
  - [ ] **T005:** Below a bullet, [ ] T001 in its text

## Summary
- [ ] T009 belongs to nobody
| T001 | table | WP01 |
`;

/** Numbers of the lines that differ. */
function changedLines(before: string, after: string): readonly number[] {
  const lines = after.split('\n');
  expect(lines).toHaveLength(before.split('\n').length);
  return before.split('\n').flatMap((line, index) => (line === lines[index] ? [] : [index]));
}

test('checks the box of a subtask and says whose it is', () => {
  const answer = setBoxes(TASKS, ['T001', 'T004'], { checked: true });

  expect(answer.text).toBe(TASKS.replace('- [ ] T001', '- [x] T001').replace('+ [] `T004`', '+ [x] `T004`'));
  expect(answer.flipped).toEqual([
    { id: 'T001', wpId: 'WP01', line: 3 },
    { id: 'T004', wpId: 'WP02', line: 8 },
  ]);
  expect(answer).toMatchObject({ already: [], notFound: [], ambiguous: [] });
});

test('clears a box, whichever x it holds', () => {
  const answer = setBoxes(TASKS, ['T003', 'T002'], { checked: false });

  expect(answer.text).toBe(TASKS.replace('[x] T002', '[ ] T002').replace('[X] **T003', '[ ] **T003'));
  expect(answer.flipped.map((box) => box.id)).toEqual(['T003', 'T002']);
});

test('leaves a box that stands as wanted, also one with a capital X', () => {
  const answer = setBoxes(TASKS, ['T002', 'T003'], { checked: true });

  expect(answer.text).toBe(TASKS);
  expect(answer.flipped).toEqual([]);
  expect(answer.already).toEqual([
    { id: 'T002', wpId: 'WP01', line: 4 },
    { id: 'T003', wpId: 'WP02', line: 7 },
  ]);
});

test('flips a box outside of all packages, owned by none', () => {
  expect(setBoxes(TASKS, ['T009'], { checked: true }).flipped).toEqual([{ id: 'T009', wpId: undefined, line: 12 }]);
});

test('names the ids that have no box, also when others have', () => {
  const answer = setBoxes(TASKS, ['T001', 'T007', 'T00', 'T0011', 'WP01', 'T001'], { checked: true });

  expect(answer.notFound).toEqual(['T007', 'T00', 'T0011', 'WP01']);
  expect(answer.flipped.map((box) => box.id)).toEqual(['T001']);
});

describe('an id with two boxes', () => {
  const twice = '## WP02: A\n- [ ] T020 one\n- [ ] T021 x\n## WP03: B\n- [x] T020 other\n';

  test('is reported with both places and not touched, whatever else is flipped', () => {
    const answer = setBoxes(twice, ['T020', 'T021'], { checked: true });

    expect(answer.text).toBe(twice.replace('[ ] T021', '[x] T021'));
    expect(answer.flipped.map((box) => box.id)).toEqual(['T021']);
    expect(answer.ambiguous).toEqual([
      {
        id: 'T020',
        places: [
          { id: 'T020', wpId: 'WP02', line: 1 },
          { id: 'T020', wpId: 'WP03', line: 4 },
        ],
      },
    ]);
  });

  test('is no problem when both stand as wanted', () => {
    const answer = setBoxes(twice.replace('[ ] T020', '[x] T020'), ['T020'], { checked: true });

    expect(answer).toMatchObject({ flipped: [], ambiguous: [], notFound: [] });
    expect(answer.already.map((box) => box.wpId)).toEqual(['WP02', 'WP03']);
  });

  test('is ambiguous also when one of them belongs to no package', () => {
    const text = '## WP01: A\n- [ ] T001 x\n## Summary\n- [ ] T001 x\n';

    expect(setBoxes(text, ['T001'], { checked: true })).toMatchObject({
      text,
      flipped: [],
      ambiguous: [{ id: 'T001' }],
    });
  });
});

test.each([
  ['backticks', '```md\n- [ ] T001 example\n```\n'],
  ['tildes around backticks', '~~~~\n```\n- [ ] T001 example\n~~~~\n'],
  ['a fence below a bullet', '- see\n      ```\n      - [ ] T001 example\n      ```\n'],
])('a box inside %s is no box', (_what, fence) => {
  const text = `## WP01: A\n${fence}- [ ] T001 real\n`;

  expect(setBoxes(text, ['T001'], { checked: true }).text).toBe(`## WP01: A\n${fence}- [x] T001 real\n`);
  expect(setBoxes(`## WP01: A\n${fence}`, ['T001'], { checked: true }).notFound).toEqual(['T001']);
});

test('three backticks that close on their own line hide nothing', () => {
  const text = '```- [ ] T001```\n- [ ] T001 real\n';

  expect(setBoxes(text, ['T001'], { checked: true }).text).toBe('```- [ ] T001```\n- [x] T001 real\n');
});

test.each([
  ['CRLF', (text: string) => text.replaceAll('\n', '\r\n')],
  ['a byte order mark', (text: string) => `\uFEFF${text}`],
  ['a byte order mark before a box', (text: string) => `\uFEFF- [ ] T010 first\n${text}`],
  ['mixed line ends', (text: string) => text.replaceAll(/\n(?=[-*+] )/g, '\r\n')],
  ['no last line end', (text: string) => text.trimEnd()],
  ['U+2028 in a text', (text: string) => text.replace('Cron entry', 'Cron\u2028entry')],
])('keeps %s', (_what, variant) => {
  const text = variant(TASKS);

  const answer = setBoxes(text, ['T001', 'T003', 'T005'], { checked: true });

  const shift = text.startsWith('\uFEFF- ') ? 1 : 0;
  expect(changedLines(text, answer.text)).toEqual([3 + shift, 9 + shift]);
  expect(answer.flipped.map((box) => box.line)).toEqual([3 + shift, 9 + shift]);
  expect(setBoxes(answer.text, ['T001', 'T005'], { checked: false }).text).toBe(text);
});

test('flips the box right behind a byte order mark and keeps the mark', () => {
  expect(setBoxes('\uFEFF- [ ] T001 a\r\n', ['T001'], { checked: true }).text).toBe('\uFEFF- [x] T001 a\r\n');
});

describe('takes as a box', () => {
  test.each([
    '- [ ] T001 a',
    '-[ ]T001',
    '- [] T001',
    '* [ ] T001: a',
    '+ [\t] T001',
    '- [  ] T001',
    '\t- [ ] __T001__ a',
    '- [ ] **T001**: a',
    '- [ ] **T001:** a',
    '- [ ] `T001` a',
  ])('%s', (line) => {
    const after = setBoxes(line, ['T001'], { checked: true });

    expect(after.text).toBe(line.replace(/\[\s*\]/, '[x]'));
    expect(parseTasksMd(`## WP01: A\n${line}\n`).wps[0]?.subtasks).toMatchObject([{ id: 'T001', checked: false }]);
    expect(parseTasksMd(`## WP01: A\n${after.text}\n`).wps[0]?.subtasks).toMatchObject([{ checked: true }]);
  });

  test.each([
    '- [ ] T001b a',
    '- [ ] T0011 a',
    '- [ ] see T001',
    '- T001 a',
    '| [ ] T001 |',
    '> - [ ] T001',
    '[ ] T001',
    '- [-] T001',
  ])('not %s', (line) => {
    expect(setBoxes(line, ['T001'], { checked: true })).toMatchObject({ text: line, notFound: ['T001'] });
  });
});
