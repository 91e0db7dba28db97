/** What `merge` refuses, and that a refusal changes nothing. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { createGit } from '../../src/workflow/git/git.ts';
import { implement } from '../../src/workflow/services/implement.ts';
import { merge, resumeMerge } from '../../src/workflow/services/merge.ts';
import type { MergeInput } from '../../src/workflow/services/merge-begin.ts';
import { startedFeature, type MergeRepo } from './support/merging.ts';
import { createProject } from './support/workspace.ts';

function one(): Promise<MergeRepo> {
  return startedFeature(['Writer'], { WP01: ['writer.txt', 'w\n'] });
}

/** Runs a merge that has to be refused with these facts, and holds the repository against how it was. */
async function refused(repo: MergeRepo, facts: object, input: Partial<MergeInput> = {}): Promise<void> {
  const before = repo.snapshot();

  await expect(merge(repo.deps, { cwd: repo.root, ...input })).rejects.toMatchObject(facts);

  expect(repo.snapshot()).toEqual(before);
  expect(repo.emitted).toEqual([]);
}

test('refuses inside a workspace and names the way out', async () => {
  const repo = await one();

  await refused(
    repo,
    { code: 'in-worktree', remedy: 'cd ../.. && spec-kitty merge' },
    { cwd: join(repo.root, repo.workspace('WP01')) },
  );
});

test('refuses on another branch than the target, and names both commands', async () => {
  const repo = await one();
  repo.git('switch', '-qc', 'side');

  await refused(
    repo,
    { code: 'wrong-branch', remedy: 'git switch main && spec-kitty merge --feature 001-demo' },
    { feature: '001-demo' },
  );
});

test('refuses a named target that is not checked out, there or not', async () => {
  const repo = await one();
  repo.git('branch', 'release');

  await refused(
    repo,
    { code: 'wrong-branch', remedy: 'git switch release && spec-kitty merge --feature 001-demo' },
    { target: 'release' },
  );
  await refused(
    repo,
    { code: 'wrong-branch', remedy: 'git switch --create fresh && spec-kitty merge --feature 001-demo' },
    { target: 'fresh' },
  );
});

test('says everything that stands in the way at once, each with its command', async () => {
  const repo = await startedFeature(['A', 'B', 'C', 'D', 'E'], {
    WP01: ['a.txt', 'a\n'],
    WP02: ['b.txt', 'b\n'],
    WP03: ['c.txt', 'c\n'],
  });
  repo.write('app.txt', 'changed\n');
  repo.write(`${repo.workspace('WP01')}/draft.txt`, 'draft\n');
  rmSync(join(repo.root, repo.workspace('WP02')), { recursive: true });
  repo.git('-C', repo.workspace('WP03'), 'switch', '-qc', 'elsewhere');
  repo.setLane('WP05', 'doing');

  await refused(repo, {
    code: 'merge-not-ready',
    kind: 'validation',
    message: [
      '001-demo cannot be merged, 6 things stand in the way:',
      '  - The main checkout has changes that are not committed: app.txt.',
      '  - .worktrees/001-demo-WP01 has work that is not committed: draft.txt.',
      '  - WP02 is in doing, but has no workspace at .worktrees/001-demo-WP02.',
      '  - The workspace of WP03 is on elsewhere, not on 001-demo-WP03.',
      '  - WP04 is in planned: its work has not begun.',
      '  - WP05 is in doing, but has no workspace at .worktrees/001-demo-WP05.',
    ].join('\n'),
    details: {
      problems: [
        { code: 'checkout-dirty' },
        { code: 'workspace-dirty', wp_id: 'WP01' },
        { code: 'no-workspace', wp_id: 'WP02' },
        { code: 'workspace-elsewhere', wp_id: 'WP03' },
        { code: 'not-started', wp_id: 'WP04' },
        { code: 'no-workspace', wp_id: 'WP05' },
      ],
    },
    remedy: [
      'git stash   (git stash pop brings it back afterwards)',
      'git -C .worktrees/001-demo-WP01 add --all && git -C .worktrees/001-demo-WP01 commit --message "Work of WP01"',
      'spec-kitty implement WP02 --feature 001-demo',
      'git -C .worktrees/001-demo-WP03 switch 001-demo-WP03',
      'spec-kitty implement WP04 --feature 001-demo',
      'spec-kitty implement WP05 --feature 001-demo',
    ].join('\n'),
  });
});

test('says a single problem in one line, and names its package', async () => {
  const repo = await startedFeature(['A', 'B'], { WP01: ['a.txt', 'a\n'] });

  await refused(repo, {
    code: 'merge-not-ready',
    wpId: 'WP02',
    message: '001-demo cannot be merged, one thing stands in the way: WP02 is in planned: its work has not begun.',
  });
});

test('refuses staged files, also below .kittify, but not what only changed there', async () => {
  const repo = await one();
  repo.write('.kittify/config.yaml', `${repo.read('.kittify/config.yaml')}# mine\n`);
  repo.git('add', '.kittify/config.yaml');
  await refused(repo, { code: 'merge-not-ready', message: expect.stringContaining('.kittify/config.yaml') });
  repo.git('reset', '-q');

  await merge(repo.deps, { cwd: repo.root });

  expect(repo.status()).toBe(' M .kittify/config.yaml\n');
});

test('refuses while a merge of the person is in progress', async () => {
  const repo = await one();
  repo.git('merge', '-q', '--no-ff', '--no-commit', '001-demo-WP01');

  await refused(repo, { code: 'merge-in-progress' });
});

test('shows the way round when packages wait for each other', async () => {
  const repo = await startedFeature(['A', 'B:1'], { WP01: ['a.txt', 'a\n'], WP02: ['b.txt', 'b\n'] });
  const path = repo.wpPath('WP01');
  repo.write(path, repo.read(path).replace(/^dependencies:.*$/m, 'dependencies: [WP02]'));
  repo.git('commit', '-qam', 'A circle');

  await refused(repo, {
    code: 'dependency-cycle',
    message: 'Work packages wait for each other in a circle: WP01 → WP02 → WP01.',
    details: { cycles: [['WP01', 'WP02', 'WP01']] },
  });
});

test('refuses a feature without packages', async () => {
  const repo = await createProject([]);

  await expect(merge(repo.deps, { cwd: repo.root })).rejects.toMatchObject({ code: 'no-work-packages' });
});

test('refuses when git does not know who commits', async () => {
  const repo = await one();
  const git = createGit({
    PATH: process.env['PATH'],
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
    HOME: '/nonexistent',
  });

  await refused({ ...repo, deps: { ...repo.deps, git } }, { code: 'git-identity-missing' });
});

test('refuses to resume where no merge was begun', async () => {
  const repo = await one();

  await expect(resumeMerge(repo.deps, { cwd: repo.root })).rejects.toMatchObject({
    code: 'no-merge-begun',
    remedy: 'spec-kitty merge',
  });
});

test('refuses a state file it cannot read, to merge as to resume, and names the way out', async () => {
  const repo = await one();
  repo.write('.kittify/merge-state.json', '{"feature_slug": 1}');
  const facts = {
    code: 'merge-state-unreadable',
    message: expect.stringContaining('.kittify/merge-state.json'),
    remedy: 'spec-kitty merge --abort',
  };

  await refused(repo, facts);
  await expect(resumeMerge(repo.deps, { cwd: repo.root })).rejects.toMatchObject(facts);
});

test('lets one merge run at a time, and the second finds nothing to do', async () => {
  const repo = await one();

  const results = await Promise.all([1, 2].map(() => merge(repo.deps, { cwd: repo.root })));

  expect(results.map(({ merged }) => merged).toSorted()).toEqual([[], ['WP01']]);
  expect(repo.told()).toEqual(['WP01 doing>for_review']);
});

test('needs no workspace of a package that was merged and cleaned up', async () => {
  const repo = await startedFeature(['A', 'B'], { WP01: ['a.txt', 'a\n'] });
  repo.git('merge', '-q', '--no-ff', '-m', 'Merge WP01 from 001-demo', '001-demo-WP01');
  repo.git('worktree', 'remove', '.worktrees/001-demo-WP01');
  repo.git('branch', '-qD', '001-demo-WP01');
  repo.setLane('WP01', 'done');
  await implement(repo.deps, { cwd: repo.root, wpId: 'WP02' });
  repo.commitIn('WP02', 'b.txt', 'b\n');

  expect(await merge(repo.deps, { cwd: repo.root })).toMatchObject({ merged: ['WP02'], already_merged: ['WP01'] });
});
