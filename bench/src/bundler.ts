/** The bundler that the command line is built with, for the programs measured here. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** Where the command line's package lies. */
export const cliRoot = dirname(fileURLToPath(import.meta.resolve('@spec-kitty/cli/package.json')));

/** What of esbuild is used here. */
export interface Bundler {
  build(
    options: Readonly<Record<string, unknown>>,
  ): Promise<{ readonly outputFiles?: readonly { readonly contents: Uint8Array }[] }>;
}

/** It is the CLI's dependency, so it is loaded from there. */
export async function loadBundler(): Promise<Bundler> {
  const path = createRequire(join(cliRoot, 'package.json')).resolve('esbuild');
  return (await import(pathToFileURL(path).href)) as Bundler; // see Bundler
}
