/**
 * Packs both packages with `npm pack`, installs the tarballs into an empty project with npm and with pnpm, and uses
 * them there: `project/` compiled strictly under both module resolutions and run, the examples of the README compiled,
 * the installed `spec-kitty` at work in a scratch repository. Needs a build and npm's registry. Exit code 1 when
 * something does not hold, 77 when the registry cannot be reached (1 in CI: what has not been checked is not published).
 */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { writeExamples } from './readme.ts';
import { run } from './run.ts';
import { pack, PACKAGES, type Tarball } from './tarball.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const projectFiles = join(import.meta.dirname, '..', 'project');
/** A Node that has just learned `require` of ES modules, and has no `node:sqlite`. */
const oldestNode = join(root, 'tools', 'oldest-node', 'node_modules', 'node', 'bin', 'node');

/** What a stranger who uses everything installs beside the packages: the optional peers, and what the programs import. */
const PEERS = ['jose', '@opentelemetry/api'];
const COMPANIONS = [...PEERS, 'valibot', '@types/node'];

type Installer = 'npm' | 'pnpm';

const INSTALL: Readonly<Record<Installer, readonly string[]>> = {
  npm: ['install', '--prefix', '.', '--no-audit', '--no-fund', '--prefer-offline', '--fetch-retries=1'],
  pnpm: ['add', '--prefer-offline', '--fetch-retries=1'],
};

/** Compiler options of the strangers: `skipLibCheck` off, so that every declaration they reach has to hold. */
const STRANGER = {
  strict: true,
  skipLibCheck: false,
  exactOptionalPropertyTypes: true,
  target: 'ES2023',
  lib: ['ES2024', 'ESNext.Disposable'],
  types: ['node'],
};
const NODENEXT = { ...STRANGER, module: 'nodenext', moduleResolution: 'nodenext', outDir: 'built', rootDir: '.' };
const BUNDLER = { ...STRANGER, module: 'esnext', moduleResolution: 'bundler', noEmit: true };

async function useIn(folder: string, installer: Installer, tarballs: readonly Tarball[]): Promise<void> {
  const started = performance.now();
  mkdirSync(folder);
  const versions = COMPANIONS.map((name) => `${name}@${installedVersion(name)}`);
  writeJson(join(folder, 'package.json'), { name: 'stranger', private: true, type: 'module' });
  await run(installer, [...INSTALL[installer], ...tarballs.map(({ path }) => path), ...versions], { cwd: folder });

  cpSync(projectFiles, folder, { recursive: true });
  writeJson(join(folder, 'tsconfig.json'), { compilerOptions: NODENEXT, files: ['main.ts', 'host.cts'] });
  const readme = join(folder, 'node_modules', '@spec-kitty', 'events-sdk', 'README.md');
  const examples = writeExamples(readme, folder);
  writeJson(join(folder, 'tsconfig.bundler.json'), { compilerOptions: BUNDLER, files: ['main.ts', ...examples] });
  await run('tsc', ['-p', 'tsconfig.json'], { cwd: folder });
  await run('tsc', ['-p', 'tsconfig.bundler.json'], { cwd: folder });

  for (const node of [process.execPath, oldestNode]) await useLibrary(folder, node);
  await useProgram(folder);
  console.log(`${installer}: installed, compiled, used (${((performance.now() - started) / 1000).toFixed(1)} s)`);
}

async function useLibrary(folder: string, node: string): Promise<void> {
  const env = { SPEC_KITTY_HOME: mkdtempSync(join(folder, 'home-')) };
  expectText(await run(node, ['built/main.js'], { cwd: folder, env }), 'used as ES modules');
  expectText(await run(node, ['built/host.cjs'], { cwd: folder, env }), 'used by require');
}

async function useProgram(folder: string): Promise<void> {
  const repository = join(folder, 'repository');
  const program = join(folder, 'node_modules', '.bin', 'spec-kitty');
  const env = { SPEC_KITTY_HOME: join(folder, 'home') };
  const { version } = readJson(join(root, 'packages', 'cli', 'package.json'));
  mkdirSync(repository);
  await run('git', ['init', '--quiet', '--initial-branch', 'main'], { cwd: repository });
  await run('git', ['config', 'user.name', 'Stranger'], { cwd: repository });
  await run('git', ['config', 'user.email', 'stranger@example.com'], { cwd: repository });

  expectText(await run(program, ['--version'], { cwd: repository, env }), String(version));
  await run(program, ['init'], { cwd: repository, env });
  const created = await run(program, ['agent', 'feature', 'create-feature', 'invoice-export', '--json'], {
    cwd: repository,
    env,
  });
  expectText(created, '001-invoice-export');
  if (!existsSync(join(repository, 'kitty-specs', '001-invoice-export', 'meta.json')))
    throw new Error('create-feature answered, and made no feature.');
}

function expectText(output: string, wanted: string): void {
  if (!output.includes(wanted)) throw new Error(`Expected "${wanted}" in:\n${output}`);
}

/** The version this repository works with: already in the caches of both installers. */
function installedVersion(name: string): string {
  const holder = PEERS.includes(name) ? 'packages/events-sdk' : 'tools/packed';
  return String(readJson(join(root, holder, 'node_modules', name, 'package.json'))['version']);
}

function readJson(path: string): Readonly<Record<string, unknown>> {
  // Files npm or we wrote: objects.
  return JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
}

function writeJson(path: string, value: object): void {
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`);
}

/** What npm and pnpm say when there is no network. */
const UNREACHABLE = /\b(?:ENOTFOUND|EAI_AGAIN|ENETUNREACH|ECONNREFUSED|ETIMEDOUT|ERR_SOCKET_TIMEOUT)\b/;

const scratch = mkdtempSync(join(tmpdir(), 'spec-kitty-packed-'));
try {
  const tarballs: Tarball[] = [];
  for (const name of PACKAGES) tarballs.push(await pack(join(root, 'packages', name), scratch));
  for (const { file, files, bytes } of tarballs)
    console.log(`${file}: ${files.length} files, ${Math.round(bytes / 1000)} kB packed`);
  for (const installer of ['npm', 'pnpm'] as const) await useIn(join(scratch, installer), installer, tarballs);
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  const isOffline = UNREACHABLE.test(message) && !process.env['CI'];
  console.error(isOffline ? "Not checked: npm's registry cannot be reached from here." : message);
  process.exitCode = isOffline ? 77 : 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
