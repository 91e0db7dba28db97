/** What `init` promises, on real git repositories. */
import { existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';

import { createGit } from '../../src/workflow/git/git.ts';
import { init } from '../../src/workflow/services/init.ts';
import { createRepo } from './support/workspace.ts';

test('writes config, metadata and ignore rules in one commit and leaves a clean tree', async () => {
  const repo = createRepo();

  const result = await init(repo.deps, { cwd: repo.root, agents: ['claude', 'codex'] });

  expect(result).toMatchObject({ changed: true, git_initialised: false });
  expect(result.files_committed).toEqual(['.gitignore', '.kittify/config.yaml', '.kittify/metadata.yaml', 'AGENTS.md']);
  expect(repo.commits()).toBe(2);
  expect(repo.status()).toBe('');
  expect(parse(repo.read('.kittify/config.yaml'))).toEqual({
    vcs: { type: 'git' },
    agents: { available: ['claude', 'codex'] },
    project: { uuid: '5f0c6f0e-8f7d-4c55-9a0e-0d7a5d1b2c3d', slug: 'my-repo', node_id: '9a8b7c6d5e4f' },
  });
  expect(parse(repo.read('.kittify/metadata.yaml'))).toMatchObject({ spec_kitty: { version: '1.2.3' } });
});

test('hides workspaces, logs, run state and locks from git status, but not the configuration', async () => {
  const repo = createRepo();
  await init(repo.deps, { cwd: repo.root });

  for (const path of [
    '.worktrees/001-x-WP01/a',
    '.kittify/workspaces/a.json',
    '.kittify/logs/a.log',
    '.kittify/merge-state.json',
    '.kittify/orchestration-state.json.bak',
    '.kittify/x.lock',
  ]) {
    repo.write(path, 'x');
  }
  expect(repo.status()).toBe('');
  repo.write('.kittify/other.yaml', 'x');
  expect(repo.status()).toBe('?? .kittify/other.yaml\n');
});

test('changes nothing on a second run and asks for no second identity', async () => {
  const repo = createRepo();
  await init(repo.deps, { cwd: repo.root, agents: ['claude'] });
  const [config, commits] = [repo.read('.kittify/config.yaml'), repo.commits()];
  const other = { ...repo.deps, createIdentity: () => Promise.reject(new Error('asked again')) };

  const again = await init(other, { cwd: repo.root, agents: ['claude'] });

  expect(again).toMatchObject({ changed: false, commit_hash: null });
  expect([repo.read('.kittify/config.yaml'), repo.commits(), repo.status()]).toEqual([config, commits, '']);
});

test('keeps other keys, comments and line endings of files that exist', async () => {
  const repo = createRepo();
  const config =
    '# ours\nvcs:   {type: git} # spaced\nagents:\n  available: [claude] # the one\nsync:\n  enabled: false\n';
  repo.write('.kittify/config.yaml', config);
  repo.write('.gitignore', 'node_modules/\r\n.worktrees/\r\n');
  repo.git('add', '.');
  repo.git('commit', '-qm', 'Config');

  await init(repo.deps, { cwd: repo.root });

  expect(repo.read('.kittify/config.yaml').startsWith(config)).toBe(true);
  expect(parse(repo.read('.kittify/config.yaml'))).toMatchObject({
    sync: { enabled: false },
    project: { slug: 'my-repo' },
  });
  const ignore = repo.read('.gitignore');
  expect(ignore.startsWith('node_modules/\r\n.worktrees/\r\n')).toBe(true);
  expect(ignore.match(/\.worktrees/g)).toHaveLength(1);
  expect(ignore.replaceAll('\r\n', '')).not.toContain('\n');
});

test('fills in a half identity and keeps its uuid', async () => {
  const repo = createRepo();
  repo.write('.kittify/config.yaml', 'project:\n  uuid: 11111111-2222-4333-8444-555555555555 # ours\n');

  await init(repo.deps, { cwd: repo.root });

  expect(parse(repo.read('.kittify/config.yaml'))).toMatchObject({
    project: { uuid: '11111111-2222-4333-8444-555555555555', slug: 'my-repo', node_id: '9a8b7c6d5e4f' },
  });
  expect(repo.read('.kittify/config.yaml')).toContain('# ours');
});

test('commits nothing of the user, and refuses where it would have to', async () => {
  const repo = createRepo();
  repo.write('staged.txt', 'x');
  repo.git('add', 'staged.txt');
  await init(repo.deps, { cwd: repo.root });
  expect(repo.status()).toBe('A  staged.txt\n');

  const other = createRepo();
  other.write('.gitignore', 'a\n');
  other.git('add', '.');
  other.git('commit', '-qm', 'Ignore');
  other.write('.gitignore', 'a\nb\n');
  await expect(init(other.deps, { cwd: other.root })).rejects.toMatchObject({
    code: 'file-dirty',
    remedy: expect.stringContaining('git commit'),
  });
  expect(other.status()).toBe(' M .gitignore\n');
  expect(existsSync(join(other.root, '.kittify'))).toBe(false);
});

test('says how to tell git who you are, and leaves nothing behind', async () => {
  const repo = createRepo();
  const git = createGit({
    PATH: process.env['PATH'],
    HOME: '/nonexistent',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
  });

  await expect(init({ ...repo.deps, git }, { cwd: repo.root })).rejects.toMatchObject({
    code: 'git-identity-missing',
    remedy: 'git config --global user.name "Your Name"\ngit config --global user.email you@example.com',
  });
  expect(repo.status()).toBe('');
});

test('makes a repository only when asked to', async () => {
  const { deps } = createRepo();
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'bare-')));
  onTestFinished(() => {
    rmSync(dir, { recursive: true, force: true });
  });

  await expect(init(deps, { cwd: dir })).rejects.toMatchObject({ code: 'not-a-repository' });
  expect(existsSync(join(dir, '.git'))).toBe(false);
  expect(await init(deps, { cwd: dir, git: true })).toMatchObject({ changed: true, git_initialised: true });
});

test('refuses unknown agents, broken configuration and a detached HEAD without changing anything', async () => {
  const repo = createRepo();
  await expect(init(repo.deps, { cwd: repo.root, agents: ['clippy'] })).rejects.toMatchObject({
    code: 'agent-unknown',
  });
  repo.write('.kittify/config.yaml', 'a: [1\nb: 2\n');
  await expect(init(repo.deps, { cwd: repo.root })).rejects.toMatchObject({
    code: 'config-invalid',
    message: expect.stringMatching(/line \d/),
  });
  expect(repo.read('.kittify/config.yaml')).toBe('a: [1\nb: 2\n');
  repo.git('checkout', '-q', '--detach');
  await expect(init(repo.deps, { cwd: repo.root })).rejects.toMatchObject({ code: 'detached-head' });
});

test.each([
  ['project: 7\n', 'line 1: project is not a list of keys'],
  ['a: 1\nagents: [claude]\n', 'line 2: agents is not a list of keys'],
  ['a: 1\ntitle: *bold\n', 'line 2: *bold stands for nothing'],
])('refuses a config it cannot complete, with its line, and leaves it alone: %j', async (text, says) => {
  const repo = createRepo();
  repo.write('.kittify/config.yaml', text);

  await expect(init(repo.deps, { cwd: repo.root })).rejects.toMatchObject({
    code: 'config-invalid',
    message: expect.stringContaining(says),
  });

  expect(repo.read('.kittify/config.yaml')).toBe(text);
});

test.each(['  indented: 1\n', 'project:\n', 'project:\n  uuid:\n', 'agents:\nproject: {}\n'])(
  'completes a config of an odd shape to one that is whole, and a second run changes nothing: %j',
  async (text) => {
    const repo = createRepo();
    repo.write('.kittify/config.yaml', text);
    repo.git('add', '.');
    repo.git('commit', '-qm', 'Odd');

    await init(repo.deps, { cwd: repo.root });
    const config = parse(repo.read('.kittify/config.yaml')) as { readonly project: unknown };

    expect(config.project).toEqual({
      uuid: '5f0c6f0e-8f7d-4c55-9a0e-0d7a5d1b2c3d',
      slug: 'my-repo',
      node_id: '9a8b7c6d5e4f',
    });
    expect((await init(repo.deps, { cwd: repo.root })).changed).toBe(false);
  },
);
