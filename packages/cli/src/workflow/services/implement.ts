/**
 * `implement`: gives a work package a workspace and claims it. The order is the promise: the workspace stands,
 * then lane, agent and log are written and committed in one commit, then the event goes out. When claiming
 * fails, the workspace is taken away again.
 */
import { rmSync } from 'node:fs';

import { claim, type Claim, type ClaimWork } from './claim.ts';
import { checkCanCommit } from '../git/commit.ts';
import { naming } from '../errors.ts';
import { detectFeature, requireMeta, requireTargetBranch } from '../project/feature.ts';
import { changeFeature } from '../project/feature-work.ts';
import type { Place, WorkflowDeps } from '../ports.ts';
import { findProject, refuseInWorktree } from '../project/project-root.ts';
import { statusLines } from '../git/repository.ts';
import { chooseBase } from '../project/workspace-base.ts';
import { contextPath, createWorkspace, isWorktree, workspaceOf } from '../project/workspace.ts';
import { findWp, wpText } from '../project/wp-file.ts';
import { parseWpId } from '../rules/wp-id.ts';

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

type ImplementDeps = Pick<WorkflowDeps, 'git' | 'lock' | 'time' | 'events' | 'newUlid' | 'causationId' | 'progress'>;

interface Work extends ClaimWork {
  readonly target: string;
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
    const target = await requireTargetBranch(
      deps.git,
      project,
      feature,
      input.retype?.(feature.slug) ?? `spec-kitty implement ${wpId} --feature ${feature.slug}`,
    );
    const workspace = workspaceOf(project.root, feature, wpId);
    const { result } = await changeFeature(deps, project, feature, (featureWork) =>
      start(
        deps,
        { ...featureWork, wp: findWp(feature, wpId), target, workspace, agent, input, shellPid: input.shellPid },
        base,
      ),
    );
    return result;
  } catch (cause) {
    throw naming(cause, { wpId, agentId: agent });
  }
}

async function start(deps: ImplementDeps, work: Work, baseId: string | undefined): Promise<ImplementResult> {
  const { project, feature, wp, workspace, input } = work;
  requireMeta(feature);
  const person = await checkCanCommit(deps.git, project);
  const isReused = await isWorktree(deps.git, project, workspace.path);
  if (isReused && wp.lane !== 'planned') {
    return answer(work, { base: recordedBase(work), status: 'reused', warnings: [] });
  }

  const [base, uncommitted] = await Promise.all([
    chooseBase(deps.git, {
      project,
      feature,
      wp,
      target: work.target,
      force: input.force === true,
      ...(baseId === undefined ? {} : { base: baseId }),
    }),
    uncommittedPlanning(deps, work),
  ]);
  const warnings = [...base.warnings, ...uncommitted];
  if (isReused)
    return answer(work, { base: base.label, status: 'reused', warnings }, await claim(deps, work, base, person));

  deps.progress(`Creating workspace ${workspace.branch} from ${base.label}`);
  const created = await createWorkspace(deps.git, project, workspace, base);
  try {
    const claimed = await claim(deps, work, { ...base, commit: created.commit }, person);
    return answer(work, { base: base.label, status: 'created', warnings }, claimed);
  } catch (cause) {
    await created.remove();
    rmSync(contextPath(project.root, workspace), { force: true });
    throw cause;
  }
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
  done?: Claim,
): ImplementResult {
  const transition = done?.transition;
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
    commit_hash: done?.commit?.hash ?? null,
    warnings: facts.warnings,
  };
}
