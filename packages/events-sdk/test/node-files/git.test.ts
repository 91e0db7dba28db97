import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';

import { systemTime } from '../../src/internal/time.ts';
import type { Time } from '../../src/internal/time.ts';
import { createGitFacts } from '../../src/node/git-facts.ts';
import { findProjectRoot } from '../../src/node/project-root.ts';
import { git, temporaryDirectory } from './setup.ts';

const setupRepo = (...initArgs: string[]): string => {
  const root = join(temporaryDirectory(), 'main');
  mkdirSync(root);
  git(root, 'init', '-q', '-b', 'main', ...initArgs);
  git(root, 'commit', '-q', '--allow-empty', '-m', 'first');
  return root;
};
const factsOf = (directory: string) => createGitFacts({ time: systemTime, budgetMs: 20_000 }).facts(directory);
/** A git that does not exist: proves that the answer came from the files. */
const plainFactsOf = (directory: string) =>
  createGitFacts({ time: systemTime, budgetMs: 20_000, git: 'no-such-git' }).facts(directory);
const truthOf = (directory: string) => ({
  branch: git(directory, 'rev-parse', '--abbrev-ref', 'HEAD'),
  headSha: git(directory, 'rev-parse', 'HEAD'),
});

describe('git facts', () => {
  test.each([
    ['a loose branch', (_root: string) => {}],
    ['a branch with slashes', (root: string) => void git(root, 'switch', '-qc', 'feature/a/b')],
    ['packed refs', (root: string) => void git(root, 'pack-refs', '--all')],
    ['a detached head', (root: string) => void git(root, 'checkout', '-q', '--detach')],
  ])('agree with git for %s, without starting it', async (_name, arrange) => {
    const root = setupRepo();
    arrange(root);

    expect(await plainFactsOf(root)).toMatchObject(truthOf(root));
  });

  test('agree with git in a sha256 repository', async () => {
    const root = setupRepo('--object-format=sha256');

    expect(await plainFactsOf(root)).toMatchObject(truthOf(root));
  });

  test('agree with git in a linked worktree', async () => {
    const root = setupRepo();
    git(root, 'worktree', 'add', '-q', '-b', 'side', '../side');

    expect(await plainFactsOf(join(root, '../side'))).toMatchObject(truthOf(join(root, '../side')));
  });

  test('ask git where a branch is a name for another', async () => {
    const root = setupRepo();
    git(root, 'symbolic-ref', 'refs/heads/alias', 'refs/heads/main');
    git(root, 'symbolic-ref', 'HEAD', 'refs/heads/alias');

    expect((await plainFactsOf(root)).headSha).toBeNull();
    expect((await factsOf(root)).headSha).toBe(git(root, 'rev-parse', 'HEAD'));
  });

  test('ask git for the origin where the config includes another file', async () => {
    const root = setupRepo();
    writeFileSync(join(root, 'extra'), '[remote "origin"]\n\turl = https://x:S3cret@host/acme/repo.git\n');
    git(root, 'config', 'include.path', join(root, 'extra'));

    expect((await factsOf(root)).repoSlug).toBe('acme/repo');
  });

  test('never show the credentials of the origin (SEC-2)', async () => {
    const root = setupRepo();
    git(root, 'remote', 'add', 'origin', 'https://user:S3cret@host/acme/repo.git');

    expect(await plainFactsOf(root)).toEqual({ ...truthOf(root), repoSlug: 'acme/repo' });
  });

  test('are unknown before the first commit, outside git and for no directory', async () => {
    const empty = temporaryDirectory();
    git(empty, 'init', '-q');
    const nothing = { branch: null, headSha: null, repoSlug: null };
    const source = createGitFacts({ time: systemTime, budgetMs: 20_000 });

    expect(await source.facts(empty)).toEqual(nothing);
    expect(await source.facts(temporaryDirectory())).toEqual(nothing);
    expect(await source.facts(null)).toEqual(nothing);
  });

  test('are kept for two seconds', async () => {
    const root = setupRepo();
    let now = 0;
    const source = createGitFacts({ time: { now: () => now, after: () => () => {} }, budgetMs: 1 });
    await source.facts(root);
    git(root, 'switch', '-qc', 'later');
    now = 1_999;
    const kept = await source.facts(root);
    now = 2_000;

    expect([kept.branch, (await source.facts(root)).branch]).toEqual(['main', 'later']);
  });

  test('are unknown when git outlasts its budget', async () => {
    const root = setupRepo();
    git(root, 'symbolic-ref', 'refs/heads/alias', 'refs/heads/main');
    git(root, 'symbolic-ref', 'HEAD', 'refs/heads/alias');
    const slow = join(root, 'slow-git');
    writeFileSync(slow, '#!/bin/sh\nexec cat /dev/zero > /dev/null\n');
    chmodSync(slow, 0o755);
    const atOnce: Time = { now: () => 0, after: (_ms, action) => systemTime.after(0, action) };

    expect(await createGitFacts({ time: atOnce, budgetMs: 1, git: slow }).facts(root)).toEqual({
      branch: null,
      headSha: null,
      repoSlug: null,
    });
  });
});

describe('findProjectRoot', () => {
  test('gives the main checkout from a worktree, also with relative pointers (FR-028c)', () => {
    const root = setupRepo();
    mkdirSync(join(root, '.kittify'));
    git(root, 'worktree', 'add', '-q', '.worktrees/side');
    const side = join(root, '.worktrees/side');

    expect(findProjectRoot(side, {})).toBe(root);
    writeFileSync(join(side, '.git'), 'gitdir: ../../.git/worktrees/side\n');
    expect(findProjectRoot(side, {})).toBe(root);
  });

  test('passes a checkout without .kittify on the way to a project, and else takes it', () => {
    const root = setupRepo();
    const inner = join(root, 'vendor');
    mkdirSync(inner);
    git(inner, 'init', '-q');

    expect(findProjectRoot(inner, {})).toBe(inner);
    mkdirSync(join(root, '.kittify'));
    expect(findProjectRoot(inner, {})).toBe(root);
  });

  test('honours SPECIFY_REPO_ROOT only where there is a project', () => {
    const root = temporaryDirectory();
    const other = temporaryDirectory();
    mkdirSync(join(root, '.kittify'));

    expect(findProjectRoot(other, { SPECIFY_REPO_ROOT: root })).toBe(root);
    expect(findProjectRoot(root, { SPECIFY_REPO_ROOT: other })).toBe(root);
  });

  test('skips a dangling .kittify, a broken pointer and a home that is no project', () => {
    const root = temporaryDirectory();
    symlinkSync(join(root, 'nowhere'), join(root, '.kittify'));
    writeFileSync(join(root, '.git'), 'gitdir: /nowhere/at/all\n');
    const home = temporaryDirectory();
    mkdirSync(join(home, '.kittify'));

    expect(findProjectRoot(root, {})).toBeNull();
    expect(findProjectRoot(join(home), { HOME: home })).toBeNull();
    expect(findProjectRoot(join(root, 'missing', 'directory'), {})).toBeNull();
  });
});
