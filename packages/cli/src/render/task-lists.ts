/** Lists of work packages as plain text. Pure. */
import { LANES } from '../workflow/rules/lanes.ts';

import type { ListDependentsResult, ListTasksResult } from '../workflow/services/list-tasks.ts';
import { rows, visible } from './words.ts';

const LANE_WIDTH = Math.max(...LANES.map((lane) => lane.length));

export function renderListTasks(result: ListTasksResult): string {
  if (result.count === 0) return `${result.feature}: no work packages to list.`;
  return rows(
    result.tasks.map(
      ({ work_package_id: id, lane, title }) => [id, `${lane.padEnd(LANE_WIDTH)}  ${visible(title)}`] as const,
    ),
  );
}

export function renderListDependents(result: ListDependentsResult): string {
  return rows([
    [`${result.wp_id} waits for`, listed(result, result.depends_on)],
    [`Waiting for ${result.wp_id}`, listed(result, result.dependents)],
  ]);
}

function listed({ lanes }: ListDependentsResult, ids: readonly string[]): string {
  return ids.length === 0 ? 'none' : ids.map((id) => `${id} (${lanes[id] ?? 'no file'})`).join(', ');
}
