/**
 * Where the project is: the main checkout, also when asked from inside one of its worktrees. One resolver
 * for every command, over git's common directory (git moves worktree pointers about; reading them is its job).
 */
import { existsSync, realpathSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';

import { WorkflowError } from '../errors.ts';
import type { Git, Place } from '../ports.ts';
import { refuseLinksAway } from '../files/links.ts';
import { gitFailed } from '../git/repository.ts';

/** A git repository as the commands see it. */
export interface Repository {
  /** Top of the main checkout. */
  readonly root: string;
  /** The directory all worktrees share (`.git` of the main checkout): the home of our locks. */
  readonly gitCommonDir: string;
  /** The git directory of `checkout`; equals `gitCommonDir` outside worktrees. */
  readonly gitDir: string;
  /** Top of the checkout the command stands in; equals `root` outside worktrees. */
  readonly checkout: string;
}

/** A repository where `spec-kitty init` has run. */
export interface Project extends Repository {
  /** True when the command stands in a worktree, or anywhere below `.worktrees/`. */
  readonly inWorktree: boolean;
}

/** The repository around `cwd`; undefined when there is none (or it is bare). */
export async function findRepository(git: Git, cwd: string): Promise<Repository | undefined> {
  if (!existsSync(cwd)) return undefined;
  const args = ['rev-parse', '--path-format=absolute', '--show-toplevel', '--git-dir', '--git-common-dir'];
  // A clone may hold a folder that git takes for a repository, with settings that run programs at the next `git status`.
  const answer = await git.run(cwd, ['-c', 'safe.bareRepository=explicit', ...args]);
  // Git knows a repository here but does not trust it: "there is none" would send people the wrong way.
  if (/dubious ownership/.test(answer.stderr)) throw gitFailed('use this repository', answer);
  if (/cannot use bare repository/.test(answer.stderr)) throw bareRepository();
  if (answer.exitCode !== 0) return undefined;
  const [checkout, gitDir, commonDir] = answer.stdout.split('\n');
  if (!checkout || !gitDir || !commonDir) return undefined;
  return { root: await mainCheckout(git, { checkout, gitDir, commonDir }), gitCommonDir: commonDir, gitDir, checkout };
}

/** The project around `cwd`, or the one `SPECIFY_REPO_ROOT` names. Rejects with the way to become one. */
export async function findProject(git: Git, place: Place): Promise<Project> {
  const named = place.env?.['SPECIFY_REPO_ROOT'];
  const start = named !== undefined && named !== '' ? resolve(place.cwd, named) : place.cwd;
  const repository = await findRepository(git, start);
  if (repository === undefined) {
    throw new WorkflowError('not-a-repository', 'This directory is not inside a git repository.', {
      remedy: 'git init -b main && spec-kitty init',
    });
  }
  if (!existsSync(join(repository.root, '.kittify'))) {
    throw new WorkflowError(
      'not-initialised',
      'This repository has no .kittify folder: spec-kitty does not know it yet.',
      {
        remedy:
          repository.root === repository.checkout ? 'spec-kitty init' : 'spec-kitty init   (in the main checkout)',
      },
    );
  }
  // Features are looked into when one is opened.
  refuseLinksAway(repository.root, { only: ['kitty-specs', '.worktrees'], below: ['.kittify'] });
  const steps = relative(repository.root, realpathSync(place.cwd)).split(sep);
  return { ...repository, inWorktree: repository.checkout !== repository.root || steps[0] === '.worktrees' };
}

function bareRepository(): WorkflowError {
  return new WorkflowError(
    'bare-repository',
    'This folder is a git repository without files of its own. Where it came with a clone, it may be a trap: git would do what its settings say.',
    { remedy: 'Run the command in the checkout you work in.' },
  );
}

/** Rejects when the command stands in a worktree; `command` is what to run in the main checkout instead. */
export function refuseInWorktree(project: Project, place: Place, command: string): void {
  if (!project.inWorktree) return;
  const name = basename(project.checkout);
  const way = relative(realpathSync(place.cwd), project.root);
  throw new WorkflowError('in-worktree', `This runs in the main checkout only, and you are in the workspace ${name}.`, {
    remedy: `cd ${way === '' ? '.' : way} && ${place.retype?.() ?? command}`,
  });
}

interface Directories {
  readonly checkout: string;
  readonly gitDir: string;
  readonly commonDir: string;
}

async function mainCheckout(git: Git, { checkout, gitDir, commonDir }: Directories): Promise<string> {
  if (gitDir === commonDir) return checkout;
  if (basename(commonDir) === '.git') return dirname(commonDir);
  // A separate git directory: only git itself knows where its main checkout lies. It lists that one first.
  const list = await git.run(checkout, ['worktree', 'list', '--porcelain']);
  return /^worktree (.*)$/m.exec(list.stdout)?.[1] ?? checkout;
}
