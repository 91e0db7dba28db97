/** docs/mutation.md from the mutants of a run. What stands outside its marks, why each survivor may, is written by people. Pure. */
import { aliveOf, scoreOf, type Mutant } from './report.ts';
import type { Subject } from './subjects.ts';

const BEGIN = '<!-- written by `npm run mutation`: begin -->';
const END = '<!-- written by `npm run mutation`: end -->';

export interface MutationRun {
  readonly date: string;
  /** With the versions of what judged. */
  readonly machine: string;
  readonly results: readonly {
    readonly subject: Pick<Subject, 'name' | 'is'>;
    readonly mutants: readonly Mutant[];
    readonly seconds: number;
  }[];
}

/** The page with this run's scores and survivors. Throws when it has lost its marks. */
export function pageWith(old: string, run: MutationRun): string {
  const [from, to] = [old.indexOf(BEGIN), old.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`docs/mutation.md needs the lines ${BEGIN} and ${END}.`);
  return `${old.slice(0, from + BEGIN.length)}\n\n${textOf(run)}\n\n${old.slice(to)}`;
}

function textOf({ date, machine, results }: MutationRun): string {
  const rows = results.map(({ subject, mutants, seconds }) => {
    const count = (...states: string[]): number => mutants.filter(({ status }) => states.includes(status)).length;
    const cells = [
      subject.name,
      subject.is,
      new Set(mutants.map(({ file }) => file)).size,
      mutants.length,
      count('Killed'),
      count('Timeout'),
      count('Survived'),
      count('NoCoverage'),
      `${scoreOf(mutants).toFixed(1)} %`,
      `${seconds.toFixed(0)} s`,
    ];
    return `| ${cells.join(' | ')} |`;
  });
  const alive = results.flatMap(({ mutants }) => aliveOf(mutants));
  return [
    `Run on ${date}: ${machine}.`,
    [
      '| subject | what it is | files | mutants | killed | timed out | survived | not reached | score | time |',
      '|---|---|--:|--:|--:|--:|--:|--:|--:|--:|',
      ...rows,
    ].join('\n'),
    ...(alive.length === 0 ? [] : [`Not noticed (${alive.length}):`, alive.map(lineOf).join('\n')]),
  ].join('\n\n');
}

function lineOf({ file, line, mutator, replacement }: Mutant): string {
  const shown = replacement.replaceAll(/\s+/g, ' ').replaceAll('`', "'");
  return `- \`${file}\` line ${line}: ${mutator}, \`${shown.length > 90 ? `${shown.slice(0, 90)}…` : shown}\``;
}
