/** `merge` as a program: words in, a real repository merged, events and answer out. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
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

interface Project {
  readonly cwd: string;
  git(...args: readonly string[]): string;
}

/** A feature of packages in doing, each with a file of its own in its workspace. */
async function makeProject(files: Readonly<Record<string, readonly [string, string]>>): Promise<Project> {
  const cwd = await mkdtemp(join(tmpdir(), 'spec-kitty-merge-'));
  onTestFinished(() => rm(cwd, { recursive: true, force: true }));
  const git = (...args: readonly string[]): string =>
    execFileSync('git', args, { cwd, encoding: 'utf8', stdio: 'pipe' });
  const write = (path: string, text: string): void => {
    mkdirSync(join(cwd, path, '..'), { recursive: true });
    writeFileSync(join(cwd, path), text);
  };
  write('.kittify/config.yaml', 'project:\n  uuid: 0b6f1f4e-6c2c-4c8f-9d55-0d7f3b6f2f10\n  slug: demo\n');
  write('.gitignore', '.worktrees/\n.kittify/*-state.json*\n');
  write('kitty-specs/001-demo/meta.json', JSON.stringify({ slug: '001-demo', target_branch: 'main' }));
  for (const id of Object.keys(files))
    write(
      `kitty-specs/001-demo/tasks/${id}-one.md`,
      `---\nwork_package_id: ${id}\ntitle: One\nlane: doing\ndependencies: []\n---\n# One\n\n## Activity Log\n`,
    );
  git('init', '-b', 'main');
  git('config', 'user.name', 'Ann Example');
  git('config', 'user.email', 'ann@example.com');
  git('add', '.');
  git('commit', '-m', 'start');
  for (const [id, [file, text]] of Object.entries(files)) {
    git('worktree', 'add', '-b', `001-demo-${id}`, `.worktrees/001-demo-${id}`);
    write(`.worktrees/001-demo-${id}/${file}`, text);
    git('-C', `.worktrees/001-demo-${id}`, 'add', '.');
    git('-C', `.worktrees/001-demo-${id}`, 'commit', '-m', 'Work');
  }
  return { cwd, git };
}

function eventsOf(ended: Ended): readonly { readonly type: string; readonly payload: Record<string, unknown> }[] {
  return ended.calls
    .filter(([method]) => method === 'emitAll')
    .flatMap(([, drafts]) => drafts as { type: string; payload: Record<string, unknown> }[]);
}

test('merge answers one document and tells the team that the package went to review (FR-017, SC-002, US3-3)', async () => {
  const { cwd, git } = await makeProject({ WP01: ['a.txt', 'a\n'] });

  const ended = await program.run(['merge', '--json'], { cwd });

  expect(ended).toMatchObject({ code: 0, stderr: '' });
  expect(JSON.parse(ended.stdout)).toEqual({
    result: 'success',
    feature: '001-demo',
    target_branch: 'main',
    strategy: 'merge',
    order: ['WP01'],
    merged: ['WP01'],
    already_merged: [],
    moved: [{ wp_id: 'WP01', from: 'doing', to: 'for_review', commit_hash: git('rev-parse', 'HEAD').trim() }],
    pushed: false,
    removed_worktrees: ['.worktrees/001-demo-WP01'],
    deleted_branches: ['001-demo-WP01'],
    warnings: [],
    events_emitted: 1,
    causation_id: expect.stringMatching(/^[0-9A-HJKMNP-TV-Z]{26}$/),
  });
  expect(eventsOf(ended)).toMatchObject([
    {
      type: 'WPStatusChanged',
      payload: { wp_id: 'WP01', previous_status: 'doing', new_status: 'for_review', feature_slug: '001-demo' },
    },
  ]);
  expect(git('status', '--porcelain')).toBe('');
});

test('merge as text says what it did and what comes next', async () => {
  const { cwd } = await makeProject({ WP01: ['a.txt', 'a\n'], WP02: ['b.txt', 'b\n'] });

  const { code, stdout } = await program.run(['merge'], { cwd });

  expect(code).toBe(0);
  expect(stdout).toBe(
    [
      '001-demo is merged into main.',
      'Merged      WP01, WP02',
      'For review  WP01, WP02',
      'Pushed      no',
      'Removed     2 workspaces, 2 branches',
      'Told        2 events recorded',
      'Next: spec-kitty accept --feature 001-demo',
      '',
    ].join('\n'),
  );
});

test('merge --dry-run shows order, commands and conflicts, as text and as one document, and tells nobody', async () => {
  const { cwd, git } = await makeProject({ WP01: ['same.txt', 'a\n'], WP02: ['same.txt', 'b\n'] });
  const before = git('rev-parse', 'HEAD');

  const text = await program.run(['merge', '--dry-run', '--strategy', 'squash', '--keep-worktree'], { cwd });
  const json = await program.run(['merge', '--dry-run', '--json'], { cwd });

  expect(text.stdout).toBe(
    [
      '001-demo would be merged into main in this order: WP01, WP02. Nothing was changed.',
      'To for_review: WP01, WP02',
      '  git merge --squash --ff refs/heads/001-demo-WP01',
      "  git commit -m 'Merge WP01 from 001-demo'",
      '  git merge --squash --ff refs/heads/001-demo-WP02',
      "  git commit -m 'Merge WP02 from 001-demo'",
      'Conflict: same.txt (WP01, WP02)',
      '',
    ].join('\n'),
  );
  expect(JSON.parse(json.stdout)).toMatchObject({ dry_run: true, forecast: [{ file: 'same.txt' }] });
  expect([...eventsOf(text), ...eventsOf(json)]).toEqual([]);
  expect(git('rev-parse', 'HEAD')).toBe(before);
});

test('a conflict is logged with its package, resumed after it is resolved, and given up with --abort (FR-014, FR-017)', async () => {
  const { cwd, git } = await makeProject({ WP01: ['same.txt', 'a\n'], WP02: ['same.txt', 'b\n'] });

  const stopped = await program.run(['merge', '--json'], { cwd });

  expect(stopped.code).toBe(1);
  expect(JSON.parse(stopped.stdout)).toMatchObject({
    code: 'merge-conflict',
    conflicts: ['same.txt'],
    merged: ['WP01'],
    remedy: expect.stringContaining('spec-kitty merge --resume'),
  });
  expect(eventsOf(stopped)).toMatchObject([
    {
      type: 'ErrorLogged',
      payload: {
        error_type: 'runtime',
        wp_id: 'WP02',
        error_message: 'WP02 does not fit together with main: same.txt.',
      },
    },
  ]);
  writeFileSync(join(cwd, 'same.txt'), 'both\n');
  git('add', '--update');
  git('commit', '--no-edit');

  const resumed = await program.run(['merge', '--resume', '--json'], { cwd });
  const aborted = await program.run(['merge', '--abort'], { cwd });

  expect(JSON.parse(resumed.stdout)).toMatchObject({ merged: ['WP01', 'WP02'], events_emitted: 2 });
  expect(aborted).toMatchObject({ code: 0, stdout: 'There is no merge to give up. Nothing was changed.\n' });
});

test('merge --abort says what stays merged and how to take it back', async () => {
  const { cwd, git } = await makeProject({ WP01: ['same.txt', 'a\n'], WP02: ['same.txt', 'b\n'] });
  const before = git('rev-parse', 'HEAD').trim();
  await program.run(['merge'], { cwd });

  const { code, stdout } = await program.run(['merge', '--abort'], { cwd });

  expect(code).toBe(0);
  expect(stdout).toBe(
    [
      'The merge of 001-demo is given up.',
      'Merged, and staying so: WP01',
      'To take that back:',
      `  git reset --keep ${before}`,
      '',
    ].join('\n'),
  );
});

test('warnings go to stderr and stay out of the text', async () => {
  const { cwd, git } = await makeProject({ WP01: ['a.txt', 'a\n'] });
  git('worktree', 'lock', '.worktrees/001-demo-WP01');

  const { code, stdout, stderr } = await program.run(['merge'], { cwd });

  expect(code).toBe(0);
  expect(stderr).toContain('.worktrees/001-demo-WP01 stays');
  expect(stdout).toContain('Removed     nothing');
});

test('a strategy that does not exist, and flags that belong to a new merge, are usage errors', async () => {
  const { cwd } = await makeProject({ WP01: ['a.txt', 'a\n'] });
  const mistakes = [
    ['merge', '--strategy', 'rebase'],
    ['merge', '--resume', '--abort'],
    ['merge', '--abort', '--dry-run'],
    ['merge', '--resume', '--push'],
    ['merge', '--abort', '--strategy', 'squash'],
  ];
  for (const words of mistakes) {
    const ended = await program.run([...words, '--json'], { cwd });
    expect({ words, code: ended.code, answer: JSON.parse(ended.stdout) as unknown }).toMatchObject({
      words,
      code: 2,
      answer: { code: 'usage' },
    });
    expect(eventsOf(ended)).toEqual([]);
  }
});
