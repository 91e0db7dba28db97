/**
 * Finds the project a directory belongs to without starting git: the main checkout, also from inside a linked
 * worktree, so that all worktrees of a project share one identity (WORKFLOW §1.1, LESSONS SK#539).
 */
import { readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';

import { readGitConfig } from '../identity/git-config.ts';
import type { Env } from './home.ts';
import { personHome } from './home.ts';

/** One checkout on disk: where its files are and where git keeps its state. */
export interface Checkout {
  /** Directory that holds `.git`. */
  readonly directory: string;
  /** Its own git directory (HEAD). */
  readonly gitDir: string;
  /** The git directory shared by all worktrees (refs, config). */
  readonly commonDir: string;
  /** Root of the main checkout; the directory itself where there is none (bare repository). */
  readonly mainRoot: string;
}

/**
 * The root of the project around `cwd`, or null. `SPECIFY_REPO_ROOT` wins if it holds `.kittify/`; then the nearest
 * main checkout or plain directory with `.kittify/`; then the nearest main checkout, where `init` would put it.
 * Never throws, never starts a process.
 */
export function findProjectRoot(cwd: string, env: Env = process.env): string | null {
  const chosen = env['SPECIFY_REPO_ROOT'];
  if (chosen !== undefined && chosen !== '' && isProject(resolve(chosen))) return realPath(chosen);

  const person = personHome(env);
  let nearestCheckout: string | null = null;
  for (const directory of upwards(realPath(cwd))) {
    const root = checkoutAt(directory)?.mainRoot;
    if (root !== undefined) {
      if (isProject(root)) return root;
      nearestCheckout ??= root;
    } else if (directory !== person && isProject(directory)) {
      // `~/.kittify` is skipped: other versions keep their global files there, which make no project of the home.
      return directory;
    }
  }
  return nearestCheckout;
}

/** The checkout around `cwd`, or null outside git. Never throws. */
export function findCheckout(cwd: string): Checkout | null {
  for (const directory of upwards(realPath(cwd))) {
    const checkout = checkoutAt(directory);
    if (checkout !== null) return checkout;
  }
  return null;
}

/** The text of a small file; null when it cannot be read. */
export function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

function checkoutAt(directory: string): Checkout | null {
  const dotGit = join(directory, '.git');
  if (isFile(join(dotGit, 'HEAD'))) return { directory, gitDir: dotGit, commonDir: dotGit, mainRoot: directory };

  const pointer = /^gitdir: (.+?)\r?\n?$/.exec(textOf(dotGit) ?? '')?.[1];
  if (pointer === undefined) return null;
  const gitDir = resolve(directory, pointer);
  if (!isFile(join(gitDir, 'HEAD'))) return null;
  // Without `commondir` it is a submodule or a separate git directory: a main checkout of its own.
  const common = textOf(join(gitDir, 'commondir'))?.trim();
  if (common === undefined || common === '') return { directory, gitDir, commonDir: gitDir, mainRoot: directory };
  const commonDir = realPath(resolve(gitDir, common));
  return { directory, gitDir, commonDir, mainRoot: mainRootOf(commonDir) ?? directory };
}

function mainRootOf(commonDir: string): string | null {
  if (basename(commonDir) === '.git') return dirname(commonDir);
  const worktree = readGitConfig(textOf(join(commonDir, 'config')) ?? '').worktree;
  return worktree === null ? null : realPath(resolve(commonDir, worktree));
}

function* upwards(start: string): Generator<string> {
  let directory = start;
  for (;;) {
    yield directory;
    const parent = dirname(directory);
    if (parent === directory) return;
    directory = parent;
  }
}

function isProject(directory: string): boolean {
  return kindOf(join(directory, '.kittify')) === 'directory';
}

function isFile(path: string): boolean {
  return kindOf(path) === 'file';
}

/** Follows links; a dangling or looping one is nothing. */
function kindOf(path: string): 'file' | 'directory' | null {
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    if (found === undefined) return null;
    return found.isDirectory() ? 'directory' : 'file';
  } catch {
    return null;
  }
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return resolve(path);
  }
}
