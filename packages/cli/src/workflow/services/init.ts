/**
 * `init`: makes a git repository a spec-kitty project in one commit: identity, version, ignore rules, and what coding
 * agents have to know. A second run changes nothing. Nothing else of the user's is committed or touched.
 */
import { lstatSync, realpathSync } from 'node:fs';
import { isAbsolute, join, relative, sep } from 'node:path';

import { stringify } from 'yaml';

import { checkCanCommit, commitOnly } from '../git/commit.ts';
import { WorkflowError } from '../errors.ts';
import { withFeatureLock } from '../project/feature-lock.ts';
import { withAgentsSection } from '../files/agents-md.ts';
import { refuseLinksAway } from '../files/links.ts';
import { readText, rememberFiles, writeText } from '../files/text-files.ts';
import { lineEnding } from '../files/frontmatter.ts';
import type { Git, Place, WorkflowDeps } from '../ports.ts';
import { completeConfig, hasIdentity, KNOWN_AGENTS } from '../files/project-config.ts';
import { findRepository, type Repository } from '../project/project-root.ts';
import { aBranch, headBranch, identityMissing, literal, mustRun, statusLines, userName } from '../git/repository.ts';
import { quoted } from '../rules/shell-word.ts';

/** What the user asked for. */
export interface InitInput extends Place {
  /** Agents of this project; each must be known. Undefined: leave what is configured. */
  readonly agents?: readonly string[];
  /** Make a git repository (branch `main`) when there is none. */
  readonly git?: boolean;
  /** False leaves AGENTS.md alone. Default true. */
  readonly agentsMd?: boolean;
}

/** The JSON answer. */
export interface InitResult {
  readonly result: 'success';
  /** False when everything was in place already. */
  readonly changed: boolean;
  readonly git_initialised: boolean;
  readonly files_committed: readonly string[];
  readonly commit_hash: string | null;
}

const CONFIG = '.kittify/config.yaml';
const METADATA = '.kittify/metadata.yaml';
const IGNORE = '.gitignore';
const AGENTS = 'AGENTS.md';
const IGNORE_LINES = [
  '.worktrees/',
  '.kittify/workspaces/',
  '.kittify/logs/',
  '.kittify/*-state.json*',
  '.kittify/*.lock',
];

type InitDeps = Pick<WorkflowDeps, 'git' | 'lock' | 'time' | 'progress' | 'createIdentity' | 'version'>;

/** Runs it. Emits nothing. */
export async function init(deps: InitDeps, input: InitInput): Promise<InitResult> {
  const unknown = (input.agents ?? []).find((agent) => !KNOWN_AGENTS.some((known) => known === agent));
  if (unknown !== undefined) {
    throw new WorkflowError('agent-unknown', `There is no agent "${unknown}": there are ${KNOWN_AGENTS.join(', ')}.`, {
      remedy: 'spec-kitty init --agents claude',
    });
  }
  const { repository, isNew } = await openRepository(deps, input);
  if (repository.checkout !== repository.root) {
    throw new WorkflowError('in-worktree', 'This runs in the main checkout only, and you are in a worktree.', {
      remedy: `cd ${quoted(relative(realpathSync(input.cwd), repository.root))} && spec-kitty init`,
    });
  }
  if ((await headBranch(deps.git, repository.gitCommonDir)) === undefined) {
    throw new WorkflowError('detached-head', 'HEAD is detached: a commit made here would belong to no branch.', {
      remedy: `git switch ${quoted(await aBranch(deps.git, repository.root))} && spec-kitty init`,
    });
  }
  return withFeatureLock(deps.lock, repository, 'init', () => complete(deps, repository, input, isNew));
}

async function openRepository(
  deps: InitDeps,
  input: InitInput,
): Promise<{ readonly repository: Repository; readonly isNew: boolean }> {
  const found = await findRepository(deps.git, input.cwd);
  if (found !== undefined) return { repository: found, isNew: false };
  if (input.git !== true) {
    throw new WorkflowError('not-a-repository', 'This directory is not inside a git repository.', {
      remedy: 'git init -b main && spec-kitty init',
    });
  }
  // Asked before the repository is made: a refusal leaves nothing behind.
  if ((await userName(deps.git, input.cwd)) === undefined) throw identityMissing();
  await mustRun(deps.git, input.cwd, ['init', '--quiet', '--initial-branch=main'], 'make a repository here');
  const made = await findRepository(deps.git, input.cwd);
  if (made === undefined)
    throw new WorkflowError('git-failed', 'git made a repository here that it cannot find.', { kind: 'runtime' });
  return { repository: made, isNew: true };
}

async function complete(deps: InitDeps, repository: Repository, input: InitInput, isNew: boolean): Promise<InitResult> {
  const { root } = repository;
  refuseLinksAway(root, { only: [IGNORE], below: ['.kittify'] });
  const agents = input.agentsMd === false ? undefined : agentsPath(root);
  const names = [CONFIG, METADATA, IGNORE, ...(agents === undefined ? [] : [agents])];
  const tracked = (await mustRun(deps.git, root, ['ls-files', '-z', '--', ...names.map(literal)], 'list files')).split(
    '\0',
  );
  const wanted = [
    ...(await wantedFiles(deps, root, input)),
    ...(await wantedAgentsFile(deps.git, root, { path: agents, isTracked: tracked.includes(agents ?? '') })),
  ];
  const changed = wanted.filter((file) => file.before !== file.after);
  // A run that was cut short left files git does not know yet: they are committed now.
  const paths = wanted
    .filter((file) => file.before !== file.after || !tracked.includes(file.path))
    .map((file) => file.path);
  if (paths.length === 0)
    return { result: 'success', changed: false, git_initialised: isNew, files_committed: [], commit_hash: null };

  await checkCanCommit(deps.git, repository);
  refuseForeignChanges(paths, await statusLines(deps.git, root, paths));
  deps.progress(`Setting up ${paths.join(', ')}`);
  const restore = rememberFiles(paths.map((path) => join(root, path)));
  try {
    for (const file of changed) writeText(join(root, file.path), file.after);
    const commit = await commitOnly(deps.git, root, { message: 'chore: Set up spec-kitty', paths });
    return {
      result: 'success',
      changed: true,
      git_initialised: isNew,
      files_committed: commit?.files ?? [],
      commit_hash: commit?.hash ?? null,
    };
  } catch (cause) {
    restore();
    throw cause;
  }
}

interface WantedFile {
  readonly path: string;
  readonly before: string | undefined;
  readonly after: string;
}

async function wantedFiles(deps: InitDeps, root: string, input: InitInput): Promise<readonly WantedFile[]> {
  const config = readText(join(root, CONFIG), CONFIG);
  const identity = hasIdentity(config ?? '') ? undefined : await deps.createIdentity(root);
  const metadata = readText(join(root, METADATA), METADATA);
  const ignore = readText(join(root, IGNORE), IGNORE);
  const firstMetadata = {
    spec_kitty: { version: deps.version, initialized_at: new Date(deps.time.now()).toISOString() },
  };
  return [
    { path: CONFIG, before: config, after: completeConfig(config ?? '', identity, input.agents) },
    { path: METADATA, before: metadata, after: metadata ?? stringify(firstMetadata) },
    { path: IGNORE, before: ignore, after: withIgnoreLines(ignore ?? '') },
  ];
}

/** AGENTS.md, or the file of this repository it is a link to. */
function agentsPath(root: string): string {
  const path = join(root, AGENTS);
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return AGENTS;
  let target: string | undefined;
  try {
    target = relative(realpathSync(root), realpathSync(path));
  } catch {
    // It points nowhere.
  }
  if (target !== undefined && !isAbsolute(target) && target.split(sep)[0] !== '..') return target.split(sep).join('/');
  throw new WorkflowError('link-leads-away', `${AGENTS} is a link that leads to no file of this repository.`, {
    remedy: 'spec-kitty init --no-agents-md',
  });
}

/** Nothing where the user's rules keep the file out of git: what is theirs alone is not committed. */
async function wantedAgentsFile(
  git: Git,
  root: string,
  { path, isTracked }: { readonly path: string | undefined; readonly isTracked: boolean },
): Promise<readonly WantedFile[]> {
  if (path === undefined) return [];
  if (!isTracked && (await git.run(root, ['check-ignore', '--quiet', '--', path])).exitCode === 0) return [];
  const before = readText(join(root, path), path);
  const after = withAgentsSection(before ?? '', path);
  if (!isTracked && before !== undefined && before !== withAgentsSection('', path)) throw dirty(path);
  return [{ path, before, after }];
}

function withIgnoreLines(text: string): string {
  const present = new Set(text.split(/\r?\n/).map((line) => line.trim().replace(/^\//, '')));
  const missing = IGNORE_LINES.filter((line) => !present.has(line));
  if (missing.length === 0) return text;
  const eol = lineEnding(text);
  const gap = text === '' ? '' : text.endsWith('\n') ? eol : eol + eol;
  return `${text}${gap}# spec-kitty: workspaces, logs and run state stay on this machine${eol}${missing.join(eol)}${eol}`;
}

/** A commit of a whole file would take along what the user changed in it. */
function refuseForeignChanges(changed: readonly string[], pending: readonly string[]): void {
  const path = changed.find((name) => pending.some((line) => !line.startsWith('??') && line.slice(3) === name));
  if (path !== undefined) throw dirty(path);
}

function dirty(path: string): WorkflowError {
  return new WorkflowError(
    'file-dirty',
    `${path} has changes of yours that are not committed, and init has to change it too.`,
    {
      remedy: `git add -- ${quoted(path)} && git commit -m ${quoted(`Update ${path}`)} -- ${quoted(path)} && spec-kitty init`,
    },
  );
}
