/** Builds the program with the fake client and a probe command, and runs it as real processes in fresh homes. */
import { spawn, type ChildProcess } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { bundle, packageRoot, type BundleOptions } from '../../scripts/bundle.ts';
import type { FakeScript } from './fake-node-client.ts';

/** How one run ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Calls the client got, in order. */
  readonly calls: readonly (readonly [method: string, detail: unknown])[];
}

/** What one run gets beside its words. */
export interface RunOptions {
  readonly script?: FakeScript;
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string;
  /** Working directory. Default: a fresh, empty home. */
  readonly cwd?: string;
  /** Called once the process runs, e.g. to send it a signal. */
  readonly during?: (child: ChildProcess) => void;
  readonly nodeOptions?: readonly string[];
}

/** The built program. */
export interface Program {
  readonly root: string;
  run(words: readonly string[], options?: RunOptions): Promise<Ended>;
  remove(): Promise<void>;
}

const support = fileURLToPath(new URL('.', import.meta.url));

/** Builds into the folder `root`; answers the program to run. */
export async function bundleProgram(options: BundleOptions): Promise<string> {
  const { root } = options;
  await cp(join(packageRoot, 'package.json'), join(root, 'package.json'));
  await cp(join(packageRoot, 'bin'), join(root, 'bin'), { recursive: true });
  await bundle(options);
  return join(root, 'bin/run.js');
}

/** Builds into a fresh folder. */
export async function buildProgram(): Promise<Program> {
  const root = await mkdtemp(join(tmpdir(), 'spec-kitty-cli-'));
  const bin = await bundleProgram({
    root,
    alias: { '@spec-kitty/events-sdk/node': join(support, 'fake-node-client.ts') },
    extraCommands: { probe: join(support, 'probe.ts') },
  });
  let runs = 0;
  return {
    root,
    async run(words, options = {}) {
      runs += 1;
      const home = join(root, `home-${runs}`);
      const calls = join(home, 'calls');
      await mkdir(home);
      await writeFile(join(home, 'script.json'), JSON.stringify(options.script ?? {}));
      const env: NodeJS.ProcessEnv = {
        PATH: process.env['PATH'],
        HOME: home,
        SPEC_KITTY_HOME: join(home, '.spec-kitty'),
        FAKE_CLIENT: join(home, 'script.json'),
        FAKE_CALLS: calls,
        NODE_DISABLE_COMPILE_CACHE: '1',
        ...options.env,
      };
      const ended = await runProcess(
        [...(options.nodeOptions ?? []), bin, ...words],
        options.cwd ?? home,
        env,
        options,
      );
      const written = await readFile(calls, 'utf8').catch(() => '');
      const lines = written.split('\n').filter((line) => line !== '');
      return { ...ended, calls: lines.map((line) => JSON.parse(line) as [string, unknown]) };
    },
    remove: () => rm(root, { recursive: true, force: true }),
  };
}

function runProcess(
  argv: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv,
  options: RunOptions,
): Promise<Omit<Ended, 'calls'>> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, argv, { cwd, env, stdio: ['pipe', 'pipe', 'pipe'] });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.on('error', reject);
    child.on('close', (code) => {
      resolve({ code, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() });
    });
    // A program that reads nothing may close its input first.
    child.stdin.on('error', () => {});
    if (options.input !== undefined) child.stdin.end(options.input);
    else if (options.during === undefined) child.stdin.end();
    options.during?.(child);
  });
}
