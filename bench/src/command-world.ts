/** A scratch repository with a finished plan and a home of its own, in which real `spec-kitty` commands are timed. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { timed } from './timed-process.ts';

const bin = fileURLToPath(new URL('bin/run.js', import.meta.resolve('@spec-kitty/cli/package.json')));

export interface CommandWorld {
  readonly env: NodeJS.ProcessEnv;
  /** Runs a command to its end; answers how many milliseconds it took. */
  specKitty(args: readonly string[], input?: string): Promise<number>;
  remove(): void;
}

/** A project with one feature of three packages, already announced. `extraEnv` chooses store and delivery. */
export async function makeCommandWorld(extraEnv: NodeJS.ProcessEnv): Promise<CommandWorld> {
  const root = mkdtempSync(join(tmpdir(), 'spec-kitty-bench-'));
  const cwd = join(root, 'repository');
  mkdirSync(cwd);
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    SPEC_KITTY_HOME: join(root, 'home'),
    GIT_CONFIG_GLOBAL: '/dev/null',
    ...extraEnv,
  };
  const git = (...args: string[]): unknown => execFileSync('git', args, { cwd, env, stdio: 'ignore' });

  const specKitty = (args: readonly string[], input = ''): Promise<number> =>
    timed({ file: process.execPath, args: [bin, ...args], cwd, env, input });

  git('init', '--initial-branch=main');
  git('config', 'user.name', 'Ada');
  git('config', 'user.email', 'ada@example.com');
  git('commit', '--allow-empty', '--message', 'Start');
  await specKitty(['init', '--yes']);
  await specKitty(['agent', 'feature', 'create-feature', 'demo']);
  await specKitty(['agent', 'tasks', 'scaffold', '--wp', 'One', '--wp', 'Two', '--wp', 'Three']);
  await specKitty(['agent', 'feature', 'finalize-tasks']);
  return {
    env,
    specKitty,
    remove() {
      rmSync(root, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    },
  };
}
