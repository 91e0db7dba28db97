/** What the workflow services answer, as people read it. Pure. */
import type { CreateFeatureResult } from '../workflow/services/create-feature.ts';
import type { FinalizeTasksResult } from '../workflow/services/finalize-tasks.ts';
import type { ImplementResult } from '../workflow/services/implement.ts';
import type { InitResult } from '../workflow/services/init.ts';
import type { ScaffoldResult } from '../workflow/services/scaffold.ts';
import { events, rows } from './words.ts';

export function renderInit(result: InitResult): string {
  if (!result.changed) return 'Everything is in place already. Nothing was changed.';
  const commit =
    result.commit_hash === null
      ? ''
      : ` Committed ${result.commit_hash.slice(0, 9)}: ${result.files_committed.join(', ')}.`;
  return `${result.git_initialised ? 'Made a git repository, and it' : 'This repository'} is a spec-kitty project now.${commit}\nNext: spec-kitty agent feature create-feature some-name`;
}

export function renderCreateFeature(result: CreateFeatureResult): string {
  return [
    `Created ${result.feature} (${result.title}) for ${result.target_branch}, committed ${result.commit_hash.slice(0, 9)}.`,
    `Next: spec-kitty agent tasks scaffold --feature ${result.feature} --wp "First title"`,
  ].join('\n');
}

export function renderScaffold(result: ScaffoldResult): string {
  return [
    rows(
      result.work_packages.map(({ id, title, dependencies }) => [id, withDependencies(title, dependencies)] as const),
    ),
    `Committed ${result.commit_hash.slice(0, 9)}.`,
    `Next: spec-kitty agent feature finalize-tasks --feature ${result.feature}`,
  ].join('\n');
}

export function renderImplement(result: ImplementResult): string {
  const claim = result.claimed
    ? `planned -> ${result.lane}, claimed by ${result.agent}`
    : `${result.lane}, ${result.agent}`;
  return [
    `${result.wp_id}: workspace ${result.status}.`,
    rows([
      ['Workspace', result.workspace_path],
      ['Branch', result.branch],
      ['Based on', result.base],
      ['Lane', claim],
    ]),
    `Go there: cd ${result.workspace_path}`,
  ].join('\n');
}

export function renderFinalizeTasks(result: FinalizeTasksResult): string {
  const packages = result.work_packages.map(
    ({ id, title, dependencies }) => [id, withDependencies(title, dependencies)] as const,
  );
  return [rows(packages), ...conflictLines(result), summary(result)].filter((part) => part !== '').join('\n');
}

function conflictLines(result: FinalizeTasksResult): readonly string[] {
  return result.conflicts.map(
    ({ wp }) => `${wp}: tasks.md and the package's file named different dependencies; tasks.md was used.`,
  );
}

function summary(result: FinalizeTasksResult): string {
  if (result.dry_run) return `${result.feature}: ${result.updated_wp_count} files would change. Nothing was written.`;
  const commit = result.commit_hash === null ? 'nothing to commit' : `committed ${result.commit_hash.slice(0, 9)}`;
  const { events_emitted: recorded, events_dropped: dropped } = result;
  const isNews = recorded + dropped > 0;
  const told = dropped > 0 ? `${events(dropped)} not recorded` : `${events(recorded)} recorded`;
  const next = result.work_packages.find(({ dependencies }) => dependencies.length === 0);
  const hint =
    !isNews || next === undefined ? '' : `\nNext: spec-kitty implement ${next.id} --feature ${result.feature}`;
  return `${result.feature}: ${commit}, ${isNews ? told : 'nothing new to announce'}.${hint}`;
}

function withDependencies(title: string, dependencies: readonly string[]): string {
  return dependencies.length === 0 ? title : `${title} (after ${dependencies.join(', ')})`;
}
