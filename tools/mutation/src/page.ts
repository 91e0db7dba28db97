/**
 * docs/mutation.md from the mutants of one subject. What the page says of the others stays, and so does what people wrote
 * outside its marks: why each survivor may. Pure.
 */
import { aliveOf, scoreOf, type Mutant } from './report.ts';
import type { Subject } from './subjects.ts';

const BEGIN = '<!-- written by `npm run mutation`: begin -->';
const END = '<!-- written by `npm run mutation`: end -->';
const COLUMNS = 'what it is | files | mutants | killed | timed out | survived | not reached | score | time | run on';

/** What became of one subject. */
export interface MutationRun {
  readonly date: string;
  /** With the versions of what judged. */
  readonly machine: string;
  readonly subject: Pick<Subject, 'name' | 'is'>;
  readonly mutants: readonly Mutant[];
  readonly seconds: number;
}

/** The page with this subject's score and survivors. Throws when it has lost its marks. */
export function pageWith(old: string, run: MutationRun): string {
  const [from, to] = [old.indexOf(BEGIN), old.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`docs/mutation.md needs the lines ${BEGIN} and ${END}.`);
  const before = old.slice(from + BEGIN.length, to);
  const { name } = run.subject;
  const rows = new Map([...before.matchAll(/^\| ([\w-]+) \| .*\|$/gm)].map(([row, of = '']) => [of, row]));
  rows.delete('subject');
  const survivors = new Map(
    [...before.matchAll(/^### ([\w-]+)\n\n(?:- .*\n)+/gm)].map(([text, of = '']) => [of, text]),
  );
  rows.set(name, rowOf(run));
  const alive = aliveOf(run.mutants);
  if (alive.length === 0) survivors.delete(name);
  else survivors.set(name, `### ${name}\n\n${alive.map(lineOf).join('\n')}\n`);
  const text = [
    `Last judged with ${run.machine}.`,
    [`| subject | ${COLUMNS} |`, '|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|', ...rows.values()].join('\n'),
    ...(survivors.size === 0 ? [] : ['Not noticed:']),
    ...[...survivors.values()].map((each) => each.trimEnd()),
  ].join('\n\n');
  return `${old.slice(0, from + BEGIN.length)}\n\n${text}\n\n${old.slice(to)}`;
}

function rowOf({ date, subject, mutants, seconds }: MutationRun): string {
  const count = (wanted: string): number => mutants.filter(({ status }) => status === wanted).length;
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
    date,
  ];
  return `| ${cells.join(' | ')} |`;
}

function lineOf({ file, line, column, mutator, replacement }: Mutant): string {
  const shown = replacement.replaceAll(/\s+/g, ' ').replaceAll('`', "'");
  return `- \`${file}\` ${line}:${column}: ${mutator}, \`${shown.length > 90 ? `${shown.slice(0, 90)}…` : shown}\``;
}
