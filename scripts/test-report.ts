/** Reads the JSON reports vitest leaves in `.test-report/`; what is broken or empty there counts as a failure. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { TestFact } from './trace-report.ts';

/** Counts over one or more reports. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** The part of vitest's JSON report this repository reads. */
interface VitestReport {
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly TestFact[];
  }[];
}

/** Every report in the folder by package name; empty when there is none. */
export function readReports(folder: string): ReadonlyMap<string, VitestReport> {
  const reports = new Map<string, VitestReport>();
  if (!existsSync(folder)) return reports;
  for (const name of readdirSync(folder).toSorted()) {
    if (!name.endsWith('.json')) continue;
    // vitest wrote it in the run that is being reported; its shape is vitest's documented one.
    reports.set(name.slice(0, -'.json'.length), JSON.parse(readFileSync(join(folder, name), 'utf8')) as VitestReport);
  }
  return reports;
}

/** The tests of a report. */
export function testsOf(report: VitestReport): readonly TestFact[] {
  return report.testResults.flatMap((file) => file.assertionResults);
}

/** Counts a report; a file that fails without a failing test (it could not be loaded) counts as one failure. */
export function tally(report: VitestReport): Tally {
  const tests = testsOf(report);
  const passed = tests.filter((test) => test.status === 'passed').length;
  const failed = tests.filter((test) => test.status === 'failed').length;
  const unloadable = report.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
  ).length;
  return { passed, failed: failed + unloadable, skipped: tests.length - passed - failed };
}

/** Sums tallies. */
export function sum(tallies: readonly Tally[]): Tally {
  return {
    passed: tallies.reduce((total, { passed }) => total + passed, 0),
    failed: tallies.reduce((total, { failed }) => total + failed, 0),
    skipped: tallies.reduce((total, { skipped }) => total + skipped, 0),
  };
}

/** The plain last line of a run. */
export function summaryLine({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
