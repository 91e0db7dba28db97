/** `agent tasks status`: where the work packages of a feature stand. Reads only; never switches a branch. */
import type { Lane } from '@spec-kitty/events-sdk/contract';

import { detectFeature, type Feature } from '../project/feature.ts';
import type { Git, Place, WorkflowDeps } from '../ports.ts';
import { findProject, type Project } from '../project/project-root.ts';
import { readAllWps, wpText, type WorkPackage } from '../project/wp-file.ts';
import { workspaceOf } from '../project/workspace.ts';

/** What the user asked for. */
export interface TasksStatusInput extends Place {
  readonly feature?: string;
  /** Also name packages in doing whose branch got no commit for so many minutes. */
  readonly staleAfterMinutes?: number;
}

/** One package in the answer. */
export interface WpStatus {
  readonly id: string;
  readonly title: string;
  readonly lane: Lane;
  readonly dependencies: readonly string[];
  readonly agent: string | null;
  readonly assignee: string | null;
  /** Relative to the project root. */
  readonly path: string;
  /** Minutes since the last commit on its branch; only where staleness was asked for and the package is in doing. */
  readonly idle_minutes?: number;
}

/** The JSON answer. `work_packages` is sorted by id. */
export interface TasksStatusResult {
  readonly feature: string;
  readonly total_wps: number;
  readonly by_lane: Readonly<Record<Lane, number>>;
  readonly work_packages: readonly WpStatus[];
  /** Share of packages that are done, one decimal. */
  readonly progress_percentage: number;
  /** Ids; empty unless staleness was asked for. */
  readonly stale_wps: readonly string[];
}

/** Reads only: of the time no more than what it is. */
interface StatusDeps {
  readonly git: Git;
  readonly time: Pick<WorkflowDeps['time'], 'now'>;
}

/** Runs it. */
export async function tasksStatus(deps: StatusDeps, input: TasksStatusInput): Promise<TasksStatusResult> {
  const project = await findProject(deps.git, input);
  const feature = await detectFeature(deps.git, project, input);
  const limit = input.staleAfterMinutes;
  const statuses = await Promise.all(
    readAllWps(feature).map(async (wp) => {
      const idle =
        limit === undefined || wp.lane !== 'doing' ? undefined : await idleMinutes(deps, project, feature, wp);
      return { ...statusOf(wp), ...(idle === undefined ? {} : { idle_minutes: idle }) };
    }),
  );
  const countIn = (lane: Lane): number => statuses.filter((wp) => wp.lane === lane).length;
  return {
    feature: feature.slug,
    total_wps: statuses.length,
    by_lane: {
      planned: countIn('planned'),
      doing: countIn('doing'),
      for_review: countIn('for_review'),
      done: countIn('done'),
    },
    work_packages: statuses,
    progress_percentage: statuses.length === 0 ? 0 : Math.round((countIn('done') / statuses.length) * 1000) / 10,
    stale_wps: statuses.filter((wp) => limit !== undefined && (wp.idle_minutes ?? 0) > limit).map((wp) => wp.id),
  };
}

function statusOf(wp: WorkPackage): WpStatus {
  return {
    id: wp.id,
    title: wp.title,
    lane: wp.lane,
    dependencies: wp.dependencies,
    agent: wpText(wp.file, 'agent') ?? null,
    assignee: wpText(wp.file, 'assignee') ?? null,
    path: wp.relativePath,
  };
}

async function idleMinutes(
  deps: StatusDeps,
  project: Project,
  feature: Feature,
  wp: WorkPackage,
): Promise<number | undefined> {
  const { branch } = workspaceOf(project.root, feature, wp.id);
  const answer = await deps.git.run(project.root, [
    'log',
    '--no-show-signature',
    '-1',
    '--format=%ct',
    `refs/heads/${branch}`,
    '--',
  ]);
  const lastCommitMs = Number(answer.stdout.trim()) * 1000;
  // A package claimed a minute ago stands on an older commit: its claim counts as a sign of life too.
  const claimedMs = Date.parse(wpText(wp.file, 'created_at') ?? '');
  const lastMs = Math.max(lastCommitMs, Number.isNaN(claimedMs) ? 0 : claimedMs);
  return answer.exitCode !== 0 || lastMs === 0
    ? undefined
    : Math.max(0, Math.floor((deps.time.now() - lastMs) / 60_000));
}
