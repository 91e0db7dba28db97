/**
 * Prints which tests prove which requirement: `node scripts/trace.ts [--json] [--short]`. Exit code 1 when a
 * requirement of the first set has no passing test, or a title cites an id nobody knows. Runs the tests first when
 * there is no report yet.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { readReports, testsOf } from './test-report.ts';
import { readRequirements, trace } from './trace-report.ts';

const root = join(import.meta.dirname, '..');
const reportFolder = join(root, '.test-report');
const { values } = parseArgs({ options: { json: { type: 'boolean' }, short: { type: 'boolean' } } });

if (readReports(reportFolder).size === 0) {
  console.error('No test report yet: running the tests once.');
  spawnSync(process.execPath, [join(root, 'scripts', 'check.ts'), '--tests-only'], { stdio: ['ignore', 2, 2] });
}

const requirements = readRequirements(readFileSync(join(root, 'docs', 'requirements.tsv'), 'utf8'));
const answer = trace(requirements, [...readReports(reportFolder).values()].flatMap(testsOf));
const missing = answer.requirements.filter(({ state }) => state === 'missing');
const promote = answer.requirements.filter(({ state }) => state === 'promote');

if (values.json === true) {
  console.log(JSON.stringify(answer, undefined, 2));
} else {
  if (values.short !== true) {
    for (const { id, title, tests, state } of answer.requirements) {
      console.log(`${id}  ${title}: ${state === 'proven' || state === 'promote' ? `${tests.length} passing` : state}`);
      for (const test of tests) console.log(`    ${test}`);
    }
  }
  for (const { id, title } of missing) console.log(`MISSING ${id}  ${title}: no passing test names it`);
  for (const { id, test } of answer.unknown) console.log(`UNKNOWN ${id} in "${test}": not in docs/requirements.tsv`);
  for (const { id } of promote) console.log(`PROMOTE ${id}: proven now; set its "since" to 1 in docs/requirements.tsv`);
  const proven = answer.requirements.filter(({ tests }) => tests.length > 0).length;
  console.log(`${proven} of ${answer.requirements.length} requirements proven, ${missing.length} missing`);
}
process.exitCode = missing.length === 0 && answer.unknown.length === 0 ? 0 : 1;
