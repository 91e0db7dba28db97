/**
 * `implement`: gives a work package a workspace and claims it. The order is the promise: the workspace stands,
 * then lane, agent and log are written and committed in one commit, then the event goes out. When claiming
 * fails, the workspace is taken away again.
 */
import { rmSync } from 'node:fs';

import { wpStatusChanged } from '@spec-kitty/events-sdk';

import { checkCanCommit } from './commit.ts';
import { WorkflowError } from './errors.ts';
import { detectFeature, requireTargetBranch, type Feature } from './feature.ts';
import { withFeatureLock } from './feature-lock.ts';
import { metaText, readMeta, writeMeta } from './meta-json.ts';
import type { Place, WorkflowDeps } from './ports.ts';
import { findProject, refuseInWorktree, type Project } from './project-root.ts';
import { statusLines } from './repository.ts';
import { transitionLane, type Transition } from './transition.ts';
import { dropUnsent, keepUnsent, readUnsent, type UnsentDrafts } from './unsent.ts';
import { chooseBase, type WorkspaceBase } from './workspace-base.ts';
import { contextPath, createWorkspace, isWorktree, workspaceOf, writeContext, type Workspace } from './workspace.ts';
import { findWp, wpText, type WorkPackage } from './wp-file.ts';
import { parseWpId } from './wp-id.ts';

/** What the user asked for. */
export interface ImplementInput extends Place {
  readonly wpId: string;
  /** Build on this package's branch. */
  readonly base?: string;
  readonly feature?: string;
  /** Who works on it. Default: `SPEC_KITTY_AGENT`, else `user`. */
  readonly agent?: string;
  /** Process that does the work, for the log. */
  readonly shellPid?: number;
  /** Take the target branch as base where a done dependency's branch is gone. */
  readonly force?: boolean;
}

/** The JSON answer. */
export interface ImplementResult {
  readonly workspace_path: string;
  readonly branch: string;
  readonly feature: string;
  readonly wp_id: string;
  /** The package it builds on, or the target branch. */
  readonly base: string;
  readonly status: 'created' | 'reused';
  readonly lane: string;
  /** True when this call moved it from planned to doing. */
  readonly claimed: boolean;
  readonly agent: string;
  readonly commit_hash: string | null;
  readonly warnings: readonly string[];
}

type ImplementDeps = Pick<WorkflowDeps, 'git' | 'lock' | 'time' | 'events' | 'progress'>;

interface Work {
  readonly project: Project;
  readonly feature: Feature;
  readonly wp: WorkPackage;
  readonly target: string;
  readonly workspace: Workspace;
  readonly agent: string;
  readonly input: ImplementInput;
}

/** Runs it. Emits one WPStatusChanged exactly when it claimed the package. */
export async function implement(deps: ImplementDeps, input: ImplementInput): Promise<ImplementResult> {
  const wpId = parseWpId(input.wpId);
  const base = input.base === undefined ? undefined : parseWpId(input.base);
  const agent = input.agent?.trim() || input.env?.['SPEC_KITTY_AGENT']?.trim() || 'user';
  try {
    const project = await findProject(deps.git, input);
    refuseInWorktree(project, input, `spec-kitty implement ${wpId}`);
    const feature = await detectFeature(deps.git, project, input);
    const target = await requireTargetBranch(deps.git, project, feature, `spec-kitty implement ${wpId} --feature ${feature.slug}`);
    const workspace = workspaceOf(project.root, feature, wpId);
    const { result, drafts } = await withFeatureLock(deps.lock, project, feature.slug, async () => {
      const wp = findWp(feature, wpId);
      return prepare(deps, { project, feature, wp, target, workspace, agent, input }, base);
    });
    if (drafts.length > 0) {
      await deps.events.emit(drafts, { projectRoot: project.root });
      dropUnsent(project, workspace.branch);
    }
    return result;
  } catch (cause) {
    throw naming(cause, wpId, agent);
  }
}

async function prepare(
  deps: ImplementDeps,
  work: Work,
  baseId: string | undefined,
): Promise<{ readonly result: ImplementResult; readonly drafts: UnsentDrafts }> {
  const { project, feature, wp, workspace, input } = work;
  if (readMeta(feature.dir, feature.slug) === undefined) {
    throw new WorkflowError('meta-missing', `${feature.relativeDir}/meta.json is missing, so the feature's facts are unknown.`, {
      remedy: `git log --diff-filter=D -- ${feature.relativeDir}/meta.json   (or write one: {"feature_number":"${feature.number}","slug":"${feature.slug}"})`,
    });
  }
  const person = await checkCanCommit(deps.git, project.root);
  const isReused = await isWorktree(deps.git, project.root, workspace.path);
  if (isReused && wp.lane !== 'planned') {
    return { result: answer(work, { base: recordedBase(work), status: 'reused', warnings: [] }), drafts: leftOver(work) };
  }

  const base = await chooseBase(deps.git, {
    root: project.root,
    feature,
    wp,
    target: work.target,
    force: input.force === true,
    ...(baseId === undefined ? {} : { base: baseId }),
  });
  const warnings = [...base.warnings, ...(await uncommittedPlanning(deps, work))];
  if (isReused) {
    const transition = await claim(deps, work, base, person);
    return { result: answer(work, { base: base.label, status: 'reused', warnings }, transition), drafts: draftsOf(work) };
  }

  deps.progress(`Creating workspace ${workspace.branch} from ${base.label}`);
  const created = await createWorkspace(deps.git, project, workspace, base.commit);
  try {
    const transition = await claim(deps, work, base, person);
    return { result: answer(work, { base: base.label, status: 'created', warnings }, transition), drafts: draftsOf(work) };
  } catch (cause) {
    await created.remove();
    if (wp.lane === 'planned') dropUnsent(project, workspace.branch);
    rmSync(contextPath(project.root, workspace), { force: true });
    throw cause;
  }
}

/** One commit: lane, who, where it starts, log line, and the feature's VCS lock in meta.json. */
async function claim(deps: ImplementDeps, work: Work, base: WorkspaceBase, person: string): Promise<Transition> {
  const { project, feature, wp, workspace, agent, input } = work;
  const createdAt = new Date(deps.time.now()).toISOString();
  const isClaim = wp.lane === 'planned';
  if (isClaim) keepUnsent(project, workspace.branch, draftsOf(work));
  writeContext(project.root, workspace, {
    wp_id: wp.id,
    feature_slug: feature.slug,
    worktree_path: workspace.relativePath,
    branch_name: workspace.branch,
    base_branch: base.branch,
    base_commit: base.commit,
    dependencies: wp.dependencies,
    created_at: createdAt,
    created_by: 'implement-command',
    vcs_backend: 'git',
  });
  deps.progress(isClaim ? `Claiming ${wp.id} for ${agent}` : `Recording the workspace of ${wp.id}`);
  return transitionLane(deps, {
    root: project.root,
    feature,
    wpId: wp.id,
    // A workspace made again for a package under way changes no lane.
    to: isClaim ? 'doing' : wp.lane,
    agent,
    note: isClaim ? 'Started implementation' : 'Workspace created again',
    message: isClaim ? `chore: ${wp.id} claimed for implementation` : `chore: ${wp.id} workspace created again`,
    ...(input.shellPid === undefined ? {} : { shellPid: String(input.shellPid) }),
    fields: (file) => ({
      base_branch: base.branch,
      base_commit: base.commit,
      created_at: createdAt,
      ...(isClaim ? { agent } : {}),
      ...(isClaim && wpText(file, 'assignee') === undefined ? { assignee: person } : {}),
      ...(isClaim && input.shellPid !== undefined ? { shell_pid: String(input.shellPid) } : {}),
    }),
    also: {
      paths: [`${feature.relativeDir}/meta.json`],
      write: () => {
        lockVcs(feature, createdAt);
      },
    },
  });
}

/** What a claim tells; a package that was under way already was not claimed, but an earlier run may have left its word. */
function draftsOf(work: Work): UnsentDrafts {
  if (work.wp.lane !== 'planned') return leftOver(work);
  return [
    wpStatusChanged({
      wpId: work.wp.id,
      previousStatus: work.wp.lane,
      newStatus: 'doing',
      changedBy: work.agent,
      featureSlug: work.feature.slug,
    }),
  ];
}

/** Of a run that was killed between commit and event: told now, if the lane still is what it would have told. */
function leftOver(work: Work): UnsentDrafts {
  const drafts = readUnsent(work.project, work.workspace.branch);
  return drafts.filter((draft) => draft.type === 'WPStatusChanged' && draft.payload.new_status === work.wp.lane);
}

/** Later commands may rely on git from here on. Another system named there (`jj`) is taken over. */
function lockVcs(feature: Feature, now: string): void {
  const meta = readMeta(feature.dir, feature.slug);
  if (metaText(meta, 'vcs') === 'git' && metaText(meta, 'vcs_locked_at') !== undefined) return;
  writeMeta(feature.dir, feature.slug, { vcs: 'git', vcs_locked_at: metaText(meta, 'vcs_locked_at') ?? now });
}

/** The workspace shows what is committed: planning files that are not are worth a word. */
async function uncommittedPlanning(deps: ImplementDeps, work: Work): Promise<readonly string[]> {
  const lines = await statusLines(deps.git, work.project.root, [work.feature.relativeDir]);
  if (lines.length === 0) return [];
  const files = lines.length === 1 ? '1 file is' : `${lines.length} files are`;
  return [`In ${work.feature.relativeDir} ${files} not committed; the workspace does not contain them.`];
}

/** What the package's file says about its base, in the words of the answer. */
function recordedBase(work: Work): string {
  const branch = wpText(work.wp.file, 'base_branch');
  if (branch === undefined) return work.target;
  const prefix = `${work.feature.slug}-WP`;
  return branch.startsWith(prefix) ? branch.slice(prefix.length - 2) : branch;
}

function answer(
  work: Work,
  facts: Pick<ImplementResult, 'base' | 'status' | 'warnings'>,
  transition?: Transition,
): ImplementResult {
  const claimed = transition?.changed === true;
  return {
    workspace_path: work.workspace.relativePath,
    branch: work.workspace.branch,
    feature: work.feature.slug,
    wp_id: work.wp.id,
    base: facts.base,
    status: facts.status,
    lane: transition?.next ?? work.wp.lane,
    claimed,
    agent: claimed ? work.agent : (wpText(work.wp.file, 'agent') ?? work.agent),
    commit_hash: transition?.commit?.hash ?? null,
    warnings: facts.warnings,
  };
}

/** Every failure of this command names the package and who tried. */
function naming(cause: unknown, wpId: string, agentId: string): unknown {
  if (!(cause instanceof WorkflowError)) return cause;
  return new WorkflowError(cause.code, cause.message, {
    kind: cause.kind,
    wpId: cause.wpId ?? wpId,
    agentId: cause.agentId ?? agentId,
    details: cause.details,
    cause,
    ...(cause.remedy === undefined ? {} : { remedy: cause.remedy }),
  });
}
