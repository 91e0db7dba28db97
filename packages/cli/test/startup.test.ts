/** What a start loads. Modules, not milliseconds: those are measured by the benchmarks. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';

import { packageRoot } from '../scripts/bundle.ts';
import { makeWorld } from './e2e/world.ts';
import { buildProgram, type Program } from './support/program.ts';

let program: Program;
let spy: string;

beforeAll(async () => {
  program = await buildProgram();
  spy = join(program.root, 'spy.mjs');
  // Files read as modules, seen from outside the program, and Node's own modules at the very end.
  await writeFile(
    spy,
    `import { registerHooks } from 'node:module';
     const loaded = [];
     registerHooks({ load(url, context, next) { loaded.push(url); return next(url, context); } });
     process.on('exit', () => {
       process._rawDebug('LOADED ' + JSON.stringify({ files: loaded, builtins: process.moduleLoadList }));
     });`,
  );
});

afterAll(() => program.remove());

interface Loaded {
  readonly files: readonly string[];
  readonly builtins: readonly string[];
}

async function loadedBy(words: readonly string[]): Promise<Loaded> {
  const ended = await program.run(words, { nodeOptions: ['--import', spy] });
  const line = ended.stderr.split('\n').find((each) => each.startsWith('LOADED '));
  expect(line).toBeDefined();
  return JSON.parse((line ?? '').slice('LOADED '.length)) as Loaded;
}

/** Node's own modules that cost start-up time and have no business in a short command. Not `net`: Node's pipes are sockets. */
const HEAVY_BUILTINS = [
  'crypto',
  'http',
  'https',
  'http2',
  'tls',
  'zlib',
  'dns',
  'sqlite',
  'internal/deps/undici/undici',
];

/** Words that stand in the bundled text of libraries a short command must not load. */
const FOREIGN = ['smol-toml', 'TomlError', 'YAMLParseError', 'initSqlJs', 'CancelPromptError', 'totalTimeout'];

function heavyIn(loaded: Loaded): readonly string[] {
  return HEAVY_BUILTINS.filter((name) => loaded.builtins.includes(`NativeModule ${name}`));
}

/** The text of every file of the bundle that was loaded. */
function loadedText(loaded: Loaded): string {
  return loaded.files
    .filter((url) => url.includes('/dist/'))
    .map((url) => readFileSync(new URL(url), 'utf8'))
    .join('\n');
}

test.for([['--version'], ['-v']])('%s loads no file of the bundle, so no framework', async (words) => {
  const loaded = await loadedBy(words);

  expect(loaded.files.filter((url) => url.includes('/dist/'))).toEqual([]);
  expect(heavyIn(loaded)).toEqual([]);
});

test.for([
  ['help', ['--help']],
  ['the help of a command', ['sync', 'status', '--help']],
  ['an unknown command', ['nonsense']],
  ['a usage error of an emitting command', ['probe']],
  ['an emitting command beside its client', ['probe', 'ok']],
] as const)(
  '%s loads nothing of network, cryptography, compression, WebAssembly, YAML, TOML or prompts',
  async ([, words]) => {
    const loaded = await loadedBy(words);

    expect(heavyIn(loaded)).toEqual([]);
    const text = loadedText(loaded);
    expect(text.includes('SpecKittyCommand')).toBe(true);
    // A list, not the text itself: a failure should name the word, not print the bundle.
    expect(FOREIGN.filter((word) => text.includes(word))).toEqual([]);
  },
);

test('a command that only reads lanes asks git, and loads neither the schema library nor a store', () => {
  // The program as it is shipped: another client in it would part its code differently.
  const bin = join(packageRoot, 'bin/run.js');
  const home = join(program.root, 'no-home');
  const { stderr } = spawnSync(process.execPath, ['--import', spy, bin, 'agent', 'tasks', 'list-tasks'], {
    cwd: program.root,
    env: { ...process.env, SPEC_KITTY_HOME: home, GIT_CEILING_DIRECTORIES: tmpdir() },
    encoding: 'utf8',
  });
  const line = stderr.split('\n').find((each) => each.startsWith('LOADED ')) ?? '';
  const loaded = JSON.parse(line.slice('LOADED '.length)) as Loaded;

  expect(stderr).toContain('not inside a git repository');
  expect(heavyIn(loaded)).toEqual([]);
  expect(['_addIssue', 'BEGIN IMMEDIATE'].filter((word) => loadedText(loaded).includes(word))).toEqual([]);
});

test('a command that moves a package and tells of it loads its store, and nothing of network, cryptography or compression', async () => {
  const world = makeWorld({ driver: 'node-sqlite' });
  await world.makeProject();
  await world.makeFeature(['One']);
  await world.must(['agent', 'feature', 'finalize-tasks']);

  const { code, stderr } = await world.specKitty(['agent', 'tasks', 'move-task', 'WP01', '--to', 'doing'], {
    extraEnv: { NODE_OPTIONS: `--import ${spy}` },
  });
  const line = stderr.split('\n').find((each) => each.startsWith('LOADED ')) ?? '';
  const loaded = JSON.parse(line.slice('LOADED '.length)) as Loaded;

  expect(code).toBe(0);
  expect(heavyIn(loaded)).toEqual(['sqlite']);
  const reached = loaded.builtins.filter((name) => /^NativeModule internal\/(?:crypto|http|tls|zlib)/.test(name));
  expect(reached).toEqual([]);
});

test('no file of the bundle loads another one that it takes nothing from', () => {
  const files = readdirSync(join(program.root, 'dist'), { recursive: true }).map(String);
  const inVain = files
    .filter((file) => file.endsWith('.js'))
    .filter((file) =>
      /^(?:import[^;]*;)*import"\.[^"]*chunk-/m.test(readFileSync(join(program.root, 'dist', file), 'utf8')),
    );

  expect(inVain).toEqual([]);
});

test('a command loads its own file and no other command', async () => {
  const loaded = await loadedBy(['sync', 'status']);

  const commands = loaded.files
    .filter((url) => url.includes('/dist/commands/'))
    .map((url) => url.split('/dist/commands/')[1]);
  expect(commands).toEqual(['sync/status.js']);
});

test('the manifest names every built command, so that none has to be loaded to be found', () => {
  const manifest = JSON.parse(readFileSync(join(program.root, 'oclif.manifest.json'), 'utf8')) as { commands: object };
  const files = readdirSync(join(program.root, 'dist/commands'), { recursive: true }).map(String);

  const ids = files.filter((file) => file.endsWith('.js')).map((file) => file.slice(0, -3).replaceAll('/', ':'));
  expect(Object.keys(manifest.commands).toSorted()).toEqual(ids.toSorted());
});

test('Node older than 22 gets a sentence and an instruction, also as JSON', async () => {
  const pretend = join(program.root, 'old-node.mjs');
  await writeFile(
    pretend,
    `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.11.1' } });`,
  );

  const text = await program.run(['sync', 'status'], { nodeOptions: ['--import', pretend] });
  const json = await program.run(['sync', 'status', '--json'], { nodeOptions: ['--import', pretend] });

  expect(text).toMatchObject({ code: 1, stdout: '' });
  expect(text.stderr).toContain('spec-kitty needs Node.js 22 or newer; this is 20.11.1.');
  expect(JSON.parse(json.stdout)).toMatchObject({ code: 'node-too-old' });
});

test('a copy without its built files says so in a sentence', async () => {
  const root = await mkdtemp(join(tmpdir(), 'spec-kitty-unbuilt-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  await cp(join(program.root, 'bin'), join(root, 'bin'), { recursive: true });
  await cp(join(program.root, 'package.json'), join(root, 'package.json'));

  const ended = spawnSync(process.execPath, [join(root, 'bin/run.js'), 'sync', 'status', '--json'], {
    encoding: 'utf8',
  });

  expect(ended.status).toBe(1);
  expect(JSON.parse(ended.stdout)).toMatchObject({ code: 'not-started' });
  expect(ended.stderr).not.toContain('    at ');
});

test('no file of the bundle compares by the rules of a language, whose tables take 10 ms to load', () => {
  const files = readdirSync(join(program.root, 'dist'), { recursive: true }).map(String);

  const comparing = files
    .filter((file) => file.endsWith('.js'))
    .filter((file) => readFileSync(join(program.root, 'dist', file), 'utf8').includes('.localeCompare('));

  expect(comparing).toEqual([]);
});
