/** What is published: a bundle that needs nothing but Node, with the licences of what it is made of. */
import { readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';

import { build } from 'esbuild';
import { expect, test } from 'vitest';

import { packageRoot } from '../scripts/bundle.ts';

/** What a bundled library looks for, and does without. */
const OPTIONAL: Readonly<Record<string, string>> = {
  bufferutil: 'ws is faster with it',
  'utf-8-validate': 'ws is faster with it',
};

const read = (file: string): string => readFileSync(join(packageRoot, file), 'utf8');
const pjson = JSON.parse(read('package.json')) as Readonly<Record<string, unknown>>;

test('no file of the bundle imports or requires a package', async () => {
  const files = readdirSync(join(packageRoot, 'dist'), { recursive: true, encoding: 'utf8' });
  const { metafile } = await build({
    absWorkingDir: packageRoot,
    entryPoints: ['bin/run.js', ...files.filter((file) => file.endsWith('.js')).map((file) => join('dist', file))],
    outdir: 'nowhere',
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    external: ['./*', '../*'],
    write: false,
    metafile: true,
    logLevel: 'error',
  });

  const named = Object.values(metafile.inputs).flatMap(({ imports }) => imports.map(({ path }) => path));
  const packages = named.filter((path) => !path.startsWith('.') && !isBuiltin(path));
  expect([...new Set(packages)].filter((path) => !(path in OPTIONAL) && !path.startsWith('dist/'))).toEqual([]);
});

test('so nothing has to be installed beside it', () => {
  expect(pjson).not.toHaveProperty('dependencies');
  expect(pjson).not.toHaveProperty('peerDependencies');
  expect(pjson).not.toHaveProperty('optionalDependencies');
});

test('the licences of the libraries in it stand beside the bundle', () => {
  const licenses = read('dist/THIRD-PARTY-LICENSES.txt');

  const titles = licenses
    .split('\n')
    .flatMap((line) => /^(\S+) [\d.]+ \((?:MIT|ISC|BSD-3-Clause|Apache-2.0)\)$/.exec(line)?.[1] ?? []);
  const wanted = ['@inquirer/core', '@oclif/core', 'ky', 'sql.js', 'ulid', 'valibot', 'ws', 'yaml'];
  expect(wanted.filter((name) => !titles.includes(name))).toEqual([]);
  expect(licenses).toContain('Permission is hereby granted');
});
