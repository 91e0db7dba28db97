/** What `agent feature finalize-tasks` promises, on real git repositories. */
import { expect, test } from 'vitest';

import { finalizeTasks } from '../../src/workflow/services/finalize-tasks.ts';
import { parseFrontmatter } from '../../src/workflow/files/frontmatter.ts';
import { createProject } from './support/workspace.ts';

const DIR = 'kitty-specs/001-demo';

function wpFile(id: string, dependencies: string): string {
  return `---\nwork_package_id: ${id}\ntitle: Package ${id}\nlane: planned\n${dependencies}---\n\n# ${id}\n`;
}

/** A feature whose tasks.md and files are given, not yet committed. */
async function createFinalizable(tasksMd: string | undefined, files: Readonly<Record<string, string>>) {
  const repo = await createProject([]);
  if (tasksMd !== undefined) repo.write(`${DIR}/tasks.md`, tasksMd);
  for (const [id, text] of Object.entries(files)) repo.write(`${DIR}/tasks/${id}-x.md`, text);
  const dependenciesOf = (id: string): unknown =>
    parseFrontmatter(id, repo.read(`${DIR}/tasks/${id}-x.md`)).get('dependencies');
  return { ...repo, dependenciesOf };
}

const SEVEN = ['A', 'B:1', 'C:1', 'D:2,3', 'E', 'F:WP05', 'G:4,6'];

test('announces one feature and seven packages for seven packages (US4-1, SC-004, FR-022)', async () => {
  const repo = await createProject(SEVEN);

  const result = await finalizeTasks(repo.deps, { cwd: repo.root });

  const drafts = repo.emitted.flatMap((batch) => batch.drafts);
  expect(drafts.map((draft) => draft.type)).toEqual([
    'FeatureCreated',
    ...Array.from({ length: 7 }, () => 'WPCreated'),
  ]);
  expect(result).toMatchObject({ events_emitted: 8, commit_created: true });
});

test('names the dependencies of every package, sorted by id (US4-2)', async () => {
  const repo = await createProject(SEVEN);

  await finalizeTasks(repo.deps, { cwd: repo.root });

  const created = repo.emitted
    .flatMap((batch) => batch.drafts)
    .flatMap((draft) => (draft.type === 'WPCreated' ? [draft.payload] : []));
  expect(created.map((payload) => [payload.wp_id, payload.dependencies])).toEqual([
    ['WP01', []],
    ['WP02', ['WP01']],
    ['WP03', ['WP01']],
    ['WP04', ['WP02', 'WP03']],
    ['WP05', []],
    ['WP06', ['WP05']],
    ['WP07', ['WP04', 'WP06']],
  ]);
  expect(created.every((payload) => payload.feature_slug === '001-demo')).toBe(true);
});

test('names the line that declares a dependency in words, and keeps what the file says', async () => {
  const repo = await createFinalizable('## WP01: A\n## WP02: B\n- Depends on all previous WPs\n', {
    WP01: wpFile('WP01', 'dependencies: []\n'),
    WP02: wpFile('WP02', 'dependencies: [WP01]\n'),
  });

  const result = await finalizeTasks(repo.deps, { cwd: repo.root });

  expect(repo.dependenciesOf('WP02')).toEqual(['WP01']);
  expect(result.warnings).toEqual([
    'In the section WP02 of tasks.md, line 3 names packages in words and was not read as a dependency; write their ids, as in: Depends on WP01, WP02.',
  ]);
});

test('gives all events of one run one causation id, and the next run another (US4-3)', async () => {
  const repo = await createProject(SEVEN);

  const first = await finalizeTasks(repo.deps, { cwd: repo.root });
  const second = await finalizeTasks(repo.deps, { cwd: repo.root, emit: true });

  const ids = repo.emitted.map((batch) => [...new Set(batch.drafts.map((draft) => draft.causationId))]);
  expect(ids).toEqual([[first.causation_id], [second.causation_id]]);
  expect(first.causation_id).not.toBe(second.causation_id);
});

test('takes slug, number, target branch and creation time from directory and meta.json (US4-4)', async () => {
  const repo = await createProject(SEVEN);
  const meta = JSON.parse(repo.read(`${DIR}/meta.json`)) as Record<string, unknown>; // written by create-feature

  await finalizeTasks(repo.deps, { cwd: repo.root });

  expect(repo.emitted[0]?.drafts[0]?.payload).toEqual({
    feature_slug: '001-demo',
    feature_number: '001',
    target_branch: 'main',
    wp_count: 7,
    created_at: meta['created_at'],
  });
});

test('uses the directory name where meta.json holds a slug without number, and the commit time without created_at', async () => {
  const repo = await createProject(['A']);
  repo.write(`${DIR}/meta.json`, '{"slug": "demo"}\n');
  repo.git('commit', '-qam', 'Old meta');

  await finalizeTasks(repo.deps, { cwd: repo.root });

  expect(repo.emitted[0]?.drafts[0]?.payload).toMatchObject({
    feature_slug: '001-demo',
    feature_number: '001',
    target_branch: 'main',
    created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
  });
  expect(JSON.parse(repo.read(`${DIR}/meta.json`))).toMatchObject({ slug: 'demo', finalized_hash: expect.any(String) });
});

test('commits tasks.md, task files and meta.json, and nothing of the user, before it emits', async () => {
  const repo = await createFinalizable('## WP01: A\nDependencies: None\n', { WP01: wpFile('WP01', '') });
  repo.write('staged.txt', 'staged');
  repo.git('add', 'staged.txt');
  repo.write('app.txt', 'changed\n');

  const result = await finalizeTasks(repo.deps, { cwd: repo.root });

  expect(result.files_committed).toEqual([`${DIR}/meta.json`, `${DIR}/tasks.md`, `${DIR}/tasks/WP01-x.md`]);
  expect(repo.status()).toBe(' M app.txt\nA  staged.txt\n');
  expect(repo.emitted[0]?.statusThen).toBe(repo.status());
});

test('emits and commits nothing on a second run, until something changes (FR-022)', async () => {
  const repo = await createProject(['A', 'B:1']);
  await finalizeTasks(repo.deps, { cwd: repo.root });
  const before = repo.commits();

  const again = await finalizeTasks(repo.deps, { cwd: repo.root });
  expect(again).toMatchObject({
    commit_created: false,
    commit_hash: null,
    events_emitted: 0,
    causation_id: null,
    updated_wp_count: 0,
  });
  expect(repo.commits()).toBe(before);

  repo.write(`${DIR}/tasks.md`, repo.read(`${DIR}/tasks.md`).replace('Depends on WP01.', 'None'));
  const changed = await finalizeTasks(repo.deps, { cwd: repo.root });
  expect(changed).toMatchObject({
    events_emitted: 3,
    updated_wp_count: 1,
    conflicts: [{ wp: 'WP02', tasks_md: [], frontmatter: ['WP01'] }],
  });
  expect(repo.emitted).toHaveLength(2);
});

test('shows everything and changes nothing with dryRun, on any branch', async () => {
  const repo = await createFinalizable('## WP01: A\n## WP02: B\nDepends on WP01\n', {
    WP01: wpFile('WP01', ''),
    WP02: wpFile('WP02', ''),
  });
  const [status, text, commits] = [repo.status(), repo.read(`${DIR}/tasks/WP02-x.md`), repo.commits()];

  const result = await finalizeTasks(repo.deps, { cwd: repo.root, dryRun: true });

  expect(result).toMatchObject({ dry_run: true, updated_wp_count: 2, commit_created: false, events_emitted: 0 });
  expect(result.work_packages[1]).toEqual({ id: 'WP02', title: 'Package WP02', dependencies: ['WP01'] });
  expect([repo.status(), repo.read(`${DIR}/tasks/WP02-x.md`), repo.commits()]).toEqual([status, text, commits]);
  expect(repo.emitted).toEqual([]);
});

test('keeps what a file declares when tasks.md says nothing, and lets an explicit "None" win', async () => {
  const deps = 'dependencies:\n- WP01 # because\n';
  const repo = await createFinalizable(
    '## WP01: A\n## WP02: B\nAfter all previous packages\n## WP03: C\nDependencies: None\n',
    {
      WP01: wpFile('WP01', 'dependencies: []\n'),
      WP02: wpFile('WP02', deps),
      WP03: wpFile('WP03', deps),
    },
  );

  const result = await finalizeTasks(repo.deps, { cwd: repo.root });

  expect(repo.read(`${DIR}/tasks/WP02-x.md`)).toBe(wpFile('WP02', deps));
  expect(repo.dependenciesOf('WP03')).toEqual([]);
  expect(result.conflicts).toEqual([{ wp: 'WP03', tasks_md: [], frontmatter: ['WP01'] }]);
});

test('turns a list that an older tool wrote as text back into a list', async () => {
  const repo = await createFinalizable(undefined, {
    WP01: wpFile('WP01', ''),
    WP02: wpFile('WP02', `dependencies: "['WP01']"\n`),
  });

  const result = await finalizeTasks(repo.deps, { cwd: repo.root });

  expect(repo.dependenciesOf('WP02')).toEqual(['WP01']);
  expect(result.warnings).toEqual([expect.stringContaining('There is no tasks.md')]);
});

test('refuses circles, showing all of them, and changes nothing', async () => {
  const repo = await createFinalizable('## WP01: A\nDepends on WP02\n## WP02: B\nDepends on WP01\n', {
    WP01: wpFile('WP01', ''),
    WP02: wpFile('WP02', ''),
  });
  const before = repo.read(`${DIR}/tasks/WP01-x.md`);

  await expect(finalizeTasks(repo.deps, { cwd: repo.root })).rejects.toMatchObject({
    code: 'dependency-cycle',
    kind: 'validation',
    message: expect.stringContaining('WP01 → WP02 → WP01'),
    details: { cycles: [['WP01', 'WP02', 'WP01']] },
  });
  expect(repo.read(`${DIR}/tasks/WP01-x.md`)).toBe(before);
  expect(repo.emitted).toEqual([]);
});

test('refuses unknown ids and waiting for itself, naming the package', async () => {
  const unknown = await createFinalizable('## WP01: A\nDepends on WP09\n', { WP01: wpFile('WP01', '') });
  const itself = await createFinalizable(undefined, { WP01: wpFile('WP01', 'dependencies: [WP01]\n') });

  await expect(finalizeTasks(unknown.deps, { cwd: unknown.root })).rejects.toMatchObject({
    code: 'dependency-invalid',
    wpId: 'WP01',
    details: { wp_id: 'WP01', errors: ['WP01 waits for WP09, which does not exist'] },
  });
  await expect(finalizeTasks(itself.deps, { cwd: itself.root })).rejects.toMatchObject({
    code: 'dependency-invalid',
    wpId: 'WP01',
  });
});

test('knows ids from files as well as from sections, and warns where one is missing', async () => {
  const repo = await createFinalizable('## WP01: A\nDepends on WP02, WP03\n## WP03: C\n', {
    WP01: wpFile('WP01', ''),
    WP02: wpFile('WP02', ''),
  });

  const result = await finalizeTasks(repo.deps, { cwd: repo.root });

  expect(result.warnings).toEqual([
    'tasks.md has a section WP03, but there is no file for it in tasks/.',
    'WP02 has a file in tasks/, but no section in tasks.md.',
  ]);
  expect(result.events_emitted).toBe(3);
});

test('leaves a file with broken YAML as it is, warns with file and line, and announces the others', async () => {
  const broken = '---\nlane: planned\ntitle: [x\nagent: y\n---\n';
  const repo = await createFinalizable(undefined, { WP01: broken, WP02: wpFile('WP02', '') });

  const result = await finalizeTasks(repo.deps, { cwd: repo.root });

  expect(result.warnings[0]).toMatch(/^WP01 is left out: kitty-specs\/001-demo\/tasks\/WP01-x\.md, line \d+:/);
  expect(repo.emitted[0]?.drafts[0]?.payload).toMatchObject({ wp_count: 1 });
  expect(repo.read(`${DIR}/tasks/WP01-x.md`)).toBe(broken);
});

test('refuses an id with two files, the old folder layout, and a feature without packages', async () => {
  const two = await createFinalizable(undefined, { WP01: wpFile('WP01', '') });
  two.write(`${DIR}/tasks/WP01-other.md`, wpFile('WP01', ''));
  const old = await createFinalizable(undefined, {});
  old.write(`${DIR}/tasks/planned/WP01-x.md`, wpFile('WP01', ''));
  const empty = await createFinalizable(undefined, {});

  await expect(finalizeTasks(two.deps, { cwd: two.root })).rejects.toMatchObject({
    code: 'wp-ambiguous',
    message: expect.stringContaining('WP01-other.md, WP01-x.md'),
  });
  await expect(finalizeTasks(old.deps, { cwd: old.root })).rejects.toMatchObject({ code: 'legacy-layout' });
  await expect(finalizeTasks(empty.deps, { cwd: empty.root })).rejects.toMatchObject({ code: 'no-work-packages' });
});

test('keeps CRLF files CRLF', async () => {
  const repo = await createFinalizable('## WP01: A\r\n## WP02: B\r\nDepends on WP01\r\n', {
    WP01: wpFile('WP01', 'dependencies: []\n').replaceAll('\n', '\r\n'),
    WP02: wpFile('WP02', 'dependencies: []\n').replaceAll('\n', '\r\n'),
  });

  await finalizeTasks(repo.deps, { cwd: repo.root });

  expect(repo.read(`${DIR}/tasks/WP02-x.md`)).toBe(wpFile('WP02', 'dependencies: [WP01]\n').replaceAll('\n', '\r\n'));
});

test('puts the files back when a hook refuses the commit, so that the next run still announces', async () => {
  const repo = await createFinalizable('## WP01: A\nDependencies: None\n', { WP01: wpFile('WP01', '') });
  const before = [repo.status(), repo.read(`${DIR}/meta.json`), repo.read(`${DIR}/tasks/WP01-x.md`)];
  repo.git('config', 'core.hooksPath', 'no-such-dir');
  repo.write('no-such-dir/pre-commit', '#!/bin/sh\nexit 1\n');
  const { chmodSync, rmSync } = await import('node:fs');
  chmodSync(`${repo.root}/no-such-dir/pre-commit`, 0o755);

  await expect(finalizeTasks(repo.deps, { cwd: repo.root })).rejects.toMatchObject({ code: 'commit-refused' });
  rmSync(`${repo.root}/no-such-dir`, { recursive: true });

  expect([repo.status(), repo.read(`${DIR}/meta.json`), repo.read(`${DIR}/tasks/WP01-x.md`)]).toEqual(before);
  expect((await finalizeTasks(repo.deps, { cwd: repo.root })).events_emitted).toBe(2);
});

test('announces on the next run what a run killed between commit and events did not get to (FR-022)', async () => {
  const repo = await createProject(['A', 'B:1']);
  const killed = { ...repo.deps, events: { emit: () => Promise.reject(new Error('killed here')) } };
  await expect(finalizeTasks(killed, { cwd: repo.root })).rejects.toThrow('killed here');
  const commits = repo.commits();

  const next = await finalizeTasks(repo.deps, { cwd: repo.root });
  const last = await finalizeTasks(repo.deps, { cwd: repo.root });

  expect([next.events_emitted, next.commit_created, last.events_emitted]).toEqual([3, false, 0]);
  expect(new Set(repo.emitted[0]?.drafts.map((draft) => draft.causationId))).toEqual(new Set([next.causation_id]));
  expect(repo.commits()).toBe(commits);
});
