/** The score counts what tests noticed, and the page shows it, each survivor with its place, and leaves alone what people wrote. */
import { expect, test } from 'vitest';

import { pageWith } from '../src/page.ts';
import { aliveOf, readReport, scoreOf, type Mutant } from '../src/report.ts';
import { SUBJECTS } from '../src/subjects.ts';

const MARKS =
  '# Mutation score\n\n<!-- written by `npm run mutation`: begin -->\nold\n<!-- written by `npm run mutation`: end -->\n\nOurs.\n';

const mutant = (status: string, part: Partial<Mutant> = {}): Mutant => ({
  file: 'src/clock.ts',
  line: 7,
  column: 3,
  mutator: 'EqualityOperator',
  replacement: 'a >= b',
  status,
  ...part,
});

const run = (name: string, ...mutants: Mutant[]) => ({
  date: '2026-11-25',
  machine: 'Node 24',
  subject: { name, is: `the ${name}` },
  mutants,
  seconds: 12.4,
});

const write = (...mutants: Mutant[]): string => pageWith(MARKS, run('clock', ...mutants));

test('reads every mutant of a report, by file, line and column', () => {
  const at = (line: number, column: number) => ({
    mutatorName: 'BooleanLiteral',
    replacement: 'true',
    status: 'Killed',
    location: { start: { line, column } },
  });

  const mutants = readReport({
    files: { 'a.ts': { mutants: [at(9, 1), at(2, 8), at(2, 3)] }, 'b.ts': { mutants: [] } },
  });

  expect(mutants.map(({ file, line, column }) => [file, line, column])).toEqual([
    ['a.ts', 2, 3],
    ['a.ts', 2, 8],
    ['a.ts', 9, 1],
  ]);
  expect(mutants[0]).toMatchObject({ mutator: 'BooleanLiteral', replacement: 'true', status: 'Killed' });
});

test('a mutant a test fails on or that never ends was noticed; one that no test reaches was not', () => {
  const mutants = ['Killed', 'Killed', 'Timeout', 'Survived', 'NoCoverage'].map((status) => mutant(status));

  expect(scoreOf(mutants)).toBe(60);
  expect(aliveOf(mutants).map(({ status }) => status)).toEqual(['Survived', 'NoCoverage']);
});

test('a mutant that could not be run counts neither way, and a subject without any is whole', () => {
  expect(scoreOf([mutant('Killed'), mutant('CompileError'), mutant('RuntimeError'), mutant('Ignored')])).toBe(100);
  expect(scoreOf([])).toBe(100);
});

test('shows what became of the mutants of a subject, in a row', () => {
  const page = write(
    mutant('Killed'),
    mutant('Killed', { file: 'src/order.ts' }),
    mutant('Timeout'),
    mutant('NoCoverage'),
  );

  expect(page).toContain('Last judged with Node 24.');
  expect(page).toContain('| clock | the clock | 2 | 4 | 2 | 1 | 0 | 1 | 75.0 % | 12 s | 2026-11-25 |');
});

test('names the place of each survivor and what it was changed into, on one line', () => {
  const page = write(mutant('Survived', { replacement: '{\n  return `x`;\n}' }), mutant('Killed'));

  expect(page).toContain("Not noticed:\n\n### clock\n\n- `src/clock.ts` 7:3: EqualityOperator, `{ return 'x'; }`\n");
  expect(write(mutant('Survived', { replacement: 'x'.repeat(200) }))).toContain(`\`${'x'.repeat(90)}…\``);
  expect(write(mutant('Killed'))).not.toContain('Not noticed');
});

test('keeps what it says of the subjects that were not run, in their place, and replaces what it said of this one', () => {
  const first = pageWith(write(mutant('Survived')), run('queue', mutant('Survived'), mutant('Survived', { line: 8 })));
  const second = pageWith(first, run('clock', mutant('Killed')));
  const third = pageWith(second, run('queue', mutant('Survived', { line: 9 })));

  expect(first.match(/^### .*$/gm)).toEqual(['### clock', '### queue']);
  expect(second.match(/^### .*$/gm)).toEqual(['### queue']);
  expect(third.match(/^- .*$/gm)).toEqual(['- `src/clock.ts` 9:3: EqualityOperator, `a >= b`']);
  expect(third.match(/^\| \w+ .*$/gm)).toEqual([
    expect.stringContaining('| subject | what it is |'),
    '| clock | the clock | 1 | 1 | 1 | 0 | 0 | 0 | 100.0 % | 12 s | 2026-11-25 |',
    '| queue | the queue | 1 | 1 | 0 | 0 | 1 | 0 | 0.0 % | 12 s | 2026-11-25 |',
  ]);
  expect(third).toMatch(/end -->\n\nOurs\.\n$/);
});

test('keeps what stands outside its marks, and refuses a page without them', () => {
  expect(write()).toMatch(/^# Mutation score\n/);
  expect(write()).toMatch(/end -->\n\nOurs\.\n$/);
  expect(write()).not.toContain('old');
  expect(() => pageWith('# Mutation score\n', run('clock'))).toThrow('docs/mutation.md needs the lines');
});

test('every subject has a name of its own, sources and tests', () => {
  expect(new Set(SUBJECTS.map(({ name }) => name)).size).toBe(SUBJECTS.length);
  for (const { sources, tests } of SUBJECTS) expect([sources.length > 0, tests.length > 0]).toEqual([true, true]);
});
