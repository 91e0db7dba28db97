/**
 * How far a merge of a feature has come: `.kittify/merge-state.json`, written before the first package is merged and
 * after each. It is what `--resume` and `--abort` go by, and the evidence for the events of a merge that was killed.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';

import { LANES } from '../rules/lanes.ts';
import * as v from 'valibot';

import { WorkflowError } from '../errors.ts';
import { readText, writeText } from '../files/text-files.ts';
import { isBranchName, isCommitId, isFeatureSlug, isWpId } from '../rules/names.ts';

/** Where it lies, relative to the project root. */
export const MERGE_STATE = '.kittify/merge-state.json';

// These become paths and arguments of git: nothing else than what we write is taken for it.
const wpId = v.pipe(v.string(), v.check(isWpId));
const commit = v.pipe(v.string(), v.check(isCommitId));
const causation = v.pipe(v.string(), v.regex(/^[\w-]{1,64}$/));
const wpIds = v.pipe(v.array(wpId), v.readonly());
const laneByWp = v.pipe(v.record(wpId, v.picklist(LANES)), v.readonly());

const mergeState = v.object({
  feature_slug: v.pipe(v.string(), v.check(isFeatureSlug)),
  target_branch: v.pipe(v.string(), v.check(isBranchName)),
  strategy: v.picklist(['merge', 'squash']),
  push: v.boolean(),
  keep_branch: v.boolean(),
  keep_worktree: v.boolean(),
  /** Every package, in the order of merging. */
  wp_order: wpIds,
  /** Those whose work was on the target branch before. */
  skipped_wps: wpIds,
  completed_wps: wpIds,
  /** The one being merged, or next. */
  current_wp: v.nullable(wpId),
  has_pending_conflicts: v.boolean(),
  /** Package → commit of its branch that is merged. */
  tips: v.pipe(v.record(wpId, commit), v.readonly()),
  /** Package → its lane before the first merge. */
  lanes: laneByWp,
  /** Package → the lane its branch has brought, where that is another. */
  brought_lanes: laneByWp,
  /** Those that are merged and whose lane and dependents nobody has been told of. */
  untold_wps: wpIds,
  /** Package → causation id of the events that tell of it. */
  told_wps: v.pipe(v.record(wpId, causation), v.readonly()),
  /** Shared by all events of this merge. */
  causation_id: causation,
  /** The target branch before the first merge. */
  started_from: v.union([commit, v.literal('')]),
  started_at: v.string(),
  updated_at: v.string(),
});

/** The file's content. */
export type MergeState = Readonly<v.InferOutput<typeof mergeState>>;

/** The two ways to bring a branch to the target. */
export type MergeStrategy = MergeState['strategy'];

/** The state of the merge under way; undefined when there is none. Refuses a file that cannot be read. */
export function readMergeState(root: string): MergeState | undefined {
  const text = readText(join(root, MERGE_STATE), MERGE_STATE);
  if (text === undefined) return undefined;
  const state = v.safeParse(mergeState, parsed(text));
  if (state.success) return state.output;
  throw new WorkflowError(
    'merge-state-unreadable',
    `A merge was begun, but ${MERGE_STATE} cannot be understood, so nobody knows how far it came.`,
    { remedy: 'spec-kitty merge --abort' },
  );
}

/** Replaces the file in one step. */
export function writeMergeState(root: string, state: MergeState): void {
  writeText(join(root, MERGE_STATE), `${JSON.stringify(state, undefined, 2)}\n`);
}

/** The merge is over. */
export function removeMergeState(root: string): void {
  rmSync(join(root, MERGE_STATE), { force: true });
}

/** A text that stands in the file once it says that a package was told of. */
export function toldMark(wpId: string, causationId: string): string {
  return `"${wpId}": "${causationId}"`;
}

/** Packages that are still to be merged, in order. */
export function remainingWps(state: MergeState): readonly string[] {
  return state.wp_order.filter((id) => !state.completed_wps.includes(id) && !state.skipped_wps.includes(id));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
