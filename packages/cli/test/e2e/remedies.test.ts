/**
 * Every remedy is typed as it is printed: each case provokes a refusal of the built program, runs the remedy in a
 * shell where `spec-kitty` is that program, and tries the refused command again.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { expect, test } from 'vitest';

import { typeInShell as type } from './shell.ts';
import { ADA, makeWorld, startServer, type World } from './world.ts';

interface Refused {
  readonly code: string;
  readonly remedy: string;
}

interface Case {
  /** What the refusal is called. */
  readonly code: string;
  readonly words: readonly string[];
  /** Makes the refusal happen; returns where to run, below the repository, if not at its top. */
  readonly provoke?: (world: World) => string | undefined | void;
  /** The refusal that comes next, where the remedy is one step of several. Default: none, it succeeds. */
  readonly next?: string;
  /** True when the remedy itself is the refused command, corrected. */
  readonly isCorrected?: boolean;
}

const IMPLEMENT = ['implement', 'WP01'];

function refusedBy(answer: { readonly stdout: string }): Refused {
  return JSON.parse(answer.stdout) as Refused;
}

async function check(
  world: World,
  { code, words, provoke, next, isCorrected }: Case,
  filled: (remedy: string) => string = (line) => line,
): Promise<void> {
  const cwd = provoke?.(world) ?? '';
  const there = {
    cwd: join(world.repository, cwd),
    extraEnv: { HOME: world.root, GIT_CONFIG_GLOBAL: join(world.root, 'gitconfig') },
  };
  const refused = await world.specKitty([...words, '--json'], there);
  expect({ words, code: refusedBy(refused).code, exit: refused.code === 0 }).toEqual({ words, code, exit: false });

  // A remark in parentheses, set off by three blanks, is for people.
  const remedy = filled(refusedBy(refused).remedy.replaceAll(/ {3}\(.*\)$/gm, ''));
  const typed = type(world, remedy, cwd);
  if (isCorrected !== true) expect({ remedy, ...typed }).toMatchObject({ remedy, code: 0 });

  const again = isCorrected === true ? typed : await world.specKitty([...words, '--json'], there);
  if (next === undefined) expect({ remedy, again }).toMatchObject({ remedy, again: { code: 0 } });
  else expect(refusedBy(again as { readonly stdout: string })).toMatchObject({ code: next });
}

test('what a refusal tells a newcomer to do leads from an empty folder to a claimed package', async () => {
  const world = makeWorld();
  writeFileSync(join(world.root, 'gitconfig'), '');

  const steps: readonly Case[] = [
    { code: 'not-a-repository', words: ['agent', 'tasks', 'status'], provoke: nameMe, next: 'feature-not-found' },
    { code: 'feature-not-found', words: IMPLEMENT, next: 'wp-not-found' },
    { code: 'no-work-packages', words: ['agent', 'feature', 'finalize-tasks'] },
    { code: 'already-exists', words: ['agent', 'tasks', 'scaffold', '--wp', 'Again'], next: 'already-exists' },
    { code: 'wp-id-invalid', words: ['implement', 'first'], next: 'wp-id-invalid' },
    { code: 'wp-not-found', words: ['implement', 'WP09'], next: 'wp-not-found' },
    { code: 'slug-invalid', words: ['agent', 'feature', 'create-feature', 'Invoice Export'], isCorrected: true },
    {
      code: 'feature-unclear',
      words: [...IMPLEMENT, '--agent', 'claude code'],
      provoke: () => writeWp(world),
      isCorrected: true,
    },
    { code: 'feature-not-found', words: ['agent', 'tasks', 'status', '-f', 'some-name'], isCorrected: true },
    { code: 'agent-unknown', words: ['init', '--agents', 'hal'], isCorrected: true },
  ];
  for (const step of steps) await check(world, step);
});

test('what a refusal tells somebody in the wrong place to do leads to the right one, with every flag kept', async () => {
  const world = makeWorld();
  writeFileSync(join(world.root, 'gitconfig'), '');
  await world.makeProject();
  await world.makeFeature(['One', 'Two:1', 'Three:1,2', 'Four', 'Five']);
  const feature = '001-demo';
  const workspace = `.worktrees/${feature}-WP01`;

  const steps: readonly Case[] = [
    { code: 'base-not-started', words: ['implement', 'WP02', '--agent', 'claude'] },
    {
      code: 'in-worktree',
      words: ['implement', 'WP04', '--agent', 'claude'],
      provoke: () => workspace,
      isCorrected: true,
    },
    {
      code: 'in-worktree',
      words: ['agent', 'feature', 'create-feature', 'other', '--title', "It's other"],
      provoke: () => workspace,
      isCorrected: true,
    },
    {
      code: 'wrong-branch',
      words: ['implement', 'WP05', '-f', feature],
      provoke: ({ git }) => void git('switch', '--quiet', '--create', 'side'),
      isCorrected: true,
    },
    {
      code: 'detached-head',
      words: ['agent', 'feature', 'create-feature', 'third'],
      provoke: ({ git }) => void git('switch', '--quiet', '--detach'),
      isCorrected: true,
    },
    { code: 'workspace-blocked', words: ['implement', 'WP01', '-f', feature], provoke: () => block(world, feature) },
    { code: 'git-identity-missing', words: ['agent', 'feature', 'create-feature', 'fourth'], provoke: forgetMe },
  ];
  for (const step of steps) await check(world, step);
});

test('what a refused acceptance tells people to do opens the gate, or shows what stands in it', async () => {
  const world = makeWorld();
  writeFileSync(join(world.root, 'gitconfig'), '');
  await world.makeProject();
  await world.makeFeature(['One']);
  await world.must(['agent', 'feature', 'create-feature', 'empty']);
  const accept = ['accept', '-f', '001-demo'];
  const workspace = '.worktrees/001-demo-WP01';
  const mission = '.kittify/missions/software-dev/mission.yaml';

  const steps: readonly Case[] = [
    { code: 'no-work-packages', words: ['accept', '-f', '002-empty'], next: 'not-acceptable' },
    // The package is planned, then its box is open, then its work is not in review.
    { code: 'not-acceptable', words: accept, next: 'not-acceptable' },
    { code: 'not-acceptable', words: accept, next: 'not-acceptable' },
    { code: 'not-acceptable', words: accept, provoke: work },
    { code: 'not-acceptable', words: accept, provoke: forgetToCommit },
    { code: 'not-acceptable', words: accept, provoke: editWp(/^.*lane=done.*\n/gm, '') },
    { code: 'in-worktree', words: [...accept, '--actor', "D'Arcy"], provoke: () => workspace, isCorrected: true },
    { code: 'mode-unknown', words: [...accept, '--mode', 'PR'], isCorrected: true },
    {
      code: 'not-acceptable',
      words: accept,
      provoke: commitFile(mission, 'paths: {src: src/, "my tests": "my tests/"}\n'),
    },
    {
      code: 'not-acceptable',
      words: [...accept, '--test', 'npm test'],
      provoke: editWp(/^agent: .*$/m, 'agent: ""'),
      isCorrected: true,
    },
    {
      code: 'not-acceptable',
      words: [...accept, '--lenient'],
      provoke: commitFile('kitty-specs/001-demo/research.md', '[NEEDS CLARIFICATION: which?]\n'),
      next: 'not-acceptable',
    },
    {
      code: 'not-acceptable',
      words: [...accept, '--lenient'],
      provoke: ({ git }) => {
        git('rm', '--quiet', 'kitty-specs/001-demo/research.md', 'kitty-specs/001-demo/plan.md');
        git('commit', '--quiet', '--message', 'Away');
      },
      next: 'not-acceptable',
    },
    {
      code: 'wrong-branch',
      words: [...accept, '--lenient', '--no-commit'],
      provoke: ({ git }) => {
        git('revert', '--no-edit', 'HEAD');
        git('rm', '--quiet', 'kitty-specs/001-demo/research.md');
        git('commit', '--quiet', '--message', 'Answered');
        git('switch', '--quiet', '--create', 'side');
      },
      isCorrected: true,
    },
    {
      code: 'meta-missing',
      words: accept,
      provoke: ({ git }) => void git('rm', '--quiet', 'kitty-specs/001-demo/meta.json'),
      next: 'meta-missing',
    },
  ];
  for (const step of steps) await check(world, step);
});

test('what a merge that is refused tells people to do leads to a merged feature', async () => {
  const world = makeWorld();
  nameMe(world);
  await world.makeProject();
  await world.makeFeature(['One', 'Two', 'Three:1']);
  const remote = join(world.root, 'remote');
  const mergeOf = (feature: string, ...more: readonly string[]) => ['merge', '--feature', feature, ...more];

  const steps: readonly Case[] = [
    {
      code: 'merge-not-ready',
      words: ['merge'],
      provoke: () => {
        startWork(world, '001-demo', { WP01: 'one\n' });
        must(
          world,
          'spec-kitty implement WP02 && echo two > .worktrees/001-demo-WP02/two.txt && echo more >> README.md',
        );
      },
    },
    { code: 'no-merge-begun', words: ['merge', '--resume'], isCorrected: true },
    {
      code: 'merge-not-ready',
      words: mergeOf('001-demo', '--push'),
      provoke: () => must(world, `git init --quiet --bare '${remote}'`),
      isCorrected: true,
    },
    {
      code: 'push-failed',
      words: mergeOf('001-demo', '--push'),
      provoke: () => hook(`${remote}/hooks/pre-receive`),
      isCorrected: true,
    },
    {
      code: 'merge-not-ready',
      words: mergeOf('001-demo'),
      provoke: () =>
        must(
          world,
          'git push -q -u origin main && git commit -q --allow-empty -m Ours && git push -q && git reset -q --hard HEAD^',
        ),
    },
  ];
  for (const step of steps) await check(world, step, (line) => line.replace(/\bURL$/, `'${remote}'`));
});

test('what a merge that stops tells people to do leads to a merged feature', async () => {
  const world = makeWorld();
  nameMe(world);
  await world.makeProject();
  const mergeOf = (feature: string, ...more: readonly string[]) => ['merge', '--feature', feature, ...more];
  const refuseOnce = (): void => hook(join(world.repository, '.git/hooks/pre-merge-commit'));

  const steps: readonly Case[] = [
    {
      code: 'merge-conflict',
      words: mergeOf('001-one'),
      provoke: () => startWork(world, '001-one', { WP01: 'one\n', WP02: 'two\n' }),
      isCorrected: true,
    },
    {
      code: 'merge-unresolved',
      words: ['merge', '--resume'],
      provoke: () => {
        startWork(world, '002-two', { WP01: 'one\n', WP02: 'two\n' });
        type(world, 'spec-kitty merge --feature 002-two');
      },
      isCorrected: true,
    },
    {
      code: 'merge-failed',
      words: mergeOf('003-three'),
      provoke: () => {
        startWork(world, '003-three', { WP01: 'one\n' });
        refuseOnce();
      },
    },
    {
      code: 'merge-unfinished',
      words: mergeOf('004-four'),
      provoke: () => {
        startWork(world, '004-four', { WP01: 'one\n' });
        refuseOnce();
        type(world, 'spec-kitty merge --feature 004-four');
      },
    },
    {
      code: 'merge-state-unreadable',
      words: mergeOf('004-four'),
      provoke: () => must(world, 'echo half > .kittify/merge-state.json'),
    },
    {
      code: 'untracked-in-the-way',
      words: mergeOf('005-five'),
      provoke: () => {
        startWork(world, '005-five', { WP01: 'one\n' });
        must(world, 'echo mine > 005-five.txt');
      },
      isCorrected: true,
    },
    {
      code: 'wrong-branch',
      words: mergeOf('005-five', '--target', 'release'),
      isCorrected: true,
    },
  ];
  for (const step of steps) await check(world, step);
});

test('what auth and sync tell people to do works', async () => {
  const world = makeWorld();
  writeFileSync(join(world.root, 'gitconfig'), '');
  await world.makeProject();
  await world.makeFeature(['One']);
  await world.must(['agent', 'feature', 'finalize-tasks']);
  const server = await startServer();
  const withPassword = { input: ADA.password };
  const say = (line: string): readonly string[] =>
    fill(line.slice(line.indexOf('spec-kitty ') + 'spec-kitty '.length), server.url);

  const out = await world.specKitty(['sync', 'now']);
  expect(out).toMatchObject({ code: 4, stdout: expect.stringContaining('spec-kitty auth login --server URL') });

  const nowhere = refusedBy(await world.specKitty(['auth', 'login', '--json']));
  expect(nowhere.code).toBe('no-server');
  const plain = refusedBy(await world.specKitty([...say(nowhere.remedy), '--json']));
  expect(plain).toMatchObject({ code: 'usage', remedy: expect.stringContaining('--password-stdin') });
  // An address that will be refused is refused before anybody has typed a password.
  const open = await world.specKitty([
    'auth',
    'login',
    '--server',
    'http://example.com',
    '--username',
    ADA.username,
    '--password-stdin',
    '--json',
  ]);
  expect(refusedBy(open).code).toBe('invalid-server-url');

  const empty = await world.specKitty([
    'auth',
    'login',
    '--server',
    server.url,
    '--username',
    ADA.username,
    '--password-stdin',
    '--json',
  ]);
  expect(await world.specKitty(say(refusedBy(empty).remedy), withPassword)).toMatchObject({ code: 0 });
  expect(await world.specKitty(['sync', 'now'])).toMatchObject({ code: 0 });

  const wrong = await world.specKitty([...signIn(server.url), '--force', '--json'], { input: 'wrong' });
  expect(refusedBy(wrong)).toMatchObject({
    code: 'auth-refused',
    remedy: expect.stringContaining(`--server ${server.url}`),
  });

  // Another address is not in use before the next sign-in, and the command says so.
  const second = await startServer();
  const moved = await world.must(['sync', 'server', second.url]);
  expect(moved.stdout).toContain(`Until then events go to ${server.url}`);
  expect((await world.must(['sync', 'server'])).stdout.trim()).toBe(server.url);
  const changeOver = moved.stdout.trim().split('\n').at(-1) ?? '';
  expect(
    await world.specKitty([...say(changeOver), '--username', ADA.username, '--password-stdin'], withPassword),
  ).toMatchObject({ code: 0 });
  expect((await world.must(['sync', 'server'])).stdout.trim()).toBe(second.url);

  second.revokeTokens('all');
  await world.must(IMPLEMENT);
  const revoked = await world.specKitty(['sync', 'now']);
  expect(revoked).toMatchObject({ code: 4 });
  expect(await world.specKitty([...signIn(second.url), '--force'], withPassword)).toMatchObject({ code: 0 });

  writeFileSync(join(world.home, 'queue.db'), 'not a database at all, for more than sixteen bytes'.repeat(20));
  for (const rest of ['queue.db-wal', 'queue.db-shm']) rmSync(join(world.home, rest), { force: true });
  // Converting changes nothing it cannot read; any other command puts the file aside by itself.
  const damaged = refusedBy(await world.specKitty(['sync', 'store', '--convert', 'node-sqlite', '--json']));
  expect(damaged.code).toBe('storage-corrupt');
  expect(type(world, damaged.remedy)).toMatchObject({ code: 0 });
  expect(await world.specKitty(['sync', 'status'])).toMatchObject({ code: 0 });

  writeFileSync(join(world.home, 'queue.db'), 'not a database again');
  for (const rest of ['queue.db-wal', 'queue.db-shm']) rmSync(join(world.home, rest), { force: true });
  const told = await world.specKitty(['sync', 'status']);
  expect(told.code).toBe(0);
  const folder = /is kept in \S+(queue\.damaged-\w+)\. Look at it: (spec-kitty sync store)/.exec(told.stderr);
  const seen = type(world, folder?.[2] ?? 'false');
  expect(seen).toMatchObject({ code: 0, output: expect.stringContaining(String(folder?.[1])) });
});

test('a usage error points to the help of its own command and repeats no word that may be a password', async () => {
  const world = makeWorld();
  const secret = 'hunter2';
  const mistakes = [
    ['auth', 'login', 'ada', secret],
    ['auth', 'login', '--username', 'ada', secret],
    ['auth', 'login', '--password', secret],
    ['implement'],
    ['implement', 'WP01', '--shell-pid', 'x'],
    ['sync', 'server', 'https://a.example', secret],
  ];
  for (const words of mistakes) {
    const ended = await world.specKitty(words);
    expect({ words, code: ended.code, stdout: ended.stdout }).toEqual({ words, code: 2, stdout: '' });
    expect(ended.stderr).not.toContain(secret);
    const help = /`(spec-kitty .* --help)`/.exec(ended.stderr)?.[1] ?? '';
    expect({
      words,
      help: help.startsWith(`spec-kitty ${words.slice(0, words[0] === 'implement' ? 1 : 2).join(' ')} `),
    }).toEqual({ words, help: true });
  }
  expect((await world.specKitty(['implement'])).stderr).toContain('WP_ID (the package, e.g. WP01)');
});

test('a refused `init --git` leaves no repository behind', async () => {
  const world = makeWorld();

  const refused = await world.specKitty(['init', '--git', '--json'], { extraEnv: { EMAIL: '' } });

  expect(refusedBy(refused).code).toBe('git-identity-missing');
  expect(() =>
    execFileSync('git', ['rev-parse', '--git-dir'], {
      cwd: world.repository,
      env: { ...world.env, GIT_CEILING_DIRECTORIES: world.root },
      stdio: 'pipe',
    }),
  ).toThrow('not a git repository');
});

/** The work of WP01, committed in its workspace. */
function work({ git, repository }: World): void {
  const workspace = join(repository, '.worktrees/001-demo-WP01');
  writeFileSync(join(workspace, 'one.txt'), 'one');
  git('-C', workspace, 'add', '.');
  git('-C', workspace, 'commit', '--quiet', '--message', 'One');
}

function forgetToCommit({ repository }: World): void {
  writeFileSync(join(repository, 'my file.txt'), 'work');
}

function editWp(from: RegExp, to: string): (world: World) => void {
  return (world) => {
    const path = join(world.repository, 'kitty-specs/001-demo/tasks/WP01-one.md');
    writeFileSync(path, readFileSync(path, 'utf8').replace(from, to));
  };
}

function commitFile(path: string, text: string): (world: World) => void {
  return (world) => {
    mkdirSync(dirname(join(world.repository, path)), { recursive: true });
    writeFileSync(join(world.repository, path), text);
    world.git('add', path);
    world.git('commit', '--quiet', '--message', `Write ${path}`);
  };
}

function signIn(url: string): readonly string[] {
  return ['auth', 'login', '--server', url, '--username', ADA.username, '--password-stdin'];
}

/** The words of a remedy with its placeholders filled. */
function fill(line: string, url: string): readonly string[] {
  return line.split(' ').map((word) => (word === 'URL' ? url : word === 'NAME' ? ADA.username : word));
}

function nameMe(world: World): void {
  writeFileSync(join(world.root, 'gitconfig'), `[user]\n\tname = Ada\n\temail = ${ADA.username}\n`);
}

function forgetMe(world: World): void {
  writeFileSync(join(world.root, 'gitconfig'), '');
  world.git('config', '--unset', 'user.name');
  world.git('config', '--unset', 'user.email');
}

/** The newest feature gets a package too, so that the corrected command has one to claim. */
function writeWp(world: World): void {
  const ended = type(world, 'spec-kitty agent tasks scaffold --feature 002-invoice-export --wp First');
  if (ended.code !== 0) throw new Error(ended.output);
}

function block(world: World, feature: string): void {
  world.git('switch', '--quiet', 'main');
  const path = join(world.repository, '.worktrees', `${feature}-WP01`);
  world.git('worktree', 'remove', '--force', path);
  mkdirSync(path, { recursive: true });
}

/** Runs a line that has to succeed. */
function must(world: World, line: string): void {
  const ended = type(world, line);
  if (ended.code !== 0) throw new Error(`${line}\n${ended.output}`);
}

/** Makes a feature where there is none yet, and starts its packages: each writes the feature's one file, its own way. */
function startWork(world: World, feature: string, texts: Readonly<Record<string, string>>): void {
  const flag = `--feature ${feature}`;
  if (feature !== '001-demo') {
    must(world, `spec-kitty agent feature create-feature ${feature.slice(4)}`);
    must(
      world,
      `spec-kitty agent tasks scaffold ${flag} ${Object.keys(texts)
        .map((id) => `--wp ${id}`)
        .join(' ')}`,
    );
  }
  for (const [id, text] of Object.entries(texts)) {
    const there = `.worktrees/${feature}-${id}`;
    must(world, `spec-kitty implement ${id} ${flag}`);
    writeFileSync(join(world.repository, there, `${feature}.txt`), text);
    must(world, `git -C ${there} add . && git -C ${there} commit -q -m "Work of ${id}"`);
  }
}

/** A hook that refuses once. */
function hook(path: string): void {
  writeFileSync(path, '#!/bin/sh\nrm "$0"\nexit 1\n', { mode: 0o755 });
}
