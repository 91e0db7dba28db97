/**
 * The programs of `programs/`, built to plain JavaScript: a fresh process then starts as fast as one of a person's own, not
 * slowed down by reading TypeScript. What they import stays outside and is found as in any installed program.
 */
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { loadBundler } from './bundler.ts';

const source = fileURLToPath(new URL('programs', import.meta.url));
/** Below this package, so that its dependencies are found from there. */
const target = fileURLToPath(new URL('../node_modules/.cache/programs', import.meta.url));

export interface BuiltPrograms {
  /** The script of `programs/NAME.ts`. */
  path(name: string): string;
  remove(): void;
}

/** Builds all of them. One folder for each run: two runs at once do not disturb each other. */
export async function buildPrograms(): Promise<BuiltPrograms> {
  const outdir = join(target, String(process.pid));
  mkdirSync(outdir, { recursive: true });
  const bundler = await loadBundler();
  await bundler.build({
    entryPoints: readdirSync(source).map((file) => join(source, file)),
    outdir,
    bundle: true,
    splitting: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node24',
    outExtension: { '.js': '.mjs' },
    logLevel: 'warning',
  });
  return {
    path: (name) => join(outdir, `${name}.mjs`),
    remove() {
      rmSync(outdir, { recursive: true, force: true });
    },
  };
}
