/** What `tasks status` shows, how features are found, and what reading never does. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { createFeature } from '../../src/workflow/services/create-feature.ts';
import { detectFeature } from '../../src/workflow/project/feature.ts';
import { implement } from '../../src/workflow/services/implement.ts';
import { renderKanban } from '../../src/render/kanban.ts';
import { findProject } from '../../src/workflow/project/project-root.ts';
import { tasksStatus, type TasksStatusResult } from '../../src/workflow/services/status.ts';
import { createProject, NOW } from './support/workspace.ts';

test('counts lanes, lists packages by id and gives the share that is done', async () => {
  const repo = await createProject(['A', 'B:1', 'C']);
  await implement(repo.deps, { cwd: repo.root, wpId: 'WP01', agent: 'claude' });
  repo.write(repo.wpPath('WP03'), repo.read(repo.wpPath('WP03')).replace('lane: planned', 'lane: done'));

  const status = await tasksStatus(repo.deps, { cwd: repo.root });

  expect(status).toMatchObject({
    feature: '001-demo',
    total_wps: 3,
    by_lane: { planned: 1, doing: 1, for_review: 0, done: 1 },
    progress_percentage: 33.3,
    stale_wps: [],
  });
  expect(status.work_packages.map(({ id, lane, agent, dependencies }) => [id, lane, agent, dependencies])).toEqual([
    ['WP01', 'doing', 'claude', []],
    ['WP02', 'planned', null, ['WP01']],
    ['WP03', 'done', null, []],
  ]);
});

test('reads on any branch, also in a workspace, and changes nothing', async () => {
  const repo = await createProject(['A']);
  await implement(repo.deps, { cwd: repo.root, wpId: 'WP01' });
  repo.git('switch', '-qc', 'side');
  const before = [repo.status(), repo.commits(), repo.git('branch', '--show-current')];

  const status = await tasksStatus(repo.deps, { cwd: join(repo.root, '.worktrees/001-demo-WP01') });

  // The lane of the main checkout, not of the workspace's older copy.
  expect(status.by_lane.doing).toBe(1);
  expect([repo.status(), repo.commits(), repo.git('branch', '--show-current')]).toEqual(before);
});

test('names packages in doing without a commit for longer than asked', async () => {
  const repo = await createProject(['A', 'B']);
  await implement(repo.deps, { cwd: repo.root, wpId: 'WP01' });
  // Its commits are made by the machine's clock; "now" is put behind them.
  const committedMs = Number(repo.git('log', '-1', '--format=%ct', '001-demo-WP01').trim()) * 1000;
  const at = (minutes: number) => ({
    ...repo.deps,
    time: { now: () => Math.max(NOW, committedMs) + minutes * 60_000, after: () => () => {} },
  });

  expect((await tasksStatus(at(9), { cwd: repo.root, staleAfterMinutes: 10 })).stale_wps).toEqual([]);
  expect((await tasksStatus(at(11), { cwd: repo.root, staleAfterMinutes: 10 })).stale_wps).toEqual(['WP01']);
});

test('refuses an unknown lane, naming the package', async () => {
  const repo = await createProject(['A']);
  repo.write(repo.wpPath('WP01'), repo.read(repo.wpPath('WP01')).replace('lane: planned', 'lane: blocked'));

  await expect(tasksStatus(repo.deps, { cwd: repo.root })).rejects.toMatchObject({
    code: 'lane-unknown',
    wpId: 'WP01',
  });
});

test('finds the feature by flag, environment, branch, directory, then by being the only one', async () => {
  const repo = await createProject(['A']);
  const detect = async (cwd: string, more: { feature?: string; env?: Record<string, string> } = {}) => {
    const place = { cwd: join(repo.root, cwd), ...more };
    return (await detectFeature(repo.deps.git, await findProject(repo.deps.git, place), place)).slug;
  };
  expect(await detect('.')).toBe('001-demo');

  await createFeature(repo.deps, { cwd: repo.root, slug: 'other' });
  await expect(detect('.')).rejects.toMatchObject({
    code: 'feature-unclear',
    message: expect.stringContaining('001-demo, 002-other'),
    remedy: expect.stringContaining('--feature'),
  });
  expect(await detect('kitty-specs/001-demo/tasks')).toBe('001-demo');
  repo.git('switch', '-qc', '002-other-WP03');
  expect(await detect('.')).toBe('002-other');
  expect(await detect('kitty-specs/001-demo')).toBe('002-other');
  expect(await detect('.', { env: { SPECIFY_FEATURE: '001-demo' } })).toBe('001-demo');
  expect(await detect('.', { feature: ' 002-other ', env: { SPECIFY_FEATURE: '001-demo' } })).toBe('002-other');
  await expect(detect('.', { feature: '009-none' })).rejects.toMatchObject({
    code: 'feature-not-found',
    message: expect.stringContaining('001-demo, 002-other'),
  });
});

test('takes the branch of the workspace before that of the main checkout, and skips one that names no feature', async () => {
  const repo = await createProject(['A']);
  await implement(repo.deps, { cwd: repo.root, wpId: 'WP01' });
  await createFeature(repo.deps, { cwd: repo.root, slug: 'other' });
  repo.git('switch', '-qc', '002-other');
  const status = await tasksStatus(repo.deps, { cwd: join(repo.root, '.worktrees/001-demo-WP01') });
  expect(status.feature).toBe('001-demo');

  repo.git('switch', '-qc', '077-gone');
  expect((await tasksStatus(repo.deps, { cwd: join(repo.root, 'kitty-specs/002-other') })).feature).toBe('002-other');
});

test('finds the main checkout from a workspace, a subdirectory, and through SPECIFY_REPO_ROOT', async () => {
  const repo = await createProject(['A']);
  await implement(repo.deps, { cwd: repo.root, wpId: 'WP01' });
  mkdirSync(join(repo.root, '.worktrees/001-demo-WP01/deep'));
  const from = async (cwd: string, env: Record<string, string> = {}) => findProject(repo.deps.git, { cwd, env });

  expect(await from(join(repo.root, '.worktrees/001-demo-WP01/deep'))).toMatchObject({
    root: repo.root,
    inWorktree: true,
  });
  expect(await from(join(repo.root, 'kitty-specs'))).toMatchObject({ root: repo.root, inWorktree: false });
  expect(await from('/', { SPECIFY_REPO_ROOT: repo.root })).toMatchObject({ root: repo.root });
  await expect(from('/')).rejects.toMatchObject({ code: 'not-a-repository' });
});

const BOARD: TasksStatusResult = {
  feature: '001-demo',
  total_wps: 3,
  by_lane: { planned: 1, doing: 1, for_review: 0, done: 1 },
  work_packages: [
    {
      id: 'WP01',
      title: 'A very long title that does not fit',
      lane: 'doing',
      dependencies: [],
      agent: 'claude',
      assignee: null,
      path: 'x',
    },
    {
      id: 'WP02',
      title: '請求書の書き出し✅',
      lane: 'planned',
      dependencies: ['WP01'],
      agent: null,
      assignee: null,
      path: 'x',
    },
    {
      id: 'WP03',
      title: 'Bell\u0007\u001b[31m',
      lane: 'done',
      dependencies: [],
      agent: null,
      assignee: null,
      path: 'x',
    },
  ],
  progress_percentage: 33.3,
  stale_wps: [],
};

test('draws the board in columns that fit the width', () => {
  expect(renderKanban(BOARD, 80)).toBe(
    [
      '001-demo  1 of 3 done (33.3 %)',
      '',
      'Planned (1)         Doing (1)           For review (0)      Done (1)',
      '──────────────────  ──────────────────  ──────────────────  ──────────────────',
      'WP02 請求書の書き…  WP01 A very long …                      WP03 Bell  [31m',
      '     after WP01          claude',
    ].join('\n'),
  );
});

test('puts the lanes below each other where columns would be too narrow', () => {
  expect(renderKanban(BOARD, 30).split('\n').slice(2)).toEqual([
    'Planned (1)',
    '  WP02 請求書の書き出し✅',
    '       after WP01',
    'Doing (1)',
    '  WP01 A very long title that…',
    '       claude',
    'For review (0)',
    'Done (1)',
    '  WP03 Bell  [31m',
  ]);
});
