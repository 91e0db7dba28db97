/**
 * Two programs to compare with, built as `spec-kitty` is: the command framework with one empty command, and spec-kitty
 * itself with a client that emits nothing. Each lies in a folder of its own.
 */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { cliRoot, loadBundler } from './bundler.ts';

export interface OtherProgram {
  /** The script to start with Node. */
  readonly bin: string;
  remove(): void;
}

/** What the CLI's own build script offers; it is no part of the package. */
interface BuildScript {
  bundle(options: { readonly root: string; readonly alias?: Readonly<Record<string, string>> }): Promise<void>;
}

/** spec-kitty with a client that records, shows and delivers nothing; of the library only the lock is left. */
export async function buildSilentProgram(): Promise<OtherProgram> {
  const root = emptyFolder();
  cpSync(join(cliRoot, 'package.json'), join(root, 'package.json'));
  cpSync(join(cliRoot, 'bin'), join(root, 'bin'), { recursive: true });
  const sdk = fileURLToPath(import.meta.resolve('@spec-kitty/events-sdk/node'));
  const client = join(root, 'silent-client.js');
  writeFileSync(
    client,
    `export { systemRandom, withDirectoryLock } from ${JSON.stringify(sdk)};
     export const openNodeClient = () => ({
       emitAll: async (drafts) => drafts.map(() => ({ status: 'queued' })),
       nudge: async () => 'none',
       status: async () => null,
       close: async () => {},
     });
     export const [runCourier, resolveHome, readStoreFile, listDamagedQueues, convertStore] = [];
     export const [deriveNewIdentity, deriveNodeId, currentHostname, currentUsername] = [];`,
  );
  // Checked by what it builds: the script is loaded by its place, for which there are no types.
  const script = (await import(pathToFileURL(join(cliRoot, 'scripts/bundle.ts')).href)) as BuildScript;
  await script.bundle({ root, alias: { '@spec-kitty/events-sdk/node': client } });
  return programIn(root);
}

/** The framework, bundled and with a manifest as spec-kitty has them, and a command that does nothing. */
export async function buildEmptyProgram(): Promise<OtherProgram> {
  const root = emptyFolder();
  const manifest = JSON.parse(readFileSync(join(cliRoot, 'package.json'), 'utf8')) as { readonly version: string };
  const oclif = {
    bin: 'empty',
    commands: { strategy: 'pattern', target: './dist/commands', globPatterns: ['**/*.js'] },
  };
  writeJson(join(root, 'package.json'), { name: 'empty', version: manifest.version, type: 'module', oclif });
  write(
    join(root, 'src/main.ts'),
    `import { run } from '@oclif/core/run';
     import { settings } from '@oclif/core/settings';
     export const main = async () => {
       settings.enableAutoTranspile = false;
       await run(process.argv.slice(2), { root: ${JSON.stringify(root)}, devPlugins: false, userPlugins: false });
       process.exit(0);
     };`,
  );
  write(
    join(root, 'src/commands/nothing.ts'),
    `import { Command } from '@oclif/core/command';
     export default class Nothing extends Command { async run() { await this.parse(Nothing); } }`,
  );
  write(
    join(root, 'bin/run.js'),
    `import * as nodeModule from 'node:module';
     nodeModule.enableCompileCache?.();
     import('../dist/main.js').then(({ main }) => main());`,
  );
  await bundleEmpty(root);
  const command = { id: 'nothing', aliases: [], hiddenAliases: [], args: {}, flags: {}, isESM: true };
  const place = { pluginName: 'empty', pluginType: 'core', relativePath: ['dist', 'commands', 'nothing.js'] };
  writeJson(join(root, 'oclif.manifest.json'), {
    version: manifest.version,
    commands: { nothing: { ...command, ...place } },
  });
  return programIn(root);
}

async function bundleEmpty(root: string): Promise<void> {
  const bundler = await loadBundler();
  const unbundled = (name: string): string => join(cliRoot, 'scripts/unbundled', name);
  await bundler.build({
    entryPoints: { main: join(root, 'src/main.ts'), 'commands/nothing': join(root, 'src/commands/nothing.ts') },
    outdir: join(root, 'dist'),
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    minifySyntax: true,
    minifyWhitespace: true,
    banner: {
      js: "import { createRequire as __c } from 'node:module';\nconst require = __c(import.meta.url);\nconst __filename = import.meta.filename;\nconst __dirname = import.meta.dirname;",
    },
    alias: {
      'wsl-utils': unbundled('wsl-utils.ts'),
      minimatch: unbundled('globbing.ts'),
      tinyglobby: unbundled('globbing.ts'),
    },
    nodePaths: [join(cliRoot, 'node_modules')],
    logLevel: 'warning',
  });
}

function programIn(root: string): OtherProgram {
  return {
    bin: join(root, 'bin/run.js'),
    remove() {
      rmSync(root, { recursive: true, force: true });
    },
  };
}

function emptyFolder(): string {
  return mkdtempSync(join(tmpdir(), 'spec-kitty-bench-program-'));
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

function writeJson(path: string, value: object): void {
  write(path, `${JSON.stringify(value)}\n`);
}
