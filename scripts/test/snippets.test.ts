/** The programs in our manuals are what they claim: they compile, run to their end, and print what the page shows. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { afterAll, beforeAll, expect, test } from 'vitest';

import { snippetsOf } from '../snippets.ts';

const root = join(import.meta.dirname, '..', '..');
const sdk = join(root, 'packages', 'events-sdk');
const PAGES = ['README.md', 'packages/events-sdk/README.md', 'examples/custom-adapter/README.md'];
const snippets = PAGES.flatMap((page) => snippetsOf(page, readFileSync(join(root, page), 'utf8')));
const fileOf = (index: number): string => `snippet-${index}.ts`;

/** What a reader has: a project, the packages that were named, and nothing of this repository. */
const folder = mkdtempSync(join(tmpdir(), 'snippets-'));

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, args, { cwd: folder, env }, (_error, stdout, stderr) => {
      resolve({ code: child.exitCode ?? -1, stdout, stderr });
    });
  });
}

type Testing = typeof import('../../packages/events-sdk/src/testing/index.ts');
let server: Awaited<ReturnType<Testing['createContractServer']>>;
let environment: NodeJS.ProcessEnv;

beforeAll(async () => {
  const installed = (name: string): string => realpathSync(join(sdk, 'node_modules', name));
  const modules = {
    '@spec-kitty/events-sdk': sdk,
    valibot: installed('valibot'),
    '@opentelemetry/api': installed('@opentelemetry/api'),
    '@types/node': installed('@types/node'),
  };
  for (const [name, target] of Object.entries(modules)) {
    const link = join(folder, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(target, link, 'junction');
  }
  mkdirSync(join(folder, '.kittify'));
  writeFileSync(
    join(folder, '.kittify', 'config.yaml'),
    'project:\n  uuid: 3f1c9a52-7f0e-4c55-9d0b-2a6c1b7e4d10\n  slug: demo\n  node_id: 9417b43226d4\n',
  );
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  const base: { readonly compilerOptions: object } = JSON.parse(readFileSync(join(root, 'tsconfig.base.json'), 'utf8'));
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: { ...base.compilerOptions, noEmit: true }, include: ['*.ts'] }),
  );
  snippets.forEach(({ code }, index) => {
    writeFileSync(join(folder, fileOf(index)), code);
  });

  // What was built, as the readers get it.
  const testing: Testing = await import(pathToFileURL(join(sdk, 'dist', 'testing', 'index.js')).href);
  server = await testing.createContractServer();
  await server.accounts.addUser({ username: 'ada', password: 'analytical', team: 'acme' });
  const url = await server.listen();
  const { access } = await server.signIn('ada');
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(?:SPEC_KITTY_|NODE_OPTIONS$|CI$|VITEST|FORCE_COLOR)/.test(name),
  );
  environment = {
    ...Object.fromEntries(kept),
    NO_COLOR: '1',
    SPEC_KITTY_HOME: join(folder, 'home'),
    SPEC_KITTY_TOKEN: access,
    SPEC_KITTY_TEAM: 'acme',
    SPEC_KITTY_SERVER: url,
  };
});

afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

test('every program of the manuals compiles under the strict rules of this repository', async () => {
  const { stdout } = await run([join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', folder]);

  // The compiler names files by number; the page and line are what helps.
  expect(stdout.replaceAll(/snippet-(\d+)\.ts/g, (_name, index: string) => snippets[Number(index)]?.at ?? '')).toBe('');
});

test.each(snippets.map(({ at, output }, index) => ({ at, output, index })))(
  '$at runs to its end',
  async ({ output, index }) => {
    const { code, stdout, stderr } = await run([fileOf(index)], environment);

    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    if (output !== undefined) expect(stdout).toBe(output);
  },
);

test('each page has programs, in lists as well, and output only where it follows at once', () => {
  const page = [
    '1. x',
    '',
    '   ```ts',
    '   a();',
    '     b();',
    '   ```',
    '',
    '```text',
    'shown',
    '```',
    '',
    '```ts',
    'c();',
    '```',
    'words',
    '```text',
    'not its',
    '```',
  ];

  expect(snippetsOf('p.md', page.join('\n'))).toEqual([
    { at: 'p.md:4', code: 'a();\n  b();\n', output: 'shown\n' },
    { at: 'p.md:13', code: 'c();\n', output: undefined },
  ]);
  expect(PAGES.filter((name) => !snippets.some(({ at }) => at.startsWith(`${name}:`)))).toEqual([]);
});
