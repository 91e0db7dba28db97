/** Reads what one round of a storm did from vitest's JSON report. Pure. */
import type { StormFigures } from './figures.ts';

/** The part of vitest's JSON report that is read here. */
export interface VitestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly {
      readonly title: string;
      readonly status: string;
      readonly meta?: { readonly storm?: StormFigures };
    }[];
  }[];
}

export interface Round {
  readonly figures: readonly StormFigures[];
  /** Titles of tests that failed, files that could not be loaded, or what else ended vitest with a code of its own. */
  readonly failures: readonly string[];
}

/** `status` is vitest's exit code: a run that is not green has failed, whatever its report says. */
export function readRound({ testResults }: VitestReport, status: number): Round {
  const tests = testResults.flatMap(({ assertionResults }) => assertionResults);
  const failures = [
    ...tests.filter((test) => test.status === 'failed').map(({ title }) => title),
    ...testResults
      .filter((file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'))
      .map(({ name }) => `${name} could not be run`),
  ];
  return {
    // What a failed test told before it failed is no result.
    figures: tests.flatMap((test) => (test.status === 'passed' && test.meta?.storm ? [test.meta.storm] : [])),
    failures: failures.length === 0 && status !== 0 ? [`vitest ended with exit code ${status}`] : failures,
  };
}
