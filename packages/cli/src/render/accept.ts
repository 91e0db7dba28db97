/** An acceptance, or what stands in its way, as people read it. Pure. */
import type { AcceptResult } from '../workflow/services/accept.ts';
import { closedGates, type Gate } from '../workflow/services/acceptance-gates.ts';
import type { AcceptanceReport } from '../workflow/services/acceptance-report.ts';
import { visible } from './words.ts';

const TITLES: Readonly<Record<Gate, string>> = {
  not_done: 'Packages that are not ready for review',
  metadata: 'Facts missing in package files',
  activity: 'Gaps in activity logs',
  unchecked_tasks: 'Open boxes in tasks.md',
  needs_clarification: 'Documents with open questions',
  missing_artifacts: 'Documents that are missing',
  git_dirty: 'Uncommitted files',
  path_violations: 'Folders of the mission that are missing',
};

/** Lines shown of one bucket; the rest is counted. `--json` has them all. */
const SHOWN = 10;

/** The answer to `--mode checklist`. */
export function renderChecklist(report: AcceptanceReport): string {
  const { feature, lanes, optional_missing: optional } = report;
  const where = report.target_branch === null ? '' : ` (${report.target_branch})`;
  const counts = Object.entries(lanes).map(([lane, ids]) => `${ids.length} ${lane}`);
  return [
    `${feature}${where}: ${report.ok ? 'ready to be accepted' : 'not ready to be accepted'}.`,
    `Packages: ${counts.join(', ')}.`,
    ...(optional.length === 0 ? [] : [`Not there, and not needed: ${optional.join(', ')}.`]),
    ...(report.ok ? [`Next: spec-kitty accept --feature ${feature}`] : ['', renderClosedGates(report)]),
  ].join('\n');
}

/** What stands in the way, each with the commands that help. */
export function renderClosedGates(report: AcceptanceReport): string {
  return closedGates(report)
    .map((gate) => {
      const items = report[gate].map((item) => (gate === 'not_done' ? `${item} is in ${laneOf(report, item)}` : item));
      return [`${TITLES[gate]}:`, ...shown(items, '  '), ...shown(report.help[gate] ?? [], '  > ')].join('\n');
    })
    .join('\n\n');
}

/** The answer to an acceptance. */
export function renderAccept(result: AcceptResult): string {
  return [
    headline(result),
    ...section('Next:', result.instructions),
    ...section('Clean up:', result.cleanup_instructions),
  ]
    .concat(result.notes.map((note) => `Note: ${note}`))
    .join('\n');
}

function headline(result: AcceptResult): string {
  const { feature, accepted, would_accept: would, summary } = result;
  if (result.already_accepted)
    return `${feature} was accepted at ${result.accepted_at ?? ''} by ${visible(result.accepted_by)}. Nothing was changed.`;
  if (result.accepted_at === null) {
    return would.length === 0
      ? `${feature} can be accepted; every package is done already.`
      : `${feature} can be accepted: ${would.join(', ')} would move to done.`;
  }
  const moved = accepted.length === 0 ? 'Every package was done already.' : `Moved to done: ${accepted.join(', ')}.`;
  const commit = result.accept_commit === null ? '' : ` Committed ${result.accept_commit.slice(0, 9)}.`;
  return `Accepted ${feature} on ${summary.target_branch ?? 'HEAD'} as ${visible(result.accepted_by)}. ${moved}${commit}`;
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`)];
}

function laneOf(report: AcceptanceReport, id: string): string {
  return Object.entries(report.lanes).find(([, ids]) => ids.includes(id))?.[0] ?? 'no lane';
}

function shown(lines: readonly string[], before: string): readonly string[] {
  const more = lines.length - SHOWN;
  return [
    ...lines.slice(0, SHOWN).map((line) => `${before}${visible(line)}`),
    ...(more > 0 ? [`${before}… and ${more} more`] : []),
  ];
}
