/** Merges the branches one after the other, and writes down how far it has come after each. */
import type { Lane } from '@spec-kitty/events-sdk/contract';

import { WorkflowError } from '../errors.ts';
import type { Git, WorkflowDeps } from '../ports.ts';
import { readBoard } from '../project/board.ts';
import type { FeatureWork } from '../project/feature-work.ts';
import { remainingWps, writeMergeState, type MergeState } from '../project/merge-state.ts';
import { mergeSubject } from '../project/merged-work.ts';
import { findWp } from '../project/wp-file.ts';
import { mergeBranch } from './merge-branch.ts';
import type { Candidate } from './merge-candidates.ts';

/** A merge that may go on. */
export interface Begun {
  readonly state: MergeState;
  readonly candidates: readonly Candidate[];
  readonly isResumed: boolean;
  readonly warnings: readonly string[];
}

/** Merges what remains and answers the state after it. Rejects with `merge-conflict`, or as {@link mergeBranch} does. */
export async function mergeAll(
  deps: Pick<WorkflowDeps, 'git' | 'time' | 'progress'>,
  work: FeatureWork,
  begun: Begun,
): Promise<MergeState> {
  const { root } = work.project;
  let state = begun.state;
  const save = (changes: Partial<MergeState>): void => {
    state = { ...state, ...changes, updated_at: new Date(deps.time.now()).toISOString() };
    writeMergeState(root, state);
  };
  const ids = remainingWps(state);
  for (const [index, wpId] of ids.entries()) {
    const candidate = begun.candidates.find(({ wp }) => wp.id === wpId);
    const tip = candidate?.tip;
    if (
      candidate !== undefined &&
      tip !== undefined &&
      !(begun.isResumed && (await isIn(deps.git, root, state, candidate)))
    ) {
      deps.progress(`Merging ${wpId} (${index + 1} of ${ids.length})`);
      if (state.tips[wpId] !== tip) save({ tips: { ...state.tips, [wpId]: tip } });
      const { branch } = candidate.workspace;
      const of = { feature: work.feature.slug, wpId, branch, tip, strategy: state.strategy };
      const conflicts = await mergeBranch(deps.git, work.project, of);
      if (conflicts.length > 0) {
        save({ current_wp: wpId, has_pending_conflicts: true });
        throw conflicted(state, wpId, conflicts);
      }
    }
    save({
      brought_lanes: { ...state.brought_lanes, ...broughtLane(work, state, wpId) },
      completed_wps: [...state.completed_wps, wpId],
      untold_wps: [...state.untold_wps, wpId],
      current_wp: ids[index + 1] ?? null,
      has_pending_conflicts: false,
    });
  }
  return state;
}

/** A lane that somebody has written in the workspace comes in with the merge. What a command has told of is none. */
function broughtLane(
  { project, feature }: FeatureWork,
  state: MergeState,
  wpId: string,
): Readonly<Record<string, Lane>> {
  const { lane } = findWp(feature, wpId);
  const isNews = lane !== state.lanes[wpId] && lane !== readBoard(project, feature.slug).lanes[wpId];
  return isNews ? { [wpId]: lane } : {};
}

/** True when the package was merged meanwhile: by a run that was killed, or by the person who resolved a conflict. */
async function isIn(git: Git, root: string, state: MergeState, { wp, tip, isMerged }: Candidate): Promise<boolean> {
  if (isMerged) return true;
  if (state.strategy === 'merge' || tip !== state.tips[wp.id]) return false;
  const log = await git.run(root, ['log', '--no-show-signature', '--format=%s', `${state.started_from}..HEAD`, '--']);
  return log.stdout.split('\n').includes(mergeSubject(state.feature_slug, wp.id));
}

function conflicted(state: MergeState, wpId: string, files: readonly string[]): WorkflowError {
  const merged = state.completed_wps;
  const before = merged.length === 0 ? 'Nothing else was merged yet.' : `Merged before it: ${merged.join(', ')}.`;
  return new WorkflowError(
    'merge-conflict',
    `${wpId} does not fit together with ${state.target_branch}: ${files.join(', ')}.\n${before} The checkout waits in the middle of the merge.`,
    { kind: 'runtime', wpId, details: { conflicts: files, merged }, remedy: conflictRemedy(files) },
  );
}

/** The commands that lead out of a conflict in `files`; none: they are resolved and not committed. */
export function conflictRemedy(files: readonly string[]): string {
  const first = files.length === 0 ? '' : `once ${files.join(', ')} ${files.length === 1 ? 'is' : 'are'} resolved; `;
  return `${files.length === 0 ? '' : 'git add --update && '}git commit --no-edit && spec-kitty merge --resume   (${first}or, to give it up: spec-kitty merge --abort)`;
}
