/** `agent feature create-feature`: a numbered feature directory with its facts, committed. */
import { join } from 'node:path';

import { checkCanCommit, commitOnly } from '../git/commit.ts';
import { WorkflowError } from '../errors.ts';
import { withFeatureLock } from '../project/feature-lock.ts';
import { listFolder, removeTree, writeText } from '../files/text-files.ts';
import type { Place, WorkflowDeps } from '../ports.ts';
import { findProject, refuseInWorktree } from '../project/project-root.ts';
import { aBranch, headBranch } from '../git/repository.ts';
import { planText, specText, TASKS_README } from '../files/templates.ts';
import { quoted } from '../rules/shell-word.ts';

/** What the user asked for. */
export interface CreateFeatureInput extends Place {
  /** Kebab-case, without a number: `invoice-export`. */
  readonly slug: string;
  /** Default: made from the slug. */
  readonly title?: string;
  /** Where finished work goes. Default: the branch that is checked out. */
  readonly targetBranch?: string;
  /** Default `software-dev`. */
  readonly mission?: string;
}

/** The JSON answer. Paths are relative to the project root. */
export interface CreateFeatureResult {
  readonly result: 'success';
  readonly feature: string;
  readonly feature_number: string;
  readonly feature_dir: string;
  readonly title: string;
  readonly target_branch: string;
  readonly commit_hash: string;
  readonly files_committed: readonly string[];
}

const MISSIONS = ['software-dev', 'research', 'documentation'];

/** Runs it. Emits nothing: a feature is announced by finalize-tasks. */
export async function createFeature(
  deps: Pick<WorkflowDeps, 'git' | 'lock' | 'time' | 'progress'>,
  input: CreateFeatureInput,
): Promise<CreateFeatureResult> {
  const slug = input.slug.trim();
  if (!/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(slug) || /^\d{3}-/.test(slug)) {
    throw new WorkflowError(
      'slug-invalid',
      `"${input.slug}" is not a feature name: use lower-case words joined by hyphens, without a number in front.`,
      {
        remedy: `spec-kitty agent feature create-feature ${suggestion(slug)}`,
      },
    );
  }
  const mission = input.mission ?? 'software-dev';
  if (!MISSIONS.includes(mission)) {
    throw new WorkflowError('mission-unknown', `There is no mission "${mission}": there are ${MISSIONS.join(', ')}.`);
  }
  const project = await findProject(deps.git, input);
  refuseInWorktree(project, input, `spec-kitty agent feature create-feature ${slug}`);
  const head = await headBranch(deps.git, project.gitCommonDir);
  const target = input.targetBranch?.trim() || head;
  if (head === undefined || target === undefined || head !== target) {
    const branch = target ?? (await aBranch(deps.git, project.root));
    const what =
      head === undefined
        ? 'HEAD is detached: a commit made here would belong to no branch.'
        : `A feature for ${branch} is committed there, but the main checkout is on ${head}.`;
    throw new WorkflowError(head === undefined ? 'detached-head' : 'wrong-branch', what, {
      remedy: `git switch ${quoted(branch)} && ${input.retype?.() ?? `spec-kitty agent feature create-feature ${slug}`}`,
    });
  }
  await checkCanCommit(deps.git, project);

  return withFeatureLock(deps.lock, project, 'features', async () => {
    const number = nextNumber(project.root);
    const name = `${number}-${slug}`;
    const title = input.title?.trim() || titleOf(slug);
    const dir = join(project.root, 'kitty-specs', name);
    deps.progress(`Creating kitty-specs/${name}`);
    try {
      writeFeature(dir, {
        feature_number: number,
        slug: name,
        friendly_name: title,
        mission,
        source_description: title,
        created_at: new Date(deps.time.now()).toISOString(),
        target_branch: target,
      });
      const commit = await commitOnly(deps.git, project.root, {
        message: `Add spec for feature ${name}`,
        paths: [`kitty-specs/${name}`],
      });
      if (commit === undefined)
        throw new WorkflowError('commit-refused', 'git found nothing to commit.', { kind: 'runtime' });
      return {
        result: 'success',
        feature: name,
        feature_number: number,
        feature_dir: `kitty-specs/${name}`,
        title,
        target_branch: target,
        commit_hash: commit.hash,
        files_committed: commit.files,
      };
    } catch (cause) {
      removeTree(dir);
      throw cause;
    }
  });
}

function writeFeature(dir: string, meta: Readonly<Record<string, string>>): void {
  const title = meta['friendly_name'] ?? '';
  writeText(join(dir, 'meta.json'), `${JSON.stringify(meta, undefined, 2)}\n`);
  writeText(join(dir, 'spec.md'), specText(title));
  writeText(join(dir, 'plan.md'), planText(title));
  writeText(join(dir, 'tasks', 'README.md'), TASKS_README);
  writeText(join(dir, 'tasks', '.gitkeep'), '');
}

/** One more than the highest number in use, also by workspaces of features that live on another branch. */
function nextNumber(root: string): string {
  const names = ['kitty-specs', '.worktrees'].flatMap((folder) => listFolder(join(root, folder), folder));
  const numbers = names.flatMap((name) => (/^\d{3}/.test(name) ? [Number(name.slice(0, 3))] : []));
  const next = Math.max(0, ...numbers) + 1;
  if (next > 999) throw new WorkflowError('too-many-features', 'Feature numbers end at 999.');
  return String(next).padStart(3, '0');
}

function titleOf(slug: string): string {
  const words = slug.replaceAll('-', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function suggestion(slug: string): string {
  const words = slug
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replace(/^\d{3}-/, '')
    .replaceAll(/^-+|-+$/g, '');
  return words === '' ? 'some-name' : words;
}
