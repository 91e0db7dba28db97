/** The mutants of a report in Stryker's (https://github.com/stryker-mutator/mutation-testing-elements) JSON form. Pure. */

/** The part of the report that is read here. */
export interface MutationReport {
  readonly files: Readonly<
    Record<
      string,
      {
        readonly mutants: readonly {
          readonly mutatorName: string;
          readonly replacement?: string;
          readonly status: string;
          readonly location: { readonly start: { readonly line: number; readonly column: number } };
        }[];
      }
    >
  >;
}

export interface Mutant {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** Stryker's name for the kind of change. */
  readonly mutator: string;
  readonly replacement: string;
  readonly status: string;
}

/** In the order of files and lines. */
export function readReport({ files }: MutationReport): readonly Mutant[] {
  return Object.entries(files).flatMap(([file, { mutants }]) =>
    mutants
      .map(({ mutatorName, replacement = '', status, location: { start } }) => ({
        file,
        line: start.line,
        column: start.column,
        mutator: mutatorName,
        replacement,
        status,
      }))
      .toSorted((a, b) => a.line - b.line || a.column - b.column),
  );
}

/** Those that no test noticed, or that no test reaches. */
export function aliveOf(mutants: readonly Mutant[]): readonly Mutant[] {
  return mutants.filter(({ status }) => status === 'Survived' || status === 'NoCoverage');
}

/**
 * How many of those that count were noticed: killed by a test, or sent round for ever. In percent; 100 where there are none.
 * What could not be run at all (an error of the compiler or the runner) does not count.
 */
export function scoreOf(mutants: readonly Mutant[]): number {
  const noticed = mutants.filter(({ status }) => status === 'Killed' || status === 'Timeout').length;
  const alive = aliveOf(mutants).length;
  return noticed + alive === 0 ? 100 : (100 * noticed) / (noticed + alive);
}
