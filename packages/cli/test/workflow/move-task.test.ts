/** What `agent tasks move-task` promises, on real git repositories. */
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { readLog } from '../../src/workflow/files/activity-log.ts';
import { parseFrontmatter } from '../../src/workflow/files/frontmatter.ts';
import { implement } from '../../src/workflow/services/implement.ts';
import { markStatus } from '../../src/workflow/services/mark-status.ts';
import { moveTask, type MoveTaskInput } from '../../src/workflow/services/move-task.ts';
import { createProject } from './support/workspace.ts';

type Repo = Awaited<ReturnType<typeof createProject>>;

const WORKSPACE = '.worktrees/001-demo-WP01';

/** WP01 claimed by claude, its subtask checked and its work committed: ready for review. */
async function createReady(wps: readonly string[] = ['Writer', 'Reader:1']) {
  const repo = await createProject(wps);
  await implement(repo.deps, { cwd: repo.root, wpId: 'WP01', agent: 'claude', shellPid: 7 });
  commitWork(repo);
  await markStatus(repo.deps, { cwd: repo.root, ids: ['T001'], status: 'done' });
  repo.emitted.length = 0;
  return { ...repo, move: (to: string, more: Partial<MoveTaskInput> = {}) => move(repo, to, more) };
}

function commitWork(repo: Repo, name = 'writer.txt'): void {
  repo.write(`${WORKSPACE}/${name}`, 'w\n');
  repo.git('-C', WORKSPACE, 'add', '.');
  repo.git('-C', WORKSPACE, 'commit', '-qm', 'Work');
}

function move(repo: Repo, to: string, more: Partial<MoveTaskInput> = {}) {
  return moveTask(repo.deps, { cwd: repo.root, wpId: 'WP01', to, ...more });
}

function fileOf(repo: Repo, id = 'WP01') {
  return parseFrontmatter(id, repo.read(repo.wpPath(id)));
}

function payloads(repo: Repo): readonly unknown[] {
  return repo.emitted.flatMap(({ drafts }) => drafts.map(({ type, payload }) => ({ type, ...payload })));
}

test('moves a package for review, in one commit of its own file, and tells the lane that was on disk (US3-1, FR-019)', async () => {
  const repo = await createReady();
  const before = repo.commits();

  const result = await repo.move('for_review', { note: 'Ready' });

  expect(result).toMatchObject({
    result: 'success',
    task_id: 'WP01',
    old_lane: 'doing',
    new_lane: 'for_review',
    changed: true,
    path: repo.wpPath('WP01'),
    dependents: ['WP02'],
    warnings: [],
  });
  expect(repo.git('show', '--name-only', '--format=%s', 'HEAD').trim().split('\n').filter(Boolean)).toEqual([
    'chore: Move WP01 to for_review on spec 001 [claude]',
    repo.wpPath('WP01'),
  ]);
  expect([repo.commits(), repo.status()]).toEqual([before + 1, '']);
  expect(readLog(fileOf(repo).body).at(-1)).toEqual({
    at: '2026-03-02T14:30:00Z',
    agent: 'claude',
    shellPid: '7',
    lane: 'for_review',
    note: 'Ready',
  });
  expect(payloads(repo)).toEqual([
    {
      type: 'WPStatusChanged',
      wp_id: 'WP01',
      previous_status: 'doing',
      new_status: 'for_review',
      changed_by: 'claude',
      feature_slug: '001-demo',
    },
  ]);
  expect(repo.emitted[0]).toMatchObject({ statusThen: '', drafts: [{ causationId: null }] });
});

test('takes the way from planned to done lane by lane, one event each, each with the lane before it (FR-019, US3-4)', async () => {
  const repo = await createReady();

  await repo.move('in_review');
  await repo.move('doing');
  await repo.move('for_review');
  await repo.move('done', { agent: 'codex' });

  expect(repo.emitted.flatMap(({ drafts }) => drafts).map(({ payload }) => payload)).toMatchObject([
    { previous_status: 'doing', new_status: 'for_review', changed_by: 'claude' },
    { previous_status: 'for_review', new_status: 'doing', changed_by: 'claude' },
    { previous_status: 'doing', new_status: 'for_review', changed_by: 'claude' },
    { previous_status: 'for_review', new_status: 'done', changed_by: 'codex' },
  ]);
  expect(fileOf(repo).get('review_status')).toBe('approved');
  expect(fileOf(repo).get('reviewed_by')).toBe('codex');
});

test('a move to the lane it is in logs and commits, and tells nobody', async () => {
  const repo = await createReady();

  const result = await repo.move('doing', { note: 'Still at it', assignee: 'Grace' });

  expect(result).toMatchObject({ changed: false, old_lane: 'doing', new_lane: 'doing' });
  expect(fileOf(repo).get('assignee')).toBe('Grace');
  expect(readLog(fileOf(repo).body).at(-1)?.note).toBe('Still at it');
  expect(repo.emitted).toEqual([]);
  expect(repo.status()).toBe('');
});

test('names who moved it: the flag, else the environment, else the package, else user', async () => {
  const repo = await createProject(['A', 'B', 'C', 'D']);
  await implement(repo.deps, { cwd: repo.root, wpId: 'WP03', agent: 'gemini' });
  repo.emitted.length = 0;

  await moveTask(repo.deps, {
    cwd: repo.root,
    wpId: 'WP01',
    to: 'doing',
    agent: 'claude',
    env: { SPEC_KITTY_AGENT: 'no' },
  });
  await moveTask(repo.deps, { cwd: repo.root, wpId: 'WP02', to: 'doing', env: { SPEC_KITTY_AGENT: 'codex' } });
  await moveTask(repo.deps, { cwd: repo.root, wpId: 'WP03', to: 'planned' });
  await moveTask(repo.deps, { cwd: repo.root, wpId: 'WP04', to: 'doing', callerPid: 99 });

  expect(repo.emitted.map(({ drafts }) => drafts[0]?.payload)).toMatchObject([
    { changed_by: 'claude' },
    { changed_by: 'codex' },
    { changed_by: 'gemini' },
    { changed_by: 'user' },
  ]);
  expect(repo.git('log', '-1', '--format=%s').trim()).toBe('chore: Move WP04 to doing on spec 001');
  expect(fileOf(repo, 'WP04').get('agent')).toBe('user');
  expect(fileOf(repo, 'WP04').get('assignee')).toBe('Ada');
  expect(fileOf(repo, 'WP04').get('shell_pid')).toBe('99');
});

test('a package under way is its agent’s; a reviewer may judge it without force', async () => {
  const repo = await createReady();

  await expect(repo.move('for_review', { agent: 'codex' })).rejects.toMatchObject({
    code: 'not-yours',
    message: 'WP01 is being worked on by claude, not by codex.',
    agentId: 'codex',
  });
  await repo.move('for_review');

  expect((await repo.move('done', { agent: 'codex' })).new_lane).toBe('done');
  expect([fileOf(repo).get('agent'), fileOf(repo).get('reviewed_by')]).toEqual(['claude', 'codex']);
});

test('back from review to planned takes the feedback along, and whoever starts again has acknowledged it', async () => {
  const repo = await createReady();
  await repo.move('for_review');
  writeFileSync(join(repo.root, 'feedback.md'), '# Fix this\n\nQuotes are lost.\n');

  await repo.move('planned', { reviewFeedbackFile: 'feedback.md', agent: 'codex' });

  const file = fileOf(repo);
  expect([file.get('lane'), file.get('review_status'), file.get('reviewed_by')]).toEqual([
    'planned',
    'has_feedback',
    'codex',
  ]);
  expect(file.body).toContain(
    '## Review Feedback\n\n**Reviewed by**: codex\n**Status**: ❌ Changes Requested\n**Date**: 2026-03-02\n\n### Fix this\n\nQuotes are lost.\n\n## Activity Log\n',
  );
  expect(file.body).not.toContain('None yet.');
  await repo.move('doing');
  expect(fileOf(repo).get('review_status')).toBe('acknowledged');
  await repo.move('for_review');
  await repo.move('done', { reviewer: 'Grace' });
  expect([fileOf(repo).get('review_status'), fileOf(repo).get('reviewed_by')]).toEqual(['approved', 'Grace']);
});

test('makes the feedback section in front of the log where there is none', async () => {
  const repo = await createReady();
  await repo.move('for_review');
  const path = repo.wpPath('WP01');
  repo.write(path, repo.read(path).replace('## Review Feedback\n\nNone yet.\n\n', ''));
  repo.git('commit', '-qam', 'No section');
  repo.write('feedback.md', 'Quotes are lost.');

  await repo.move('planned', { reviewFeedbackFile: 'feedback.md' });

  expect(fileOf(repo).body).toMatch(
    /\n## Review Feedback\n\n\*\*Reviewed by\*\*: Ada\n[^#]*Quotes are lost\.\n\n## Activity Log\n/,
  );
});

test('--force takes any lane to any lane without the guards', async () => {
  const repo = await createProject(['Writer']);

  await move(repo, 'done', { force: true });
  await move(repo, 'doing', { force: true });

  expect(repo.emitted.map(({ drafts }) => drafts[0]?.payload)).toMatchObject([
    { previous_status: 'planned', new_status: 'done' },
    { previous_status: 'done', new_status: 'doing' },
  ]);
});

test('from doing to done needs a note, and warns that nobody has reviewed it', async () => {
  const repo = await createReady();

  await expect(repo.move('done')).rejects.toMatchObject({ code: 'transition-refused' });

  expect((await repo.move('done', { note: 'Typo only' })).warnings).toEqual([
    'It went from doing to done without a review.',
  ]);
});

test('leaves the file changed and not committed with --no-auto-commit, and tells all the same', async () => {
  const repo = await createReady();
  const before = repo.commits();

  const result = await repo.move('planned', { autoCommit: false });

  expect(result.commit_hash).toBeNull();
  expect(repo.commits()).toBe(before);
  expect(repo.status()).toBe(` M ${repo.wpPath('WP01')}\n`);
  expect(repo.emitted).toHaveLength(1);
});

test('works from inside the workspace and leaves it alone', async () => {
  const repo = await createReady();

  await repo.move('for_review', { cwd: join(repo.root, WORKSPACE) });

  expect(repo.git('-C', WORKSPACE, 'status', '--porcelain')).toBe('');
  expect(repo.git('-C', WORKSPACE, 'branch', '--show-current').trim()).toBe('001-demo-WP01');
  expect(fileOf(repo).get('lane')).toBe('for_review');
});

test('commits only its own file: what is staged stays staged, what is changed stays changed', async () => {
  const repo = await createReady();
  repo.write('staged.txt', 's');
  repo.git('add', 'staged.txt');
  repo.write('app.txt', 'changed\n');
  const before = repo.status();

  await repo.move('planned');

  expect(repo.status()).toBe(before);
  expect(repo.git('show', '--name-only', '--format=', 'HEAD').trim()).toBe(repo.wpPath('WP01'));
});

test('keeps CRLF and adds nothing but the lines it changes', async () => {
  const repo = await createReady();
  const path = repo.wpPath('WP01');
  repo.write(path, repo.read(path).replaceAll('\n', '\r\n'));
  repo.git('commit', '-qam', 'CRLF');

  await repo.move('for_review');

  expect(repo.read(path)).not.toMatch(/[^\r]\n/);
  expect(repo.git('show', '--numstat', '--format=', 'HEAD').trim()).toBe(`2\t1\t${path}`);
});

test('takes in a package file git does not know yet', async () => {
  const repo = await createProject(['Writer']);
  repo.write(
    'kitty-specs/001-demo/tasks/WP07-new.md',
    '---\nwork_package_id: WP07\ntitle: New\nlane: planned\n---\n\n# New\n',
  );

  const result = await moveTask(repo.deps, { cwd: repo.root, wpId: 'WP07', to: 'doing' });

  expect(result.commit_hash).toMatch(/^[0-9a-f]{40}$/);
  expect(repo.status()).toBe('');
});

test('tells with the next command on the feature what a killed one could not (US3-4)', async () => {
  const repo = await createReady();
  const killed = { ...repo.deps, events: { emit: () => Promise.reject(new Error('killed here')) } };
  await expect(moveTask(killed, { cwd: repo.root, wpId: 'WP01', to: 'for_review' })).rejects.toThrow('killed here');

  await implement(repo.deps, { cwd: repo.root, wpId: 'WP02', base: 'WP01' });

  expect(payloads(repo)).toMatchObject([
    { wp_id: 'WP01', previous_status: 'doing', new_status: 'for_review', changed_by: 'claude' },
    { wp_id: 'WP02', previous_status: 'planned', new_status: 'doing' },
  ]);
});

test('an event that could not be recorded is told by the next command, once (FR-029)', async () => {
  const repo = await createReady();
  const full = {
    ...repo.deps,
    events: { emit: async (drafts: readonly unknown[]) => drafts.map(() => 'untold' as const) },
  };

  await moveTask(full, { cwd: repo.root, wpId: 'WP01', to: 'for_review' });
  await repo.move('done', { agent: 'codex' });
  await repo.move('done', { agent: 'codex' });

  expect(payloads(repo)).toMatchObject([
    { previous_status: 'doing', new_status: 'for_review' },
    { previous_status: 'for_review', new_status: 'done' },
  ]);
});

interface Guard {
  readonly code: string;
  readonly says: string;
  readonly arrange?: (repo: Repo) => void;
  readonly to?: string;
  readonly more?: Partial<MoveTaskInput>;
  readonly remedy?: RegExp;
}

const guards: readonly Guard[] = [
  {
    code: 'lane-unknown',
    says: '"nowhere" is not a lane: the lanes are planned, doing, for_review, done.',
    to: 'nowhere',
  },
  { code: 'wp-id-invalid', says: '"first" is not a work package id', more: { wpId: 'first' } },
  { code: 'wp-not-found', says: 'WP09 was not found in kitty-specs/001-demo/tasks.', more: { wpId: 'WP09' } },
  { code: 'feature-not-found', says: 'There is no feature "009-x"', more: { feature: '009-x' } },
  {
    code: 'wp-ambiguous',
    says: 'WP01 has more than one file in kitty-specs/001-demo/tasks: WP01-again.md, WP01-writer.md.',
    arrange: (repo) => {
      repo.write('kitty-specs/001-demo/tasks/WP01-again.md', '---\nlane: planned\n---\n');
    },
  },
  {
    code: 'wrong-branch',
    says: 'Status of 001-demo is recorded on main, but the main checkout is on side.',
    arrange: (repo) => {
      repo.git('switch', '-qc', 'side');
    },
    more: { feature: '001-demo' },
    remedy: /^git switch main && /,
  },
  {
    code: 'wrong-branch',
    says: 'has a detached HEAD',
    arrange: (repo) => {
      repo.git('switch', '-q', '--detach');
    },
    more: { feature: '001-demo' },
  },
  {
    code: 'subtasks-open',
    says: 'WP01 has an open subtask: T001.',
    arrange: (repo) => {
      repo.write(
        'kitty-specs/001-demo/tasks.md',
        repo.read('kitty-specs/001-demo/tasks.md').replace('[x] T001', '[ ] T001'),
      );
    },
    remedy: /^spec-kitty agent tasks mark-status T001 --status done --feature 001-demo$/,
  },
  {
    code: 'plan-uncommitted',
    says: 'kitty-specs/001-demo has a file not committed: kitty-specs/001-demo/research.md.',
    arrange: (repo) => {
      repo.write('kitty-specs/001-demo/research.md', 'new\n');
    },
    remedy: /^git add kitty-specs\/001-demo && git commit /,
  },
  {
    code: 'work-uncommitted',
    says: `its workspace ${WORKSPACE} has 1 file not committed.`,
    arrange: (repo) => {
      repo.write(`${WORKSPACE}/new.txt`, 'x');
    },
    remedy: /^cd \.worktrees\/001-demo-WP01 && git add -A && git commit /,
  },
  {
    code: 'work-detached',
    says: 'has a detached HEAD',
    arrange: (repo) => {
      repo.git('-C', WORKSPACE, 'switch', '-q', '--detach');
    },
    remedy: /^cd \.worktrees\/001-demo-WP01 && git switch 001-demo-WP01$/,
  },
  {
    code: 'work-unfinished',
    says: 'is in the middle of a merge',
    arrange: (repo) => {
      repo.git('branch', 'side', 'main~1');
      repo.git('switch', '-q', 'side');
      repo.write('app.txt', 'side\n');
      repo.git('commit', '-qam', 'side');
      repo.git('switch', '-q', 'main');
      repo.git('-C', WORKSPACE, 'merge', '-q', '--no-ff', '--no-commit', 'side');
    },
    remedy: /git merge --continue/,
  },
  {
    code: 'work-behind',
    says: 'lacks commits of main',
    arrange: (repo) => {
      repo.write('app.txt', 'two\n');
      repo.git('commit', '-qam', 'Two');
    },
    remedy: /^cd \.worktrees\/001-demo-WP01 && git rebase main$/,
  },
  {
    code: 'work-missing',
    says: 'has no commit of its own yet',
    arrange: (repo) => {
      repo.git('-C', WORKSPACE, 'reset', '-q', '--hard', 'HEAD~1');
    },
  },
  { code: 'transition-refused', says: 'WP02 cannot move to for_review', more: { wpId: 'WP02' } },
  {
    code: 'frontmatter-invalid',
    says: 'WP01-writer.md, line 4',
    arrange: (repo) => {
      repo.write(repo.wpPath('WP01'), '---\ntitle: a\nlane: [\n---\n');
    },
  },
  {
    code: 'legacy-layout',
    says: 'folders per lane are no longer supported',
    arrange: (repo) => {
      repo.write('kitty-specs/001-demo/tasks/doing/WP03-x.md', '---\n---\n');
    },
  },
];

test.each(guards)('refuses with $code: $says', async ({ code, says, arrange, to = 'for_review', more, remedy }) => {
  const repo = await createReady();
  arrange?.(repo);
  const before = [
    repo.status(),
    repo.git('rev-parse', 'HEAD'),
    repo.git('for-each-ref'),
    repo.read(repo.wpPath('WP01')),
  ];

  const refused: unknown = await repo.move(to, more).catch((cause: unknown) => cause);

  expect(refused).toMatchObject({
    name: 'WorkflowError',
    code,
    kind: 'validation',
    message: expect.stringContaining(says),
  });
  if (remedy !== undefined) expect((refused as { remedy: string }).remedy).toMatch(remedy);
  expect([
    repo.status(),
    repo.git('rev-parse', 'HEAD'),
    repo.git('for-each-ref'),
    repo.read(repo.wpPath('WP01')),
  ]).toEqual(before);
  expect(repo.emitted).toEqual([]);
});

const feedbackGuards: readonly Guard[] = [
  { code: 'feedback-missing', says: 'WP01 goes back from review to planned', remedy: /--review-feedback-file FILE$/ },
  { code: 'feedback-file-missing', says: 'no.md does not exist', more: { reviewFeedbackFile: 'no.md' } },
  {
    code: 'feedback-empty',
    says: 'empty.md is empty',
    arrange: (repo) => {
      repo.write('empty.md', ' \n');
    },
    more: { reviewFeedbackFile: 'empty.md' },
  },
];

test.each(feedbackGuards)(
  'refuses to send a package back with $code',
  async ({ code, says, arrange, more, remedy }) => {
    const repo = await createReady();
    await repo.move('for_review');
    repo.emitted.length = 0;
    arrange?.(repo);
    const before = [repo.status(), repo.git('rev-parse', 'HEAD')];

    const refused: unknown = await repo.move('planned', more).catch((cause: unknown) => cause);

    expect(refused).toMatchObject({ code, wpId: 'WP01', message: expect.stringContaining(says) });
    if (remedy !== undefined) expect((refused as { remedy: string }).remedy).toMatch(remedy);
    expect([repo.status(), repo.git('rev-parse', 'HEAD')]).toEqual(before);
    expect(repo.emitted).toEqual([]);
  },
);

test('the status commits of this tool are no reason to rebase (D5)', async () => {
  const repo = await createReady();
  await implement(repo.deps, { cwd: repo.root, wpId: 'WP02', base: 'WP01' });

  expect((await repo.move('for_review')).changed).toBe(true);
});

test('a package without a workspace, and one of a research feature, is not judged by its workspace', async () => {
  const repo = await createProject(['Writer']);
  await move(repo, 'doing');
  await markStatus(repo.deps, { cwd: repo.root, ids: ['T001'], status: 'done' });

  expect((await move(repo, 'for_review')).changed).toBe(true);
  rmSync(join(repo.root, 'kitty-specs/001-demo/tasks.md'));
  repo.git('commit', '-qam', 'No tasks.md');
  expect((await move(repo, 'done')).changed).toBe(true);
});

test('a package that is merged already may be done, although its branch has nothing of its own any more', async () => {
  const repo = await createReady();
  await repo.move('for_review');
  repo.git('merge', '-q', '--no-ff', '-m', 'Merge WP01 from 001-demo', '001-demo-WP01');
  repo.git('-C', WORKSPACE, 'merge', '-q', '--ff-only', 'main');

  expect((await repo.move('done')).changed).toBe(true);
});

test('a hook that refuses the commit leaves file, index and events as they were', async () => {
  const repo = await createReady();
  repo.git('config', 'core.hooksPath', 'hooks');
  repo.write('hooks/pre-commit', '#!/bin/sh\necho "no commits on Fridays" >&2\nexit 1\n');
  execFileSync('chmod', ['+x', join(repo.root, 'hooks/pre-commit')]);
  const before = [repo.status(), repo.read(repo.wpPath('WP01'))];

  const attempt = repo.move('planned');

  await expect(attempt).rejects.toMatchObject({
    code: 'commit-refused',
    kind: 'runtime',
    wpId: 'WP01',
    message: expect.stringContaining('no commits on Fridays'),
  });
  expect([repo.status(), repo.read(repo.wpPath('WP01'))]).toEqual(before);
  expect(repo.emitted).toEqual([]);
});
