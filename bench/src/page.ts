/** bench/RESULTS.md out of what was measured. Pure. */
import { table } from './markdown.ts';
import type { Result } from './run-sections.ts';
import type { Goal } from './section.ts';

export interface PageFacts {
  /** `2026-03-01`. */
  readonly date: string;
  /** Versions and machine, in a sentence. */
  readonly machine: string;
  readonly isQuick: boolean;
  readonly results: readonly Result[];
  /** Goals that something else decides. Default: none. */
  readonly elsewhere?: readonly Goal[];
}

/** The whole page: the goals first, then each section. */
export function renderPage({ date, machine, isQuick, results, elsewhere = [] }: PageFacts): string {
  const minutes = results.reduce((sum, { seconds }) => sum + seconds, 0) / 60;
  const goals = [
    ...results.flatMap((result) => ('measured' in result ? (result.measured.goals ?? []) : [])),
    ...elsewhere,
  ];
  const quick = isQuick ? ' A quick run of few rounds: it shows that everything runs, its figures say little.' : '';
  const head = `# Benchmark results

Written by \`npm run bench\` on ${date}, in one run of ${minutes.toFixed(1)} minutes: ${machine}.${quick}
What is compared was measured in turns, in the same minutes: on a shared machine read the ratios, which come first. A figure is
a median; in brackets the least and the most.
`;
  const failed = results.flatMap((result) => ('failure' in result ? [`"${result.title}"`] : []));
  const note = failed.length === 0 ? '' : `\n**Not everything could be measured: ${failed.join(', ')} failed.**\n`;
  return [head + note, ...(goals.length === 0 ? [] : [renderGoals(goals)]), ...results.map(renderSection)].join('\n');
}

/** Whether the run is to fail: a section did, or a budget of the requirement was missed. */
export function isFailed(results: readonly Result[]): boolean {
  return results.some((result) => 'failure' in result || (result.measured.missed ?? []).length > 0);
}

function renderGoals(goals: readonly Goal[]): string {
  const rows = goals.map(({ what, goal, figure, isMet }) => [
    what,
    goal,
    figure,
    isMet === null ? 'not measured here' : isMet ? 'met' : '**missed**',
  ]);
  const reasons = goals.flatMap(({ what, isMet, why }) =>
    isMet === false ? [`- **${what}.** ${why ?? 'No reason is known yet.'}`] : [],
  );
  const missed = reasons.length === 0 ? '' : `\nWhat is missed, and why:\n\n${reasons.join('\n')}\n`;
  return `## Goals\n\n${table(['what', 'goal', 'figure', ''], rows, 'lll')}\n${missed}`;
}

function renderSection(result: Result): string {
  const body = 'measured' in result ? result.measured.text.trim() : `This part failed: ${result.failure}`;
  return `## ${result.title}\n\n${body}\n`;
}
