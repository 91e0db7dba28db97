/** The workflow commands as programs: words in, a real repository changed, events and answer out. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';

import { buildProgram, type Ended, type Program } from './support/program.ts';

let program: Program;

beforeAll(async () => {
  program = await buildProgram();
});

afterAll(() => program.remove());

/** A repository with one feature of two packages, the second waiting for the first. */
async function makeProject(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'spec-kitty-project-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const feature = join(root, 'kitty-specs/001-demo');
  mkdirSync(join(feature, 'tasks'), { recursive: true });
  mkdirSync(join(root, '.kittify'));
  writeFileSync(
    join(root, '.kittify/config.yaml'),
    'project:\n  uuid: 0b6f1f4e-6c2c-4c8f-9d55-0d7f3b6f2f10\n  slug: demo\n',
  );
  writeFileSync(join(root, '.gitignore'), '.worktrees/\n.kittify/workspaces/\n');
  writeFileSync(
    join(feature, 'meta.json'),
    JSON.stringify({ feature_number: '001', slug: '001-demo', target_branch: 'main' }),
  );
  writeFileSync(
    join(feature, 'tasks/WP01-first.md'),
    '---\nwork_package_id: WP01\ntitle: First\nlane: planned\ndependencies: []\n---\n# First\n\n## Activity Log\n',
  );
  writeFileSync(
    join(feature, 'tasks/WP02-second.md'),
    '---\nwork_package_id: WP02\ntitle: Second\nlane: planned\ndependencies: [WP01]\n---\n# Second\n\n## Activity Log\n',
  );
  const git = (...args: string[]): unknown => execFileSync('git', args, { cwd: root, stdio: 'ignore' });
  git('init', '-b', 'main');
  git('config', 'user.name', 'Ann Example');
  git('config', 'user.email', 'ann@example.com');
  git('add', '.');
  git('commit', '-m', 'start');
  return root;
}

function eventsOf(ended: Ended): readonly { readonly type: string; readonly payload: Record<string, unknown> }[] {
  return ended.calls
    .filter(([method]) => method === 'emitAll')
    .flatMap(([, drafts]) => drafts as { type: string; payload: Record<string, unknown> }[]);
}

test('implement claims the package for the agent that was named and tells the team once (FR-016)', async () => {
  const cwd = await makeProject();

  const ended = await program.run(['implement', 'WP01', '--agent', 'claude', '--json'], { cwd });

  expect(ended.code).toBe(0);
  expect(JSON.parse(ended.stdout)).toMatchObject({
    wp_id: 'WP01',
    branch: '001-demo-WP01',
    status: 'created',
    lane: 'doing',
    claimed: true,
    agent: 'claude',
  });
  expect(readFileSync(join(cwd, 'kitty-specs/001-demo/tasks/WP01-first.md'), 'utf8')).toMatch(/^lane: "?doing"?$/m);
  expect(eventsOf(ended)).toMatchObject([
    {
      type: 'WPStatusChanged',
      payload: {
        wp_id: 'WP01',
        previous_status: 'planned',
        new_status: 'doing',
        changed_by: 'claude',
        feature_slug: '001-demo',
      },
    },
  ]);
});

test('implement as text names workspace, lane and the way there', async () => {
  const cwd = await makeProject();

  const { stdout } = await program.run(['implement', 'WP01'], { cwd });

  expect(stdout).toContain('WP01: workspace created.');
  expect(stdout).toContain('planned -> doing, claimed by user');
  expect(stdout).toContain('Go there: cd .worktrees/001-demo-WP01');
});

test('implement of an id that cannot exist is a refusal, not a usage error, and is logged (FR-014)', async () => {
  const cwd = await makeProject();

  const ended = await program.run(['implement', 'WP99', '--json'], { cwd });

  expect(ended.code).toBe(1);
  expect(JSON.parse(ended.stdout)).toMatchObject({ error: expect.any(String), code: expect.any(String) });
  expect(eventsOf(ended)).toMatchObject([
    { type: 'ErrorLogged', payload: { error_type: 'validation', wp_id: 'WP99' } },
  ]);
  expect(JSON.stringify(ended)).not.toContain('    at ');
});

test('outside a project nothing is logged: there is no team to tell', async () => {
  const ended = await program.run(['implement', 'WP01', '--json']);

  expect(ended.code).toBe(1);
  expect(ended.calls).toEqual([]);
});

test('finalize-tasks announces the feature and its packages once, and a second run nothing (FR-022)', async () => {
  const cwd = await makeProject();

  const first = await program.run(['agent', 'feature', 'finalize-tasks', '--json'], { cwd });
  const second = await program.run(['agent', 'feature', 'finalize-tasks'], { cwd });

  expect(first.code).toBe(0);
  expect(JSON.parse(first.stdout)).toMatchObject({ result: 'success', events_emitted: 3 });
  expect(eventsOf(first).map(({ type }) => type)).toEqual(['FeatureCreated', 'WPCreated', 'WPCreated']);
  expect(eventsOf(second)).toEqual([]);
  expect(second.stdout).toContain('nothing new to announce');
});

test('tasks status shows the lanes and changes nothing', async () => {
  const cwd = await makeProject();

  const json = await program.run(['agent', 'tasks', 'status', '--json'], { cwd });
  const text = await program.run(['agent', 'tasks', 'status'], { cwd });

  expect(JSON.parse(json.stdout)).toMatchObject({
    feature: '001-demo',
    total_wps: 2,
    by_lane: { planned: 2, doing: 0 },
  });
  expect(text.stdout).toContain('WP02 Second');
  expect(text.calls).toEqual([]);
  expect(execFileSync('git', ['status', '--porcelain'], { cwd, encoding: 'utf8' })).toBe('');
});

test('sync reconcile shows what it would tell, tells it, and then has nothing to say', async () => {
  const cwd = await makeProject();
  const file = join(cwd, 'kitty-specs/001-demo/tasks/WP01-first.md');
  writeFileSync(file, readFileSync(file, 'utf8').replace('lane: planned', 'lane: for_review'));

  const dry = await program.run(['sync', 'reconcile', '--dry-run'], { cwd });
  const first = await program.run(['sync', 'reconcile'], { cwd });
  const second = await program.run(['sync', 'reconcile', '--json'], { cwd });

  expect(dry.stdout).toBe(
    '001-demo\n  New   the feature, WP01, WP02\n  WP01  planned -> for_review\nNothing was told: this was a dry run.\n',
  );
  expect(dry.calls).toEqual([]);
  expect(first.stdout).toContain('WP01  planned -> for_review\n4 events recorded.');
  expect(eventsOf(first).map(({ type }) => type)).toEqual([
    'FeatureCreated',
    'WPCreated',
    'WPCreated',
    'WPStatusChanged',
  ]);
  expect(JSON.parse(second.stdout)).toMatchObject({ result: 'success', events_emitted: 0, skipped: [] });
});

test('sync reconcile ends with 1 and says which file cannot be read (SC-011)', async () => {
  const cwd = await makeProject();
  writeFileSync(join(cwd, 'kitty-specs/001-demo/tasks/WP02-second.md'), 'no frontmatter\n');

  const ended = await program.run(['sync', 'reconcile', '--json'], { cwd });

  expect(ended.code).toBe(1);
  expect(JSON.parse(ended.stdout)).toMatchObject({
    code: 'reconcile-incomplete',
    error: expect.stringContaining('WP02-second.md'),
    failed: [{ feature: '001-demo', code: 'frontmatter-invalid' }],
    events_emitted: 2,
  });
  expect(eventsOf(ended).at(-1)).toMatchObject({
    type: 'ErrorLogged',
    payload: { error_type: 'validation', error_message: '001-demo could not be compared in full.' },
  });
});

test('an empty folder becomes a project with a claimed package by five commands, each naming the next', async () => {
  const cwd = await mkdtemp(join(tmpdir(), 'spec-kitty-project-'));
  onTestFinished(() => rm(cwd, { recursive: true, force: true }));
  const env = {
    GIT_AUTHOR_NAME: 'Ann',
    GIT_AUTHOR_EMAIL: 'a@example.com',
    GIT_COMMITTER_NAME: 'Ann',
    GIT_COMMITTER_EMAIL: 'a@example.com',
  };

  const init = await program.run(['init', '--git', '--agents', 'claude'], { cwd, env });
  const created = await program.run(['agent', 'feature', 'create-feature', 'invoice-export'], { cwd, env });
  const scaffolded = await program.run(
    ['agent', 'tasks', 'scaffold', '--wp', 'CSV writer', '--wp', 'Scheduling:WP01'],
    { cwd, env },
  );
  const finalized = await program.run(['agent', 'feature', 'finalize-tasks'], { cwd, env });
  const claimed = await program.run(['implement', 'WP01', '--json'], { cwd, env });

  for (const ended of [init, created, scaffolded, finalized, claimed])
    expect(ended).toMatchObject({ code: 0, stderr: '' });
  expect(init.stdout).toContain('Next: spec-kitty agent feature create-feature');
  expect(created.stdout).toContain('Next: spec-kitty agent tasks scaffold --feature 001-invoice-export');
  expect(scaffolded.stdout).toContain('WP02  Scheduling (after WP01)');
  expect(finalized.stdout).toContain('3 events recorded.');
  expect(JSON.parse(claimed.stdout)).toMatchObject({ wp_id: 'WP01', lane: 'doing' });
  expect(execFileSync('git', ['status', '--porcelain'], { cwd, encoding: 'utf8' })).toBe('');
});

test('scaffold wants its packages in exactly one way', async () => {
  const ended = await program.run(['agent', 'tasks', 'scaffold', '--json']);

  expect(ended.code).toBe(2);
  expect(JSON.parse(ended.stdout)).toMatchObject({ code: 'usage' });
});

test('a title cannot steer the terminal: its control characters are spelled out, in every command that prints it', async () => {
  const cwd = await makeProject();
  const evil = 'Evil\u001B]0;owned\u0007 \u001B[2J\u001B[8m\u009B31m\u202Etxt';
  const path = join(cwd, 'kitty-specs/001-demo/tasks/WP02-second.md');
  writeFileSync(path, readFileSync(path, 'utf8').replace('title: Second', `title: ${JSON.stringify(evil)}`));
  execFileSync('git', ['commit', '-qam', 'Evil'], { cwd });

  const shown = [];
  for (const words of [
    ['agent', 'feature', 'finalize-tasks'],
    ['agent', 'tasks', 'status'],
    ['agent', 'tasks', 'list-tasks'],
    ['agent', 'tasks', 'list-dependents', 'WP01'],
    ['implement', 'WP01'],
    ['agent', 'workflow', 'implement', 'WP01'],
    ['accept', '--mode', 'checklist'],
    ['agent', 'tasks', 'move-task', 'WP02', '--to', 'evil\u001B[2J'],
  ]) {
    const ended = await program.run(words, { cwd });
    shown.push(ended.stdout + ended.stderr);
  }
  const documents = [];
  for (const words of [
    ['agent', 'tasks', 'list-tasks', '--json'],
    ['agent', 'tasks', 'status', '--json'],
    ['implement', 'WP02', '--json'],
    ['agent', 'tasks', 'move-task', 'WP02', '--to', evil, '--json'],
  ]) {
    const { stdout, stderr } = await program.run(words, { cwd });
    shown.push(stdout + stderr);
    documents.push(stdout);
  }

  expect(JSON.stringify(JSON.parse(documents[0] ?? ''))).toContain(JSON.stringify(evil).slice(1, -1));
  expect(shown.filter((text) => /[^\P{Cc}\n\t]|\u202E/u.test(text))).toEqual([]);
  expect(shown[2]).toContain(String.raw`Evil\u001b]0;owned\u0007`);
});
