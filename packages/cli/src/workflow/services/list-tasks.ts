/** `agent tasks list-tasks` and `list-dependents`: what there is to do, and who waits for whom. They read only. */
import type { Lane } from '@spec-kitty/events-sdk/contract';

import { detectFeature, type Feature } from '../project/feature.ts';
import type { Place, WorkflowDeps } from '../ports.ts';
import { findProject } from '../project/project-root.ts';
import { findWp, readAllWps, type WorkPackage } from '../project/wp-file.ts';
import { dependentsOf } from '../rules/dependency-graph.ts';
import { parseLane } from '../rules/lanes.ts';
import { parseWpId } from '../rules/wp-id.ts';

/** What the user asked for. */
export interface ListTasksInput extends Place {
  readonly feature?: string;
  /** Only packages in this lane; words people use for lanes are taken. */
  readonly lane?: string;
}

/** The JSON answer. `tasks` is sorted by id. */
export interface ListTasksResult {
  readonly feature: string;
  readonly tasks: readonly {
    readonly work_package_id: string;
    readonly title: string;
    readonly lane: Lane;
    /** Relative to the project root. */
    readonly path: string;
  }[];
  readonly count: number;
}

/** Lists the packages of a feature. */
export async function listTasks(deps: Pick<WorkflowDeps, 'git'>, input: ListTasksInput): Promise<ListTasksResult> {
  const lane = input.lane === undefined ? undefined : parseLane(input.lane);
  const { feature, wps } = await readPackages(deps, input);
  const tasks = wps
    .filter((wp) => lane === undefined || wp.lane === lane)
    .map((wp) => ({ work_package_id: wp.id, title: wp.title, lane: wp.lane, path: wp.relativePath }));
  return { feature: feature.slug, tasks, count: tasks.length };
}

/** What the user asked for. */
export interface ListDependentsInput extends Place {
  readonly feature?: string;
  readonly wpId: string;
}

/** The JSON answer. Ids are sorted. */
export interface ListDependentsResult {
  readonly feature: string;
  readonly wp_id: string;
  readonly depends_on: readonly string[];
  /** Packages that wait directly for this one. */
  readonly dependents: readonly string[];
  /** The lanes of all of these; null for one that has no file. */
  readonly lanes: Readonly<Record<string, Lane | null>>;
}

/** Says what a package waits for, and what waits for it. */
export async function listDependents(
  deps: Pick<WorkflowDeps, 'git'>,
  input: ListDependentsInput,
): Promise<ListDependentsResult> {
  const wpId = parseWpId(input.wpId);
  const { feature, wps } = await readPackages(deps, input);
  const wp = findWp(feature, wpId);
  const dependsOn = wp.dependencies.toSorted();
  const dependents = dependentsOf(new Map(wps.map((each) => [each.id, each.dependencies])), wpId);
  const lanes = new Map(wps.map((each) => [each.id, each.lane]));
  return {
    feature: feature.slug,
    wp_id: wpId,
    depends_on: dependsOn,
    dependents,
    lanes: Object.fromEntries([wpId, ...dependsOn, ...dependents].map((id) => [id, lanes.get(id) ?? null])),
  };
}

/** Of the main checkout, also when asked in a worktree: the lanes there are the truth. */
async function readPackages(
  deps: Pick<WorkflowDeps, 'git'>,
  input: ListTasksInput,
): Promise<{ readonly feature: Feature; readonly wps: readonly WorkPackage[] }> {
  const project = await findProject(deps.git, input);
  const feature = await detectFeature(deps.git, project, input);
  return { feature, wps: readAllWps(feature) };
}
