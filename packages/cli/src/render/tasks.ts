/** What the commands on work packages answer, as people read it. Pure. */
import type { AddHistoryResult } from '../workflow/services/add-history.ts';
import type { MarkStatusResult } from '../workflow/services/mark-status.ts';
import type { MoveTaskResult } from '../workflow/services/move-task.ts';

export function renderMoveTask(result: MoveTaskResult): string {
  const { task_id: id, new_lane: lane } = result;
  const move = result.changed ? `${id}: ${result.old_lane} -> ${lane}` : `${id} was in ${lane} already`;
  const waiting =
    result.dependents.length === 0
      ? ''
      : `\nWaiting for it: ${result.dependents.join(', ')}. If the review changes ${id}, rebase them.`;
  return `${move}${committed(result.commit_hash)}.${waiting}`;
}

export function renderMarkStatus(result: MarkStatusResult): string {
  const moves = result.moved.map(({ wp_id: id, previous, next }) => `${id}: ${previous} -> ${next}`);
  const isPackages = result.updated.every((id) => id.startsWith('WP'));
  const changes = isPackages ? moves : [`${result.updated.join(', ')}: ${result.status}`, ...moves];
  const lines = [
    ...(result.count === 0 ? [] : [`${changes.join('\n')}${committed(result.commit_hash)}.`]),
    ...(result.unchanged.length === 0 ? [] : [`Stood so already: ${result.unchanged.join(', ')}.`]),
  ];
  return lines.join('\n');
}

export function renderAddHistory(result: AddHistoryResult): string {
  return `${result.task_id}: noted by ${result.author}${committed(result.commit_hash)}.`;
}

function committed(hash: string | null): string {
  return hash === null ? ', not committed' : `, committed ${hash.slice(0, 9)}`;
}
