/**
 * What the team hears of a merge: each package that goes from doing to for_review, and everyone who waited for it.
 * Lanes are written after all merges, so that no status commit lies between them.
 */
import { dependencyResolved, wpStatusChanged } from '@spec-kitty/events-sdk';
import type { Lane } from '@spec-kitty/events-sdk/contract';

import { WorkflowError, isWorkflowError } from '../errors.ts';
import { commitOnly, type Commit } from '../git/commit.ts';
import type { WorkflowDeps } from '../ports.ts';
import type { FeatureWork } from '../project/feature-work.ts';
import { MERGE_STATE, toldMark, writeMergeState, type MergeState } from '../project/merge-state.ts';
import { mergeNote } from '../project/merged-work.ts';
import { changeLanes } from '../project/transition.ts';
import { findWp, readAllWps } from '../project/wp-file.ts';
import { dependentsOf } from '../rules/dependency-graph.ts';
import { graphOf } from './merge-candidates.ts';

/** A package whose lane the merge changed. */
export interface Moved {
  readonly wp_id: string;
  readonly from: string;
  readonly to: string;
  readonly commit_hash: string | null;
}

type TellingDeps = Pick<WorkflowDeps, 'git' | 'time' | 'progress'>;

/**
 * Moves and announces every package the state calls untold, and notes in it that they are told. A process killed in
 * here leaves notes that show by lane or state whether they hold, so that the next one tells each thing once.
 */
export async function tellMerged(
  deps: TellingDeps,
  work: FeatureWork,
  begun: MergeState,
  { agent, isResumed }: { readonly agent: string; readonly isResumed: boolean },
): Promise<readonly Moved[]> {
  const { project, feature, willTell } = work;
  const graph = graphOf(readAllWps(feature));
  const { causation_id: causationId } = begun;
  const moved: Moved[] = [];
  let state = begun;
  for (const wpId of begun.untold_wps) {
    const review = { wpId, agent, causationId, isResumed, target: begun.target_branch };
    moved.push(...(await toReview(deps, work, review)));
    const brought = broughtBy(work, state, wpId);
    moved.push(...brought.map(([from, to]) => ({ wp_id: wpId, from, to, commit_hash: null })));
    const drafts = [
      ...brought.map(([previousStatus, newStatus]) =>
        wpStatusChanged({
          wpId,
          previousStatus,
          newStatus,
          changedBy: agent,
          featureSlug: feature.slug,
          causationId,
        }),
      ),
      ...dependentsOf(graph, wpId).map((dependent) =>
        dependencyResolved({ wpId: dependent, dependencyWpId: wpId, resolutionType: 'merged', causationId }),
      ),
    ];
    const evidence = { path: MERGE_STATE, text: toldMark(wpId, causationId) };
    willTell(drafts.map((draft) => ({ draft, evidence })));
    state = {
      ...state,
      untold_wps: state.untold_wps.filter((id) => id !== wpId),
      told_wps: { ...state.told_wps, [wpId]: causationId },
    };
    writeMergeState(project.root, state);
  }
  return moved;
}

/** From and to which lane the merge itself moved a package, if it did and nobody has moved it on. */
function broughtBy({ feature }: FeatureWork, state: MergeState, wpId: string): readonly (readonly [Lane, Lane])[] {
  const [from, to] = [state.lanes[wpId], state.brought_lanes[wpId]];
  return from === undefined || to === undefined || findWp(feature, wpId).lane !== to ? [] : [[from, to]];
}

interface Review {
  readonly wpId: string;
  readonly agent: string;
  readonly causationId: string;
  readonly target: string;
  readonly isResumed: boolean;
}

/** Read again here: the merges may have brought another lane. */
async function toReview(deps: TellingDeps, work: FeatureWork, review: Review): Promise<readonly Moved[]> {
  const { wpId, agent, causationId, target } = review;
  const wp = findWp(work.feature, wpId);
  const message = `chore: Move ${wpId} to for_review on spec ${work.feature.number} [merge]`;
  const moved = (commit: Commit | undefined): readonly Moved[] => [
    { wp_id: wpId, from: 'doing', to: 'for_review', commit_hash: commit?.hash ?? null },
  ];
  if (wp.lane !== 'doing' && !(wp.lane === 'for_review' && review.isResumed)) return [];
  deps.progress(`Moving ${wpId} to for_review`);
  try {
    if (wp.lane === 'for_review') {
      // Perhaps a run that was killed has written the lane and not committed it: told it is by now.
      const commit = await commitOnly(deps.git, work.project.root, { message, paths: [wp.relativePath] });
      return commit === undefined ? [] : moved(commit);
    }
    const move = { wp, to: 'for_review', agent, note: mergeNote(target) } as const;
    return moved((await changeLanes(deps, work, { moves: [move], message, causationId })).commit);
  } catch (cause) {
    if (!isWorkflowError(cause)) throw cause;
    throw new WorkflowError(cause.code, `${wpId} is merged, but stays in doing: ${cause.message}`, {
      kind: cause.kind,
      wpId,
      details: cause.details,
      cause,
      remedy: cause.remedy === undefined ? 'spec-kitty merge --resume' : `${cause.remedy}\nspec-kitty merge --resume`,
    });
  }
}
