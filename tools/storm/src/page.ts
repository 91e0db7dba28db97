/**
 * docs/reliability.md from what the storms did. What stands between the two marks of the page is written anew; the rest of
 * it, what the storms found and how it was mended, is written by people. Pure.
 */
import { quantile, type StormFigures } from './figures.ts';
import type { Storm } from './storms.ts';

const BEGIN = '<!-- written by `npm run storm`: begin -->';
const END = '<!-- written by `npm run storm`: end -->';

/** What became of one storm. */
export interface StormResult {
  readonly storm: Pick<Storm, 'name' | 'proves'>;
  readonly rounds: number;
  readonly seconds: number;
  readonly figures: StormFigures[];
  readonly failures: { readonly title: string; readonly seed: number }[];
}

/** One run of `npm run storm`. */
export interface StormRun {
  readonly date: string;
  readonly machine: string;
  /** Repeats it. */
  readonly command: string;
  readonly results: readonly StormResult[];
}

/** The page with the run's figures in the place of the last ones. Throws when the page has lost its marks. */
export function pageWith(old: string, run: StormRun): string {
  const [from, to] = [old.indexOf(BEGIN), old.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`docs/reliability.md needs the lines ${BEGIN} and ${END}.`);
  return `${old.slice(0, from + BEGIN.length)}\n\n${textOf(run)}\n\n${old.slice(to)}`;
}

function textOf({ date, machine, command, results }: StormRun): string {
  return [
    `Run on ${date}: ${machine}. Repeat it with \`${command}\`.`,
    ['| storm | what it proves | rounds | time | |', '|---|---|--:|--:|---|', ...results.map(rowOf)].join('\n'),
    ...results.map(sectionOf),
  ].join('\n\n');
}

function rowOf({ storm: { name, proves }, rounds, seconds, failures }: StormResult): string {
  return `| ${name} | ${proves} | ${rounds} | ${time(seconds)} | ${failures.length === 0 ? 'survived' : '**lost**'} |`;
}

function time(seconds: number): string {
  return seconds < 90 ? `${seconds.toFixed(0)} s` : `${(seconds / 60).toFixed(0)} min`;
}

function sectionOf({ storm, figures, failures }: StormResult): string {
  const caught = [...new Set(figures.flatMap((each) => each.caught ?? []))];
  const lines = [
    ...failures.map(({ title, seed }) => `- **Lost** with seed ${seed}: ${title}`),
    ...[...Map.groupBy(figures.filter(isMeasured), ({ variant }) => variant)].map(
      ([variant, own]) =>
        `- ${variant === undefined ? '' : `${variant}: `}${[...sums(own), ...spreads(own)].join('; ')}`,
    ),
    ...(caught.length === 0 ? [] : [`- Found out: ${caught.join('; ')}.`]),
  ];
  return [`### ${storm.name}`, lines.join('\n')].join('\n\n');
}

const isMeasured = ({ counts, times }: StormFigures): boolean => counts !== undefined || times !== undefined;

function sums(figures: readonly StormFigures[]): readonly string[] {
  const total = new Map<string, number>();
  for (const [name, count] of figures.flatMap(({ counts = {} }) => Object.entries(counts)))
    total.set(name, (total.get(name) ?? 0) + count);
  return [...total].map(([name, count]) => `${count.toLocaleString('en')} ${name}`);
}

function spreads(figures: readonly StormFigures[]): readonly string[] {
  const samples = new Map<string, number[]>();
  for (const [name, sample] of figures.flatMap(({ times = {} }) => Object.entries(times)))
    samples.set(name, [...(samples.get(name) ?? []), ...sample]);
  return [...samples].map(([name, sample]) => {
    const [median, most, longest] = [0.5, 0.99, 1].map((share) => quantile(sample, share).toFixed(0));
    return `${name}: median ${median} ms, 99 % below ${most} ms, longest ${longest} ms`;
  });
}
