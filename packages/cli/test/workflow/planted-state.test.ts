/**
 * What a file of somebody else may not make a command do that carries on what "was begun": a merge or a run of agents
 * whose state came with the repository, or was written by another hand.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

import { expect, onTestFinished, test } from 'vitest';

import { checkState } from '../../src/workflow/orchestrate/state-schema.ts';
import { readMergeState, type MergeState } from '../../src/workflow/project/merge-state.ts';
import { isBranchName, isFeatureSlug, isWpId } from '../../src/workflow/rules/names.ts';
import { abortMerge } from '../../src/workflow/services/abort-merge.ts';
import { merge, resumeMerge } from '../../src/workflow/services/merge.ts';
import { statusOfRun } from '../../src/workflow/orchestrate/orchestrate.ts';
import { createRunWorld } from './orchestrate/support/run-world.ts';
import { startedFeature } from './support/merging.ts';

const STATE = '.kittify/merge-state.json';
const RUN = '.kittify/orchestration-state.json';

/** As a merge of `001-demo` writes it that has brought WP01. */
function aState(changes: Readonly<Record<string, unknown>> = {}): string {
  const state: MergeState = {
    feature_slug: '001-demo',
    target_branch: 'main',
    strategy: 'merge',
    push: true,
    keep_branch: false,
    keep_worktree: false,
    wp_order: ['WP01'],
    skipped_wps: [],
    completed_wps: ['WP01'],
    current_wp: null,
    has_pending_conflicts: false,
    tips: { WP01: 'a'.repeat(40) },
    lanes: { WP01: 'doing' },
    brought_lanes: {},
    untold_wps: [],
    told_wps: {},
    causation_id: '01HZZZZZZZZZZZZZZZZZZZZ001',
    started_from: 'b'.repeat(40),
    started_at: '2026-03-02T14:30:00Z',
    updated_at: '2026-03-02T14:30:00Z',
  };
  return JSON.stringify({ ...state, ...changes });
}

function outside(): string {
  const folder = mkdtempSync(join(tmpdir(), 'outside-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

test('a merge state that is a file of the repository is not gone by: nothing is pushed, merged or removed', async () => {
  const repo = await startedFeature(['Writer'], { WP01: ['a.txt', 'a\n'] });
  repo.write(STATE, aState());
  repo.git('add', '--force', STATE);
  repo.git('commit', '-qm', 'Planted');
  const before = repo.snapshot();

  for (const command of [merge, resumeMerge, abortMerge])
    await expect(command(repo.deps, { cwd: repo.root })).rejects.toMatchObject({
      code: 'state-from-elsewhere',
      remedy: `git rm --quiet ${STATE} && git commit --message "Remove what belongs to one machine"`,
    });

  expect(repo.snapshot()).toEqual(before);
  expect(existsSync(join(repo.root, STATE))).toBe(true);
});

test('a commit in a merge state is no option of git: an abort writes no file with it', async () => {
  const repo = await startedFeature(['Writer'], { WP01: ['a.txt', 'a\n'] });
  const folder = outside();
  repo.write(STATE, aState({ started_from: `--output=${join(folder, 'written')}` }));

  await abortMerge(repo.deps, { cwd: repo.root });

  expect(existsSync(join(folder, 'written..HEAD'))).toBe(false);
  expect(existsSync(join(repo.root, STATE))).toBe(false);
});

test('a package in a merge state leads to no file elsewhere: a resumed merge removes none', async () => {
  const repo = await startedFeature(['Writer'], { WP01: ['a.txt', 'a\n'] });
  const folder = outside();
  const file = join(folder, 'settings.json');
  writeFileSync(file, '{}');
  // The path begins in a folder that has to be there.
  mkdirSync(join(repo.root, '.kittify/workspaces/001-demo-x'), { recursive: true });
  const way = relative(join(repo.root, '.kittify/workspaces/001-demo-x'), file).replace(/\.json$/, '');
  repo.write(STATE, aState({ push: false, wp_order: [`x/${way}`], completed_wps: [`x/${way}`], tips: {}, lanes: {} }));

  await expect(resumeMerge(repo.deps, { cwd: repo.root })).rejects.toMatchObject({ code: 'merge-state-unreadable' });

  expect(existsSync(file)).toBe(true);
});

test.for([
  ['feature_slug', '../../elsewhere'],
  ['feature_slug', '001-x;touch y'],
  ['target_branch', '--force'],
  ['target_branch', 'main\nother'],
  ['wp_order', ['WP01/../..']],
  ['current_wp', '-WP01'],
  ['tips', { WP01: '--upload-pack=touch x' }],
  ['told_wps', { WP01: 'a" b' }],
  ['causation_id', '$(touch x)'],
  ['started_from', 'HEAD; touch x'],
] as const)('a merge state is not understood with a %s of %j', ([key, value]) => {
  const root = outside();
  mkdirSync(join(root, '.kittify'));
  writeFileSync(join(root, STATE), aState());
  expect(readMergeState(root)).toMatchObject({ feature_slug: '001-demo' });

  writeFileSync(join(root, STATE), aState({ [key]: value }));

  expect(() => readMergeState(root)).toThrow('cannot be understood');
});

test('a run of agents is taken up only from a state that is not a file of the repository, and with names that lead nowhere else', async () => {
  const world = await createRunWorld(['Writer']);
  world.write(RUN, '{"version": 1}');
  world.git('add', '--force', RUN);
  world.git('commit', '-qm', 'Planted');

  await expect(statusOfRun(world.runDeps(), { cwd: world.root })).rejects.toMatchObject({
    code: 'state-from-elsewhere',
  });
  expect(checkState({ version: 1, run_id: 'x', feature_slug: '../x', started_at: '2026-03-02T14:30:00Z' })).toEqual({
    kind: 'wrong',
    where: 'feature_slug',
  });
});

test('names that lead elsewhere, or that git or a shell would take for something else, are no names', () => {
  const features = ['001-demo', '002-Old_Name', '003-über-1.2+x'];
  const notFeatures = [
    '001-',
    '1-x',
    '001-a b',
    '001-a/b',
    '001-../x',
    '001-a;b',
    '001-$(b)',
    '001-a\nb',
    '001-a..b',
    '001-a.lock',
    '001--x',
    '001-`x`',
    "001-'x",
    '001-\u202Ex',
  ];
  const branches = ['main', 'feature/x', 'a;b', 'x@y', '2.x'];
  const notBranches = [
    '',
    '-x',
    '--output=x',
    'a b',
    'a..b',
    'a~1',
    'a^',
    'a:b',
    'a?',
    '.a',
    'a/.b',
    'a.lock',
    'a/',
    '/a',
    'a//b',
    '@',
    'a@{1}',
    'a\nb',
    'a\\b',
  ];

  expect(features.filter((name) => !isFeatureSlug(name))).toEqual([]);
  expect(notFeatures.filter((name) => isFeatureSlug(name))).toEqual([]);
  expect(branches.filter((name) => !isBranchName(name))).toEqual([]);
  expect(notBranches.filter((name) => isBranchName(name))).toEqual([]);
  expect(['WP00', 'WP1', 'WP100', 'wp01', 'WP01 ', 'WP01\n', '../WP01'].filter((name) => isWpId(name))).toEqual([]);
});

test('a target that no branch can be called is refused, and a remedy is what a shell reads as one word each', async () => {
  const repo = await startedFeature(['Writer'], {});
  const meta = 'kitty-specs/001-demo/meta.json';
  const target = (name: string): void => {
    const text = JSON.stringify({ ...(JSON.parse(repo.read(meta)) as object), target_branch: name });
    repo.write(meta, text);
    repo.git('commit', '-qam', 'Target');
  };
  for (const name of ['--output=x', 'main\ntouch x', 'a..b', 'a b']) {
    target(name);
    await expect(merge(repo.deps, { cwd: repo.root }), name).rejects.toMatchObject({ code: 'meta-invalid' });
  }
  // Git takes this for a branch.
  target('x;touch${IFS}y');

  await expect(merge(repo.deps, { cwd: repo.root })).rejects.toMatchObject({
    code: 'wrong-branch',
    remedy: "git switch 'x;touch${IFS}y' && spec-kitty merge --feature 001-demo",
  });
});
