/** What there is to merge: every package of a feature, in order, with its workspace and what git says of its branch. */
import { existsSync } from 'node:fs';

import { WorkflowError } from '../errors.ts';
import { mustRun } from '../git/repository.ts';
import type { Git } from '../ports.ts';
import { wasMerged, wasSquashed, type MergedWhere } from '../project/merged-work.ts';
import { workspaceOf, type Workspace } from '../project/workspace.ts';
import { readAllWps, type WorkPackage } from '../project/wp-file.ts';
import { findCycles, topologicalOrder, type DependencyGraph } from '../rules/dependency-graph.ts';

/** A package of the feature that is being merged. */
export interface Candidate {
  readonly wp: WorkPackage;
  readonly workspace: Workspace;
  /** Its worktree, if there is one; `branch` is undefined while HEAD is detached there. */
  readonly worktree: { readonly branch: string | undefined } | undefined;
  /** Commit of its branch; undefined when there is no branch. */
  readonly tip: string | undefined;
  /** True when its work is on the target branch already. */
  readonly isMerged: boolean;
}

/** All packages of the feature, each after those it waits for. Refuses when there is none, or they wait in a circle. */
export async function readCandidates(git: Git, where: MergedWhere): Promise<readonly Candidate[]> {
  const { feature, project } = where;
  const wps = readAllWps(feature);
  if (wps.length === 0) {
    throw new WorkflowError('no-work-packages', `${feature.relativeDir}/tasks holds no work packages.`, {
      remedy: `spec-kitty agent tasks scaffold --feature ${feature.slug} --wp "First title"`,
    });
  }
  const graph = graphOf(wps);
  const cycles = findCycles(graph);
  if (cycles.length > 0) {
    const shown = cycles.map((cycle) => cycle.join(' → ')).join('; ');
    throw new WorkflowError('dependency-cycle', `Work packages wait for each other in a circle: ${shown}.`, {
      details: { cycles },
    });
  }
  const [worktrees, tips, merged] = await Promise.all([
    listWorktrees(git, project.root),
    branchTips(git, where),
    branchTips(git, where, `--merged=refs/heads/${where.target}`),
  ]);
  const byId = new Map(wps.map((wp) => [wp.id, wp]));
  const ordered = topologicalOrder(graph).flatMap((id) => byId.get(id) ?? []);
  return Promise.all(
    ordered.map(async (wp): Promise<Candidate> => {
      const workspace = workspaceOf(project.root, feature, wp.id);
      const tip = tips.get(workspace.branch);
      const isMerged =
        tip === undefined
          ? await wasMerged(git, where, wp)
          : merged.has(workspace.branch) || (await wasSquashed(git, where, wp.id, tip));
      return { wp, workspace, worktree: worktrees.get(workspace.path), tip, isMerged };
    }),
  );
}

/** Who waits for whom, as the packages' files say. */
export function graphOf(wps: readonly WorkPackage[]): DependencyGraph {
  return new Map(wps.map((wp) => [wp.id, wp.dependencies]));
}

/** Path → the branch checked out there, of worktrees whose directory is there. */
export async function listWorktrees(
  git: Git,
  root: string,
): Promise<ReadonlyMap<string, { readonly branch: string | undefined }>> {
  const text = await mustRun(git, root, ['worktree', 'list', '--porcelain'], 'list worktrees');
  const found = new Map<string, { readonly branch: string | undefined }>();
  for (const entry of text.split('\n\n')) {
    const path = /^worktree (.+)$/m.exec(entry)?.[1];
    const branch = /^branch refs\/heads\/(.+)$/m.exec(entry)?.[1];
    if (path !== undefined && existsSync(path)) found.set(path, { branch });
  }
  return found;
}

/** Branch → commit, of the feature's package branches; `filter` narrows them. */
export async function branchTips(
  git: Git,
  { project, feature }: Pick<MergedWhere, 'project' | 'feature'>,
  ...filter: readonly string[]
): Promise<ReadonlyMap<string, string>> {
  const args = ['for-each-ref', ...filter, '--format=%(objectname) %(refname)', `refs/heads/${feature.slug}-WP*`];
  const text = await mustRun(git, project.root, args, 'list the branches of the packages');
  const lines = text.split('\n').filter((line) => line !== '');
  return new Map(
    lines.map((line) => {
      const space = line.indexOf(' ');
      return [line.slice(space + 1 + 'refs/heads/'.length), line.slice(0, space)] as const;
    }),
  );
}
