/**
 * `npm run mutation`: Stryker changes one operator, literal or branch of the sources at a time and runs the tests that reach it. A
 * mutant that no test notices is a line that nothing holds. Writes docs/mutation.md, between its marks.
 * Flags: `--only NAME,…` runs some subjects, and leaves what the page says of the others; `--list` prints what survives.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { pageWith } from './page.ts';
import { aliveOf, readReport, scoreOf, type Mutant, type MutationReport } from './report.ts';
import { SUBJECTS, type Subject } from './subjects.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const page = join(root, 'docs', 'mutation.md');
const stryker = join(import.meta.dirname, '..', 'node_modules', '@stryker-mutator', 'core', 'bin', 'stryker.js');

const machine = `Stryker ${versionOf('@stryker-mutator/core')}, vitest ${versionOf('vitest')}, Node ${process.versions.node}, ${cpus().length} cores (${cpus()[0]?.model.trim() ?? 'unknown'}), ${process.platform}`;

const { values } = parseArgs({ options: { only: { type: 'string' }, list: { type: 'boolean' } } });
const names = values.only?.split(',');
const unknown = names?.find((name) => !SUBJECTS.some((subject) => subject.name === name));
if (unknown !== undefined)
  throw new Error(`There is no subject ${unknown}. --only takes: ${SUBJECTS.map(({ name }) => name).join(', ')}.`);

const scratch = mkdtempSync(join(tmpdir(), 'spec-kitty-mutation-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true, maxRetries: 5 }));

for (const subject of SUBJECTS.filter(({ name }) => names?.includes(name) ?? true)) {
  const startedAt = performance.now();
  const mutants = mutate(subject);
  const seconds = (performance.now() - startedAt) / 1000;
  const alive = aliveOf(mutants);
  console.log(
    `${subject.name}: ${mutants.length} mutants, ${alive.length} not noticed, ${scoreOf(mutants).toFixed(1)} % (${seconds.toFixed(0)} s)`,
  );
  if (values.list === true) for (const mutant of alive) console.log(`  ${describe(mutant)}`);
  // After each: a run that is ended early has been worth its time.
  const date = new Date().toISOString().slice(0, 10);
  writeFileSync(page, pageWith(readFileSync(page, 'utf8'), { date, machine, subject, mutants, seconds }));
}

/** Every mutant of a subject, and what became of it. Throws when the tests do not pass without any. */
function mutate({ name, sources, tests }: Subject): readonly Mutant[] {
  const report = join(scratch, `${name}.json`);
  const config = join(scratch, `${name}.config.json`);
  writeFileSync(
    config,
    JSON.stringify({
      testRunner: 'vitest',
      plugins: [fileURLToPath(import.meta.resolve('@stryker-mutator/vitest-runner'))],
      vitest: { configFile: 'tools/mutation/src/vitest.config.ts' },
      mutate: sources,
      coverageAnalysis: 'perTest',
      reporters: ['json'],
      jsonReporter: { fileName: report },
      tempDirName: join(scratch, 'copies'),
      // Read by vitest itself; Stryker would read it with a TypeScript that this repository has left behind.
      tsconfigFile: 'none',
      ignorePatterns: ['**/dist', '**/.turbo', '.test-report', 'bench', 'docs', 'examples'],
      // One after the other: a second runner makes the first slower, and what is slow is taken for an endless loop.
      concurrency: 1,
      // On top of one and a half times what the test takes unchanged.
      timeoutMS: 4_000,
      warnings: false,
      logLevel: 'error',
    }),
  );
  const { status, stdout, stderr } = spawnSync(process.execPath, [stryker, 'run', config], {
    cwd: root,
    encoding: 'utf8',
    env: {
      ...process.env,
      MUTATION_TESTS: tests.join(','),
      // A property holds for few cases as well as for many, and each mutant meets them anew. Same seed, same score.
      SPEC_KITTY_MODEL_RUNS: '40',
      SPEC_KITTY_STORM_SEED: '1',
    },
  });
  if (status !== 0) throw new Error(`Stryker could not judge ${name}:\n${stdout}${stderr}`);
  // Stryker wrote it in this very run; its shape is the mutation testing report schema's.
  return readReport(JSON.parse(readFileSync(report, 'utf8')) as MutationReport);
}

/** The version that is installed for this tool. */
function versionOf(name: string): string {
  const file = join(import.meta.dirname, '..', 'node_modules', name, 'package.json');
  // Every package.json has a version.
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

function describe({ file, line, column, mutator, replacement, status }: Mutant): string {
  return `${file}:${line}:${column} ${mutator} → ${replacement.replaceAll(/\s+/g, ' ').slice(0, 100)} (${status})`;
}
