/** Builds the page into `dist/`: the page with its parts, the wasm of sql.js, and the worker that keeps all of them. */
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import { build, type BuildOptions } from 'esbuild';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');
const common: BuildOptions = {
  absWorkingDir: root,
  outdir: 'dist',
  bundle: true,
  format: 'esm',
  platform: 'browser',
  target: 'es2024',
  minify: true,
  logLevel: 'warning',
};

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist);
// What is needed only once something is sent stays in parts of its own.
await build({
  ...common,
  entryPoints: { page: 'src/page/main.ts' },
  splitting: true,
  chunkNames: 'part-[name]-[hash]',
});
copyFileSync(join(root, 'src/page/index.html'), join(dist, 'index.html'));
const wasm = 'sql-wasm-browser.wasm';
copyFileSync(createRequire(import.meta.url).resolve(`sql.js/dist/${wasm}`), join(dist, wasm));

const names = readdirSync(dist).toSorted();
const hash = createHash('sha256');
for (const name of names) hash.update(name).update(readFileSync(join(dist, name)));
const files = names.map((name) => (name === 'index.html' ? '/' : `/${name}`));
await build({
  ...common,
  entryPoints: { 'service-worker': 'src/worker/service-worker.ts' },
  define: { SHELL: JSON.stringify({ version: hash.digest('hex').slice(0, 16), files }) },
});
