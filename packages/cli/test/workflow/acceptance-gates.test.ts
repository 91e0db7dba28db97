/** Which feature is acceptable, and what is said of one that is not: every bucket closed once and open once. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { checkAcceptance, type AcceptInput } from '../../src/workflow/services/accept.ts';
import { closedGates, GATES, type Gate } from '../../src/workflow/services/acceptance-gates.ts';
import { createAcceptable, DIR, type Acceptable } from './support/acceptable.ts';
import { createProject, type TestRepo } from './support/workspace.ts';

function check(repo: TestRepo, more: Partial<AcceptInput> = {}) {
  return checkAcceptance(repo.deps, { cwd: repo.root, ...more });
}

test('a feature in order passes every gate, its packages being in review or done', async () => {
  const repo = await createAcceptable(['for_review', 'done', 'for_review']);

  const report = await check(repo);

  expect(GATES.map((gate) => report[gate])).toEqual(GATES.map(() => []));
  expect(report).toMatchObject({
    feature: '001-demo',
    branch: 'main',
    target_branch: 'main',
    feature_dir: DIR,
    tasks_dir: `${DIR}/tasks`,
    lanes: { planned: [], doing: [], for_review: ['WP01', 'WP03'], done: ['WP02'] },
    optional_missing: ['quickstart.md', 'data-model.md', 'research.md', 'contracts'],
    warnings: [],
    all_done: false,
    ok: true,
    help: {},
  });
  expect(report.work_packages[0]).toEqual({
    id: 'WP01',
    title: 'Package 1',
    lane: 'for_review',
    path: repo.wpPath('WP01'),
    latest_lane: 'for_review',
    has_lane_entry: true,
    metadata: { lane: 'for_review', agent: 'claude', assignee: 'Ada', shell_pid: '4711' },
  });
});

const CLOSED: readonly (readonly [
  gate: Gate,
  what: string,
  take: (repo: Acceptable) => void,
  items: readonly string[],
])[] = [
  [
    'metadata',
    'agent, assignee and shell_pid of a package in review',
    (repo) => repo.set('WP01', { agent: '', assignee: ' ', shell_pid: '' }),
    ['WP01: agent is missing', 'WP01: assignee is missing', 'WP01: shell_pid is missing'],
  ],
  [
    'metadata',
    'of a package that is done, where the assignee does not matter',
    (repo) => repo.set('WP02', { agent: '', assignee: '' }),
    ['WP02: agent is missing'],
  ],
  [
    'activity',
    'a log without entries',
    (repo) => repo.replace('WP01', /^- 2026.*\n/gm, ''),
    ['WP01: the activity log has no entries'],
  ],
  [
    'activity',
    'a log without an entry for the lane',
    (repo) => repo.replace('WP01', 'lane=for_review', 'lane=doing'),
    ['WP01: the activity log has no entry for for_review'],
  ],
  [
    'activity',
    'a log of a done package that goes on after done',
    (repo) => repo.replace('WP02', /$/, '- 2026-03-01T11:00:00Z – claude – lane=doing – Once more\n'),
    ['WP02: it is done, and the last entry of the activity log says doing'],
  ],
  [
    'unchecked_tasks',
    'boxes of any list, with an id or without',
    (repo) => repo.replace('tasks.md', /$/, '\n## Later\n\n- [ ] T009 Measure\n  * [] Tidy up\n1. [ ] **T010** Ask\n'),
    ['- [ ] T009 Measure', '* [] Tidy up', '1. [ ] **T010** Ask'],
  ],
  [
    'needs_clarification',
    'questions in any document',
    (repo) => {
      repo.replace('spec.md', /$/, '\n[NEEDS CLARIFICATION: which format?]\n');
      repo.commit(`${DIR}/data-model.md`, 'See [NEEDS CLARIFICATION]\n');
    },
    ['spec.md', 'data-model.md'],
  ],
  [
    'missing_artifacts',
    'documents that must exist',
    (repo) => {
      repo.git('rm', '-q', `${DIR}/plan.md`, `${DIR}/tasks.md`);
      repo.git('commit', '-qm', 'Gone');
    },
    ['plan.md', 'tasks.md'],
  ],
  [
    'git_dirty',
    'anything uncommitted in the whole repository, letters and blanks of names as they are',
    (repo) => {
      repo.write('app.txt', 'changed\n');
      repo.write('später/a b.txt', 'new');
      repo.write('staged.txt', 'new');
      repo.git('add', 'staged.txt');
      repo.write(`${DIR}/spec.md`, 'changed\n');
    },
    [' M app.txt', ` M ${DIR}/spec.md`, 'A  staged.txt', '?? später/a b.txt'],
  ],
  [
    'path_violations',
    'folders the mission names',
    (repo) =>
      repo.commit(
        '.kittify/missions/software-dev/mission.yaml',
        'name: x\npaths:\n  workspace: "src/"\n  tests: [tests/, app.txt]\n  none: ~\n',
      ),
    ['src/', 'tests/'],
  ],
];

test.each(CLOSED)('%s names %s', async (gate, _, take, items) => {
  const repo = await createAcceptable();
  take(repo);

  const report = await check(repo);

  expect(report.ok).toBe(false);
  expect(closedGates(report)).toEqual([gate]);
  expect(report[gate].toSorted()).toEqual(items.toSorted());
});

test('not_done names planned packages and those under way, and no package in review', async () => {
  const repo = await createAcceptable(['planned', 'doing', 'for_review', 'done']);

  const report = await check(repo);

  expect(report.not_done).toEqual(['WP01', 'WP02']);
  expect(closedGates(report)).toEqual(['not_done']);
});

const OPEN: readonly (readonly [gate: Gate, what: string, change: (repo: Acceptable) => void])[] = [
  ['metadata', 'a done package without assignee', (repo) => repo.set('WP02', { assignee: '' })],
  [
    'activity',
    'an entry of another tool for the lane, and notes after it',
    (repo) => {
      repo.replace('WP01', 'lane=for_review', 'lane=in_review');
      repo.replace('WP01', /$/, '- 2026-03-01T11:00:00Z - Ada - lane=doing - It was me\n');
    },
  ],
  [
    'unchecked_tasks',
    'ticked boxes, links, and boxes in code fences',
    (repo) => repo.replace('tasks.md', /$/, '\n- [X] T009\n- [](link)\n- [ ](link)\n~~~\n- [ ] T010 example\n~~~\n'),
  ],
  [
    'needs_clarification',
    'the words without the bracket, and questions in other files',
    (repo) => {
      repo.replace('spec.md', /$/, '\nNEEDS CLARIFICATION was answered\n');
      repo.commit(`${DIR}/notes.md`, '[NEEDS CLARIFICATION: x]\n');
    },
  ],
  [
    'git_dirty',
    "spec-kitty's own folders and the feature's own task files",
    (repo) => {
      repo.write('.kittify/memory/constitution.md', 'new');
      repo.write('.worktrees/other/file.txt', 'new');
      repo.write(`${DIR}/tasks.md`, `${repo.read(`${DIR}/tasks.md`)}\nMore\n`);
      repo.write(`${DIR}/meta.json`, `${repo.read(`${DIR}/meta.json`)}\n`);
      repo.write(`${DIR}/tasks/README.md`, 'new');
    },
  ],
  [
    'path_violations',
    'a mission without paths, and one that is not the feature’s',
    (repo) => {
      repo.commit('.kittify/missions/software-dev/mission.yaml', '\uFEFFname: x\n');
      repo.commit('.kittify/missions/research/mission.yaml', 'paths: {data: data/}\n');
    },
  ],
];

test.each(OPEN)('%s lets pass %s', async (_, __, change) => {
  const repo = await createAcceptable();
  change(repo);

  expect(closedGates(await check(repo))).toEqual([]);
});

test('lenient leaves out the metadata and nothing else', async () => {
  const repo = await createAcceptable(['for_review', 'doing']);
  repo.set('WP01', { agent: '', shell_pid: '' });

  expect(closedGates(await check(repo))).toEqual(['not_done', 'metadata']);
  expect(closedGates(await check(repo, { lenient: true }))).toEqual(['not_done']);
});

test('reads files with CRLF and byte order marks as any other', async () => {
  const repo = await createAcceptable();
  for (const path of [`${DIR}/tasks.md`, `${DIR}/meta.json`, repo.wpPath('WP01'), repo.wpPath('WP02')])
    repo.write(path, `\uFEFF${repo.read(path).replaceAll('\n', '\r\n')}`);
  repo.git('commit', '-qam', 'Windows');

  expect(closedGates(await check(repo))).toEqual([]);
  repo.replace('tasks.md', '- [x]', '- [ ]');
  expect(await check(repo)).toMatchObject({ unchecked_tasks: [expect.stringMatching(/^- \[ \] T001[^\r]*$/)] });
});

test('names commands for every closed gate, the feature and the packages in them', async () => {
  const repo = await createAcceptable(['for_review', 'done', 'planned', 'doing']);
  for (const gate of ['metadata', 'activity', 'unchecked_tasks', 'needs_clarification', 'path_violations'])
    CLOSED.findLast(([each]) => each === gate)?.[2](repo);
  repo.git('rm', '-q', `${DIR}/plan.md`);

  const { help } = await check(repo, { retype: (feature) => `spec-kitty accept --feature ${feature}` });

  expect(Object.keys(help)).toEqual(GATES);
  expect(help.not_done).toEqual([
    'spec-kitty implement WP03 --feature 001-demo',
    'spec-kitty agent tasks move-task WP04 --to for_review --feature 001-demo',
  ]);
  expect(help.metadata).toEqual([expect.stringMatching(/^spec-kitty accept --feature 001-demo --lenient {3}\(/)]);
  expect(help.activity?.[0]).toMatch(/^spec-kitty agent tasks add-history WP02 --note ".+" --feature 001-demo$/);
  expect(help.unchecked_tasks).toEqual([
    'spec-kitty agent tasks mark-status T009 --status done --feature 001-demo',
    expect.stringContaining(`${DIR}/tasks.md`),
  ]);
  expect(help.path_violations).toEqual([expect.stringMatching(/^mkdir -p src\/ tests\/ {3}/)]);
});

test('names commands in an order that works: what others wait for, boxes before the move to review', async () => {
  const repo = await createProject(['One', 'Two:1', 'Three', 'Four']);
  const path = repo.wpPath('WP03');
  repo.write(path, repo.read(path).replace(/^lane: .*$/m, 'lane: doing'));
  repo.write(`${DIR}/tasks.md`, `${repo.read(`${DIR}/tasks.md`)}\n- [x] T001 Copied\n`);

  const { help } = await check(repo);

  expect(help.not_done).toEqual([
    'spec-kitty implement WP01 --feature 001-demo',
    'spec-kitty implement WP04 --feature 001-demo',
  ]);
  // T001 stands there twice, and no command could know which is meant.
  expect(help.unchecked_tasks).toEqual([
    'spec-kitty agent tasks mark-status T002 T003 T004 --status done --feature 001-demo',
    expect.stringMatching(/^grep /),
  ]);
});

test('warns of work that is not merged, of files that are not counted, and of task files not committed', async () => {
  const repo = await createAcceptable(['for_review', 'done', 'for_review']);
  for (const id of ['WP01', 'WP02']) {
    repo.git('switch', '-qc', `001-demo-${id}`);
    repo.git('commit', '-q', '--allow-empty', '-m', `Work of ${id}`);
    repo.git('switch', '-q', 'main');
  }
  repo.git('merge', '-q', '--no-ff', '-m', 'Merge', '001-demo-WP02');
  repo.commit(`${DIR}/tasks/WP100-more.md`, 'x');
  repo.write(`${DIR}/tasks.md`, `${repo.read(`${DIR}/tasks.md`)}\nMore\n`);

  const report = await check(repo);

  expect(report.ok).toBe(true);
  expect(report.warnings).toEqual([
    'WP01: its branch 001-demo-WP01 has commits that main does not have.',
    `${DIR}/tasks/WP100-more.md is not counted: ids are WP01 to WP99.`,
    `${DIR}/tasks.md is not committed, and acceptance leaves it so.`,
  ]);
});

test('answers in a workspace, on another branch and on none, about the main checkout', async () => {
  const repo = await createAcceptable();
  repo.git('worktree', 'add', '-q', '-b', '001-demo-WP01', '.worktrees/001-demo-WP01');
  repo.git('switch', '-qc', 'side');

  const inWorkspace = await check(repo, { cwd: join(repo.root, '.worktrees/001-demo-WP01') });
  repo.git('switch', '-q', '--detach');
  const detached = await check(repo);

  expect(inWorkspace).toMatchObject({ feature: '001-demo', branch: 'side', target_branch: 'main', ok: true });
  expect(detached).toMatchObject({ branch: null, target_branch: 'main', ok: true });
  expect(repo.emitted).toEqual([]);
});

test('refuses what cannot be judged: no packages, no meta.json, a broken mission, a broken package', async () => {
  const none = await createProject([]);
  const noMeta = await createAcceptable();
  rmSync(join(noMeta.root, DIR, 'meta.json'));
  const mission = await createAcceptable();
  mission.commit('.kittify/missions/software-dev/mission.yaml', 'paths:\n  a: [x\n');
  const broken = await createAcceptable();
  broken.replace('WP01', 'lane: for_review', 'lane: nowhere');

  await expect(check(none)).rejects.toMatchObject({ code: 'no-work-packages' });
  await expect(check(noMeta)).rejects.toMatchObject({ code: 'meta-missing' });
  await expect(check(mission)).rejects.toMatchObject({
    code: 'mission-invalid',
    message: expect.stringMatching(/^\.kittify\/missions\/software-dev\/mission\.yaml, line \d:/),
  });
  await expect(check(broken)).rejects.toMatchObject({ code: 'lane-unknown' });
});

test('a mission name does not lead out of the missions', async () => {
  const repo = await createAcceptable();
  repo.commit('mission.yaml', 'paths: {src: src/}\n');
  repo.replace('meta.json', '"software-dev"', '"../.."');

  expect(closedGates(await check(repo))).toEqual([]);
});
