/** What `create-feature` and `scaffold` promise, on real git repositories. */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { readLog } from '../../src/workflow/files/activity-log.ts';
import { createFeature } from '../../src/workflow/services/create-feature.ts';
import { parseFrontmatter } from '../../src/workflow/files/frontmatter.ts';
import { init } from '../../src/workflow/services/init.ts';
import { scaffold } from '../../src/workflow/services/scaffold.ts';
import { parseTasksMd } from '../../src/workflow/files/tasks-md.ts';
import { createProject, createRepo } from './support/workspace.ts';

test('creates a numbered feature with its facts in one commit', async () => {
  const repo = await createProject([]);

  const result = await createFeature(repo.deps, { cwd: repo.root, slug: 'invoice-export', title: 'Invoice export' });

  expect(result).toMatchObject({
    feature: '002-invoice-export',
    feature_number: '002',
    feature_dir: 'kitty-specs/002-invoice-export',
    target_branch: 'main',
  });
  expect(result.files_committed).toEqual(
    ['meta.json', 'plan.md', 'spec.md', 'tasks/.gitkeep', 'tasks/README.md'].map(
      (file) => `kitty-specs/002-invoice-export/${file}`,
    ),
  );
  expect(JSON.parse(repo.read('kitty-specs/002-invoice-export/meta.json'))).toEqual({
    feature_number: '002',
    slug: '002-invoice-export',
    friendly_name: 'Invoice export',
    mission: 'software-dev',
    source_description: 'Invoice export',
    created_at: '2026-03-02T14:30:00.000Z',
    target_branch: 'main',
  });
  expect(repo.status()).toBe('');
});

test('counts on from the highest number, also of workspaces', async () => {
  const repo = await createProject([]);
  mkdirSync(join(repo.root, '.worktrees/041-elsewhere-WP01'), { recursive: true });

  expect((await createFeature(repo.deps, { cwd: repo.root, slug: 'next' })).feature).toBe('042-next');
});

test('gives two features created at the same time two numbers', async () => {
  const repo = await createProject([]);

  const results = await Promise.all(['one', 'two'].map((slug) => createFeature(repo.deps, { cwd: repo.root, slug })));

  expect(results.map((result) => result.feature_number).toSorted()).toEqual(['002', '003']);
});

test.each(['Invoice', 'a_b', '-a', 'a--b', '004-name', 'ä', ''])(
  'refuses "%s" as a feature name and suggests another',
  async (slug) => {
    const repo = createRepo();

    await expect(createFeature(repo.deps, { cwd: repo.root, slug })).rejects.toMatchObject({
      code: 'slug-invalid',
      remedy: expect.stringMatching(/create-feature [a-z][a-z-]*$/),
    });
  },
);

test('refuses before init, and on another branch than the target', async () => {
  const repo = createRepo();
  await expect(createFeature(repo.deps, { cwd: repo.root, slug: 'x' })).rejects.toMatchObject({
    code: 'not-initialised',
    remedy: 'spec-kitty init',
  });
  await init(repo.deps, { cwd: repo.root });

  await expect(createFeature(repo.deps, { cwd: repo.root, slug: 'x', targetBranch: '2.x' })).rejects.toMatchObject({
    code: 'wrong-branch',
    remedy: 'git switch 2.x && spec-kitty agent feature create-feature x',
  });
  expect(existsSync(join(repo.root, 'kitty-specs'))).toBe(false);
});

test('scaffolds work packages that the other commands read back the same', async () => {
  const repo = await createProject([]);

  const result = await scaffold(repo.deps, {
    cwd: repo.root,
    wps: ['CSV: the writer', 'Scheduling:1', 'Überprüfung "alles":wp1,2', 'Note: see 3'],
  });

  expect(
    result.work_packages.map(({ id, title, dependencies, path }) => [id, title, dependencies, path.split('/').at(-1)]),
  ).toEqual([
    ['WP01', 'CSV: the writer', [], 'WP01-csv-the-writer.md'],
    ['WP02', 'Scheduling', ['WP01'], 'WP02-scheduling.md'],
    ['WP03', 'Überprüfung "alles"', ['WP01', 'WP02'], 'WP03-uberprufung-alles.md'],
    ['WP04', 'Note: see 3', [], 'WP04-note-see-3.md'],
  ]);
  const sections = parseTasksMd(repo.read('kitty-specs/001-demo/tasks.md')).wps;
  expect(sections.map(({ id, title, deps, subtasks }) => [id, title, deps, subtasks.map((task) => task.id)])).toEqual([
    ['WP01', 'CSV: the writer', [], ['T001']],
    ['WP02', 'Scheduling', ['WP01'], ['T002']],
    ['WP03', 'Überprüfung "alles"', ['WP01', 'WP02'], ['T003']],
    ['WP04', 'Note: see 3', [], ['T004']],
  ]);
  const file = parseFrontmatter('WP03', repo.read('kitty-specs/001-demo/tasks/WP03-uberprufung-alles.md'));
  expect([file.get('title'), file.get('lane'), file.get('dependencies')]).toEqual([
    'Überprüfung "alles"',
    'planned',
    ['WP01', 'WP02'],
  ]);
  expect(readLog(file.body)).toEqual([
    { at: '2026-03-02T14:30:00Z', agent: 'system', lane: 'planned', note: 'Prompt created.' },
  ]);
  expect(repo.status()).toBe('');
});

test('scaffolds the files for a tasks.md that is there already, without changing it', async () => {
  const repo = await createProject([]);
  const text = '## WP01: A\n- [x] T001 done\n## WP02: B\nDepends on WP01\n- [ ] T002 open\n';
  repo.write('kitty-specs/001-demo/tasks.md', text);

  const result = await scaffold(repo.deps, { cwd: join(repo.root, 'kitty-specs/001-demo'), from: 'tasks.md' });

  expect(repo.read('kitty-specs/001-demo/tasks.md')).toBe(text);
  expect(result.files_committed).toEqual([
    'kitty-specs/001-demo/tasks.md',
    'kitty-specs/001-demo/tasks/WP01-a.md',
    'kitty-specs/001-demo/tasks/WP02-b.md',
  ]);
  expect(parseFrontmatter('WP02', repo.read('kitty-specs/001-demo/tasks/WP02-b.md')).get('subtasks')).toEqual(['T002']);
  expect(repo.status()).toBe('');
});

test('never overwrites: a second run is refused and changes nothing', async () => {
  const repo = await createProject(['A']);
  const before = repo.read('kitty-specs/001-demo/tasks.md');

  await expect(scaffold(repo.deps, { cwd: repo.root, wps: ['B'] })).rejects.toMatchObject({ code: 'already-exists' });
  await expect(scaffold(repo.deps, { cwd: repo.root, from: 'kitty-specs/001-demo/tasks.md' })).rejects.toMatchObject({
    code: 'already-exists',
  });
  expect([repo.read('kitty-specs/001-demo/tasks.md'), repo.status()]).toEqual([before, '']);
});

test('refuses unknown dependencies, circles, no titles, and both sources at once', async () => {
  const repo = await createProject([]);
  const attempt = (input: { wps?: readonly string[]; from?: string }) =>
    scaffold(repo.deps, { cwd: repo.root, ...input });

  await expect(attempt({ wps: ['A:7'] })).rejects.toMatchObject({ code: 'dependency-invalid', wpId: 'WP01' });
  await expect(attempt({ wps: ['A:2', 'B:1'] })).rejects.toMatchObject({ code: 'dependency-cycle' });
  await expect(attempt({ wps: [] })).rejects.toMatchObject({ code: 'nothing-to-scaffold' });
  await expect(attempt({ wps: ['A'], from: 'tasks.md' })).rejects.toMatchObject({ code: 'nothing-to-scaffold' });
  await expect(attempt({ wps: [':1'] })).rejects.toMatchObject({ code: 'title-missing' });
  expect(repo.status()).toBe('');
});
