/** What `agent tasks mark-status` and `agent tasks add-history` promise, on real git repositories. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { readLog } from '../../src/workflow/files/activity-log.ts';
import { parseFrontmatter } from '../../src/workflow/files/frontmatter.ts';
import { addHistory } from '../../src/workflow/services/add-history.ts';
import { implement } from '../../src/workflow/services/implement.ts';
import { markStatus, type MarkStatusInput } from '../../src/workflow/services/mark-status.ts';
import { createProject } from './support/workspace.ts';

const TASKS = 'kitty-specs/001-demo/tasks.md';

const SUBTASKS = `# Work Packages

## Work Package WP01: Writer

- [ ] T001 Module
- [ ] T002 Quotes
- [x] T003 Names

## Work Package WP02: Reader

- [ ] **T004** Parse
- [ ] T020 Shared

## Work Package WP03: Rest

* [ ] T020 Shared

## Notes

- [ ] T099 Of nobody
`;

/** Three planned packages with subtasks in every notation. */
async function createMarkable() {
  const repo = await createProject(['Writer', 'Reader', 'Rest']);
  repo.write(TASKS, SUBTASKS);
  repo.git('commit', '-qam', 'Subtasks');
  const mark = (ids: readonly string[], status: string, more: Partial<MarkStatusInput> = {}) =>
    markStatus(repo.deps, { cwd: repo.root, ids, status, ...more });
  const events = () => repo.emitted.flatMap(({ drafts }) => drafts.map(({ type, payload }) => ({ type, ...payload })));
  const laneOf = (id: string): unknown => parseFrontmatter(id, repo.read(repo.wpPath(id))).get('lane');
  return { ...repo, mark, events, laneOf };
}

test('checks boxes of a package under way in one commit and tells it by its owner, not by the number of the subtask (FR-020)', async () => {
  const repo = await createMarkable();
  await implement(repo.deps, { cwd: repo.root, wpId: 'WP01', agent: 'claude' });
  repo.emitted.length = 0;

  const result = await repo.mark(['T001', 't002'], 'done');

  expect(result).toMatchObject({ result: 'success', updated: ['T001', 'T002'], count: 2, status: 'done', moved: [] });
  expect(repo.read(TASKS)).toBe(SUBTASKS.replace('[ ] T001', '[x] T001').replace('[ ] T002', '[x] T002'));
  expect(repo.git('show', '--name-only', '--format=%s', 'HEAD').trim().split('\n').filter(Boolean)).toEqual([
    'chore: Mark 2 subtasks as done on spec 001',
    TASKS,
  ]);
  expect(repo.status()).toBe('');
  expect(repo.events()).toEqual([
    {
      type: 'HistoryAdded',
      wp_id: 'WP01',
      entry_type: 'note',
      entry_content: 'Subtask(s) T001, T002 marked as done',
      author: 'claude',
    },
  ]);
});

test('a planned package whose first box is checked moves to doing, and both events have one cause (FR-020)', async () => {
  const repo = await createMarkable();

  const result = await repo.mark(['T001'], 'done', { agent: 'claude', callerPid: 42 });

  expect(result).toMatchObject({
    moved: [{ wp_id: 'WP01', previous: 'planned', next: 'doing' }],
    events_emitted: 2,
  });
  expect(repo.events()).toMatchObject([
    { type: 'HistoryAdded', wp_id: 'WP01' },
    { type: 'WPStatusChanged', previous_status: 'planned', new_status: 'doing', changed_by: 'claude' },
  ]);
  const causes = repo.emitted.flatMap(({ drafts }) => drafts.map(({ causationId }) => causationId));
  expect(causes).toEqual([result.causation_id, result.causation_id]);
  const file = parseFrontmatter('WP01', repo.read(repo.wpPath('WP01')));
  expect([file.get('lane'), file.get('agent'), file.get('assignee'), file.get('shell_pid')]).toEqual([
    'doing',
    'claude',
    'Ada',
    '42',
  ]);
  expect(repo.git('log', '-1', '--format=%s').trim()).toBe('chore: Mark T001 as done on spec 001');
  expect(repo.status()).toBe('');
});

test('tells one entry per package when the subtasks of several are marked', async () => {
  const repo = await createMarkable();
  await implement(repo.deps, { cwd: repo.root, wpId: 'WP01' });
  await implement(repo.deps, { cwd: repo.root, wpId: 'WP02' });
  repo.emitted.length = 0;

  const result = await repo.mark(['T004', 'T001'], 'done');

  expect(repo.events()).toMatchObject([
    { wp_id: 'WP01', entry_content: 'Subtask(s) T001 marked as done' },
    { wp_id: 'WP02', entry_content: 'Subtask(s) T004 marked as done' },
  ]);
  expect(new Set(repo.emitted[0]?.drafts.map(({ causationId }) => causationId))).toEqual(
    new Set([result.causation_id]),
  );
});

test('clears a box without moving the package back', async () => {
  const repo = await createMarkable();

  const result = await repo.mark(['T003'], 'pending');

  expect(repo.read(TASKS)).toContain('- [ ] T003 Names');
  expect(result.moved).toEqual([]);
  expect(repo.events()).toMatchObject([{ type: 'HistoryAdded', entry_content: 'Subtask(s) T003 marked as pending' }]);
});

test('a box that stands so already is no change: no commit, no event', async () => {
  const repo = await createMarkable();
  const before = repo.commits();

  const result = await repo.mark(['T003'], 'done');

  expect(result).toMatchObject({ updated: [], unchanged: ['T003'], count: 0, commit_hash: null, events_emitted: 0 });
  expect(repo.commits()).toBe(before);
});

test('marks what it finds and warns of the rest', async () => {
  const repo = await createMarkable();

  const result = await repo.mark(['T001', 'T777', 'T099'], 'done');

  expect(result).toMatchObject({ updated: ['T001', 'T099'], not_found: ['T777'] });
  expect(result.warnings).toEqual([
    `Not found in ${TASKS}: T777.`,
    `T099 stands outside of every package in ${TASKS}: the board learns nothing of it.`,
  ]);
  expect(repo.events().map((event) => event.type)).toEqual(['HistoryAdded', 'WPStatusChanged']);
});

test('an id that stands in two packages is refused, and --wp says which is meant', async () => {
  const repo = await createMarkable();

  await expect(repo.mark(['T001', 'T020'], 'done')).rejects.toMatchObject({
    code: 'task-ambiguous',
    message: `T020 stands 2 times in ${TASKS} (WP02, WP03); nothing was marked.`,
    remedy: 'spec-kitty agent tasks mark-status T020 --status done --wp WP02',
  });
  expect(repo.read(TASKS)).toBe(SUBTASKS);
  await repo.mark(['T020'], 'done', { wp: 'wp3' });

  expect(repo.read(TASKS)).toBe(SUBTASKS.replace('* [ ] T020', '* [x] T020'));
});

test('package ids move packages as move-task does, several in one commit with one cause (FR-020, US3-4)', async () => {
  const repo = await createMarkable();

  const begun = await repo.mark(['WP02', 'wp1'], 'doing', { agent: 'claude' });
  const back = await repo.mark(['WP01'], 'pending');

  expect(begun).toMatchObject({ updated: ['WP01', 'WP02'], status: 'doing', events_emitted: 2 });
  expect(repo.events()).toMatchObject([
    { type: 'WPStatusChanged', wp_id: 'WP01', previous_status: 'planned', new_status: 'doing' },
    { type: 'WPStatusChanged', wp_id: 'WP02', previous_status: 'planned', new_status: 'doing' },
    { type: 'WPStatusChanged', wp_id: 'WP01', previous_status: 'doing', new_status: 'planned' },
  ]);
  expect(new Set(repo.emitted[0]?.drafts.map(({ causationId }) => causationId))).toEqual(new Set([begun.causation_id]));
  expect(back).toMatchObject({ status: 'planned', causation_id: null });
  expect(repo.git('log', '-2', '--format=%s').trim().split('\n')).toEqual([
    'chore: Move WP01 to planned on spec 001',
    'chore: Move WP01, WP02 to doing on spec 001',
  ]);
});

test('package ids meet the guards of move-task, and one that is refused keeps the others where they are', async () => {
  const repo = await createMarkable();
  await repo.mark(['WP01', 'WP02'], 'doing');
  await repo.mark(['T004', 'T020'], 'done', { wp: 'WP02' });
  const before = [repo.commits(), repo.emitted.length];

  await expect(repo.mark(['WP01', 'WP02'], 'for_review')).rejects.toMatchObject({
    code: 'subtasks-open',
    wpId: 'WP01',
    remedy: 'spec-kitty agent tasks mark-status T001 T002 --status done --feature 001-demo',
  });
  expect([repo.laneOf('WP01'), repo.laneOf('WP02')]).toEqual(['doing', 'doing']);
  expect([repo.commits(), repo.emitted.length]).toEqual(before);
});

test('packages that stand there already are counted as unchanged', async () => {
  const repo = await createMarkable();

  const result = await repo.mark(['WP01', 'WP02'], 'pending');

  expect(result).toMatchObject({ updated: [], unchanged: ['WP01', 'WP02'], commit_hash: null });
  expect(repo.emitted).toEqual([]);
});

test('takes in a tasks.md git does not know yet', async () => {
  const repo = await createMarkable();
  repo.git('rm', '-q', '--cached', TASKS);
  repo.git('commit', '-qm', 'Untracked');

  const result = await repo.mark(['T001'], 'done');

  expect(result.commit_hash).not.toBeNull();
  expect(repo.status()).toBe('');
});

const refusals: readonly (readonly [code: string, ids: readonly string[], status: string, says: string])[] = [
  ['task-not-found', ['T777', 'T778'], 'done', `${TASKS} has no box for T777, T778.`],
  ['task-id-invalid', ['first'], 'done', '"first" is neither a subtask id like T001 nor a package id like WP01.'],
  ['ids-mixed', ['T001', 'WP01'], 'done', 'Subtasks and packages cannot be marked in one call.'],
  ['status-unknown', ['T001'], 'for_review', 'A subtask is done or pending, not "for_review".'],
  ['lane-unknown', ['WP01'], 'nowhere', '"nowhere" is not a lane'],
  ['transition-refused', ['WP01'], 'done', 'WP01 cannot move to done'],
  ['wp-not-found', ['WP09'], 'doing', 'WP09 was not found'],
];

test.each(refusals)('refuses with %s and changes nothing', async (code, ids, status, says) => {
  const repo = await createMarkable();
  const before = [repo.status(), repo.commits(), repo.read(TASKS)];

  await expect(repo.mark(ids, status)).rejects.toMatchObject({
    code,
    kind: 'validation',
    message: expect.stringContaining(says),
  });

  expect([repo.status(), repo.commits(), repo.read(TASKS)]).toEqual(before);
  expect(repo.emitted).toEqual([]);
});

test('says so when there is no tasks.md', async () => {
  const repo = await createMarkable();
  rmSync(join(repo.root, TASKS));

  await expect(repo.mark(['T001'], 'done')).rejects.toMatchObject({ code: 'tasks-missing' });
});

test('adds a line to the log, commits it, and tells it (FR-021)', async () => {
  const repo = await createMarkable();

  const result = await addHistory(repo.deps, {
    cwd: repo.root,
    wpId: 'wp1',
    note: ' Chose RFC 4180\n  quoting ',
    agent: 'claude',
    shellPid: 5,
  });

  expect(result).toMatchObject({
    result: 'success',
    task_id: 'WP01',
    note: 'Chose RFC 4180 / quoting',
    author: 'claude',
  });
  const file = parseFrontmatter('WP01', repo.read(repo.wpPath('WP01')));
  expect(readLog(file.body).at(-1)).toMatchObject({
    agent: 'claude',
    shellPid: '5',
    lane: 'planned',
    note: 'Chose RFC 4180 / quoting',
  });
  expect(repo.git('log', '-1', '--format=%s').trim()).toBe('chore: Add history to WP01 on spec 001');
  expect(repo.status()).toBe('');
  expect(repo.events()).toEqual([
    {
      type: 'HistoryAdded',
      wp_id: 'WP01',
      entry_type: 'note',
      entry_content: 'Chose RFC 4180 / quoting',
      author: 'claude',
    },
  ]);
});

test('says what kind of entry it is, and falls back to the agent of the package (FR-021)', async () => {
  const repo = await createMarkable();
  await implement(repo.deps, { cwd: repo.root, wpId: 'WP01', agent: 'gemini' });
  repo.emitted.length = 0;

  await addHistory(repo.deps, {
    cwd: repo.root,
    wpId: 'WP01',
    note: 'Server is down',
    type: 'error',
    autoCommit: false,
  });

  expect(repo.events()).toMatchObject([{ entry_type: 'error', author: 'gemini' }]);
  expect(repo.status()).toBe(` M ${repo.wpPath('WP01')}\n`);
});

test.each([
  ['note-empty', { wpId: 'WP01', note: ' \n ' }],
  ['wp-not-found', { wpId: 'WP09', note: 'x' }],
  ['wp-id-invalid', { wpId: 'T001', note: 'x' }],
])('refuses to note with %s and changes nothing', async (code, input) => {
  const repo = await createMarkable();
  const before = [repo.status(), repo.commits()];

  await expect(addHistory(repo.deps, { cwd: repo.root, ...input })).rejects.toMatchObject({ code, kind: 'validation' });

  expect([repo.status(), repo.commits()]).toEqual(before);
  expect(repo.emitted).toEqual([]);
});
