/**
 * Bundles the program: one small file per command, shared code in chunks, and the manifest that lets the
 * framework find a command without loading the others. Tests build it again with a client of their own.
 */
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Config } from '@oclif/core/config';
import { build, type Metafile, type Plugin } from 'esbuild';

import { thirdPartyLicenses } from './licenses.ts';

/** The root of this package. */
export const packageRoot = fileURLToPath(new URL('..', import.meta.url));

/** Where to build, and what to put in another's place. */
export interface BundleOptions {
  /** A folder with package.json; `dist/` and `oclif.manifest.json` are written there. */
  readonly root: string;
  /** Module name → file to bundle instead. */
  readonly alias?: Readonly<Record<string, string>>;
  /** Name below `dist/commands` (without extension) → source file, beside the program's own commands. */
  readonly extraCommands?: Readonly<Record<string, string>>;
  /** Programs that are wrong on purpose. */
  readonly edits?: Edits;
}

/** Part of a source file's path, with `/` → its text made another. One that changes nothing fails the build. */
export type Edits = Readonly<Record<string, (text: string) => string>>;

// Bundled CommonJS code asks for these; ES modules do not have them.
const BANNER = [
  "import { createRequire as __createRequire } from 'node:module';",
  'const require = __createRequire(import.meta.url);',
  'const __filename = import.meta.filename;',
  'const __dirname = import.meta.dirname;',
].join('\n');

const stub = (name: string): string => join(packageRoot, 'scripts/unbundled', name);

/** Parts of libraries this program never needs, and would pay for at every start or in every download. */
const UNBUNDLED: Readonly<Record<string, string>> = {
  typescript: stub('typescript.ts'),
  'wsl-utils': stub('wsl-utils.ts'),
  minimatch: stub('globbing.ts'),
  tinyglobby: stub('globbing.ts'),
  '@inquirer/editor': stub('editor.ts'),
};

/**
 * The builds of two libraries that are not meant for Node, and are the same code. `yaml` has for Node only CommonJS, and a
 * dynamic import of bundled CommonJS yields `default` and none of its names: the library's `const { LineCounter } =
 * await import('yaml')` would find nothing. `ulid` imports `node:crypto` there, 5 ms at every start for random numbers it
 * gets from us.
 */
function otherBuilds(): Readonly<Record<string, string>> {
  const require = createRequire(join(packageRoot, 'package.json'));
  const sdk = createRequire(require.resolve('@spec-kitty/events-sdk/package.json'));
  return {
    yaml: join(dirname(require.resolve('yaml/package.json')), 'browser/index.js'),
    ulid: join(dirname(sdk.resolve('ulid/package.json')), 'dist/browser/index.js'),
  };
}

/**
 * The framework sorts the commands of the manifest at every start, by the rules of a language: the first such comparison in
 * a process loads their tables, 10 ms. Ids are ASCII. A framework that does it another way fails the build, to be looked at.
 */
const PLAIN_ORDER: Edits = {
  '/@oclif/core/lib/config/plugin.js': (text) => text.replace('a.id.localeCompare(b.id)', '(a.id < b.id ? -1 : 1)'),
};

/** Each of the files has to be there, and to become another. */
function edited(edits: Edits): Plugin {
  return {
    name: 'edited',
    setup({ onLoad, onEnd }) {
      const left = new Set(Object.keys(edits));
      onLoad({ filter: /\.[jt]s$/ }, async ({ path }) => {
        const entry = Object.entries(edits).find(([part]) => path.replaceAll('\\', '/').includes(part));
        if (entry === undefined) return undefined;
        const text = await readFile(path, 'utf8');
        const contents = entry[1](text);
        if (contents !== text) left.delete(entry[0]);
        return { contents, loader: path.endsWith('.ts') ? 'ts' : 'js' };
      });
      onEnd(() => {
        if (left.size > 0) throw new Error(`Nothing was changed in ${[...left].join(', ')}.`);
      });
    },
  };
}

/** Builds into `root`. */
export async function bundle(options: BundleOptions): Promise<void> {
  const outdir = join(options.root, 'dist');
  await rm(outdir, { recursive: true, force: true });
  const { metafile } = await build({
    entryPoints: { ...(await entryPoints()), ...prefixed(options.extraCommands ?? {}) },
    outdir,
    absWorkingDir: packageRoot,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    // Chunks stand beside the entries: shared code finds package.json one folder up, as in src/.
    chunkNames: '[name]-[hash]',
    external: ['node:sqlite'],
    banner: { js: BANNER },
    alias: { ...UNBUNDLED, ...otherBuilds(), ...options.alias },
    nodePaths: [join(packageRoot, 'node_modules')],
    plugins: [edited({ ...PLAIN_ORDER, ...options.edits })],
    logLevel: 'warning',
    metafile: true,
  });
  // Whoever puts a module of their own in the place of another knows its licence.
  const own = [dirname(packageRoot), ...Object.values(options.alias ?? {}).map((file) => dirname(file))];
  await writeLicenses(outdir, bundledFiles(metafile), own);
  await dropWhatNothingUses(outdir);
  await copyWasm(outdir);
  await writeManifest(options.root);
}

/**
 * The bundler makes an entry import every chunk that holds a file it reaches, by name or not: for the sake of what these do
 * when loaded. Ours do nothing then, nor does a library that says `sideEffects: false`, and a name from the library's index
 * reaches all of it: 20 files and 14 ms at every start. What is used is imported by name, and stays. And it puts the banner
 * above every file: a `require` for each of sixty that never call it is 4 ms more.
 */
async function dropWhatNothingUses(outdir: string): Promise<void> {
  for (const file of await readdir(outdir, { recursive: true })) {
    if (!file.endsWith('.js')) continue;
    const path = join(outdir, file);
    const text = await readFile(path, 'utf8');
    const imports = /^(?:import(?:[^;"']*from)?"[^"]*";)+/m.exec(text)?.[0] ?? '';
    const kept = imports.replaceAll(/import"(?:\.\.?\/)+chunk-[A-Z0-9]+\.js";/g, '');
    const needed = text.replace(imports, () => kept);
    const below = needed.startsWith(BANNER) ? needed.slice(BANNER.length).trimStart() : needed;
    await writeFile(path, /\brequire\b|\b__(?:file|dir)name\b/.test(below) ? needed : below);
  }
}

/** Every command, and the two programs. The hooks are part of main. */
async function entryPoints(): Promise<Record<string, string>> {
  const source = join(packageRoot, 'src');
  const entries: Record<string, string> = {
    main: join(source, 'main.ts'),
    courier: join(source, 'courier.ts'),
  };
  for (const file of await readdir(join(source, 'commands'), { recursive: true })) {
    if (file.endsWith('.ts')) entries[`commands/${file.slice(0, -'.ts'.length)}`] = join(source, 'commands', file);
  }
  return entries;
}

function prefixed(commands: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(commands).map(([name, file]) => [`commands/${name}`, file]));
}

/** sql.js looks for its WebAssembly beside the script it runs in. */
async function copyWasm(outdir: string): Promise<void> {
  const sdk = createRequire(
    createRequire(join(packageRoot, 'package.json')).resolve('@spec-kitty/events-sdk/package.json'),
  );
  await cp(join(dirname(sdk.resolve('sql.js')), 'sql-wasm.wasm'), join(outdir, 'sql-wasm.wasm'));
}

/** The files something of which is left in the bundle. */
function bundledFiles({ outputs }: Metafile): readonly string[] {
  const files = Object.values(outputs).flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([file, { bytesInOutput }]) => (bytesInOutput > 0 ? [file] : [])),
  );
  return [...new Set(files)].filter((file) => !file.includes(':')).map((file) => resolve(packageRoot, file));
}

/** Beside the bundle, because it goes wherever that code goes. */
async function writeLicenses(outdir: string, inputs: readonly string[], ownRoots: readonly string[]): Promise<void> {
  await writeFile(join(outdir, 'THIRD-PARTY-LICENSES.txt'), await thirdPartyLicenses(inputs, ownRoots));
}

/** Loads every command once and writes down what help and parsing need to know. */
async function writeManifest(root: string): Promise<void> {
  const pjson = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const file = join(root, 'oclif.manifest.json');
  await rm(file, { force: true });
  const config = await Config.load({ root, pjson, ignoreManifest: true, devPlugins: false, userPlugins: false });
  const plugin = config.plugins.get(pjson.name);
  // The published type leaves the manifest out; `oclif manifest` reads the same member.
  const manifest = (plugin as { readonly manifest?: { readonly commands: object } } | undefined)?.manifest;
  const ids = Object.keys(manifest?.commands ?? {});
  if (ids.length === 0) throw new Error('No command could be loaded from the bundle.');
  await writeFile(file, `${JSON.stringify(manifest)}\n`);
}
