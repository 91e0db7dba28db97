/** The reader of tasks.md: headings, dependency notations, boxes. */
import { describe, expect, test } from 'vitest';

import { parseTasksMd, repeatedSections } from '../../src/workflow/files/tasks-md.ts';

const CANONICAL = `# Work Packages: Invoice export

## Work Package WP01: CSV writer (Priority: P0)
**Goal**: …

### Included Subtasks
- [ ] T001 Create writer module
- [x] T002 [P] Escape rules

### Dependencies
- None

## Work Package WP02: Scheduling (Priority: P1)
### Included Subtasks
* [X] **T003** Cron entry
+ [] \`T004\` Empty box
- [ ] not a subtask
### Dependencies
- Depends on WP01.

## Summary
- [ ] T009 belongs to nobody
`;

test('reads ids, titles, dependencies and boxes of the canonical shape', () => {
  const document = parseTasksMd(CANONICAL);

  expect(document.wps.map(({ id, title, deps, depsDeclared }) => ({ id, title, deps, depsDeclared }))).toEqual([
    { id: 'WP01', title: 'CSV writer', deps: [], depsDeclared: true },
    { id: 'WP02', title: 'Scheduling', deps: ['WP01'], depsDeclared: true },
  ]);
  expect(document.wps[0]?.subtasks).toEqual([
    { id: 'T001', text: 'Create writer module', checked: false, line: 6 },
    { id: 'T002', text: '[P] Escape rules', checked: true, line: 7 },
  ]);
  expect(document.wps[1]?.subtasks.map(({ id, checked }) => [id, checked])).toEqual([
    ['T003', true],
    ['T004', false],
  ]);
});

test('reads the same from CRLF and behind a byte order mark', () => {
  expect(parseTasksMd(`\uFEFF${CANONICAL.replaceAll('\n', '\r\n')}`)).toEqual(parseTasksMd(CANONICAL));
});

test('reports a subtask id that stands in two packages', () => {
  const text = '## WP01: A\n- [ ] T020 one\n## WP02: B\n- [ ] T020 other\n- [ ] T021 x\n';

  expect(parseTasksMd(text).ambiguousSubtasks).toEqual(['T020']);
});

test('reports a package with two sections', () => {
  expect(repeatedSections(parseTasksMd('## WP01: A\n## WP02: B\n## WP01: C\n'))).toEqual(['WP01']);
});

test('ends a section at the next package or at a heading of its level, not at a deeper one', () => {
  const text =
    '### WP01 — A\n#### Notes on WP02\nDepends on WP03\n- [ ] T001 x\n### WP02 — B\n## Summary\nDepends on WP01\n- [ ] T002 y\n';

  const [one, two] = parseTasksMd(text).wps;

  expect(one).toMatchObject({ start: 0, end: 4, deps: ['WP03'] });
  expect(one?.subtasks).toHaveLength(1);
  expect(two).toMatchObject({ start: 4, end: 5, depsDeclared: false, subtasks: [] });
});

test('reads nothing inside code fences', () => {
  const text =
    '## WP01: A\n```md\n## WP02: example\nDepends on WP09\n- [ ] T001 example\n```\n~~~~\n~~~\n- [ ] T002 x\n~~~~\n- [ ] T003 real\n';

  const { wps } = parseTasksMd(text);

  expect(wps.map((wp) => wp.id)).toEqual(['WP01']);
  expect(wps[0]?.depsDeclared).toBe(false);
  expect(wps[0]?.subtasks.map((task) => task.id)).toEqual(['T003']);
});

describe('takes as heading of a package', () => {
  test.each([
    ['## Work Package WP01: A', 'A'],
    ['### Work Package WP01: A', 'A'],
    ['## WP01 - A', 'A'],
    ['### WP01: A', 'A'],
    ['#### WP01: A [P]', 'A [P]'],
    ['## WP01 — A', 'A'],
    ['## WP01 – A (Priority: P2)', 'A'],
    ['## **WP01**: A', 'A'],
    ['## WP01', ''],
    ['## WP01 (Setup)', '(Setup)'],
  ])('%s', (heading, title) => {
    expect(parseTasksMd(`${heading}\n`).wps).toMatchObject([{ id: 'WP01', title }]);
  });

  test.each([
    '# WP01: A',
    '##### WP01: A',
    '## WP01 follows WP02',
    '## Notes on WP01',
    'WP01: A',
    '## WP100: A',
    '## WP01b: A',
    '    ## WP01: A',
  ])('not %s', (heading) => {
    expect(parseTasksMd(`${heading}\n`).wps).toEqual([]);
  });
});

describe('reads a dependency line', () => {
  test.each([
    ['Depends on WP01', ['WP01']],
    ['- Depends on WP01, WP03 (why)', ['WP01', 'WP03']],
    ['depend on WP01.', ['WP01']],
    ['Depends on **WP01**', ['WP01']],
    ['**Depends on**: WP01, WP02', ['WP01', 'WP02']],
    ['- **Depends on**: `WP01`', ['WP01']],
    ['Depends on WP01 and WP03', ['WP01', 'WP03']],
    ['Depends on WP01, and WP03', ['WP01', 'WP03']],
    ['Depends on WP01 + WP02 & WP04', ['WP01', 'WP02', 'WP04']],
    ['Depends on WP01-WP04', ['WP01', 'WP02', 'WP03', 'WP04']],
    ['Depends on WP02-04 (why)', ['WP02', 'WP03', 'WP04']],
    ['Depends on WP01 - 3 days', ['WP01']],
    ['Depends on WP01–WP03, WP05', ['WP01', 'WP02', 'WP03', 'WP05']],
    ['Dependencies: WP02, WP01', ['WP01', 'WP02']],
    ['**Dependencies**: WP01 (templates first)', ['WP01']],
    ['**Dependencies**: Requires WP01-WP03 ALL complete', ['WP01', 'WP02', 'WP03']],
    ['Dependencies: WP01-WP03, not WP04', ['WP01', 'WP02', 'WP03']],
    ['Depends on WP01; see WP09', ['WP01']],
    ['Depends on WP03-WP01', []],
    ['Dependencies: None (can start now)', []],
    ['**Dependencies**: []', []],
    ['Depends on nothing', []],
    ['Depends on WP05 (fixtures), WP06 (config)', ['WP05', 'WP06']],
    ['Depends on WP05 (not WP01), WP06 (a (b, WP02) c) and WP03–WP04', ['WP03', 'WP04', 'WP05', 'WP06']],
    ['Depends on WP05 (fixtures); WP06 (config)', ['WP05']],
    ['Depends on WP05 (fixtures). WP06 (config)', ['WP05']],
    ['Depends on WP05 (fixtures) but WP06 can start', ['WP05']],
  ])('%s', (line, deps) => {
    expect(parseTasksMd(`## WP07: A\n${line}\n`).wps[0]).toMatchObject({ deps, depsDeclared: true });
  });

  test.each([
    'This does not depend on WP01',
    '- Loosely depends on WP01',
    'Depends on outputs of WP01–WP03 to be right',
    'Depends on all previous packages',
    'Dependencies: not WP04',
    '**Dependencies**: Track 1 must end first',
    '**Dependency Chain:**',
    'WP01 comes first',
  ])('but no prose: %s', (line) => {
    expect(parseTasksMd(`## WP07: A\n${line}\n`).wps[0]).toMatchObject({ deps: [], depsDeclared: false });
  });
});

test('reads bullets below a Dependencies heading, also without the words', () => {
  const text =
    '## WP07: A\n### Dependencies\n- WP01 (why), see WP09\n- `WP02` – reason\n- Needs a quiet week\nWP03 in prose\n### Other\n- WP04\n';

  expect(parseTasksMd(text).wps[0]?.deps).toEqual(['WP01', 'WP02']);
});

describe('reads a bullet below a Dependencies heading', () => {
  test.each([
    ['- **Requires**: WP01 complete (base)', ['WP01']],
    ['- Requires: WP01–WP03 ALL complete', ['WP01', 'WP02', 'WP03']],
    ['- **Blocked**: Depends on WP01', ['WP01']],
    ['* __Blocked:__ **Depends on** WP01, WP02', ['WP01', 'WP02']],
    ['- **Requires**: None', []],
  ])('%s', (line, deps) => {
    expect(parseTasksMd(`## WP07: A\n### Dependencies\n${line}\n`).wps[0]).toMatchObject({ deps, depsDeclared: true });
    expect(parseTasksMd(`## WP07: A\n### Notes\n${line}\n`).wps[0]?.depsDeclared).toBe(false);
  });

  test.each([
    '- **No conflicts with**: WP03',
    '- **Blocks**: WP08',
    '- Loosely depends on WP01',
    '- Unlike WP01: depends on WP02',
  ])('but not %s', (line) => {
    expect(parseTasksMd(`## WP07: A\n### Dependencies\n${line}\n`).wps[0]).toMatchObject({
      depsDeclared: false,
      unreadLines: [],
    });
  });
});

describe('reports, instead of guessing, a statement about packages without readable ids', () => {
  test.each(['- Depends on all previous WPs', 'Depends on outputs of WP01–WP03', '**Depends on**: every work package'])(
    '%s',
    (line) => {
      expect(parseTasksMd(`## WP07: A\n\n${line}\n`).wps[0]).toMatchObject({ depsDeclared: false, unreadLines: [2] });
    },
  );

  test.each([
    'Depends on Redis',
    'Depends on WP01 (WP02 helps)',
    'Can run beside all previous WPs',
    'Depends on nothing',
  ])('but not: %s', (line) => {
    expect(parseTasksMd(`## WP07: A\n${line}\n`).wps[0]?.unreadLines).toEqual([]);
  });
});

test('stops at a parenthesis that never closes, and says which ids it therefore did not read', () => {
  expect(parseTasksMd('## WP07: A\n- Depends on WP05 (fixtures, WP06\n').wps[0]).toMatchObject({
    deps: ['WP05'],
    unreadDeps: ['WP06'],
  });
});
