/** What the one way to write history promises. */
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { EventsSdkError } from '@spec-kitty/events-sdk';
import { expect, test } from 'vitest';

import { commitOnly } from '../../src/workflow/git/commit.ts';
import { createGit } from '../../src/workflow/git/git.ts';
import { withFeatureLock } from '../../src/workflow/project/feature-lock.ts';
import type { Git, Lock } from '../../src/workflow/ports.ts';
import { judgeMove } from '../../src/workflow/rules/lanes.ts';
import { openFeature } from '../../src/workflow/project/feature.ts';
import { changeLanes } from '../../src/workflow/project/transition.ts';
import { findProject } from '../../src/workflow/project/project-root.ts';
import { findWp } from '../../src/workflow/project/wp-file.ts';
import { createProject, createRepo } from './support/workspace.ts';

test('commits new and changed files by name and keeps what is staged staged', async () => {
  const repo = createRepo();
  repo.write('new [1]*.txt', 'new');
  repo.write('new 1.txt', 'not this one');
  repo.write('app.txt', 'two\n');
  repo.write('staged.txt', 's');
  repo.git('add', 'staged.txt');

  const commit = await commitOnly(repo.deps.git, repo.root, { message: 'Mine', paths: ['new [1]*.txt', 'app.txt'] });

  expect(commit?.files).toEqual(['app.txt', 'new [1]*.txt']);
  expect(repo.status()).toBe('A  staged.txt\n?? "new 1.txt"\n');
});

test('a commit that was made counts as made, also when git cannot be asked about it', async () => {
  const repo = createRepo();
  repo.write('app.txt', 'two\n');
  const git: Git = {
    ...repo.deps.git,
    run: (cwd, args) =>
      args[0] === 'diff-tree' ? Promise.reject(new Error('out of memory')) : repo.deps.git.run(cwd, args),
  };

  expect(await commitOnly(git, repo.root, { message: 'Two', paths: ['app.txt'] })).toEqual({
    hash: 'unknown',
    files: [],
  });
  expect(repo.status()).toBe('');
});

test('makes no commit when nothing changed', async () => {
  const repo = createRepo();

  expect(await commitOnly(repo.deps.git, repo.root, { message: 'Nothing', paths: ['app.txt'] })).toBeUndefined();
  expect(repo.commits()).toBe(1);
});

test('waits for an index.lock that goes away', async () => {
  const repo = createRepo();
  repo.write('app.txt', 'two\n');
  repo.write('.git/index.lock', '');
  const waits: number[] = [];
  const git: Git = {
    run: (cwd, args) => repo.deps.git.run(cwd, args),
    async pause(delayMs) {
      waits.push(delayMs);
      if (waits.length === 3) rmSync(join(repo.root, '.git/index.lock'));
    },
  };

  expect((await commitOnly(git, repo.root, { message: 'Two', paths: ['app.txt'] }))?.files).toEqual(['app.txt']);
  expect(waits).toHaveLength(3);
});

test('gives up on an index.lock that stays, in bounded time, and says so', async () => {
  const repo = createRepo();
  repo.write('app.txt', 'two\n');
  repo.write('.git/index.lock', '');
  let waitedMs = 0;
  const git: Git = {
    run: (cwd, args) => repo.deps.git.run(cwd, args),
    async pause(delayMs) {
      waitedMs += delayMs;
    },
  };

  await expect(commitOnly(git, repo.root, { message: 'Two', paths: ['app.txt'] })).rejects.toMatchObject({
    code: 'git-busy',
    kind: 'runtime',
  });
  expect(waitedMs).toBeLessThanOrEqual(5_000);
});

test('runs the hooks of the user, and leaves new files untracked when one refuses', async () => {
  const repo = createRepo();
  repo.write('.git/hooks/commit-msg', '#!/bin/sh\necho "no ticket in: $(cat "$1")" >&2\nexit 1\n');
  chmodSync(join(repo.root, '.git/hooks/commit-msg'), 0o755);
  repo.write('new.txt', 'new');

  await expect(commitOnly(repo.deps.git, repo.root, { message: 'Mine', paths: ['new.txt'] })).rejects.toMatchObject({
    message: expect.stringContaining('no ticket in: Mine'),
  });
  expect(repo.status()).toBe('?? new.txt\n');
});

test('works on the repository it was told to when it is started from a git hook', async () => {
  const [repo, other] = [createRepo(), createRepo()];
  const git = createGit({
    PATH: process.env['PATH'],
    GIT_DIR: join(other.root, '.git'),
    GIT_INDEX_FILE: join(other.root, '.git/index'),
    GIT_PREFIX: 'x/',
  });

  const answer = await git.run(repo.root, ['rev-parse', '--show-toplevel']);

  expect(answer.stdout.trim()).toBe(repo.root);
});

test('says that git is missing instead of failing strangely', async () => {
  const repo = createRepo();

  await expect(createGit({ PATH: '/nonexistent' }).run(repo.root, ['status'])).rejects.toMatchObject({
    code: 'git-missing',
  });
});

test('moves a lane from what is on disk, logs it, and refuses what the table forbids', async () => {
  const repo = await createProject(['A']);
  const project = await findProject(repo.deps.git, { cwd: repo.root });
  const feature = openFeature(repo.root, '001-demo');
  const told: unknown[] = [];
  const work = { project, feature, willTell: (happenings: readonly unknown[]) => told.push(...happenings) };
  const move = async (to: 'doing' | 'for_review' | 'done', more: object = {}) => {
    const wp = findWp(feature, 'WP01');
    const one = { wp, to, agent: 'claude', note: `to ${to}`, ...more };
    return (await changeLanes(repo.deps, work, { moves: [one], message: `chore: ${to}` })).transitions[0];
  };

  await expect(move('done')).rejects.toMatchObject({
    code: 'transition-refused',
    wpId: 'WP01',
    message: expect.stringContaining('planned'),
  });
  expect(judgeMove({ from: 'planned', to: 'done' }).kind).toBe('refused');
  expect(await move('doing')).toMatchObject({ previous: 'planned', next: 'doing', changed: true });
  expect(await move('doing')).toMatchObject({ previous: 'doing', next: 'doing', changed: false });
  expect(await move('for_review')).toMatchObject({ previous: 'doing', changed: true });
  expect(repo.read(repo.wpPath('WP01')).match(/lane=\w+ – to \w+/g)).toEqual([
    'lane=doing – to doing',
    'lane=doing – to doing',
    'lane=for_review – to for_review',
  ]);
  expect(repo.status()).toBe('');
});

test('takes from a directory no file that is ignored, but a named one although it is', async () => {
  const repo = createRepo();
  repo.write('.gitignore', '*.swp\n');
  repo.git('add', '.');
  repo.git('commit', '-qm', 'Ignore');
  for (const name of ['dir/a.txt', 'dir/a.swp', 'dir/b.swp']) repo.write(name, 'x');

  const commit = await commitOnly(repo.deps.git, repo.root, { message: 'Dir', paths: ['dir', 'dir/b.swp'] });

  expect(commit?.files).toEqual(['dir/a.txt', 'dir/b.swp']);
});

test('says that another command is at work when the lock is held, and passes on what else hinders', async () => {
  const repo = createRepo();
  const repository = { root: repo.root, checkout: repo.root, gitCommonDir: join(repo.root, '.git'), gitDir: '' };
  const refusing = (cause: Error): Lock => ({ hold: () => Promise.reject(cause) });
  const held = refusing(new EventsSdkError('STORAGE_BUSY', 'Held.'));

  await expect(withFeatureLock(held, repository, '001-demo', async () => 1)).rejects.toMatchObject({
    code: 'feature-busy',
    kind: 'runtime',
  });
  const full = new EventsSdkError('FILE_UNUSABLE', 'The disk is full.');
  await expect(withFeatureLock(refusing(full), repository, '001-demo', async () => 1)).rejects.toBe(full);
  const mine = new EventsSdkError('STORAGE_BUSY', 'The queue is in use.');
  await expect(withFeatureLock(repo.deps.lock, repository, '001-demo', () => Promise.reject(mine))).rejects.toBe(mine);
});

test('refuses text that is not UTF-8 instead of losing letters', async () => {
  const repo = await createProject(['A']);
  writeFileSync(join(repo.root, repo.wpPath('WP01')), Buffer.from('---\ntitle: caf\xe9\n---\n', 'latin1'));

  expect(() => findWp(openFeature(repo.root, '001-demo'), 'WP01')).toThrow(
    expect.objectContaining({ code: 'file-not-utf8' }),
  );
});
