/**
 * Everything CI runs, in one go: `node scripts/check.ts [--fast | --tests-only]`. One line per step, the output of a
 * failing step in full, and every independent step even after a failure, so that one run shows everything. A step that
 * ends with {@link SKIPPED} could not be done here and says why.
 * The last line counts tests: `N passed, N failed`. Exit code 1 when any step failed.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { readReports, sum, summaryLine, tally } from './test-report.ts';

const root = join(import.meta.dirname, '..');
const reportFolder = join(root, '.test-report');
const { values } = parseArgs({ options: { fast: { type: 'boolean' }, 'tests-only': { type: 'boolean' } } });

/** The acceptance tests run once more on a Node without `node:sqlite`: the sql.js store must carry everything. */
const oldestNode = join(root, 'tools', 'oldest-node', 'node_modules', 'node', 'bin', 'node');

/** How a step ends that needs something this machine cannot give, e.g. npm's registry. */
const SKIPPED = 77;

interface Step {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** Folders with a vitest config and at least one test, the small ones first; `scripts` has its own config too. */
function testedFolders(): readonly string[] {
  const groups = ['packages', 'examples', 'tools'].flatMap((group) =>
    readdirSync(join(root, group)).map((name) => join(group, name)),
  );
  return ['scripts', ...groups, 'bench'].filter((folder) => {
    const tests = join(root, folder, 'test');
    if (!existsSync(join(root, folder, 'vitest.config.ts')) || !existsSync(tests)) return false;
    return readdirSync(tests, { recursive: true, encoding: 'utf8' }).some((file) => file.endsWith('.test.ts'));
  });
}

const reportName = (folder: string): string => folder.replaceAll(/[\\/]/g, '-');

function testStep(folder: string): Step {
  const outputFile = join(reportFolder, `${reportName(folder)}.json`);
  return {
    name: `test ${folder}`,
    command: ['vitest', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${outputFile}`],
    cwd: join(root, folder),
  };
}

const onOldestNode: Step = {
  name: 'test packages/cli on the oldest Node',
  command: ['vitest', 'run', 'test/e2e/emission.test.ts', 'test/e2e/delivery.test.ts', '--reporter=default'],
  cwd: join(root, 'packages', 'cli'),
  env: { TEST_NODE: oldestNode },
};

/** What `npm start` runs, with both stores. */
const demos = ['node-sqlite', 'sqljs'].map((driver): Step => ({
  name: `demo with ${driver}`,
  command: ['node', 'examples/quickstart/src/main.ts'],
  env: { SPEC_KITTY_QUEUE_DRIVER: driver },
}));

const inAll = (task: string): Step['command'] => ['turbo', 'run', task, '--output-logs=errors-only'];

const readSources: readonly Step[] = [
  { name: 'format', command: ['oxfmt', '--check', '.'] },
  { name: 'layers', command: ['node', 'scripts/check-layers.ts'] },
];
const build: Step = { name: 'build', command: inAll('build') };
const readTypes: readonly Step[] = [
  // Type-aware: it reads the declarations that the build makes.
  { name: 'lint', command: ['oxlint', '--type-aware', '--deny-warnings'] },
  { name: 'typecheck', command: inAll('typecheck') },
  { name: 'typecheck scripts', command: ['tsc', '-p', 'scripts/tsconfig.json'] },
];
const packageChecks: readonly Step[] = [
  ...['packages/events-sdk', 'packages/cli'].map((folder): Step => ({
    name: `publint ${folder}`,
    command: ['publint', 'run', '--pack', 'npm', folder],
  })),
  // Only the SDK has typed entries; the CLI is a program.
  { name: 'attw packages/events-sdk', command: ['attw', '--pack', 'packages/events-sdk', '--profile', 'esm-only'] },
  { name: 'unused code (knip)', command: ['knip', '--no-progress'] },
  { name: 'packed packages in empty projects', command: ['node', 'tools/packed/src/check.ts'] },
];
const reference: Step = {
  name: 'API reference',
  command: ['node', 'tools/api-reference/node_modules/typedoc/bin/typedoc', '--options', 'tools/api-reference'],
};
const afterTests: readonly Step[] = [
  { name: 'trace', command: ['node', 'scripts/trace.ts', '--short'] },
  { name: 'docs', command: ['node', 'scripts/check-docs.ts'] },
];

/** Runs one step; prints its line, what it skipped, and its whole output when it failed. */
async function runStep({ name, command: [program, ...args], cwd = root, env = {} }: Step): Promise<boolean> {
  const started = performance.now();
  const output: Buffer[] = [];
  const code = await new Promise<number>((resolve) => {
    const child = spawn(program, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32',
    });
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
    child.on('error', (cause) => {
      output.push(Buffer.from(`Cannot start ${program}: ${cause.message}\n`));
      resolve(127);
    });
    child.on('close', (exitCode) => {
      resolve(exitCode ?? 1);
    });
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const word = { 0: 'ok  ', [SKIPPED]: 'skip' }[code] ?? 'FAIL';
  console.log(`${word} ${name}  (${seconds} s)`);
  const text = Buffer.concat(output).toString();
  if (code !== 0) console.log(text.trimEnd());
  // What was left out is said also where everything else went well.
  else for (const line of new Set(text.match(/^SKIPPED: .*$/gm))) console.log(`     ${line}`);
  return word !== 'FAIL';
}

rmSync(reportFolder, { recursive: true, force: true });
mkdirSync(reportFolder);
const folders = testedFolders();
const isTestsOnly = values['tests-only'] === true;
const steps: readonly Step[] = [
  ...(isTestsOnly ? [] : readSources),
  build,
  ...(isTestsOnly ? [] : readTypes),
  ...folders.map(testStep),
  ...(values.fast === true ? [] : [onOldestNode]),
  ...(isTestsOnly ? [] : demos),
  ...(isTestsOnly || values.fast === true ? [] : [...packageChecks, reference]),
  ...(isTestsOnly ? [] : afterTests),
];

const failures: string[] = [];
for (const step of steps) if (!(await runStep(step))) failures.push(step.name);

const reports = readReports(reportFolder);
const total = sum([...reports.values()].map(tally));
// A test run that died before writing its report is a failure nobody may overlook.
const lost = folders.filter((folder) => !reports.has(reportName(folder)));
if (failures.length > 0) console.log(`Failed steps: ${failures.join(', ')}`);
console.log(summaryLine({ ...total, failed: total.failed + lost.length }));
process.exitCode = failures.length > 0 || total.passed === 0 ? 1 : 0;
