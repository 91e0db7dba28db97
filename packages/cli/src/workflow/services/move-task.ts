/** `agent tasks move-task`: moves one package to another lane, with its guards, log line, commit and event. */
import type { Lane } from '@spec-kitty/events-sdk/contract';

import { naming } from '../errors.ts';
import { dependentsOf } from '../rules/dependency-graph.ts';
import { parseLane } from '../rules/lanes.ts';
import { parseWpId, readWpId } from '../rules/wp-id.ts';
import type { WorkflowDeps } from '../ports.ts';
import { detectFeature, requireTargetBranch, type Feature } from '../project/feature.ts';
import { changeFeature } from '../project/feature-work.ts';
import { findProject } from '../project/project-root.ts';
import { changeLanes } from '../project/transition.ts';
import { findWp, readAllWps } from '../project/wp-file.ts';
import { judgeWish, namedAgent, type MoveWish } from './move-request.ts';

/** What the user asked for. */
export interface MoveTaskInput extends Omit<MoveWish, 'to'> {
  readonly wpId: string;
  /** A lane, or a word people use for one. */
  readonly to: string;
  readonly feature?: string;
  /** False leaves the file changed and not committed. Default true. */
  readonly autoCommit?: boolean;
}

/** The JSON answer. */
export interface MoveTaskResult {
  readonly result: 'success';
  readonly task_id: string;
  readonly feature: string;
  readonly old_lane: Lane;
  readonly new_lane: Lane;
  /** False when it was in that lane already: the log grew, nobody was told. */
  readonly changed: boolean;
  /** Relative to the project root. */
  readonly path: string;
  readonly commit_hash: string | null;
  /** Packages that wait for this one and are not finished; only for a move to for_review. */
  readonly dependents: readonly string[];
  readonly warnings: readonly string[];
}

/** What moving takes. */
export type MoveDeps = Pick<WorkflowDeps, 'git' | 'lock' | 'time' | 'events' | 'newUlid' | 'causationId'>;

/** Runs it. Emits one WPStatusChanged with the lane that was on disk, unless it was in that lane already. */
export async function moveTask(deps: MoveDeps, input: MoveTaskInput): Promise<MoveTaskResult> {
  const agentId = namedAgent(input);
  const wpId = readWpId(input.wpId);
  try {
    const project = await findProject(deps.git, input);
    const id = parseWpId(input.wpId);
    const to = parseLane(input.to, id);
    const feature = await detectFeature(deps.git, project, input);
    const retry =
      input.retype?.(feature.slug) ?? `spec-kitty agent tasks move-task ${id} --to ${to} --feature ${feature.slug}`;
    const target = await requireTargetBranch(deps.git, project, feature, retry);
    const { result } = await changeFeature(deps, project, feature, async (work) => {
      const wp = findWp(feature, id);
      const move = await judgeWish(deps, { project, feature, wp, target }, { ...input, to });
      const { transitions, commit } = await changeLanes(deps, work, {
        moves: [move],
        message: `chore: Move ${id} to ${to} on spec ${feature.number}${move.agent === 'user' ? '' : ` [${move.agent}]`}`,
        commit: input.autoCommit !== false,
      });
      return { wp, commit, changed: transitions[0]?.changed === true, warnings: transitions[0]?.warnings ?? [] };
    });
    return {
      result: 'success',
      task_id: id,
      feature: feature.slug,
      old_lane: result.wp.lane,
      new_lane: to,
      changed: result.changed,
      path: result.wp.relativePath,
      commit_hash: result.commit?.hash ?? null,
      dependents: to === 'for_review' ? unfinishedDependents(feature, id) : [],
      warnings: result.warnings,
    };
  } catch (cause) {
    throw naming(cause, { ...(wpId === undefined ? {} : { wpId }), ...(agentId === undefined ? {} : { agentId }) });
  }
}

/** Whoever builds on this package may have to take in what its review changes. */
function unfinishedDependents(feature: Feature, id: string): readonly string[] {
  try {
    const wps = readAllWps(feature);
    const waiting = new Set(dependentsOf(new Map(wps.map((wp) => [wp.id, wp.dependencies])), id));
    return wps.filter((wp) => waiting.has(wp.id) && (wp.lane === 'planned' || wp.lane === 'doing')).map((wp) => wp.id);
  } catch {
    // Another file is broken; this move was made all the same.
    return [];
  }
}
