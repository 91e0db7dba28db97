/** A person's machine in a temporary directory: a home, a project, clients and child processes, all gone afterwards. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';

import { afterAll, onTestFinished } from 'vitest';

import { wpStatusChanged } from '../../src/events/builders.ts';
import type { Logger } from '../../src/internal/logger.ts';
import type { NodeClient, OpenNodeClientOptions } from '../../src/node/node-client.ts';
import { openNodeClient } from '../../src/node/open-node-client.ts';
import {
  createContractServer,
  type ContractServer,
  type ContractServerOptions,
} from '../../src/testing/contract-server/index.ts';

export const PROJECT_UUID = '3f1c9a52-7f0e-4c55-9d0b-2a6c1b7e4d10';

/** An event as commands emit it most. */
export const MOVE = wpStatusChanged({
  wpId: 'WP01',
  previousStatus: 'planned',
  newStatus: 'doing',
  featureSlug: '001-demo',
});

export const ADA = { username: 'ada@example.com', password: 'a long password', team: 'acme' };

/** Children share what Node has made of the sources; it takes two thirds off their start. */
let compileCache: string | undefined;
afterAll(() => {
  if (compileCache !== undefined) rmSync(compileCache, { recursive: true, force: true, maxRetries: 5 });
});

export type Env = Record<string, string | undefined>;

/** A warning as a person would see it. */
export interface Warning {
  readonly code: string;
  readonly message: string;
}

/** A child process under way. */
export interface Child {
  readonly process: ChildProcess;
  lines(): readonly string[];
  /** Resolves once it has said this many lines. Rejects when it ends before. */
  said(count: number): Promise<void>;
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null; readonly stderr: string }>;
}

export interface World {
  readonly directory: string;
  readonly home: string;
  readonly project: string;
  readonly env: Env;
  file(name: string): string;
  /** A client of this home, in the project, and what it warned of. */
  open(options?: Partial<OpenNodeClientOptions>): {
    readonly client: NodeClient;
    readonly warnings: readonly Warning[];
  };
  /** Runs a fixture with Node itself, which strips the types. */
  start(fixture: string, args?: readonly string[], env?: Env): Child;
  configureProject(text: string): void;
  configureHome(text: string): void;
}

export interface WorldOptions {
  /** Below the temporary directory. Default `home`. */
  readonly home?: string;
  readonly env?: Env;
  /** Default: an identity. Empty: no project. */
  readonly project?: string;
}

export function makeWorld(options: WorldOptions = {}): World {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'node-client-')));
  onTestFinished(() => {
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  });
  compileCache ??= mkdtempSync(join(tmpdir(), 'node-client-cache-'));
  const home = join(directory, options.home ?? 'home');
  const project = join(directory, 'project');
  mkdirSync(join(project, '.kittify'), { recursive: true });
  // Nothing of the machine's own settings: CI, a token or another home would change what is tested.
  const env: Env = {
    PATH: process.env['PATH'],
    HOME: join(directory, 'person'),
    USER: 'ada',
    NODE_COMPILE_CACHE: compileCache,
    SPEC_KITTY_HOME: home,
    ...options.env,
  };
  const configureProject = (text: string): void => {
    writeFileSync(join(project, '.kittify', 'config.yaml'), text);
  };
  configureProject(options.project ?? identity());

  return {
    directory,
    home,
    project,
    env,
    configureProject,
    file: (name) => join(home, name),
    configureHome(text) {
      mkdirSync(home, { recursive: true });
      writeFileSync(join(home, 'config.toml'), text);
    },
    open(clientOptions = {}) {
      const warnings: Warning[] = [];
      const logger: Logger = {
        warn(code, message) {
          // Nobody is signed in in most of these worlds; test/core says when this is warned of.
          if (code !== 'event-held-team') warnings.push({ code, message });
        },
        debug() {},
      };
      const client = openNodeClient({ cwd: project, env, logger, ...clientOptions });
      onTestFinished(async () => void (await client.close()));
      return { client, warnings };
    },
    start: (fixture, args = [], more = {}) => startChild(fixture, args, { cwd: project, env: { ...env, ...more } }),
  };
}

/** The project's file, with more lines of its `sync` section. */
export function identity(sync = ''): string {
  return `project:\n  uuid: ${PROJECT_UUID}\n  slug: demo-repo\n  node_id: 9417b43226d4\n${sync === '' ? '' : `sync:\n  ${sync}\n`}`;
}

function startChild(
  fixture: string,
  args: readonly string[],
  where: { readonly cwd: string; readonly env: Env },
): Child {
  const script = fileURLToPath(new URL(`./fixtures/${fixture}.child.ts`, import.meta.url));
  const child = spawn(process.execPath, [script, ...args], { ...where, stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (out += String(chunk)));
  child.stderr.on('data', (chunk) => (stderr += String(chunk)));
  const lines = (): readonly string[] => out.split('\n').slice(0, -1);
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return {
    process: child,
    lines,
    ended: new Promise((resolve) => {
      child.on('close', (code, signal) => resolve({ code, signal, stderr }));
    }),
    said: (count) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (lines().length >= count) resolve();
        };
        child.stdout.on('data', look);
        child.on('close', () => (lines().length >= count ? resolve() : reject(new Error(`ended early: ${stderr}`))));
        look();
      }),
  };
}

/** A row as any SQLite program sees it. */
export interface Row {
  readonly id: string;
  readonly clock: number;
  readonly node: string;
  readonly team: string | null;
  readonly state: string;
  readonly reason: string | null;
}

/** The rows of a home's queue, in order of their clocks, and whether the file is sound. */
export function readQueue(home: string): { readonly rows: readonly Row[]; readonly integrity: unknown } {
  const db = new DatabaseSync(join(home, 'queue.db'));
  try {
    const rows = db
      .prepare(
        `SELECT event_id AS id, lamport_clock AS clock, json_extract(data, '$.node_id') AS node, team_slug AS team, state, reason
         FROM queue ORDER BY lamport_clock, id`,
      )
      .all();
    // The query names exactly these columns.
    return {
      rows: rows as unknown as Row[],
      integrity: db.prepare('PRAGMA integrity_check').get()?.['integrity_check'],
    };
  } finally {
    db.close();
  }
}

/** A listening server with Ada in team acme. */
export async function startServer(options: ContractServerOptions = {}): Promise<ContractServer> {
  const server = await createContractServer(options);
  onTestFinished(() => server.close());
  await server.accounts.addUser(ADA);
  await server.listen();
  return server;
}

export const signIn = (world: World, server: ContractServer) =>
  world.open().client.login({ server: server.url, username: ADA.username, password: ADA.password });

/** Waits for what another process does; polls, because nothing tells us. Rejects after 15 seconds unless told otherwise. */
export async function until(
  what: string,
  isSo: () => boolean,
  { withinMs = 15_000, everyMs = 20 } = {},
): Promise<void> {
  const end = Date.now() + withinMs;
  while (!isSo()) {
    if (Date.now() > end) throw new Error(`Waited in vain for ${what}.`);
    await new Promise((resolve) => {
      setTimeout(resolve, everyMs);
    });
  }
}

/** Whether a process with this number is there; one that only waits to be reaped is not. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
