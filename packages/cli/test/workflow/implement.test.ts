/** What `implement` promises, on real git repositories. */
import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { parseFrontmatter } from '../../src/workflow/files/frontmatter.ts';
import { implement } from '../../src/workflow/services/implement.ts';
import { createProject } from './support/workspace.ts';

test('creates the workspace, claims it in one commit and emits planned to doing (US1-1, FR-016)', async () => {
  const repo = await createProject(['Writer', 'Reader:1']);
  const before = repo.commits();

  const result = await implement(repo.deps, { cwd: repo.root, wpId: 'wp1', agent: 'claude', shellPid: 4711 });

  expect(result).toMatchObject({
    workspace_path: '.worktrees/001-demo-WP01',
    branch: '001-demo-WP01',
    feature: '001-demo',
    wp_id: 'WP01',
    base: 'main',
    status: 'created',
    claimed: true,
  });
  expect(existsSync(join(repo.root, '.worktrees/001-demo-WP01/app.txt'))).toBe(true);
  expect(repo.commits()).toBe(before + 1);
  expect(repo.git('show', '--name-only', '--format=%s', 'HEAD').trim().split('\n').filter(Boolean)).toEqual([
    'chore: WP01 claimed for implementation',
    'kitty-specs/001-demo/meta.json',
    repo.wpPath('WP01'),
  ]);
  const file = parseFrontmatter('WP01', repo.read(repo.wpPath('WP01')));
  expect(file.get('lane')).toBe('doing');
  expect(file.get('agent')).toBe('claude');
  expect(file.get('assignee')).toBe('Ada');
  expect(file.get('shell_pid')).toBe('4711');
  expect(file.get('base_branch')).toBe('main');
  expect(file.get('base_commit')).toMatch(/^[0-9a-f]{40}$/);
  expect(file.body).toContain(
    '- 2026-03-02T14:30:00Z – claude – shell_pid=4711 – lane=doing – Started implementation\n',
  );
  expect(JSON.parse(repo.read('kitty-specs/001-demo/meta.json'))).toMatchObject({
    vcs: 'git',
    vcs_locked_at: '2026-03-02T14:30:00.000Z',
  });
  expect(repo.emitted).toHaveLength(1);
  expect(repo.emitted[0]?.drafts).toEqual([
    {
      type: 'WPStatusChanged',
      payload: {
        wp_id: 'WP01',
        previous_status: 'planned',
        new_status: 'doing',
        changed_by: 'claude',
        feature_slug: '001-demo',
      },
      causationId: null,
    },
  ]);
});

test('emits only after workspace, lane and commit are on disk (FR-016)', async () => {
  const repo = await createProject(['Writer']);

  await implement(repo.deps, { cwd: repo.root, wpId: 'WP01' });

  expect(repo.emitted[0]?.statusThen).toBe('');
  expect(repo.emitted[0]?.options.projectRoot).toBe(repo.root);
});

test('leaves the status, staged and unstaged work of the user as it was', async () => {
  const repo = await createProject(['Writer']);
  repo.write('staged.txt', 'staged');
  repo.git('add', 'staged.txt');
  repo.write('app.txt', 'changed\n');
  repo.write('new.txt', 'new');
  const before = repo.status();

  await implement(repo.deps, { cwd: repo.root, wpId: 'WP01' });

  expect(repo.status()).toBe(before);
  expect(repo.git('-C', '.worktrees/001-demo-WP01', 'status', '--porcelain')).toBe('');
});

test('keeps kitty-specs and .gitignore in the workspace as committed, without sparse checkout', async () => {
  const repo = await createProject(['Writer']);

  await implement(repo.deps, { cwd: repo.root, wpId: 'WP01' });

  expect(existsSync(join(repo.root, '.worktrees/001-demo-WP01/kitty-specs/001-demo/spec.md'))).toBe(true);
  expect(repo.read('.worktrees/001-demo-WP01/.gitignore')).toBe(repo.read('.gitignore'));
  expect(repo.git('config', '--list', '--local')).not.toContain('sparse');
});

test('answers reused on a second run and neither commits nor emits again', async () => {
  const repo = await createProject(['Writer']);
  await implement(repo.deps, { cwd: repo.root, wpId: 'WP01', agent: 'claude' });
  const before = repo.commits();

  const again = await implement(repo.deps, { cwd: repo.root, wpId: 'WP01', agent: 'codex' });

  expect(again).toMatchObject({ status: 'reused', claimed: false, lane: 'doing', agent: 'claude', base: 'main' });
  expect(repo.commits()).toBe(before);
  expect(repo.emitted).toHaveLength(1);
});

test('claims and emits on the reuse path while the lane is still planned (FR-016)', async () => {
  const repo = await createProject(['Writer']);
  repo.git('worktree', 'add', '-q', '-b', '001-demo-WP01', '.worktrees/001-demo-WP01');

  const result = await implement(repo.deps, { cwd: repo.root, wpId: 'WP01' });

  expect(result).toMatchObject({ status: 'reused', claimed: true, lane: 'doing' });
  expect(repo.emitted[0]?.drafts[0]?.payload).toMatchObject({
    previous_status: 'planned',
    new_status: 'doing',
    changed_by: 'user',
  });
});

test('takes the agent from the environment when none is given', async () => {
  const repo = await createProject(['Writer']);

  const result = await implement(repo.deps, { cwd: repo.root, wpId: 'WP01', env: { SPEC_KITTY_AGENT: 'codex' } });

  expect(result.agent).toBe('codex');
});

test('refuses on another branch, names the command, and switches nothing', async () => {
  const repo = await createProject(['Writer']);
  repo.git('switch', '-qc', 'side');

  const attempt = implement(repo.deps, { cwd: repo.root, wpId: 'WP01', feature: '001-demo' });

  await expect(attempt).rejects.toMatchObject({
    code: 'wrong-branch',
    kind: 'validation',
    wpId: 'WP01',
    agentId: 'user',
    remedy: 'git switch main && spec-kitty implement WP01 --feature 001-demo',
  });
  expect(repo.git('branch', '--show-current').trim()).toBe('side');
  expect(existsSync(join(repo.root, '.worktrees'))).toBe(false);
  expect(repo.emitted).toEqual([]);
});

test('refuses inside a workspace and names the way out', async () => {
  const repo = await createProject(['Writer']);
  await implement(repo.deps, { cwd: repo.root, wpId: 'WP01' });

  const attempt = implement(repo.deps, { cwd: join(repo.root, '.worktrees/001-demo-WP01'), wpId: 'WP01' });

  await expect(attempt).rejects.toMatchObject({ code: 'in-worktree', remedy: 'cd ../.. && spec-kitty implement WP01' });
});

test('refuses ids outside WP01 to WP99 and ids without a file', async () => {
  const repo = await createProject(['Writer']);

  await expect(implement(repo.deps, { cwd: repo.root, wpId: 'WP100' })).rejects.toMatchObject({
    code: 'wp-id-invalid',
  });
  await expect(implement(repo.deps, { cwd: repo.root, wpId: 'WP07' })).rejects.toMatchObject({
    code: 'wp-not-found',
    wpId: 'WP07',
  });
});

test('builds on the branch of the dependency that is under way', async () => {
  const repo = await createProject(['Writer', 'Reader:1']);
  await implement(repo.deps, { cwd: repo.root, wpId: 'WP01' });
  writeFileSync(join(repo.root, '.worktrees/001-demo-WP01/writer.txt'), 'w');
  repo.git('-C', '.worktrees/001-demo-WP01', 'add', '.');
  repo.git('-C', '.worktrees/001-demo-WP01', 'commit', '-qm', 'Writer');

  const result = await implement(repo.deps, { cwd: repo.root, wpId: 'WP02' });

  expect(result.base).toBe('WP01');
  expect(existsSync(join(repo.root, '.worktrees/001-demo-WP02/writer.txt'))).toBe(true);
});

test('refuses while the dependency has no work to build on', async () => {
  const repo = await createProject(['Writer', 'Reader:1']);

  await expect(implement(repo.deps, { cwd: repo.root, wpId: 'WP02' })).rejects.toMatchObject({
    code: 'base-not-started',
    remedy: 'spec-kitty implement WP01 --feature 001-demo',
  });
});

/** WP03 waits for WP01 and WP02, which both have work of their own: each the file it is told. */
async function withTwoParents(first: string, second: string) {
  const repo = await createProject(['A', 'B', 'C:1,2']);
  for (const [wpId, file] of [
    ['WP01', first],
    ['WP02', second],
  ] as const) {
    await implement(repo.deps, { cwd: repo.root, wpId });
    repo.write(`.worktrees/001-demo-${wpId}/${file}`, `${wpId}\n`);
    repo.git('-C', `.worktrees/001-demo-${wpId}`, 'add', '.');
    repo.git('-C', `.worktrees/001-demo-${wpId}`, 'commit', '-qm', `Work of ${wpId}`);
  }
  return repo;
}

test('starts a package that waits for several from all of them, and leaves no branch behind', async () => {
  const repo = await withTwoParents('a.txt', 'b.txt');
  const before = repo.git('branch', '--format=%(refname:short)').trim().split('\n');

  const result = await implement(repo.deps, { cwd: repo.root, wpId: 'WP03' });

  expect(result).toMatchObject({ base: 'WP01+WP02', status: 'created', claimed: true, warnings: [] });
  expect(existsSync(join(repo.root, result.workspace_path, 'a.txt'))).toBe(true);
  expect(existsSync(join(repo.root, result.workspace_path, 'b.txt'))).toBe(true);
  expect(repo.git('log', '-1', '--format=%s', '001-demo-WP03').trim()).toBe(
    'Merge 001-demo-WP02 into multi-parent base for WP03',
  );
  expect(parseFrontmatter('WP03', repo.read(repo.wpPath('WP03'))).get('base_commit')).toBe(
    repo.git('rev-parse', '001-demo-WP03').trim(),
  );
  expect(JSON.parse(repo.read('.kittify/workspaces/001-demo-WP03.json'))).toMatchObject({
    created_by: 'implement-command-multi-parent-merge',
  });
  expect(repo.git('branch', '--format=%(refname:short)').trim().split('\n')).toEqual(
    [...before, '001-demo-WP03'].toSorted(),
  );
  expect(repo.git('branch', '--show-current').trim()).toBe('main');
  expect(repo.status()).toBe('');
});

test('takes nothing of a package whose parents conflict: no workspace, no branch, no claim; and --base helps', async () => {
  const repo = await withTwoParents('same.txt', 'same.txt');
  const before = [repo.status(), repo.commits(), repo.git('branch', '--list')];

  await expect(implement(repo.deps, { cwd: repo.root, wpId: 'WP03' })).rejects.toMatchObject({
    code: 'base-conflict',
    wpId: 'WP03',
    details: { conflicts: ['same.txt'] },
  });
  expect([repo.status(), repo.commits(), repo.git('branch', '--list')]).toEqual(before);
  expect(existsSync(join(repo.root, '.worktrees/001-demo-WP03'))).toBe(false);
  const result = await implement(repo.deps, { cwd: repo.root, wpId: 'WP03', base: 'wp02' });

  expect(result).toMatchObject({ base: 'WP02', claimed: true, warnings: [] });
});

test('refuses a package that waits for several while one of them has not begun', async () => {
  const repo = await createProject(['A', 'B', 'C:1,2']);
  await implement(repo.deps, { cwd: repo.root, wpId: 'WP01' });

  await expect(implement(repo.deps, { cwd: repo.root, wpId: 'WP03' })).rejects.toMatchObject({
    code: 'base-not-started',
    remedy: 'spec-kitty implement WP02 --feature 001-demo',
  });
});

test('joins what the target branch holds already with what it does not', async () => {
  const repo = await withTwoParents('a.txt', 'b.txt');
  repo.git('merge', '-q', '--no-ff', '-m', 'Merge WP01 from 001-demo', '001-demo-WP01');
  const path = repo.wpPath('WP01');
  repo.write(path, parseFrontmatter(path, repo.read(path)).set('lane', 'done').text);
  repo.git('commit', '-qam', 'done');

  const result = await implement(repo.deps, { cwd: repo.root, wpId: 'WP03' });

  expect(result).toMatchObject({ base: 'WP02' });
  expect(existsSync(join(repo.root, result.workspace_path, 'a.txt'))).toBe(true);
  expect(existsSync(join(repo.root, result.workspace_path, 'b.txt'))).toBe(true);
});

test('warns when the named base is not a declared dependency', async () => {
  const repo = await createProject(['A', 'B']);
  await implement(repo.deps, { cwd: repo.root, wpId: 'WP01' });

  const result = await implement(repo.deps, { cwd: repo.root, wpId: 'WP02', base: 'WP01' });

  expect(result.warnings).toEqual(['WP01 is not among the declared dependencies of WP02.']);
});

/** WP01 with a commit of its own, and its lane set to done by hand. */
async function withDoneDependency() {
  const repo = await createProject(['Writer', 'Reader:1']);
  await implement(repo.deps, { cwd: repo.root, wpId: 'WP01' });
  writeFileSync(join(repo.root, '.worktrees/001-demo-WP01/writer.txt'), 'w');
  repo.git('-C', '.worktrees/001-demo-WP01', 'add', '.');
  repo.git('-C', '.worktrees/001-demo-WP01', 'commit', '-qm', 'Writer');
  const path = repo.wpPath('WP01');
  repo.write(path, parseFrontmatter(path, repo.read(path)).set('lane', 'done').text);
  repo.git('commit', '-qam', 'done');
  return repo;
}

test('builds on the branch of a done dependency that is not merged yet', async () => {
  const repo = await withDoneDependency();

  const result = await implement(repo.deps, { cwd: repo.root, wpId: 'WP02' });

  expect(result.base).toBe('WP01');
  expect(existsSync(join(repo.root, '.worktrees/001-demo-WP02/writer.txt'))).toBe(true);
});

test('builds on the target branch once the done dependency is merged', async () => {
  const repo = await withDoneDependency();
  repo.git('merge', '-q', '--no-ff', '001-demo-WP01', '-m', 'Merge WP01 from 001-demo');

  expect((await implement(repo.deps, { cwd: repo.root, wpId: 'WP02' })).base).toBe('main');
});

test('takes a merge commit as proof when the branch of a done dependency is deleted', async () => {
  const repo = await withDoneDependency();
  repo.git('merge', '-q', '--no-ff', '001-demo-WP01', '-m', 'Merge WP01 from 001-demo');
  repo.git('worktree', 'remove', '.worktrees/001-demo-WP01');
  repo.git('branch', '-D', '001-demo-WP01');

  expect((await implement(repo.deps, { cwd: repo.root, wpId: 'WP02' })).base).toBe('main');
});

test('refuses when a done dependency is neither merged nor has a branch, unless forced', async () => {
  const repo = await withDoneDependency();
  repo.git('worktree', 'remove', '.worktrees/001-demo-WP01');
  repo.git('branch', '-D', '001-demo-WP01');

  await expect(implement(repo.deps, { cwd: repo.root, wpId: 'WP02' })).rejects.toMatchObject({
    code: 'dependency-branch-gone',
  });
  expect((await implement(repo.deps, { cwd: repo.root, wpId: 'WP02', force: true })).base).toBe('main');
});

test('takes the workspace away again when a hook refuses the claim, and emits nothing', async () => {
  const repo = await createProject(['Writer']);
  const before = repo.read(repo.wpPath('WP01'));
  repo.write('.git/hooks/pre-commit', '#!/bin/sh\necho "no commits on Friday" >&2\nexit 1\n');
  chmodSync(join(repo.root, '.git/hooks/pre-commit'), 0o755);

  const attempt = implement(repo.deps, { cwd: repo.root, wpId: 'WP01' });

  await expect(attempt).rejects.toMatchObject({
    code: 'commit-refused',
    kind: 'runtime',
    message: expect.stringContaining('no commits on Friday'),
  });
  expect(existsSync(join(repo.root, '.worktrees/001-demo-WP01'))).toBe(false);
  expect(repo.git('branch', '--list', '001-demo-WP01')).toBe('');
  expect(existsSync(join(repo.root, '.kittify/workspaces/001-demo-WP01.json'))).toBe(false);
  expect(repo.read(repo.wpPath('WP01'))).toBe(before);
  expect(repo.status()).toBe('');
  expect(repo.emitted).toEqual([]);
});

test('keeps the branch of a workspace that was deleted by hand, with its work', async () => {
  const repo = await createProject(['Writer']);
  await implement(repo.deps, { cwd: repo.root, wpId: 'WP01' });
  writeFileSync(join(repo.root, '.worktrees/001-demo-WP01/writer.txt'), 'w');
  repo.git('-C', '.worktrees/001-demo-WP01', 'add', '.');
  repo.git('-C', '.worktrees/001-demo-WP01', 'commit', '-qm', 'Writer');
  rmSync(join(repo.root, '.worktrees/001-demo-WP01'), { recursive: true });

  const result = await implement(repo.deps, { cwd: repo.root, wpId: 'WP01' });

  expect(result).toMatchObject({ status: 'created', claimed: false, lane: 'doing' });
  expect(existsSync(join(repo.root, '.worktrees/001-demo-WP01/writer.txt'))).toBe(true);
  expect(repo.emitted).toHaveLength(1);
  expect(repo.status()).toBe('');
});

test('refuses a directory in its place that is no workspace, and leaves it alone', async () => {
  const repo = await createProject(['Writer']);
  mkdirSync(join(repo.root, '.worktrees/001-demo-WP01'), { recursive: true });
  writeFileSync(join(repo.root, '.worktrees/001-demo-WP01/mine.txt'), 'mine');

  await expect(implement(repo.deps, { cwd: repo.root, wpId: 'WP01' })).rejects.toMatchObject({
    code: 'workspace-blocked',
  });
  expect(existsSync(join(repo.root, '.worktrees/001-demo-WP01/mine.txt'))).toBe(true);
});

test('refuses during a merge, before anything is made', async () => {
  const repo = await createProject(['Writer']);
  repo.git('branch', 'side');
  repo.write('app.txt', 'two\n');
  repo.git('commit', '-qam', 'two');
  repo.git('switch', '-q', 'side');
  repo.write('other.txt', 'x\n');
  repo.git('add', '.');
  repo.git('commit', '-qm', 'other');
  repo.git('switch', '-q', 'main');
  repo.git('merge', '-q', '--no-ff', '--no-commit', 'side');

  await expect(implement(repo.deps, { cwd: repo.root, wpId: 'WP01' })).rejects.toMatchObject({
    code: 'merge-in-progress',
  });
  expect(existsSync(join(repo.root, '.worktrees/001-demo-WP01'))).toBe(false);
});

test('keeps the tree clean in a repository whose .gitignore knows nothing of workspaces', async () => {
  const repo = await createProject(['Writer']);
  repo.write('.gitignore', 'node_modules/\n');
  repo.git('commit', '-qam', 'Own rules');

  await implement(repo.deps, { cwd: repo.root, wpId: 'WP01' });

  expect(repo.status()).toBe('');
  expect(repo.read('.gitignore')).toBe('node_modules/\n');
});

test('keeps both claims when two packages are claimed at the same time', async () => {
  const repo = await createProject(['A', 'B', 'C']);

  const results = await Promise.all(
    ['WP01', 'WP02', 'WP03'].map((wpId) => implement(repo.deps, { cwd: repo.root, wpId })),
  );

  expect(results.map((result) => result.claimed)).toEqual([true, true, true]);
  expect(repo.emitted).toHaveLength(3);
  expect(repo.status()).toBe('');
});

test('claims once when one package is claimed twice at the same time', async () => {
  const repo = await createProject(['A']);

  const results = await Promise.all([1, 2].map(() => implement(repo.deps, { cwd: repo.root, wpId: 'WP01' })));

  expect(results.map((result) => result.claimed).toSorted()).toEqual([false, true]);
  expect(repo.emitted).toHaveLength(1);
});

test('says in a warning that planning files are not committed, and leaves them so', async () => {
  const repo = await createProject(['Writer']);
  repo.write('kitty-specs/001-demo/spec.md', 'changed\n');
  const before = repo.status();

  const result = await implement(repo.deps, { cwd: repo.root, wpId: 'WP01' });

  expect(result.warnings).toEqual([
    'In kitty-specs/001-demo 1 file is not committed; the workspace does not contain them.',
  ]);
  expect(repo.status()).toBe(before);
});

test('works in a feature directory with capitals and underscores', async () => {
  const repo = await createProject([]);
  repo.write('kitty-specs/002-Old_Name/meta.json', '{"feature_number": "002", "target_branch": "main"}\n');
  repo.write(
    'kitty-specs/002-Old_Name/tasks/WP01.md',
    '---\nwork_package_id: WP01\ntitle: A\nlane: "planned"\n---\n\n# A\n',
  );
  repo.git('add', '.');
  repo.git('commit', '-qm', 'Old feature');

  const result = await implement(repo.deps, { cwd: repo.root, wpId: 'WP01', feature: '002-Old_Name' });

  expect(result).toMatchObject({ branch: '002-Old_Name-WP01', claimed: true });
  expect(repo.read('kitty-specs/002-Old_Name/tasks/WP01.md')).toContain('lane: "doing"\n');
});

test('names the git commands when git does not know who commits', async () => {
  const repo = await createProject(['Writer'], {});
  const nobody = {
    ...repo.deps,
    git: (await import('../../src/workflow/git/git.ts')).createGit({
      PATH: process.env['PATH'],
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_CONFIG_NOSYSTEM: '1',
      HOME: '/nonexistent',
    }),
  };

  const attempt = implement(nobody, { cwd: repo.root, wpId: 'WP01' });

  await expect(attempt).rejects.toMatchObject({
    code: 'git-identity-missing',
    remedy: expect.stringContaining('git config --global user.name'),
  });
  expect(existsSync(join(repo.root, '.worktrees/001-demo-WP01'))).toBe(false);
});

test('forgets what a killed run did not tell once somebody else has moved the package on', async () => {
  const repo = await createProject(['Writer']);
  const killed = { ...repo.deps, events: { emit: () => Promise.reject(new Error('killed here')) } };
  await expect(implement(killed, { cwd: repo.root, wpId: 'WP01' })).rejects.toThrow('killed here');
  const path = repo.wpPath('WP01');
  const move = (lane: string) => {
    repo.write(path, parseFrontmatter(path, repo.read(path)).set('lane', lane).text);
  };

  move('for_review');
  await implement(repo.deps, { cwd: repo.root, wpId: 'WP01' });
  move('doing');
  await implement(repo.deps, { cwd: repo.root, wpId: 'WP01' });

  expect(repo.emitted).toEqual([]);
});

test('tells on the next run what a run killed between commit and event did not get to (FR-016)', async () => {
  const repo = await createProject(['Writer']);
  const killed = { ...repo.deps, events: { emit: () => Promise.reject(new Error('killed here')) } };
  await expect(implement(killed, { cwd: repo.root, wpId: 'WP01', agent: 'claude' })).rejects.toThrow('killed here');

  await implement(repo.deps, { cwd: repo.root, wpId: 'WP01' });
  await implement(repo.deps, { cwd: repo.root, wpId: 'WP01' });

  expect(repo.emitted).toHaveLength(1);
  expect(repo.emitted[0]?.drafts[0]?.payload).toMatchObject({
    previous_status: 'planned',
    new_status: 'doing',
    changed_by: 'claude',
  });
  expect(repo.status()).toBe('');
});
