/** What `agent tasks list-tasks` and `list-dependents` promise, on real git repositories. */
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { renderListDependents, renderListTasks } from '../../src/render/task-lists.ts';
import { implement } from '../../src/workflow/services/implement.ts';
import { listDependents, listTasks } from '../../src/workflow/services/list-tasks.ts';
import { createProject } from './support/workspace.ts';

test('lists the packages by id with title, lane and path, all or of one lane', async () => {
  const repo = await createProject(['CSV writer', 'Scheduling:1', 'Mail']);
  await implement(repo.deps, { cwd: repo.root, wpId: 'WP03' });

  const all = await listTasks(repo.deps, { cwd: repo.root });
  const planned = await listTasks(repo.deps, { cwd: repo.root, lane: 'pending' });
  const none = await listTasks(repo.deps, { cwd: repo.root, lane: 'done' });

  expect(all).toEqual({
    feature: '001-demo',
    tasks: [
      { work_package_id: 'WP01', title: 'CSV writer', lane: 'planned', path: repo.wpPath('WP01') },
      { work_package_id: 'WP02', title: 'Scheduling', lane: 'planned', path: repo.wpPath('WP02') },
      { work_package_id: 'WP03', title: 'Mail', lane: 'doing', path: repo.wpPath('WP03') },
    ],
    count: 3,
  });
  expect(planned.tasks.map((task) => task.work_package_id)).toEqual(['WP01', 'WP02']);
  expect(none).toMatchObject({ tasks: [], count: 0 });
  expect(renderListTasks(all)).toBe(
    'WP01  planned     CSV writer\nWP02  planned     Scheduling\nWP03  doing       Mail',
  );
  expect(renderListTasks(none)).toBe('001-demo: no work packages to list.');
});

test('says what a package waits for and what waits for it, with their lanes', async () => {
  const repo = await createProject(['A', 'B:1', 'C:2', 'D:2']);
  await implement(repo.deps, { cwd: repo.root, wpId: 'WP01' });
  repo.write(repo.wpPath('WP02'), repo.read(repo.wpPath('WP02')).replace('- WP01', '- WP09\n- WP01'));

  const result = await listDependents(repo.deps, { cwd: repo.root, wpId: 'wp2' });

  expect(result).toEqual({
    feature: '001-demo',
    wp_id: 'WP02',
    depends_on: ['WP01', 'WP09'],
    dependents: ['WP03', 'WP04'],
    lanes: { WP01: 'doing', WP02: 'planned', WP03: 'planned', WP04: 'planned', WP09: null },
  });
  expect(renderListDependents(result)).toBe(
    'WP02 waits for    WP01 (doing), WP09 (no file)\nWaiting for WP02  WP03 (planned), WP04 (planned)',
  );
  expect(renderListDependents(await listDependents(repo.deps, { cwd: repo.root, wpId: 'WP04' }))).toContain(
    'Waiting for WP04  none',
  );
});

test('both answer from a workspace with the lanes of the main checkout, and change neither branch nor file', async () => {
  const repo = await createProject(['A', 'B:1']);
  await implement(repo.deps, { cwd: repo.root, wpId: 'WP01' });
  repo.git('switch', '-q', '-c', 'elsewhere');
  const cwd = join(repo.root, '.worktrees/001-demo-WP01');
  const before = [repo.git('rev-parse', 'HEAD'), repo.status(), repo.git('-C', cwd, 'status', '--porcelain')];

  const list = await listTasks(repo.deps, { cwd });
  const dependents = await listDependents(repo.deps, { cwd, wpId: 'WP01' });

  expect(list.tasks.map(({ lane }) => lane)).toEqual(['doing', 'planned']);
  expect(dependents.dependents).toEqual(['WP02']);
  expect(repo.git('branch', '--show-current').trim()).toBe('elsewhere');
  expect([repo.git('rev-parse', 'HEAD'), repo.status(), repo.git('-C', cwd, 'status', '--porcelain')]).toEqual(before);
});

test('refuses words that are no lane, ids that are none, and packages that are not there', async () => {
  const repo = await createProject(['A']);
  const at = { cwd: repo.root };

  await expect(listTasks(repo.deps, { ...at, lane: 'later' })).rejects.toMatchObject({ code: 'lane-unknown' });
  await expect(listDependents(repo.deps, { ...at, wpId: 'T001' })).rejects.toMatchObject({ code: 'wp-id-invalid' });
  await expect(listDependents(repo.deps, { ...at, wpId: 'WP07' })).rejects.toMatchObject({ code: 'wp-not-found' });
});
