/**
 * A real git repository in a temporary directory, and the services' dependencies around it: the real git, a
 * lock made of a directory, and an event sink that checks every draft against the contract.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { specKittyEvents, type Draft, type SpecKittyEvents } from '@spec-kitty/events-sdk/contract';
import * as v from 'valibot';
import { onTestFinished } from 'vitest';

import { createFeature } from '../../../src/workflow/services/create-feature.ts';
import { createGit } from '../../../src/workflow/git/git.ts';
import { init } from '../../../src/workflow/services/init.ts';
import type { Lock, WorkflowDeps } from '../../../src/workflow/ports.ts';
import { scaffold } from '../../../src/workflow/services/scaffold.ts';

export const NOW = Date.parse('2026-03-02T14:30:00Z');

const gitEnv: Readonly<Record<string, string>> = {
  PATH: process.env['PATH'] ?? '',
  HOME: '/nonexistent',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'Ada',
  GIT_AUTHOR_EMAIL: 'ada@example.com',
  GIT_COMMITTER_NAME: 'Ada',
  GIT_COMMITTER_EMAIL: 'ada@example.com',
};

/** One batch as the sink saw it, with what was on disk at that moment. */
export interface Emitted {
  readonly drafts: readonly Draft<SpecKittyEvents>[];
  readonly options: { readonly projectRoot: string; readonly causationId?: string };
  readonly statusThen: string;
}

export interface TestRepo {
  readonly root: string;
  readonly deps: WorkflowDeps;
  readonly emitted: Emitted[];
  git(...args: string[]): string;
  read(path: string): string;
  write(path: string, text: string): void;
  /** `git status --porcelain` of the main checkout. */
  status(): string;
  /** Number of commits on HEAD. */
  commits(): number;
}

/** A repository with one commit on `main`. */
export function createRepo(options: { readonly env?: Readonly<Record<string, string | undefined>> } = {}): TestRepo {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'workflow-')));
  onTestFinished(() => {
    rmSync(root, { recursive: true, force: true });
  });
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: root, env: gitEnv, encoding: 'utf8', stdio: 'pipe' });
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  git('init', '-q', '-b', 'main');
  write('app.txt', 'one\n');
  git('add', '.');
  git('commit', '-qm', 'Start');

  const emitted: Emitted[] = [];
  let ulids = 0;
  const deps: WorkflowDeps = {
    git: createGit({ ...gitEnv, ...options.env }),
    lock: directoryLock,
    time: { now: () => NOW, after: () => () => {} },
    events: {
      async emit(drafts, emitOptions) {
        for (const draft of drafts) v.parse(specKittyEvents[draft.type].payload, draft.payload);
        emitted.push({ drafts, options: emitOptions, statusThen: git('status', '--porcelain') });
        return drafts.map(() => 'recorded');
      },
    },
    progress: () => {},
    newUlid: () => `01HZZZZZZZZZZZZZZZZZZZZ${String((ulids += 1)).padStart(3, '0')}`,
    createIdentity: async () => ({
      uuid: '5f0c6f0e-8f7d-4c55-9a0e-0d7a5d1b2c3d',
      slug: 'my-repo',
      nodeId: '9a8b7c6d5e4f',
    }),
    version: '1.2.3',
  };
  return {
    root,
    deps,
    emitted,
    git,
    write,
    read: (path) => readFileSync(join(root, path), 'utf8'),
    status: () => git('status', '--porcelain'),
    commits: () => Number(git('rev-list', '--count', 'HEAD').trim()),
  };
}

/** A project with the feature `001-demo` and the given work packages (scaffold notation). */
export async function createProject(
  wps: readonly string[],
  options: Parameters<typeof createRepo>[0] = {},
): Promise<TestRepo & { readonly feature: string; wpPath(id: string): string }> {
  const repo = createRepo(options);
  await init(repo.deps, { cwd: repo.root });
  await createFeature(repo.deps, { cwd: repo.root, slug: 'demo' });
  if (wps.length > 0) await scaffold(repo.deps, { cwd: repo.root, wps });
  const wpPath = (id: string): string => repo.git('ls-files', `kitty-specs/001-demo/tasks/${id}-*`).trim();
  return { ...repo, feature: '001-demo', wpPath };
}

/** Exclusive by mkdir, as the SDK's lock is. Yields between tries instead of sleeping. */
const directoryLock: Lock = {
  async hold(path, work) {
    for (;;) {
      try {
        mkdirSync(path);
        break;
      } catch {
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
    try {
      return await work();
    } finally {
      rmdirSync(path);
    }
  },
};
