/** `orchestrate --abort`: ends the project's run and forgets it. Lanes, branches and work stay. */
import { rmSync } from 'node:fs';

import { isWorkflowError } from '../errors.ts';
import type { Place } from '../ports.ts';
import { withFeatureLock } from '../project/feature-lock.ts';
import { openFeature } from '../project/feature.ts';
import { findProject, refuseInWorktree, type Project } from '../project/project-root.ts';
import { contextPath, workspaceOf } from '../project/workspace.ts';
import { recoverRun } from './recover.ts';
import type { RunDeps } from './run-deps.ts';
import { endOrphans, endOwner, stateHere } from './run-owner.ts';
import type { RunState } from './run-state.ts';
import { deleteState, readState } from './state-file.ts';

/** What an abort did. */
export interface AbortResult {
  readonly result: 'success';
  /** Null when there was no run. */
  readonly run_id: string | null;
  readonly feature: string | null;
  /** True when a process was at work and has been ended. */
  readonly ended_process: boolean;
  readonly removed_worktrees: readonly string[];
  readonly kept_worktrees: readonly string[];
  readonly warnings: readonly string[];
}

/** Ends the project's run and forgets it. Lanes and branches stay; with `cleanup` the workspaces this run made go. */
export async function abort(deps: RunDeps, input: Place & { readonly cleanup?: boolean }): Promise<AbortResult> {
  const project = await findProject(deps.git, input);
  refuseInWorktree(project, input, 'spec-kitty orchestrate --abort');
  const stored = await stateHere(deps, project).catch((cause: unknown) => {
    // An unreadable state is what an abort gets rid of.
    if (isWorkflowError(cause, 'run-state-damaged')) return 'damaged' as const;
    throw cause;
  });
  if (stored === undefined || stored === 'damaged') {
    deleteState(project.root);
    const nothing = { result: 'success', run_id: null, feature: null, ended_process: false } as const;
    return { ...nothing, removed_worktrees: [], kept_worktrees: [], warnings: [] };
  }
  const ended = await endOwner(deps, stored.state);
  return withFeatureLock(deps.lock, project, 'orchestrate', async () => {
    const state = (await readState(project.root))?.state ?? stored.state;
    const { orphans } = recoverRun(state, new Map());
    await endOrphans(deps, state, orphans);
    const made = Object.values(state.work_packages).filter((wp) => wp.created_by_run && wp.worktree_path !== null);
    const cleaned =
      input.cleanup === true
        ? await removeWorkspaces(deps, project, { state, wpIds: made.map((wp) => wp.wp_id) })
        : { removed: [], kept: made.map((wp) => wp.worktree_path ?? ''), warnings: [] };
    deleteState(project.root);
    return {
      result: 'success',
      run_id: state.run_id,
      feature: state.feature_slug,
      ended_process: ended,
      removed_worktrees: cleaned.removed,
      kept_worktrees: cleaned.kept,
      warnings: cleaned.warnings,
    };
  });
}

async function removeWorkspaces(
  deps: RunDeps,
  project: Project,
  { state, wpIds }: { readonly state: RunState; readonly wpIds: readonly string[] },
): Promise<{ readonly removed: string[]; readonly kept: string[]; readonly warnings: string[] }> {
  const feature = openFeature(project.root, state.feature_slug);
  const removed: string[] = [];
  const kept: string[] = [];
  const warnings: string[] = [];
  for (const wpId of wpIds) {
    const workspace = workspaceOf(project.root, feature, wpId);
    // Without force: git keeps a workspace with work in it that is not committed.
    const answer = await deps.git.run(project.root, ['worktree', 'remove', workspace.path]);
    if (answer.exitCode === 0) {
      rmSync(contextPath(project.root, workspace), { force: true });
      removed.push(workspace.relativePath);
    } else {
      kept.push(workspace.relativePath);
      warnings.push(`${workspace.relativePath} was kept: ${answer.stderr.trim().split('\n')[0] ?? ''}`);
    }
  }
  return { removed, kept, warnings };
}
