/**
 * What must be true before a package may go to review or be done: its subtasks are checked, the plan is committed, and
 * its workspace holds committed work on top of what it builds on. Asks only; each refusal names the way on.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { WorkflowError } from '../errors.ts';
import { metaText, readMeta } from '../files/meta-json.ts';
import { parseTasksMd } from '../files/tasks-md.ts';
import { readText } from '../files/text-files.ts';
import { gitFailed, mustRun, statusLines, unfinished } from '../git/repository.ts';
import type { Git } from '../ports.ts';
import type { Feature } from './feature.ts';
import type { Project } from './project-root.ts';
import { readContext, workspaceOf, type Workspace } from './workspace.ts';
import { wpText, type WorkPackage } from './wp-file.ts';
import { quoted } from '../rules/shell-word.ts';

/** The package in question. */
export interface ReadinessInput {
  readonly project: Project;
  readonly feature: Feature;
  readonly wp: WorkPackage;
  readonly target: string;
  /** An orchestrator vouches for the subtasks itself. */
  readonly skipSubtasks?: boolean;
}

/** Rejects with the first reason why the package is not ready. */
export async function refuseUnready(git: Git, input: ReadinessInput): Promise<void> {
  if (input.skipSubtasks !== true) refuseOpenSubtasks(input);
  const [lines] = await Promise.all([
    statusLines(git, input.project.root, [input.feature.relativeDir]),
    refuseUnfinishedWork(git, input),
  ]);
  refuseUncommittedPlan(input, lines);
}

function refuseOpenSubtasks({ feature, wp }: ReadinessInput): void {
  const text = readText(join(feature.dir, 'tasks.md'), `${feature.relativeDir}/tasks.md`);
  const document = text === undefined ? undefined : parseTasksMd(text);
  const open = document?.wps
    .filter((section) => section.id === wp.id)
    .flatMap((section) => section.subtasks.filter((task) => !task.checked).map((task) => task.id));
  if (document === undefined || open === undefined || open.length === 0) return;
  const isAmbiguous = open.some((id) => document.ambiguousSubtasks.includes(id));
  throw new WorkflowError(
    'subtasks-open',
    `${wp.id} has ${open.length === 1 ? 'an open subtask' : 'open subtasks'}: ${open.join(', ')}.`,
    {
      wpId: wp.id,
      details: { open_subtasks: open },
      remedy: `spec-kitty agent tasks mark-status ${open.join(' ')} --status done --feature ${feature.slug}${isAmbiguous ? ` --wp ${wp.id}` : ''}`,
    },
  );
}

/** Files of the plan that reviewers and the board would not see. What the commands themselves write does not count. */
function refuseUncommittedPlan({ feature, wp }: ReadinessInput, lines: readonly string[]): void {
  const own = [`${feature.relativeDir}/tasks.md`, `${feature.relativeDir}/meta.json`];
  const files = lines.map((line) => line.slice(3).replace(/^"|"$/g, '').split(' -> ').at(-1) ?? '');
  const foreign = files.filter((path) => !own.includes(path) && !/\/tasks\/[^/]+\.md$/.test(path));
  if (foreign.length === 0) return;
  throw new WorkflowError(
    'plan-uncommitted',
    `${feature.relativeDir} has ${foreign.length === 1 ? 'a file' : 'files'} not committed: ${foreign.slice(0, 5).join(', ')}${foreign.length > 5 ? ' …' : ''}.`,
    {
      wpId: wp.id,
      details: { files: foreign },
      remedy: `git add ${feature.relativeDir} && git commit -m "Update the plan of ${feature.slug}" -- ${feature.relativeDir}`,
    },
  );
}

/** Only packages whose work is code, and only where there is a workspace: work done elsewhere is nobody's to judge here. */
async function refuseUnfinishedWork(git: Git, input: ReadinessInput): Promise<void> {
  const { project, feature, wp } = input;
  const workspace = workspaceOf(project.root, feature, wp.id);
  const mission = metaText(readMeta(feature.dir, feature.slug), 'mission') ?? 'software-dev';
  if (mission !== 'software-dev' || !existsSync(join(workspace.path, '.git'))) return;
  const [state, gitDir, bases] = await Promise.all([
    stateOf(git, workspace),
    mustRun(git, workspace.path, ['rev-parse', '--absolute-git-dir'], `look at ${workspace.relativePath}`),
    basesOf(git, input, workspace),
  ]);
  const refuse: Refuse = (code, why, remedy, details = {}) => {
    throw new WorkflowError(code, `${wp.id} is not ready: its workspace ${workspace.relativePath} ${why}.`, {
      wpId: wp.id,
      remedy,
      details,
    });
  };
  const there = `cd ${workspace.relativePath}`;
  const what = unfinished(gitDir.trim());
  if (what !== undefined)
    refuse(
      'work-unfinished',
      `is in the middle of a ${what}`,
      `${there} && git ${what} --continue   (or: git ${what} --abort)`,
    );
  if (state.branch === undefined)
    refuse('work-detached', 'has a detached HEAD', `${there} && git switch ${workspace.branch}`);
  if (state.changes > 0) {
    const files = state.changes === 1 ? '1 file' : `${state.changes} files`;
    refuse(
      'work-uncommitted',
      `has ${files} not committed`,
      `${there} && git add -A && git commit -m "${wp.title.replaceAll(/["$`\\]/g, '')}"`,
    );
  }
  await refuseNotOnTop(git, { ...input, workspace, bases, refuse });
}

type Refuse = (code: string, why: string, remedy: string, details?: Readonly<Record<string, unknown>>) => never;

interface WorkState {
  /** Undefined when HEAD is detached. */
  readonly branch: string | undefined;
  readonly changes: number;
}

async function stateOf(git: Git, workspace: Workspace): Promise<WorkState> {
  const args = ['--no-optional-locks', 'status', '--porcelain=v2', '--branch', '--untracked-files=all'];
  const lines = (await mustRun(git, workspace.path, args, `look at ${workspace.relativePath}`)).split('\n');
  const branch = lines.find((line) => line.startsWith('# branch.head '))?.slice('# branch.head '.length);
  return {
    branch: branch === '(detached)' ? undefined : branch,
    changes: lines.filter((line) => line !== '' && !line.startsWith('#')).length,
  };
}

interface Bases {
  /** The branch the work stands on; it must hold all of its commits. */
  readonly branch: string;
  /** What is no work of this package. */
  readonly commits: readonly string[];
}

/** What the work builds on: the recorded branch while it lives, else the target branch. */
async function basesOf(
  git: Git,
  { project, feature, wp, target }: ReadinessInput,
  workspace: Workspace,
): Promise<Bases> {
  const recorded = readContext(project.root, workspace)?.base_branch ?? wpText(wp.file, 'base_branch') ?? target;
  const parents = wp.dependencies.map((id) => workspaceOf(project.root, feature, id).branch);
  const wanted = [...new Set([target, recorded, ...parents])];
  const args = ['for-each-ref', '--format=%(refname)', ...wanted.map((branch) => `refs/heads/${branch}`)];
  const alive = (await mustRun(git, project.root, args, 'list branches')).split('\n');
  const refs = (branches: readonly string[]): readonly string[] =>
    branches.map((branch) => `refs/heads/${branch}`).filter((ref) => alive.includes(ref));
  const commit = wpText(wp.file, 'base_commit');
  // Work that is merged already is in the target branch, and was work all the same: what counts is where it began.
  const start = commit !== undefined && /^[0-9a-f]{7,64}$/.test(commit) ? [commit] : refs([target, recorded]);
  return {
    branch: alive.includes(`refs/heads/${recorded}`) ? recorded : target,
    commits: [...start, ...refs(parents)],
  };
}

interface OnTop extends ReadinessInput {
  readonly workspace: Workspace;
  readonly bases: Bases;
  readonly refuse: Refuse;
}

async function refuseNotOnTop(git: Git, { feature, workspace, bases, refuse }: OnTop): Promise<void> {
  const outside = ['.', `:(exclude)${feature.relativeDir}`, ':(exclude).kittify'];
  const [own, missing] = await Promise.all([
    count(git, workspace, ['--ignore-missing', 'HEAD', '--not', ...bases.commits]),
    // Our own status commits move the target branch all the time: they are no reason to rebase.
    count(git, workspace, [`HEAD..refs/heads/${bases.branch}`, '--', ...outside]),
  ]);
  if (own === 0)
    refuse(
      'work-missing',
      'has no commit of its own yet',
      `cd ${workspace.relativePath} && git status   (commit the work there)`,
    );
  if (missing > 0) {
    const { branch } = bases;
    refuse(
      'work-behind',
      `lacks commits of ${branch}`,
      `cd ${workspace.relativePath} && git rebase ${quoted(branch)}`,
      {
        base_branch: branch,
      },
    );
  }
}

async function count(git: Git, workspace: Workspace, range: readonly string[]): Promise<number> {
  const answer = await git.run(workspace.path, ['rev-list', '--count', ...range]);
  if (answer.exitCode !== 0) throw gitFailed('count commits', answer);
  return Number(answer.stdout.trim());
}
