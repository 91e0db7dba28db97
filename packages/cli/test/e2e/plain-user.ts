/**
 * A machine on which nobody is root: a repository, a home with a sign-in, and the built `spec-kitty`, run by a user
 * whom file modes keep out. Tests that run as root act as another user; where that user cannot reach the program,
 * {@link canActAsPlainUser} is false.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { ContractServer } from '@spec-kitty/events-sdk/testing';

import { ADA, type Ended } from './world.ts';

const bin = fileURLToPath(new URL('../../bin/run.js', import.meta.url));

export const isRoot = process.getuid?.() === 0;
/** `nobody`, by its usual number. */
const AS = isRoot ? { uid: 65_534, gid: 65_534 } : {};

/** Whether the program can be run by a user whom file modes keep out. */
export function canActAsPlainUser(): boolean {
  if (process.platform === 'win32') return false;
  return spawnSync(process.execPath, [bin, '--version'], { ...AS, cwd: tmpdir() }).status === 0;
}

export interface Machine {
  readonly root: string;
  /** The home every case starts from; signed in, one command old. */
  readonly healthyHome: string;
  /** Copies the healthy home to a place of its own. */
  freshHome(name: string): string;
  /** Runs a command in the repository, with this home. `umask` in octal digits. */
  specKitty(
    home: string,
    args: readonly string[],
    more?: { readonly input?: string; readonly umask?: string },
  ): Promise<Ended>;
  /** Gives everything below a path to the user the commands run as. */
  own(path: string): void;
  remove(): void;
}

/** A repository with one finished plan of one package, and a home signed in to `server`. */
export async function makeMachine(driver: string, server: ContractServer): Promise<Machine> {
  const root = mkdtempSync(join(tmpdir(), 'spec-kitty-user-'));
  chmodSync(root, 0o755);
  const cwd = join(root, 'repository');
  const healthyHome = join(root, 'healthy');
  mkdirSync(cwd);
  const inherited = Object.entries(process.env).filter(([name]) => !/^(?:SPEC_KITTY_|GIT_|CI$)/.test(name));
  const env: NodeJS.ProcessEnv = {
    ...Object.fromEntries(inherited),
    HOME: root,
    GIT_CONFIG_GLOBAL: '/dev/null',
    SPEC_KITTY_DELIVERY: 'off',
    SPEC_KITTY_QUEUE_DRIVER: driver,
  };

  const own = (path: string): void => {
    if (AS.uid === undefined) return;
    chownSync(path, AS.uid, AS.gid);
    for (const entry of readdirSync(path, { recursive: true, encoding: 'utf8' }))
      chownSync(join(path, entry), AS.uid, AS.gid);
  };

  async function run(
    program: string,
    args: readonly string[],
    more: { home?: string; input?: string } = {},
  ): Promise<Ended> {
    const child = spawn(program, args, {
      ...AS,
      cwd,
      env: { ...env, ...(more.home === undefined ? {} : { SPEC_KITTY_HOME: more.home }) },
      stdio: 'pipe',
    });
    const output = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
    child.stdin.on('error', () => {});
    child.stdin.end(more.input ?? '');
    // The event's own argument.
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, ...output };
  }

  const machine: Machine = {
    root,
    healthyHome,
    own,
    freshHome(name) {
      const home = join(root, name);
      cpSync(healthyHome, home, { recursive: true });
      own(home);
      return home;
    },
    specKitty: (home, args, { input = '', umask } = {}) =>
      umask === undefined
        ? run(process.execPath, [bin, ...args], { home, input })
        : run('sh', ['-c', `umask ${umask}; exec "$0" "$@"`, process.execPath, bin, ...args], { home, input }),
    remove() {
      rmSync(root, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    },
  };

  own(root);
  const steps: readonly (() => Promise<Ended>)[] = [
    () => run('git', ['init', '--quiet', '--initial-branch=main']),
    () => run('git', ['config', 'user.name', 'Ada']),
    () => run('git', ['config', 'user.email', ADA.username]),
    () => run('git', ['commit', '--quiet', '--allow-empty', '--message', 'Start']),
    ...[
      ['init', '--yes'],
      ['agent', 'feature', 'create-feature', 'demo'],
      ['agent', 'tasks', 'scaffold', '--wp', 'One'],
      ['auth', 'login', '--server', server.url, '--username', ADA.username, '--password-stdin'],
      ['agent', 'feature', 'finalize-tasks'],
      ['sync', 'now'],
    ].map((args) => () => machine.specKitty(healthyHome, args, { input: `${ADA.password}\n` })),
  ];
  for (const step of steps) {
    const { code, stdout, stderr } = await step();
    if (code !== 0) throw new Error(`A step of the preparation ended with ${code}: ${stdout}${stderr}`);
  }
  return machine;
}
