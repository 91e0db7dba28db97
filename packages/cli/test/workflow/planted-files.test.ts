/**
 * What a cloned repository may hold instead of the files it should: links that lead out of it, devices, pipes, texts without
 * end. Each command refuses, in words, and neither reads nor writes what lies elsewhere.
 */
import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { expect, onTestFinished, test } from 'vitest';

import { parseFrontmatter } from '../../src/workflow/files/frontmatter.ts';
import { readText, writeText } from '../../src/workflow/files/text-files.ts';
import { parseYamlDocument, readYamlValues } from '../../src/workflow/files/yaml-values.ts';
import { listFeatures } from '../../src/workflow/project/feature.ts';
import { accept } from '../../src/workflow/services/accept.ts';
import { createFeature } from '../../src/workflow/services/create-feature.ts';
import { finalizeTasks } from '../../src/workflow/services/finalize-tasks.ts';
import { implement } from '../../src/workflow/services/implement.ts';
import { init } from '../../src/workflow/services/init.ts';
import { listTasks } from '../../src/workflow/services/list-tasks.ts';
import { markStatus } from '../../src/workflow/services/mark-status.ts';
import { moveTask } from '../../src/workflow/services/move-task.ts';
import { reconcile } from '../../src/workflow/services/reconcile.ts';
import { tasksStatus } from '../../src/workflow/services/status.ts';
import { createProject, createRepo, type TestRepo } from './support/workspace.ts';

/** A folder of the person's with something in it; `look` is all that is there. */
function elsewhere() {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'elsewhere-')));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const secret = join(folder, 'secret');
  writeFileSync(secret, 'machine git.example password hunter2\n');
  const look = (): unknown =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .toSorted()
      .map((name) => (name === 'secret' ? readFileSync(secret, 'utf8') : name));
  return { folder, secret, look };
}

function link(repo: TestRepo, path: string, target: string): void {
  rmSync(join(repo.root, path), { recursive: true, force: true });
  mkdirSync(dirname(join(repo.root, path)), { recursive: true });
  symlinkSync(target, join(repo.root, path));
  repo.git('add', '--all', '--force');
  repo.git('commit', '-qm', 'Linked');
}

/** Every command that works on a feature. */
const commands = (repo: TestRepo): readonly (() => unknown)[] => {
  const at = { cwd: repo.root, feature: '001-demo' };
  return [
    () => finalizeTasks(repo.deps, at),
    () => implement(repo.deps, { ...at, wpId: 'WP01' }),
    () => moveTask(repo.deps, { ...at, wpId: 'WP01', to: 'doing' }),
    () => markStatus(repo.deps, { ...at, ids: ['T001'], status: 'done' }),
    () => listTasks(repo.deps, at),
    () => tasksStatus(repo.deps, at),
    () => accept(repo.deps, { ...at, mode: 'auto' }),
    () => reconcile(repo.deps, at),
  ];
};

const FEATURE = 'kitty-specs/001-demo';

test('a folder or file that is a link leading away is refused by every command, and nothing is read or written there', async () => {
  const repo = await createProject(['Writer']);
  const { folder, secret, look } = elsewhere();
  const start = repo.git('rev-parse', 'HEAD').trim();
  for (const [path, target] of [
    ['kitty-specs', folder],
    [FEATURE, folder],
    [`${FEATURE}/tasks`, folder],
    [`${FEATURE}/tasks`, join(repo.root, '.git/hooks')],
    [`${FEATURE}/tasks/WP01-writer.md`, secret],
    [`${FEATURE}/tasks.md`, secret],
    [`${FEATURE}/meta.json`, secret],
    [`${FEATURE}/research.md`, secret],
    [`${FEATURE}/plan.md`, join(folder, 'none')],
    ['.worktrees', folder],
    ['.kittify', folder],
    ['.kittify/config.yaml', secret],
    ['.kittify/logs', folder],
    ['.kittify/missions/software-dev/mission.yaml', secret],
  ] as const) {
    link(repo, path, target);
    const state = (): readonly unknown[] => [look(), repo.git('rev-parse', 'HEAD'), repo.status()];
    const before = state();

    for (const command of commands(repo))
      await expect(Promise.resolve().then(command), path).rejects.toMatchObject({
        code: 'link-leads-away',
        message: expect.stringContaining(path),
      });

    expect(state(), path).toEqual(before);
    repo.git('reset', '--quiet', '--hard', start);
  }
  expect(repo.emitted).toEqual([]);
});

test.for(['.gitignore', '.kittify', '.kittify/config.yaml', '.kittify/metadata.yaml'])(
  'init refuses a %s that leads away: what it leads to is not committed, and nothing is written there',
  async (path) => {
    const repo = createRepo();
    const { folder, secret, look } = elsewhere();
    link(repo, path, path === '.kittify' ? folder : secret);
    const before = [look(), repo.git('rev-parse', 'HEAD'), repo.status()];

    await expect(init(repo.deps, { cwd: repo.root })).rejects.toMatchObject({ code: 'link-leads-away' });

    expect([look(), repo.git('rev-parse', 'HEAD'), repo.status()]).toEqual(before);
  },
);

test('a new feature is not made through a link', async () => {
  const repo = createRepo();
  await init(repo.deps, { cwd: repo.root });
  const { folder, look } = elsewhere();
  link(repo, 'kitty-specs', folder);
  const before = look();

  await expect(createFeature(repo.deps, { cwd: repo.root, slug: 'demo' })).rejects.toMatchObject({
    code: 'link-leads-away',
  });

  expect(look()).toEqual(before);
});

test('a folder of a clone that git takes for a repository is no project: what its settings name is not run', async () => {
  const repo = await createProject(['Writer']);
  const { folder, look } = elsewhere();
  const trap = 'vendor/tool';
  repo.write(`${trap}/HEAD`, 'ref: refs/heads/main\n');
  repo.write(`${trap}/config`, `[core]\n\tbare = false\n\tworktree = .\n\tfsmonitor = "touch ${folder}/run; false"\n`);
  for (const name of ['objects/keep', 'refs/keep', '.kittify/config.yaml']) repo.write(`${trap}/${name}`, '');
  repo.write(`${trap}/kitty-specs/001-demo/meta.json`, '{"target_branch":"main"}');
  const before = look();
  const cwd = join(repo.root, trap);

  for (const command of [
    () => tasksStatus(repo.deps, { cwd }),
    () => moveTask(repo.deps, { cwd, wpId: 'WP01', to: 'doing' }),
    () => init(repo.deps, { cwd, git: true }),
  ])
    await expect(command()).rejects.toMatchObject({ code: 'bare-repository' });

  expect(look()).toEqual(before);
});

test('a file in the place of a folder is told, with what sets it aside', async () => {
  const repo = await createProject(['Writer']);
  rmSync(join(repo.root, FEATURE, 'tasks'), { recursive: true });
  repo.write(`${FEATURE}/tasks`, 'x');

  await expect(Promise.resolve().then(() => tasksStatus(repo.deps, { cwd: repo.root }))).rejects.toMatchObject({
    code: 'not-a-folder',
    remedy: `mv ${FEATURE}/tasks ${FEATURE}/tasks.old`,
  });
  execFileSync('sh', ['-c', `mv ${FEATURE}/tasks ${FEATURE}/tasks.old`], { cwd: repo.root });
  await expect(tasksStatus(repo.deps, { cwd: repo.root })).resolves.toMatchObject({ feature: '001-demo' });
});

test('a link within the repository is nobody’s harm', async () => {
  const repo = await createProject(['Writer']);
  repo.write('docs/plan.md', '# Plan\n');
  link(repo, `${FEATURE}/plan.md`, '../../docs/plan.md');

  await expect(finalizeTasks(repo.deps, { cwd: repo.root })).resolves.toMatchObject({ result: 'success' });
});

test('a folder that no feature can be called is none, and a link that leads nowhere stops no other feature', async () => {
  const repo = await createProject(['Writer']);
  for (const name of ['002-a b', '003-$(touch x)', '004-x;y', "005-'q", '006-\u001B[2J'])
    repo.write(`kitty-specs/${name}/meta.json`, '{}');
  symlinkSync('nowhere', join(repo.root, 'kitty-specs/007-gone'));

  expect(listFeatures(repo.root)).toEqual(['001-demo']);
});

test.skipIf(process.platform === 'win32')(
  'a device or a pipe in the place of a file is refused at once, and so is one without end',
  () => {
    const { folder } = elsewhere();
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const large = join(folder, 'large');
    writeFileSync(large, Buffer.alloc(17 * 1024 * 1024, 'x'));

    expect(() => readText('/dev/zero', 'a')).toThrow('a cannot be read.');
    expect(() => readText(pipe, 'b')).toThrow('b cannot be read.');
    expect(() => readText(large, 'c')).toThrow('c is larger than 16 MiB.');
  },
);

test('a file is not written through a link that waits under the name of its temporary file', () => {
  const { folder, secret, look } = elsewhere();
  const repo = createRepo();
  const path = join(repo.root, 'a.txt');
  symlinkSync(secret, `${path}.${process.pid}.tmp`);
  const before = look();

  writeText(path, 'new\n');

  expect([readFileSync(path, 'utf8'), look(), readdirSync(folder)]).toEqual(['new\n', before, ['secret']]);
});

// Each would take seconds, an exception, or a word on the terminal that nobody made harmless.
test.for([
  ['20,000 keys', Array.from({ length: 20_000 }, (_, at) => `k${at}: v`).join('\n'), 'longer than 128 KiB'],
  ['brackets 20,000 deep', `a: ${'['.repeat(20_000)}`, 'call stack'],
  ['lists 20,000 deep', `a:\n${'- '.repeat(20_000)}`, 'call stack'],
] as const)('a YAML text of %s is refused in bounded time', ([, text, why]) => {
  const { errors } = parseYamlDocument(text);

  expect(errors[0]?.message).toContain(why);
});

test('aliases that multiply, keys that are lists and the names of every object’s members do no harm', () => {
  const words: string[] = [];
  const listen = (warning: Error): void => void words.push(warning.message);
  process.on('warning', listen);
  onTestFinished(() => {
    process.off('warning', listen);
  });
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${[...'bcdefghi']
    .map(
      (name, at) =>
        `${name}: &${name} [${Array<string>(9)
          .fill(`*${'abcdefgh'[at] ?? ''}`)
          .join(',')}]`,
    )
    .join('\n')}`;

  expect(readYamlValues(parseYamlDocument(bomb), bomb)).toMatchObject({ kind: 'broken' });
  const odd = '? ["\\e[2J"]\n: 1\n__proto__:\n  polluted: true\nconstructor: 1\n';
  expect(readYamlValues(parseYamlDocument(odd), odd).kind).toBe('read');
  expect(parseFrontmatter('x.md', `---\n${odd}---\n`).get('polluted')).toBeUndefined();
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  expect(words).toEqual([]);
});
