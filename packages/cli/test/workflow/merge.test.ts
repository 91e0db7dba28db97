/** What a merge that goes well does, on real git repositories. */
import { expect, test } from 'vitest';

import { implement } from '../../src/workflow/services/implement.ts';
import { merge } from '../../src/workflow/services/merge.ts';
import { startedFeature } from './support/merging.ts';

const DIAMOND = ['Base', 'Left:1', 'Right:1', 'Top:2,3'];

function diamond() {
  return startedFeature(DIAMOND, {
    WP01: ['base.txt', 'b\n'],
    WP02: ['left.txt', 'l\n'],
    WP03: ['right.txt', 'r\n'],
    WP04: ['top.txt', 't\n'],
  });
}

test('merges a package, moves it from doing to for_review in one commit, and emits that (FR-017, SC-002, US3-3)', async () => {
  const repo = await startedFeature(['Writer'], { WP01: ['writer.txt', 'w\n'] });
  const before = repo.head();

  const result = await merge(repo.deps, { cwd: repo.root });

  expect(result).toMatchObject({
    result: 'success',
    feature: '001-demo',
    target_branch: 'main',
    strategy: 'merge',
    order: ['WP01'],
    merged: ['WP01'],
    already_merged: [],
    moved: [{ wp_id: 'WP01', from: 'doing', to: 'for_review', commit_hash: repo.head() }],
    pushed: false,
    removed_worktrees: ['.worktrees/001-demo-WP01'],
    deleted_branches: ['001-demo-WP01'],
    warnings: [],
    events_emitted: 1,
    causation_id: expect.stringMatching(/^01HZ/),
  });
  expect(repo.subjects(before)).toEqual([
    'Merge WP01 from 001-demo',
    'chore: Move WP01 to for_review on spec 001 [merge]',
  ]);
  expect(repo.git('show', '--name-only', '--format=', 'HEAD').trim()).toBe(repo.wpPath('WP01'));
  expect(repo.lane('WP01')).toBe('for_review');
  expect(repo.read(repo.wpPath('WP01'))).toContain('lane=for_review – Merged into main\n');
  expect(repo.emitted.map(({ drafts }) => drafts)).toEqual([
    [
      {
        type: 'WPStatusChanged',
        payload: {
          wp_id: 'WP01',
          previous_status: 'doing',
          new_status: 'for_review',
          changed_by: 'user',
          feature_slug: '001-demo',
        },
        causationId: result.causation_id,
      },
    ],
  ]);
  expect(repo.emitted[0]?.statusThen).toBe('');
});

test('merges a diamond in dependency order, tells every dependent, all under one causation id (FR-017)', async () => {
  const repo = await diamond();
  const before = repo.head();

  const result = await merge(repo.deps, { cwd: repo.root });

  expect(result.order).toEqual(['WP01', 'WP02', 'WP03', 'WP04']);
  expect(repo.subjects(before)).toEqual([
    ...['WP01', 'WP02', 'WP03', 'WP04'].map((id) => `Merge ${id} from 001-demo`),
    ...['WP01', 'WP02', 'WP03', 'WP04'].map((id) => `chore: Move ${id} to for_review on spec 001 [merge]`),
  ]);
  expect(repo.told()).toEqual([
    'WP01 doing>for_review',
    'WP02 freed by WP01 (merged)',
    'WP03 freed by WP01 (merged)',
    'WP02 doing>for_review',
    'WP04 freed by WP02 (merged)',
    'WP03 doing>for_review',
    'WP04 freed by WP03 (merged)',
    'WP04 doing>for_review',
  ]);
  const causes = new Set(repo.emitted.flatMap(({ drafts }) => drafts.map(({ causationId }) => causationId)));
  expect([...causes]).toEqual([result.causation_id]);
  expect(result.events_emitted).toBe(8);
  for (const file of ['base.txt', 'left.txt', 'right.txt', 'top.txt']) expect(repo.has(file)).toBe(true);
});

test('orders by what packages wait for, not by their names', async () => {
  const repo = await startedFeature(['Late:2', 'Early'], { WP02: ['early.txt', 'e\n'], WP01: ['late.txt', 'l\n'] });

  expect(await merge(repo.deps, { cwd: repo.root })).toMatchObject({
    order: ['WP02', 'WP01'],
    merged: ['WP02', 'WP01'],
  });
});

test('leaves git status, the branch and every untracked file as they were, and takes workspaces, branches and context files away', async () => {
  const repo = await startedFeature(['Writer'], { WP01: ['writer.txt', 'w\n'] });
  repo.write('mine.txt', 'mine\n');
  const before = repo.status();

  await merge(repo.deps, { cwd: repo.root });

  expect(repo.status()).toBe(before);
  expect(repo.branches()).toEqual(['main']);
  expect(repo.git('worktree', 'list').trim().split('\n')).toHaveLength(1);
  expect(repo.has('.kittify/workspaces/001-demo-WP01.json')).toBe(false);
  expect(repo.has('.kittify/merge-state.json')).toBe(false);
});

test('emits no status event for packages in for_review or done, and frees who waits for them', async () => {
  const repo = await startedFeature(['A', 'B', 'C:1,2'], {
    WP01: ['a.txt', 'a\n'],
    WP02: ['b.txt', 'b\n'],
    WP03: ['c.txt', 'c\n'],
  });
  repo.setLane('WP01', 'for_review');
  repo.setLane('WP02', 'done');

  const result = await merge(repo.deps, { cwd: repo.root });

  expect(repo.told()).toEqual(['WP03 freed by WP01 (merged)', 'WP03 freed by WP02 (merged)', 'WP03 doing>for_review']);
  expect(result.moved.map(({ wp_id: id }) => id)).toEqual(['WP03']);
  expect([repo.lane('WP01'), repo.lane('WP02')]).toEqual(['for_review', 'done']);
});

test('squashes each package into one commit of the same subject, and deletes its branch (FR-017)', async () => {
  const repo = await startedFeature(['A', 'B'], { WP01: ['a.txt', 'a\n'], WP02: ['b.txt', 'b\n'] });
  repo.commitIn('WP01', 'more.txt', 'more\n');
  const before = repo.head();

  const result = await merge(repo.deps, { cwd: repo.root, strategy: 'squash' });

  expect(repo.subjects(before).slice(0, 2)).toEqual(['Merge WP01 from 001-demo', 'Merge WP02 from 001-demo']);
  expect(repo.git('log', '--merges', '--format=%s', `${before}..HEAD`)).toBe('');
  expect(result).toMatchObject({ strategy: 'squash', merged: ['WP01', 'WP02'], warnings: [] });
  expect(repo.branches()).toEqual(['main']);
  expect(repo.told()).toEqual(['WP01 doing>for_review', 'WP02 doing>for_review']);
  expect(repo.status()).toBe('');
});

test('squashes also where the user has told git never to fast-forward', async () => {
  const repo = await startedFeature(['A'], { WP01: ['a.txt', 'a\n'] });
  repo.git('config', 'merge.ff', 'false');

  expect(await merge(repo.deps, { cwd: repo.root, strategy: 'squash' })).toMatchObject({ merged: ['WP01'] });
});

test('counts a squash with nothing in it as merged, and leaves no message for the next commit', async () => {
  const repo = await startedFeature(['A', 'B'], { WP01: ['a.txt', 'a\n'], WP02: ['a.txt', 'a\n'] });
  for (const id of ['WP01', 'WP02']) repo.setLane(id, 'for_review');

  const result = await merge(repo.deps, { cwd: repo.root, strategy: 'squash' });

  expect(result.merged).toEqual(['WP01', 'WP02']);
  expect(repo.branches()).toEqual(['main']);
  expect(repo.has('.git/SQUASH_MSG')).toBe(false);
});

test('keeps branches, or workspaces with their branches, where that is asked for', async () => {
  const repo = await startedFeature(['A'], { WP01: ['a.txt', 'a\n'] });

  const first = await merge(repo.deps, { cwd: repo.root, keepWorktree: true });
  expect(first).toMatchObject({ removed_worktrees: [], deleted_branches: [], warnings: [] });
  expect(repo.has('.kittify/workspaces/001-demo-WP01.json')).toBe(true);
  const second = await merge(repo.deps, { cwd: repo.root, keepBranch: true });

  expect(second).toMatchObject({ removed_worktrees: ['.worktrees/001-demo-WP01'], deleted_branches: [] });
  expect(repo.branches()).toEqual(['001-demo-WP01', 'main']);
});

test('skips what is merged already, cleans it up, and tells nothing twice', async () => {
  const repo = await startedFeature(['A', 'B'], { WP01: ['a.txt', 'a\n'], WP02: ['b.txt', 'b\n'] });
  await merge(repo.deps, { cwd: repo.root, keepWorktree: true });
  repo.emitted.length = 0;
  const before = repo.head();

  const again = await merge(repo.deps, { cwd: repo.root });

  expect(again).toMatchObject({
    merged: [],
    already_merged: ['WP01', 'WP02'],
    moved: [],
    deleted_branches: ['001-demo-WP01', '001-demo-WP02'],
    events_emitted: 0,
    causation_id: null,
  });
  expect(repo.head()).toBe(before);
  expect(await merge(repo.deps, { cwd: repo.root })).toMatchObject({ merged: [], already_merged: ['WP01', 'WP02'] });
  expect(repo.emitted).toEqual([]);
});

test('knows a squashed branch again while it is as it was, and merges what was added to it', async () => {
  const repo = await startedFeature(['A'], { WP01: ['a.txt', 'a\n'] });
  await merge(repo.deps, { cwd: repo.root, strategy: 'squash', keepWorktree: true });

  const same = await merge(repo.deps, { cwd: repo.root, strategy: 'squash', keepWorktree: true });
  repo.commitIn('WP01', 'more.txt', 'more\n');
  const more = await merge(repo.deps, { cwd: repo.root, strategy: 'squash' });

  expect(same).toMatchObject({ merged: [], already_merged: ['WP01'] });
  expect(more).toMatchObject({ merged: ['WP01'], deleted_branches: ['001-demo-WP01'] });
  expect(repo.has('more.txt')).toBe(true);
});

test('moves a package on that was merged by hand while it was in doing, and frees who waits for it', async () => {
  const repo = await startedFeature(['A', 'B:1'], { WP01: ['a.txt', 'a\n'], WP02: ['b.txt', 'b\n'] });
  repo.git('merge', '-q', '--no-ff', '-m', 'By hand', '001-demo-WP01');

  const result = await merge(repo.deps, { cwd: repo.root });

  expect(result).toMatchObject({ merged: ['WP02'], already_merged: ['WP01'], warnings: [] });
  expect(repo.told()).toEqual(['WP01 doing>for_review', 'WP02 freed by WP01 (merged)', 'WP02 doing>for_review']);
  expect(repo.branches()).toEqual(['main']);
});

test('warns of a package in doing that brings no commit of its own', async () => {
  const repo = await startedFeature(['A', 'B'], { WP01: ['a.txt', 'a\n'] });
  await implement(repo.deps, { cwd: repo.root, wpId: 'WP02' });

  const result = await merge(repo.deps, { cwd: repo.root });

  expect(result.warnings).toEqual(['WP02 has no commit of its own; there was nothing to merge.']);
  expect(repo.lane('WP02')).toBe('for_review');
  expect(await merge(repo.deps, { cwd: repo.root })).toMatchObject({ already_merged: ['WP01', 'WP02'], warnings: [] });
});

test('tells of a lane that was written in the workspace and came in with the merge, once (FR-017)', async () => {
  const repo = await startedFeature(['A', 'B:1'], { WP01: ['a.txt', 'a\n'], WP02: ['b.txt', 'b\n'] });
  repo.git('-C', repo.workspace('WP01'), 'merge', '-q', '--no-edit', 'main');
  const path = repo.wpPath('WP01');
  repo.commitIn('WP01', path, repo.read(path).replace(/^lane: .*$/m, 'lane: for_review'));

  const result = await merge(repo.deps, { cwd: repo.root, keepWorktree: true });
  await merge(repo.deps, { cwd: repo.root });

  expect(result.moved).toMatchObject([
    { wp_id: 'WP01', from: 'doing', to: 'for_review', commit_hash: null },
    { wp_id: 'WP02', from: 'doing', to: 'for_review' },
  ]);
  expect(repo.told()).toEqual(['WP01 doing>for_review', 'WP02 freed by WP01 (merged)', 'WP02 doing>for_review']);
  expect(repo.status()).toBe('');
});

test('merges into another branch when it is named and checked out', async () => {
  const repo = await startedFeature(['A'], { WP01: ['a.txt', 'a\n'] });
  repo.git('switch', '-qc', 'release');

  const result = await merge(repo.deps, { cwd: repo.root, target: 'release', feature: '001-demo' });

  expect(result.target_branch).toBe('release');
  expect(repo.git('log', '--format=%s', 'main..release')).toContain('Merge WP01 from 001-demo');
  expect(repo.read(repo.wpPath('WP01'))).toContain('– Merged into release\n');
});

test('names the agent that merges, in log and event', async () => {
  const repo = await startedFeature(['A'], { WP01: ['a.txt', 'a\n'] });

  await merge(repo.deps, { cwd: repo.root, env: { SPEC_KITTY_AGENT: 'codex' } });

  expect(repo.read(repo.wpPath('WP01'))).toContain('– codex – lane=for_review – Merged into main');
  expect(repo.emitted[0]?.drafts[0]?.payload).toMatchObject({ changed_by: 'codex' });
});

test('keeps a workspace that git does not remove, and its branch, with a warning', async () => {
  const repo = await startedFeature(['A'], { WP01: ['a.txt', 'a\n'] });
  repo.git('worktree', 'lock', '.worktrees/001-demo-WP01');

  const result = await merge(repo.deps, { cwd: repo.root });

  expect(result.warnings).toEqual([expect.stringContaining('.worktrees/001-demo-WP01 stays: ')]);
  expect(JSON.stringify(result)).not.toContain(repo.root);
  expect(repo.branches()).toEqual(['001-demo-WP01', 'main']);
  expect(repo.has('.kittify/merge-state.json')).toBe(false);
});

for (const strategy of ['merge', 'squash'] as const) {
  test(`keeps a branch that got another commit while it was merged (${strategy})`, async () => {
    const repo = await startedFeature(['A'], { WP01: ['a.txt', 'a\n'] });
    const progress = (step: string): void => {
      if (step.startsWith('Removing')) repo.commitIn('WP01', 'late.txt', 'late\n');
    };

    const result = await merge({ ...repo.deps, progress }, { cwd: repo.root, strategy });

    expect(result.warnings).toEqual(['001-demo-WP01 stays: it has commits that main has not.']);
    expect(repo.git('show', '001-demo-WP01:late.txt')).toBe('late\n');
  });
}

test('says each step that takes time', async () => {
  const repo = await startedFeature(['A', 'B'], { WP01: ['a.txt', 'a\n'], WP02: ['b.txt', 'b\n'] });
  const steps: string[] = [];

  await merge({ ...repo.deps, progress: (step) => steps.push(step) }, { cwd: repo.root });

  expect(steps).toEqual([
    'Merging WP01 (1 of 2)',
    'Merging WP02 (2 of 2)',
    'Moving WP01 to for_review',
    'Moving WP02 to for_review',
    'Removing workspaces and branches',
  ]);
});

test('keeps its state file out of git status where .gitignore knows nothing of it', async () => {
  const repo = await startedFeature(['A'], { WP01: ['a.txt', 'a\n'] });
  repo.write('.gitignore', '.worktrees/\n.kittify/workspaces/\n');
  repo.git('commit', '-qam', 'Own rules');
  let during = 'never asked';
  const progress = (step: string): void => {
    if (step.startsWith('Merging')) during = repo.status();
  };

  await merge({ ...repo.deps, progress }, { cwd: repo.root });

  expect(during).toBe('');
  expect(repo.status()).toBe('');
});
