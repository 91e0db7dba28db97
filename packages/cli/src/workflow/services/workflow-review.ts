/**
 * `agent workflow review`: an agent takes up the review of a package. It says so in the log and to the team, and
 * answers what to look at. The package stays in for_review: that is the lane of a package in review.
 */
import { wpAssigned } from '@spec-kitty/events-sdk';

import { naming, WorkflowError } from '../errors.ts';
import { checkCanCommit } from '../git/commit.ts';
import type { Place, WorkflowDeps } from '../ports.ts';
import { detectFeature, requireTargetBranch, type Feature } from '../project/feature.ts';
import { changeFeature } from '../project/feature-work.ts';
import { findProject } from '../project/project-root.ts';
import { reviewRange } from '../project/review-range.ts';
import { changeLanes } from '../project/transition.ts';
import { REVIEW_STARTED, workOrderOf, type WorkOrder } from '../project/work-order.ts';
import { isWorktree, workspaceOf } from '../project/workspace.ts';
import { findWp, type WorkPackage } from '../project/wp-file.ts';
import { parseWpId, readWpId } from '../rules/wp-id.ts';

/** What the user asked for. */
export interface WorkflowReviewInput extends Place {
  readonly wpId: string;
  readonly feature?: string;
  /** Who reviews. Default: `SPEC_KITTY_AGENT`, else `user`. */
  readonly agent?: string;
  /** Process that reviews, for the log. */
  readonly shellPid?: number;
}

/** The JSON answer. */
export interface WorkflowReviewResult {
  readonly result: 'success';
  readonly feature: string;
  readonly wp_id: string;
  readonly lane: 'for_review';
  readonly agent: string;
  /** Reviews that began before this one. */
  readonly retry_count: number;
  /** For `git diff`: what the package changed. Null when its branch is not in this clone. */
  readonly range: string | null;
  /** Commits in that range. */
  readonly commits: number;
  /** Relative to the project root; null when there is no workspace here. */
  readonly workspace_path: string | null;
  readonly commit_hash: string | null;
  readonly warnings: readonly string[];
}

type ReviewDeps = Pick<WorkflowDeps, 'git' | 'lock' | 'time' | 'events' | 'newUlid' | 'progress'>;

/** Runs it. Emits one WPAssigned of the phase review, and no lane change. */
export async function workflowReview(
  deps: ReviewDeps,
  input: WorkflowReviewInput,
): Promise<{ readonly result: WorkflowReviewResult; readonly order: WorkOrder }> {
  const agent = input.agent?.trim() || input.env?.['SPEC_KITTY_AGENT']?.trim() || 'user';
  const wpId = readWpId(input.wpId);
  try {
    const project = await findProject(deps.git, input);
    const id = parseWpId(input.wpId);
    const feature = await detectFeature(deps.git, project, input);
    const retry = input.retype?.(feature.slug) ?? `spec-kitty agent workflow review ${id} --feature ${feature.slug}`;
    const target = await requireTargetBranch(deps.git, project, feature, retry);
    const { result } = await changeFeature(deps, project, feature, async (work) => {
      const wp = findWp(feature, id);
      refuseOtherLane(feature, wp);
      await checkCanCommit(deps.git, project);
      const order = workOrderOf(project, feature, wp, input.cwd);
      deps.progress(`Noting that ${agent} reviews ${id}`);
      const { commit } = await changeLanes(deps, work, {
        moves: [
          {
            wp,
            to: wp.lane,
            agent,
            note: REVIEW_STARTED,
            tells: [wpAssigned({ wpId: id, agentId: agent, phase: 'review', retryCount: order.reviews })],
            ...(input.shellPid === undefined ? {} : { shellPid: String(input.shellPid) }),
          },
        ],
        message: `chore: Start review of ${id} on spec ${feature.number}${agent === 'user' ? '' : ` [${agent}]`}`,
      });
      return { wp, order, commit };
    });
    const workspace = workspaceOf(project.root, feature, id);
    const [range, isHere] = await Promise.all([
      reviewRange(deps.git, project, { feature, wp: result.wp, target }),
      isWorktree(deps.git, project, workspace.path),
    ]);
    return {
      result: {
        result: 'success',
        feature: feature.slug,
        wp_id: id,
        lane: 'for_review',
        agent,
        retry_count: result.order.reviews,
        range: range === undefined ? null : `${range.base}...${range.branch}`,
        commits: range?.commits ?? 0,
        workspace_path: isHere ? workspace.relativePath : null,
        commit_hash: result.commit?.hash ?? null,
        warnings: warningsOf(id, workspace.branch, range?.commits),
      },
      order: result.order,
    };
  } catch (cause) {
    throw naming(cause, { ...(wpId === undefined ? {} : { wpId }), agentId: agent });
  }
}

function refuseOtherLane(feature: Feature, wp: WorkPackage): void {
  const what = {
    planned: { why: 'nobody has begun it', way: `agent workflow implement ${wp.id}` },
    doing: { why: 'it is still being worked on', way: `agent tasks move-task ${wp.id} --to for_review` },
    done: { why: 'it was approved already', way: `agent tasks move-task ${wp.id} --to for_review --force` },
    for_review: undefined,
  }[wp.lane];
  if (what === undefined) return;
  throw new WorkflowError('not-for-review', `${wp.id} is in ${wp.lane}, not in for_review: ${what.why}.`, {
    wpId: wp.id,
    remedy: `spec-kitty ${what.way} --feature ${feature.slug}`,
  });
}

function warningsOf(id: string, branch: string, commits: number | undefined): readonly string[] {
  if (commits === undefined)
    return [`The branch ${branch} is not in this clone: fetch it, or look at what was merged.`];
  return commits === 0 ? [`${branch} holds no commit of its own: ${id} was merged already, or nothing was done.`] : [];
}
