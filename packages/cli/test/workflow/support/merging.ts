/** Features whose packages have work to merge: each in its workspace, with commits of its own. */
import { chmodSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { parseFrontmatter } from '../../../src/workflow/files/frontmatter.ts';
import { implement } from '../../../src/workflow/services/implement.ts';
import type { WorkflowDeps } from '../../../src/workflow/ports.ts';
import { createProject } from './workspace.ts';

export type MergeRepo = Awaited<ReturnType<typeof startedFeature>>;

/** `001-demo` with the packages (scaffold notation), each started; `work` says which file each one writes, with its text. */
export async function startedFeature(
  wps: readonly string[],
  work: Readonly<Record<string, readonly [string, string]>>,
) {
  const repo = await createProject(wps);
  const workspace = (id: string): string => `.worktrees/001-demo-${id}`;
  const commitIn = (id: string, file: string, text: string): void => {
    repo.write(`${workspace(id)}/${file}`, text);
    repo.git('-C', workspace(id), 'add', '.');
    repo.git('-C', workspace(id), 'commit', '-qm', `Work of ${id}`);
  };
  for (const [id, [file, text]] of Object.entries(work)) {
    await implement(repo.deps, { cwd: repo.root, wpId: id });
    commitIn(id, file, text);
  }
  repo.emitted.length = 0;
  return {
    ...repo,
    workspace,
    commitIn,
    lane: (id: string): unknown => parseFrontmatter(id, repo.read(repo.wpPath(id))).get('lane'),
    setLane(id: string, lane: string): void {
      const path = repo.wpPath(id);
      repo.write(path, parseFrontmatter(path, repo.read(path)).set('lane', lane).text);
      repo.git('commit', '-qm', `${id} ${lane}`, '--', path);
    },
    has: (path: string): boolean => existsSync(join(repo.root, path)),
    /** Subjects on HEAD's own line since `from`, oldest first. */
    subjects: (from: string): readonly string[] =>
      repo.git('log', '--first-parent', '--reverse', '--format=%s', `${from}..HEAD`).trim().split('\n').filter(Boolean),
    head: (): string => repo.git('rev-parse', 'HEAD').trim(),
    branches: (): readonly string[] => repo.git('branch', '--format=%(refname:short)').trim().split('\n'),
    state: (): Record<string, unknown> =>
      JSON.parse(readFileSync(join(repo.root, '.kittify/merge-state.json'), 'utf8')) as Record<string, unknown>,
    /** Events as short words, e.g. `WP01 doing>for_review`, `WP02 freed by WP01`. */
    told: (): readonly string[] =>
      repo.emitted.flatMap(({ drafts }) =>
        drafts.map(({ type, payload }) => {
          if (type === 'WPStatusChanged') {
            return `${payload.wp_id} ${payload.previous_status}>${payload.new_status}`;
          }
          return type === 'DependencyResolved'
            ? `${payload.wp_id} freed by ${payload.dependency_wp_id} (${payload.resolution_type})`
            : type;
        }),
      ),
    hook(name: string, script: string): void {
      repo.write(`.git/hooks/${name}`, `#!/bin/sh\n${script}\n`);
      chmodSync(join(repo.root, `.git/hooks/${name}`), 0o755);
    },
    /** Everything a refusal must leave alone. */
    snapshot: (): readonly string[] => [
      repo.git('status', '--porcelain', '--untracked-files=all', '--ignored'),
      repo.git('for-each-ref'),
      repo.git('worktree', 'list', '--porcelain'),
    ],
  };
}

/** Two packages that wrote the same file, so that the second conflicts. */
export function conflictingFeature(): Promise<MergeRepo> {
  return startedFeature(['Writer', 'Reader', 'Checker:1,2'], {
    WP01: ['same.txt', 'one\n'],
    WP02: ['same.txt', 'two\n'],
  });
}

/** The dependencies of a run that dies where git is asked for something that `isHere` tells. */
export function killedAt(deps: WorkflowDeps, isHere: (args: readonly string[]) => boolean): WorkflowDeps {
  return {
    ...deps,
    git: {
      ...deps.git,
      run: (cwd, args, options) =>
        isHere(args) ? Promise.reject(new Error('killed here')) : deps.git.run(cwd, args, options),
    },
  };
}
