/** What `sync reconcile` found and told, as people read it. Pure. */
import type { ReconciledFeature, ReconcileResult } from '../workflow/services/reconcile.ts';
import { events, rows } from './words.ts';

export function renderReconcile(result: ReconcileResult): string {
  const changed = result.features.filter((one) => newsOf(one).length > 0);
  const skipped = result.skipped.map(
    ({ feature, target_branch: branch }) => `${feature}: left alone, its branch ${branch} is not checked out.`,
  );
  return [...changed.map(renderFeature), ...skipped, summary(result, changed.length > 0)].join('\n');
}

function renderFeature(one: ReconciledFeature): string {
  return `${one.feature}\n${rows(newsOf(one)).replaceAll(/^/gm, '  ')}`;
}

function newsOf(one: ReconciledFeature): readonly (readonly [string, string])[] {
  const created = [...(one.created ? ['the feature'] : []), ...one.packages_created];
  return [
    ...(created.length === 0 ? [] : [['New', created.join(', ')] as const]),
    ...one.moved.map(({ wp_id: id, previous, next }) => [id, `${previous} -> ${next}`] as const),
  ];
}

function summary(result: ReconcileResult, isNews: boolean): string {
  if (result.dry_run) return isNews ? 'Nothing was told: this was a dry run.' : 'The team knows all of this already.';
  const { events_emitted: recorded, events_dropped: dropped } = result;
  if (recorded + dropped === 0) return 'The team knows all of this already.';
  return [
    ...(recorded > 0 ? [`${events(recorded)} recorded.`] : []),
    ...(dropped > 0 ? [`${events(dropped)} not recorded; the next command that works there tries again.`] : []),
  ].join(' ');
}
