/**
 * A repository with two features, to time every workflow command in: `001-work` has many packages and is being worked
 * on; the three packages of `002-ready` are implemented and wait for acceptance and merge.
 */
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { timed, type TimedProcess } from './timed-process.ts';

/** The built spec-kitty. */
export const cliBin = fileURLToPath(new URL('bin/run.js', import.meta.resolve('@spec-kitty/cli/package.json')));
const READY = ['WP01', 'WP02', 'WP03'] as const;

export interface BoardWorld {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Runs the program; answers milliseconds. `codes`: exit codes that are an answer, by default only 0. */
  run(args: readonly string[], codes?: readonly number[]): Promise<number>;
  /** Runs git alone; answers milliseconds. */
  git(...args: readonly string[]): Promise<number>;
  /** How many git processes a run starts. Not timed. */
  countGit(args: readonly string[], codes?: readonly number[]): Promise<number>;
  /** A file of a package of `001-work`, relative. */
  packageFile(wpId: string): string;
  /** Adds a line to a file, as an editor would. */
  edit(path: string): void;
  remove(): void;
}

/**
 * `program` is the script to run; the repository is set up by the built spec-kitty in any case. `isSingle`: without
 * the second feature.
 */
export async function makeBoardWorld(
  packages: number,
  { program = cliBin, isSingle = false }: { readonly program?: string; readonly isSingle?: boolean } = {},
): Promise<BoardWorld> {
  const root = mkdtempSync(join(tmpdir(), 'spec-kitty-bench-'));
  const cwd = join(root, 'repository');
  mkdirSync(cwd);
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    SPEC_KITTY_HOME: join(root, 'home'),
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_NOSYSTEM: '1',
  };
  const git = (...args: readonly string[]): Promise<number> => timed({ file: 'git', args, cwd, env });
  const start = (
    bin: string,
    args: readonly string[],
    more: Pick<TimedProcess, 'codes'> & { readonly path?: string },
  ) =>
    timed({
      file: process.execPath,
      args: [bin, ...args],
      cwd,
      env: more.path === undefined ? env : { ...env, PATH: more.path },
      codes: more.codes ?? [0],
    });
  const specKitty = (...args: readonly string[]): Promise<number> => start(cliBin, args, {});
  const folder = (feature: string): string => join('kitty-specs', feature, 'tasks');
  const packageFile = (wpId: string, feature = '001-work'): string =>
    join(folder(feature), readdirSync(join(cwd, folder(feature))).find((name) => name.startsWith(wpId)) ?? wpId);

  await git('init', '--quiet', '--initial-branch=main');
  await git('config', 'user.name', 'Ada');
  await git('config', 'user.email', 'ada@example.com');
  await git('commit', '--quiet', '--allow-empty', '--message', 'Start');
  await specKitty('init', '--yes');
  await plan('work', packages);
  if (!isSingle) {
    await plan('ready', READY.length);
    for (const wpId of READY) await makeReady(wpId);
  }

  async function plan(slug: string, count: number): Promise<void> {
    const feature = slug === 'work' ? '001-work' : '002-ready';
    await specKitty('agent', 'feature', 'create-feature', slug);
    const tasks = join('kitty-specs', feature, 'tasks.md');
    writeFileSync(join(cwd, tasks), tasksMd(count));
    await specKitty('agent', 'tasks', 'scaffold', '--feature', feature, '--from', tasks);
    await specKitty('agent', 'feature', 'finalize-tasks', '--feature', feature);
  }

  /** By hand, as the lane commands do it: these worlds must stand before those are timed. */
  async function makeReady(wpId: string): Promise<void> {
    await specKitty('implement', wpId, '--feature', '002-ready', '--agent', 'claude');
    const workspace = join(cwd, '.worktrees', `002-ready-${wpId}`);
    writeFileSync(join(workspace, `${wpId}.txt`), 'done\n');
    execFileSync('git', ['add', '.'], { cwd: workspace, env });
    execFileSync('git', ['commit', '--quiet', '--message', `Do ${wpId}`], { cwd: workspace, env });
    const path = packageFile(wpId, '002-ready');
    const text = readFileSync(join(cwd, path), 'utf8').replace('lane: doing', 'lane: for_review');
    writeFileSync(join(cwd, path), `${text}- 2026-03-01T09:00:00Z – claude – lane=for_review – Ready\n`);
    await git('commit', '--quiet', '--all', '--message', `Move ${wpId} to for_review`);
  }

  return {
    cwd,
    env,
    run: (args, codes) => start(program, args, codes === undefined ? {} : { codes }),
    git,
    async countGit(args, codes) {
      const count = join(root, 'git-calls');
      const path = gitCounter(root, count);
      rmSync(count, { force: true });
      await start(program, args, { path, ...(codes === undefined ? {} : { codes }) });
      return existsSync(count) ? readFileSync(count, 'utf8').split('\n').length - 1 : 0;
    },
    packageFile,
    edit(path) {
      appendFileSync(join(cwd, path), '- a line\n');
    },
    remove() {
      rmSync(root, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    },
  };
}

function tasksMd(count: number): string {
  const sections = Array.from({ length: count }, (_, index) => {
    const number = String(index + 1).padStart(2, '0');
    return `## Work Package WP${number}: Part ${number}\n\n- [ ] T0${number} Do it\n\n### Dependencies\n- None\n`;
  });
  return `# Work Packages\n\n${sections.join('\n')}`;
}

/** A PATH on which `git` first writes a line. Git's own children go by its exec path and are not counted. */
function gitCounter(root: string, count: string): string {
  const folder = join(root, 'counting');
  const real = execFileSync('sh', ['-c', 'command -v git'], { encoding: 'utf8' }).trim();
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'git'), `#!/bin/sh\necho "$*" >> '${count}'\nexec '${real}' "$@"\n`, { mode: 0o755 });
  return [folder, process.env['PATH'] ?? dirname(real)].join(delimiter);
}
