/**
 * Claiming a work package: lane, who, where it starts, log line, and the feature's VCS lock in meta.json, all in
 * one commit. What will be told of it is noted first (see unsent.ts).
 */
import { wpStatusChanged } from '@spec-kitty/events-sdk';

import type { Feature } from '../project/feature.ts';
import { metaText, readMeta, writeMeta } from '../files/meta-json.ts';
import type { WorkflowDeps } from '../ports.ts';
import type { Project } from '../project/project-root.ts';
import { transitionLane, type Transition } from '../project/transition.ts';
import { keepUnsent, type UnsentDrafts } from '../project/unsent.ts';
import type { WorkspaceBase } from '../project/workspace-base.ts';
import { writeContext, type Workspace } from '../project/workspace.ts';
import { wpText, type WorkPackage } from '../project/wp-file.ts';

/** Who claims what, where. */
export interface ClaimWork {
  readonly project: Project;
  readonly feature: Feature;
  readonly wp: WorkPackage;
  readonly workspace: Workspace;
  readonly agent: string;
  /** Process that does the work. */
  readonly shellPid: number | undefined;
}

/** Claims a planned package for `work.agent`, with `person` as assignee; one under way only gets its new base recorded. */
export async function claim(
  deps: Pick<WorkflowDeps, 'git' | 'time' | 'progress'>,
  work: ClaimWork,
  base: WorkspaceBase,
  person: string,
): Promise<Transition> {
  const { project, feature, wp, workspace, agent, shellPid } = work;
  const createdAt = new Date(deps.time.now()).toISOString();
  const isClaim = wp.lane === 'planned';
  if (isClaim) keepUnsent(project, workspace.branch, claimDrafts(work));
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
    ...(shellPid === undefined ? {} : { shellPid: String(shellPid) }),
    fields: (file) => ({
      base_branch: base.branch,
      base_commit: base.commit,
      created_at: createdAt,
      ...(isClaim ? { agent } : {}),
      ...(isClaim && wpText(file, 'assignee') === undefined ? { assignee: person } : {}),
      ...(isClaim && shellPid !== undefined ? { shell_pid: String(shellPid) } : {}),
    }),
    also: {
      paths: [`${feature.relativeDir}/meta.json`],
      write: () => {
        lockVcs(feature, createdAt);
      },
    },
  });
}

/** What a claim tells. */
export function claimDrafts(work: ClaimWork): UnsentDrafts {
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

/** Later commands may rely on git from here on. Another system named there (`jj`) is taken over. */
function lockVcs(feature: Feature, now: string): void {
  const meta = readMeta(feature.dir, feature.slug);
  if (metaText(meta, 'vcs') === 'git' && metaText(meta, 'vcs_locked_at') !== undefined) return;
  writeMeta(feature.dir, feature.slug, { vcs: 'git', vcs_locked_at: metaText(meta, 'vcs_locked_at') ?? now });
}
