/** What `merge --dry-run` foresees, and that it changes nothing. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import type { Git } from '../../src/workflow/ports.ts';
import { merge } from '../../src/workflow/services/merge.ts';
import { planMerge } from '../../src/workflow/services/plan-merge.ts';
import { conflictingFeature, startedFeature } from './support/merging.ts';

test('shows order, commands and lanes, and changes nothing at all', async () => {
  const repo = await startedFeature(['A', 'B:1'], { WP01: ['a.txt', 'a\n'], WP02: ['b.txt', 'b\n'] });
  repo.git('remote', 'add', 'origin', '../nowhere');
  const index = (): string => readFileSync(join(repo.root, '.git/index'), 'latin1');
  const before = [repo.snapshot(), index()];

  const plan = await planMerge(repo.deps, { cwd: repo.root, push: true });

  expect(plan).toEqual({
    result: 'success',
    dry_run: true,
    feature: '001-demo',
    target_branch: 'main',
    strategy: 'merge',
    order: ['WP01', 'WP02'],
    already_merged: [],
    would_move: ['WP01', 'WP02'],
    commands: [
      "git merge --no-ff -m 'Merge WP01 from 001-demo' refs/heads/001-demo-WP01",
      "git merge --no-ff -m 'Merge WP02 from 001-demo' refs/heads/001-demo-WP02",
      'git push origin main',
      'git worktree remove .worktrees/001-demo-WP01',
      'git branch -d 001-demo-WP01',
      'git worktree remove .worktrees/001-demo-WP02',
      'git branch -d 001-demo-WP02',
    ],
    forecast: [],
    warnings: [],
  });
  expect([repo.snapshot(), index()]).toEqual(before);
  expect(existsSync(join(repo.root, '.git/FETCH_HEAD'))).toBe(false);
  expect(repo.emitted).toEqual([]);
});

test('plans commands that do what the merge does', async () => {
  const repo = await startedFeature(['A', 'B:1'], { WP01: ['a.txt', 'a\n'], WP02: ['b.txt', 'b\n'] });
  const { commands } = await planMerge(repo.deps, { cwd: repo.root, strategy: 'squash' });

  const { execSync } = await import('node:child_process');
  for (const line of commands) {
    const env = {
      ...process.env,
      GIT_AUTHOR_NAME: 'A',
      GIT_AUTHOR_EMAIL: 'a@b.c',
      GIT_COMMITTER_NAME: 'A',
      GIT_COMMITTER_EMAIL: 'a@b.c',
    };
    execSync(line, { cwd: repo.root, stdio: 'pipe', env });
  }

  expect(repo.branches()).toEqual(['main']);
  expect([repo.has('a.txt'), repo.has('b.txt')]).toEqual([true, true]);
});

test('leaves out what is merged already and what is to be kept', async () => {
  const repo = await startedFeature(['A', 'B'], { WP01: ['a.txt', 'a\n'], WP02: ['b.txt', 'b\n'] });
  await merge(repo.deps, { cwd: repo.root, keepWorktree: true });

  expect(await planMerge(repo.deps, { cwd: repo.root, keepWorktree: true })).toMatchObject({
    already_merged: ['WP01', 'WP02'],
    would_move: [],
    commands: [],
  });
  expect((await planMerge(repo.deps, { cwd: repo.root, keepBranch: true })).commands).toEqual([
    'git worktree remove .worktrees/001-demo-WP01',
    'git worktree remove .worktrees/001-demo-WP02',
  ]);
});

test('is certain of a conflict that git has tried, and the merge stops at that file', async () => {
  const repo = await startedFeature(['A', 'B'], { WP01: ['same.txt', 'one\n'], WP02: ['same.txt', 'two\n'] });

  const { forecast } = await planMerge(repo.deps, { cwd: repo.root });

  expect(forecast).toEqual([{ file: 'same.txt', wps: ['WP01', 'WP02'], is_status_file: false, confidence: 'certain' }]);
  await expect(merge(repo.deps, { cwd: repo.root })).rejects.toMatchObject({
    code: 'merge-conflict',
    details: { conflicts: ['same.txt'] },
  });
});

test('drops what git merges cleanly, in a file two packages change as in a package built on another', async () => {
  const repo = await startedFeature(['A', 'B', 'C:1'], {
    WP01: ['app.txt', 'zero\none\n'],
    WP02: ['app.txt', 'zero\none\n'],
    WP03: ['c.txt', 'c\n'],
  });

  expect((await planMerge(repo.deps, { cwd: repo.root })).forecast).toEqual([]);
});

test('foresees a conflict with the target branch itself, and marks the files of tasks', async () => {
  const repo = await startedFeature(['A'], { WP01: ['app.txt', 'mine\n'] });
  const path = repo.wpPath('WP01');
  repo.commitIn('WP01', path, `${repo.read(path)}edited in the workspace\n`);
  repo.write('app.txt', 'theirs\n');
  repo.write(path, `${repo.read(path)}edited here\n`);
  repo.git('commit', '-qam', 'Meanwhile');

  expect((await planMerge(repo.deps, { cwd: repo.root })).forecast).toEqual([
    { file: 'app.txt', wps: ['WP01'], is_status_file: false, confidence: 'certain' },
    { file: path, wps: ['WP01'], is_status_file: true, confidence: 'certain' },
  ]);
});

test('calls it possible where git is too old to try', async () => {
  const repo = await startedFeature(['A', 'B'], { WP01: ['same.txt', 'one\n'], WP02: ['same.txt', 'two\n'] });
  const old: Git = {
    ...repo.deps.git,
    run: (cwd, args, options) =>
      args[0] === 'merge-tree'
        ? Promise.resolve({ exitCode: 129, stdout: '', stderr: 'usage: git merge-tree' })
        : repo.deps.git.run(cwd, args, options),
  };

  expect((await planMerge({ git: old }, { cwd: repo.root })).forecast).toEqual([
    { file: 'same.txt', wps: ['WP01', 'WP02'], is_status_file: false, confidence: 'possible' },
  ]);
});

test('refuses as the merge would', async () => {
  const repo = await conflictingFeature();
  const before = repo.snapshot();

  await expect(planMerge(repo.deps, { cwd: repo.root })).rejects.toMatchObject({
    code: 'merge-not-ready',
    message: expect.stringContaining('WP03 is in planned'),
  });
  expect(repo.snapshot()).toEqual(before);
});
