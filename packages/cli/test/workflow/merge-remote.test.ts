/** Merges with a remote: pushed, refused, behind, out of reach. The remotes are real bare repositories. */
import { chmodSync, mkdtempSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, onTestFinished, test } from 'vitest';

import { merge, resumeMerge } from '../../src/workflow/services/merge.ts';
import { startedFeature } from './support/merging.ts';

/** One package with work, and `origin` as upstream of main. */
async function withRemote() {
  const repo = await startedFeature(['A', 'B:1'], { WP01: ['a.txt', 'a\n'], WP02: ['b.txt', 'b\n'] });
  const remote = realpathSync(mkdtempSync(join(tmpdir(), 'remote-')));
  onTestFinished(() => {
    rmSync(remote, { recursive: true, force: true });
  });
  repo.git('init', '-q', '--bare', '-b', 'main', remote);
  repo.git('remote', 'add', 'origin', remote);
  repo.git('push', '-q', '--set-upstream', 'origin', 'main');
  return {
    ...repo,
    remote,
    remoteHead: (): string => repo.git('-C', remote, 'rev-parse', 'main').trim(),
    refuse(text: string): void {
      writeFileSync(join(remote, 'hooks/pre-receive'), `#!/bin/sh\necho "${text}" >&2\nexit 1\n`);
      chmodSync(join(remote, 'hooks/pre-receive'), 0o755);
    },
    accept(): void {
      rmSync(join(remote, 'hooks/pre-receive'));
    },
    /** Somebody else pushes a commit; main does not know it. */
    someoneElsePushes(): void {
      const there = join(remote, 'theirs');
      repo.git('worktree', 'add', '-q', '--detach', there, 'main');
      repo.git('-C', there, 'commit', '-q', '--allow-empty', '-m', 'Theirs');
      repo.git('-C', there, 'push', '-q', remote, 'HEAD:main');
      repo.git('worktree', 'remove', there);
    },
  };
}

test('pushes the target branch with everything in it when asked to', async () => {
  const repo = await withRemote();

  const result = await merge(repo.deps, { cwd: repo.root, push: true });

  expect(result).toMatchObject({ pushed: true, warnings: [] });
  expect(repo.remoteHead()).toBe(repo.head());
  expect(repo.git('status', '--short', '--branch')).toBe('## main...origin/main\n');
});

test('does not push unless asked to', async () => {
  const repo = await withRemote();
  const before = repo.remoteHead();

  expect(await merge(repo.deps, { cwd: repo.root })).toMatchObject({ pushed: false });

  expect(repo.remoteHead()).toBe(before);
});

test('pushes a target without upstream to the branch of its name on origin', async () => {
  const repo = await withRemote();
  repo.git('branch', '-q', '--unset-upstream', 'main');

  await merge(repo.deps, { cwd: repo.root, push: true });

  expect(repo.remoteHead()).toBe(repo.head());
});

test('pushes to the upstream of the target where that has another name', async () => {
  const repo = await withRemote();
  repo.git('push', '-q', '--set-upstream', 'origin', 'main:trunk');

  await merge(repo.deps, { cwd: repo.root, push: true });

  expect(repo.git('-C', repo.remote, 'rev-parse', 'trunk').trim()).toBe(repo.head());
});

test('keeps workspaces, branches and state when the push is refused, and resumes with the push, telling nothing twice', async () => {
  const repo = await withRemote();
  repo.refuse('closed for today');

  await expect(merge(repo.deps, { cwd: repo.root, push: true })).rejects.toMatchObject({
    code: 'push-failed',
    kind: 'runtime',
    message: expect.stringContaining('closed for today'),
    remedy: 'spec-kitty merge --resume',
  });
  expect(repo.branches()).toHaveLength(3);
  expect(repo.has('.worktrees/001-demo-WP01/a.txt')).toBe(true);
  expect(repo.state()).toMatchObject({ push: true, completed_wps: ['WP01', 'WP02'], untold_wps: [] });
  expect(repo.told()).toHaveLength(3);
  repo.accept();

  const result = await resumeMerge(repo.deps, { cwd: repo.root });

  expect(result).toMatchObject({ merged: ['WP01', 'WP02'], moved: [], pushed: true, events_emitted: 0 });
  expect(repo.remoteHead()).toBe(repo.head());
  expect(repo.branches()).toEqual(['main']);
  expect(repo.told()).toHaveLength(3);
});

test('names the pull when somebody else pushed in between, and that leads through', async () => {
  const repo = await withRemote();
  repo.refuse('not yet');
  await expect(merge(repo.deps, { cwd: repo.root, push: true })).rejects.toMatchObject({ code: 'push-failed' });
  repo.accept();
  repo.someoneElsePushes();

  await expect(resumeMerge(repo.deps, { cwd: repo.root })).rejects.toMatchObject({
    code: 'push-failed',
    remedy: 'git pull --no-rebase --no-edit origin main && spec-kitty merge --resume',
  });
  repo.git('pull', '-q', '--no-rebase', '--no-edit', 'origin', 'main');

  expect(await resumeMerge(repo.deps, { cwd: repo.root })).toMatchObject({ pushed: true });
});

test('refuses a target that is behind its upstream, which it asks; the printed command helps', async () => {
  const repo = await withRemote();
  repo.someoneElsePushes();
  const before = [repo.status(), repo.head(), repo.branches()];

  await expect(merge(repo.deps, { cwd: repo.root })).rejects.toMatchObject({
    code: 'merge-not-ready',
    message: expect.stringContaining('main is 1 commit behind origin/main.'),
    details: { problems: [{ code: 'behind-upstream' }] },
    remedy: 'git merge --no-edit origin/main',
  });
  expect([repo.status(), repo.head(), repo.branches()]).toEqual(before);
  repo.git('merge', '-q', '--no-edit', 'origin/main');

  expect(await merge(repo.deps, { cwd: repo.root })).toMatchObject({ merged: ['WP01', 'WP02'] });
});

test('goes by the last known state with a warning when the remote cannot be reached', async () => {
  const repo = await withRemote();
  repo.git('remote', 'set-url', 'origin', join(repo.root, 'no/such/place'));

  const result = await merge(repo.deps, { cwd: repo.root });

  expect(result.merged).toEqual(['WP01', 'WP02']);
  expect(result.warnings).toEqual(['origin cannot be reached; the last known state of origin/main counts.']);
});

test('counts what is known of a remote that cannot be reached', async () => {
  const repo = await withRemote();
  repo.someoneElsePushes();
  repo.git('fetch', '-q');
  renameSync(repo.remote, `${repo.remote}.away`);
  onTestFinished(() => {
    rmSync(`${repo.remote}.away`, { recursive: true, force: true });
  });

  await expect(merge(repo.deps, { cwd: repo.root })).rejects.toMatchObject({
    code: 'merge-not-ready',
    message: expect.stringContaining('behind origin/main'),
  });
});

test('gives the remote a limited time, for questions as for the push', async () => {
  const repo = await withRemote();
  const limits: Record<string, number | undefined> = {};
  const git = {
    ...repo.deps.git,
    run: (cwd: string, args: readonly string[], options?: { readonly limitMs?: number }) => {
      if (args[0] === 'fetch' || args[0] === 'push') limits[args[0]] = options?.limitMs;
      return repo.deps.git.run(cwd, args, options);
    },
  };

  await merge({ ...repo.deps, git }, { cwd: repo.root, push: true });

  expect(limits).toEqual({ fetch: 15_000, push: 120_000 });
});

test('asks no remote about a target without upstream', async () => {
  const repo = await startedFeature(['A'], { WP01: ['a.txt', 'a\n'] });
  repo.git('remote', 'add', 'origin', join(repo.root, 'no/such/place'));

  expect(await merge(repo.deps, { cwd: repo.root })).toMatchObject({ merged: ['WP01'], warnings: [] });
});

test('refuses to promise a push where there is no remote', async () => {
  const repo = await startedFeature(['A'], { WP01: ['a.txt', 'a\n'] });

  await expect(merge(repo.deps, { cwd: repo.root, push: true })).rejects.toMatchObject({
    code: 'merge-not-ready',
    details: { problems: [{ code: 'no-remote' }] },
    remedy: 'git remote add origin URL',
  });
  expect(repo.has('.kittify/merge-state.json')).toBe(false);
});
