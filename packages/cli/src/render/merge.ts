/** What `merge` answers, as people read it. Pure. */
import type { AbortResult } from '../workflow/services/abort-merge.ts';
import type { ForecastConflict } from '../workflow/services/merge-forecast.ts';
import type { MergeResult } from '../workflow/services/merge.ts';
import type { MergePlan } from '../workflow/services/plan-merge.ts';
import { events, rows } from './words.ts';

export function renderMerge(result: MergeResult): string {
  const { merged, already_merged: before, moved, pushed } = result;
  const facts: (readonly [string, string])[] = [
    ['Merged', merged.length === 0 ? 'nothing new' : merged.join(', ')],
    ...(before.length === 0 ? [] : [['There before', before.join(', ')] as const]),
    ...movedRows(moved),
    ['Pushed', pushed ? 'yes' : 'no'],
    ['Removed', removed(result)],
    ['Told', `${events(result.events_emitted)} recorded`],
  ];
  const next = `\nNext: spec-kitty accept --feature ${result.feature}`;
  return `${result.feature} is merged into ${result.target_branch}.\n${rows(facts)}${next}`;
}

/** `For review  WP01, WP02`; another lane comes in with a branch only. */
function movedRows(moved: MergeResult['moved']): readonly (readonly [string, string])[] {
  const forReview = moved.filter(({ to }) => to === 'for_review').map(({ wp_id: id }) => id);
  const others = moved
    .filter(({ to }) => to !== 'for_review')
    .map(({ wp_id: id, from, to }) => `${id} ${from} -> ${to}`);
  return [
    ...(forReview.length === 0 ? [] : [['For review', forReview.join(', ')] as const]),
    ...(others.length === 0 ? [] : [['Moved', others.join(', ')] as const]),
  ];
}

function removed({ removed_worktrees: worktrees, deleted_branches: branches }: MergeResult): string {
  const parts = [
    count(worktrees.length, 'workspace', 'workspaces'),
    count(branches.length, 'branch', 'branches'),
  ].filter((part) => part !== '');
  return parts.length === 0 ? 'nothing' : parts.join(', ');
}

export function renderMergePlan(plan: MergePlan): string {
  return [
    `${plan.feature} would be merged into ${plan.target_branch} in this order: ${plan.order.join(', ')}. Nothing was changed.`,
    ...(plan.already_merged.length === 0 ? [] : [`There already: ${plan.already_merged.join(', ')}`]),
    ...(plan.would_move.length === 0 ? [] : [`To for_review: ${plan.would_move.join(', ')}`]),
    ...plan.commands.map((line) => `  ${line}`),
    ...(plan.forecast.length === 0 ? ['No conflicts to expect.'] : plan.forecast.map(conflictLine)),
  ].join('\n');
}

function conflictLine({ file, wps, confidence, is_status_file: isStatusFile }: ForecastConflict): string {
  const word = confidence === 'certain' ? 'Conflict' : 'Perhaps a conflict';
  return `${word}: ${file} (${wps.join(', ')})${isStatusFile ? ', a file of tasks' : ''}`;
}

export function renderAbort(result: AbortResult): string {
  if (result.result === 'nothing-to-abort') return 'There is no merge to give up. Nothing was changed.';
  const head = `The merge${result.feature === null ? '' : ` of ${result.feature}`} is given up.`;
  if (result.stays_merged.length === 0) return head;
  const undo = result.undo.length === 0 ? [] : ['To take that back:', ...result.undo.map((line) => `  ${line}`)];
  return [head, `Merged, and staying so: ${result.stays_merged.join(', ')}`, ...undo].join('\n');
}

function count(amount: number, one: string, many: string): string {
  return amount === 0 ? '' : `${amount} ${amount === 1 ? one : many}`;
}
