/**
 * Builds the library: declarations by tsc, code by esbuild into a few shared chunks behind the entries of
 * package.json. One file a module would cost a program some 50 ms at every start (docs/decisions/0005-bundled-library.md).
 * Third-party packages stay outside, so that a host shares its copies.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { build } from 'esbuild';

const root = join(import.meta.dirname, '..');
// Our own package.json.
const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  exports: Record<string, string | { default: string }>;
};

const entries = Object.values(exports).flatMap((target) =>
  typeof target === 'string' ? [] : [target.default.replace(/^\.\/dist\/(.+)\.js$/, 'src/$1.ts')],
);

rmSync(join(root, 'dist'), { recursive: true, force: true });
execFileSync('tsc', ['-p', 'tsconfig.build.json'], {
  cwd: root,
  stdio: 'inherit',
  shell: process.platform === 'win32',
});
await build({
  absWorkingDir: root,
  entryPoints: entries,
  outbase: 'src',
  outdir: 'dist',
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node22',
  packages: 'external',
  sourcemap: true,
  logLevel: 'warning',
});

// esbuild keeps bare imports between chunks for the order of side effects. There are none (package.json says so), and a
// host's bundler would warn about each. The line stays, so that the source maps still fit.
for (const file of readdirSync(join(root, 'dist'), { recursive: true, encoding: 'utf8' })) {
  if (!file.endsWith('.js')) continue;
  const path = join(root, 'dist', file);
  const code = readFileSync(path, 'utf8');
  writeFileSync(path, code.replaceAll(/^import "\.{1,2}\/[\w./-]+\.js";$/gm, ''));
}
