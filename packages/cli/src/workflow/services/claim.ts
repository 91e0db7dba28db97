/**
 * Claiming a work package: lane, who, where it starts, log line, and the feature's VCS lock in meta.json, all in
 * one commit.
 */
import { changeLanes, type Transition } from '../project/transition.ts';
import type { Commit } from '../git/commit.ts';
import { editedMeta, metaText, readMeta } from '../files/meta-json.ts';
import type { WorkflowDeps } from '../ports.ts';
import type { FeatureWork } from '../project/feature-work.ts';
import { writeContext, type Workspace, type WorkspaceBase } from '../project/workspace.ts';
import { wpText, type WorkPackage } from '../project/wp-file.ts';

/** Who claims what, where. */
export interface ClaimWork extends FeatureWork {
  readonly wp: WorkPackage;
  readonly workspace: Workspace;
  readonly agent: string;
  /** Process that does the work. */
  readonly shellPid: number | undefined;
}

/** What a claim did. */
export interface Claim {
  readonly transition: Transition | undefined;
  readonly commit: Commit | undefined;
}

/** Claims a planned package for `work.agent`, with `person` as assignee; one under way only gets its new base recorded. */
export async function claim(
  deps: Pick<WorkflowDeps, 'git' | 'time' | 'progress'>,
  work: ClaimWork,
  base: WorkspaceBase,
  person: string,
): Promise<Claim> {
  const { project, feature, wp, workspace, agent, shellPid } = work;
  const createdAt = new Date(deps.time.now()).toISOString();
  const isClaim = wp.lane === 'planned';
  writeContext(project.root, workspace, {
    wp_id: wp.id,
    feature_slug: feature.slug,
    worktree_path: workspace.relativePath,
    branch_name: workspace.branch,
    base_branch: base.branch,
    base_commit: base.commit,
    dependencies: wp.dependencies,
    created_at: createdAt,
    created_by: base.merged.length > 0 ? 'implement-command-multi-parent-merge' : 'implement-command',
    vcs_backend: 'git',
  });
  deps.progress(isClaim ? `Claiming ${wp.id} for ${agent}` : `Recording the workspace of ${wp.id}`);
  const { transitions, commit } = await changeLanes(deps, work, {
    moves: [
      {
        wp,
        // A workspace made again for a package under way changes no lane.
        to: isClaim ? 'doing' : wp.lane,
        agent,
        note: isClaim ? 'Started implementation' : 'Workspace created again',
        ...(shellPid === undefined ? {} : { shellPid: String(shellPid) }),
        fields: {
          base_branch: base.branch,
          base_commit: base.commit,
          created_at: createdAt,
          ...(isClaim ? { agent } : {}),
          ...(isClaim && wpText(wp.file, 'assignee') === undefined ? { assignee: person } : {}),
          ...(isClaim && shellPid !== undefined ? { shell_pid: String(shellPid) } : {}),
        },
      },
    ],
    files: vcsLock(work, createdAt),
    message: isClaim ? `chore: ${wp.id} claimed for implementation` : `chore: ${wp.id} workspace created again`,
  });
  return { transition: transitions[0], commit };
}

/** Later commands may rely on git from here on. Another system named there (`jj`) is taken over. */
function vcsLock({ feature }: FeatureWork, now: string): readonly { readonly path: string; readonly text: string }[] {
  const meta = readMeta(feature.dir, feature.slug);
  const lockedAt = metaText(meta, 'vcs_locked_at');
  if (metaText(meta, 'vcs') === 'git' && lockedAt !== undefined) return [];
  return [editedMeta(feature.dir, feature.slug, { vcs: 'git', vcs_locked_at: lockedAt ?? now })];
}
