/**
 * docs/reliability.md from what the storms did. Between the two marks of the page each storm has a row and a section of its
 * own, which its next run replaces; the rest, what the storms found and how it was mended, is written by people. Pure.
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

/** The circumstances of one storm. */
export interface StormRun {
  readonly date: string;
  readonly commit: string;
  readonly machine: string;
  /** Repeats it. */
  readonly command: string;
  readonly result: StormResult;
}

/**
 * The page with this storm's figures in the place of its last ones; what other storms have left stays, in the order of `names`, and
 * what is none of them goes. Throws when the page has lost its marks.
 */
export function pageWith(old: string, names: readonly string[], run: StormRun): string {
  const [from, to] = [old.indexOf(BEGIN), old.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`docs/reliability.md needs the lines ${BEGIN} and ${END}.`);
  const [table = '', ...others] = old.slice(from + BEGIN.length, to).split('\n### ');
  const rows = new Map(table.split('\n').map((row) => [/^\| ([\w-]+) \|/u.exec(row)?.[1], row]));
  const sections = new Map(others.map((section) => [section.slice(0, section.indexOf('\n')), section.trimEnd()]));
  const { name } = run.result.storm;
  rows.set(name, rowOf(run.result));
  sections.set(name, sectionOf(run));
  const text = [
    [HEAD, ...names.flatMap((each) => rows.get(each) ?? [])].join('\n'),
    ...names.flatMap((each) => (sections.has(each) ? [`### ${sections.get(each)}`] : [])),
  ].join('\n\n');
  return `${old.slice(0, from + BEGIN.length)}\n\n${text}\n\n${old.slice(to)}`;
}

const HEAD = '| storm | what it proves | rounds | time | |\n|---|---|--:|--:|---|';

function rowOf({ storm: { name, proves }, rounds, seconds, failures }: StormResult): string {
  return `| ${name} | ${proves} | ${rounds} | ${time(seconds)} | ${failures.length === 0 ? 'survived' : '**lost**'} |`;
}

function time(seconds: number): string {
  return seconds < 90 ? `${seconds.toFixed(0)} s` : `${(seconds / 60).toFixed(0)} min`;
}

function sectionOf({ date, commit, machine, command, result }: StormRun): string {
  const { storm, figures, failures } = result;
  const caught = [...new Set(figures.flatMap((each) => each.caught ?? []))];
  const lines = [
    ...failures.map(({ title, seed }) => `- **Lost** with seed ${seed}: ${title}`),
    ...[...Map.groupBy(figures.filter(isMeasured), ({ variant }) => variant)].map(
      ([variant, own]) =>
        `- ${variant === undefined ? '' : `${variant}: `}${[...sums(own), ...spreads(own)].join('; ')}`,
    ),
    ...(caught.length === 0 ? [] : [`- Found out: ${caught.join('; ')}.`]),
  ];
  return [
    storm.name,
    `Run on ${date} at commit ${commit}: ${machine}. Repeat it with \`${command}\`.`,
    lines.join('\n'),
  ].join('\n\n');
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
