/** A whole scratch world: home, repository, a real contract server, and the built `spec-kitty` as a program. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';

import { createContractServer, type ContractServer } from '@spec-kitty/events-sdk/testing';
import { onTestFinished } from 'vitest';

const builtProgram = fileURLToPath(new URL('../../bin/run.js', import.meta.url));

/** The Node that runs `spec-kitty`: this one, or the oldest supported one, which has no `node:sqlite`. */
const node = process.env['TEST_NODE'] ?? process.execPath;

/** The stores that Node can open. */
export const DRIVERS =
  process.env['TEST_NODE'] === undefined ? (['node-sqlite', 'sqljs'] as const) : (['sqljs'] as const);

export const ADA = { username: 'ada@example.com', password: 'correct horse battery', team: 'acme' };

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface WorldOptions {
  readonly driver?: 'node-sqlite' | 'sqljs';
  /** Default `off`: only `sync now` delivers. */
  readonly delivery?: 'courier' | 'inline' | 'off';
  /** Default: the built program. */
  readonly program?: string;
}

export interface RunOptions {
  /** What is typed into the command. */
  readonly input?: string;
  readonly cwd?: string;
  readonly extraEnv?: NodeJS.ProcessEnv;
  /** Killed when it takes longer, in milliseconds. Default: never. */
  readonly limitMs?: number;
}

/** An envelope as it stands in queue.db or on the server. */
export type Envelope = Readonly<Record<string, unknown>> & { readonly payload: Readonly<Record<string, unknown>> };

export function makeWorld(options: WorldOptions = {}) {
  const bin = options.program ?? builtProgram;
  const root = mkdtempSync(join(tmpdir(), 'spec-kitty-e2e-'));
  const home = join(root, 'home');
  const repository = join(root, 'repository');
  mkdirSync(repository);
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(?:SPEC_KITTY_|SPECIFY_|GIT_|CI$|NO_COLOR|FORCE_COLOR)/.test(name),
  );
  const env: NodeJS.ProcessEnv = {
    ...Object.fromEntries(inherited),
    SPEC_KITTY_HOME: home,
    SPEC_KITTY_DELIVERY: options.delivery ?? 'off',
    SPEC_KITTY_COURIER_IDLE_S: '1',
    ...(options.driver === undefined ? {} : { SPEC_KITTY_QUEUE_DRIVER: options.driver }),
    GIT_CONFIG_GLOBAL: '/dev/null',
  };
  onTestFinished(() => {
    rmSync(root, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  });

  async function specKitty(args: readonly string[], more: RunOptions = {}): Promise<Ended> {
    const { input = '', cwd = repository, extraEnv = {}, limitMs } = more;
    const child = spawn(node, [bin, ...args], {
      cwd,
      env: { ...env, ...extraEnv },
      stdio: 'pipe',
      ...(limitMs === undefined ? {} : { timeout: limitMs, killSignal: 'SIGKILL' }),
    });
    const output = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
    // A command that does not read its input may be gone before it is written.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, ...output };
  }

  /** Starts a command that goes on until it is told to end. */
  function start(args: readonly string[]) {
    const child = spawn(node, [bin, ...args], { cwd: repository, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const output = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
    onTestFinished(() => {
      child.kill('SIGKILL');
    });
    const ended = once(child, 'close').then(([code]): Ended => ({ code: code as number | null, ...output }));
    return { output, ended, kill: (signal: NodeJS.Signals) => child.kill(signal), pid: child.pid ?? 0 };
  }

  /** Runs a command that has to succeed. */
  async function must(args: readonly string[], more?: RunOptions): Promise<Ended> {
    const ended = await specKitty(args, more);
    if (ended.code !== 0)
      throw new Error(`spec-kitty ${args.join(' ')} ended with ${ended.code}\n${ended.stdout}${ended.stderr}`);
    return ended;
  }

  const git = (...args: readonly string[]): string =>
    execFileSync('git', args, { cwd: repository, env, encoding: 'utf8' });

  /** A repository with an initialised project. */
  async function makeProject(): Promise<void> {
    git('init', '--quiet', '--initial-branch=main');
    git('config', 'user.name', 'Ada');
    git('config', 'user.email', ADA.username);
    writeFileSync(join(repository, 'README.md'), '# Demo\n');
    git('add', '.');
    git('commit', '--quiet', '--message', 'Start');
    await must(['init', '--yes']);
  }

  /** A feature whose packages are named `title` or `title:dependency,…`. */
  async function makeFeature(packages: readonly string[], slug = 'demo'): Promise<void> {
    await must(['agent', 'feature', 'create-feature', slug]);
    await must(['agent', 'tasks', 'scaffold', ...packages.flatMap((wp) => ['--wp', wp])]);
  }

  /** The rows of queue.db in clock order, read by a program of its own. */
  function rows(): readonly Readonly<Record<string, unknown>>[] {
    const path = join(home, 'queue.db');
    if (!existsSync(path)) return [];
    const db = new DatabaseSync(path, { readOnly: true, timeout: 5000 });
    try {
      return db.prepare("SELECT * FROM queue ORDER BY json_extract(data, '$.lamport_clock')").all();
    } finally {
      db.close();
    }
  }

  /** The envelopes that wait, in clock order. */
  const queued = (): readonly Envelope[] => rows().map((row) => JSON.parse(String(row['data'])) as Envelope);

  const login = (server: { readonly url: string }, user = ADA): Promise<Ended> =>
    must(['auth', 'login', '--server', server.url, '--username', user.username, '--password-stdin'], {
      input: `${user.password}\n`,
    });

  const homeFile = (name: string): string =>
    existsSync(join(home, name)) ? readFileSync(join(home, name), 'utf8') : '';

  /** Numbers of the couriers that took the lease, as their log tells. */
  const couriers = (): readonly number[] =>
    [...homeFile('courier.log').matchAll(/ pid=(\d+)$/gm)].map(([, pid]) => Number(pid));

  const allGone = () => until('every courier to be gone', () => !couriers().some(isRunning));

  return {
    root,
    home,
    repository,
    env,
    specKitty,
    start,
    must,
    git,
    makeProject,
    makeFeature,
    rows,
    queued,
    login,
    homeFile,
    couriers,
    allGone,
  };
}

export type World = ReturnType<typeof makeWorld>;

/** Whether there is a process of that number. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** A listening contract server with Ada in it. */
export async function startServer(port = 0, data?: string): Promise<ContractServer> {
  const server = await createContractServer(data === undefined ? {} : { data });
  if (server.accounts.find(ADA.username) === undefined) await server.accounts.addUser(ADA);
  await server.listen(port);
  onTestFinished(() => server.close());
  return server;
}

/** Looks again every 50 ms until `look` is true; for what another process does in its own time. */
export async function until(what: string, look: () => boolean | Promise<boolean>): Promise<void> {
  const giveUpAt = Date.now() + 30_000;
  while (!(await look())) {
    if (Date.now() > giveUpAt) throw new Error(`Waited 30 s for ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
