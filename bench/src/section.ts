/** What a part of the page is: measured on its own, told in Markdown, with the goals its figures decide. */

/** How much is measured. */
export interface Effort {
  /** True: small and fast, to see that everything runs; the figures say little. */
  readonly isQuick: boolean;
  /** How many rounds to make where a whole run makes `full`. */
  rounds(full: number): number;
}

/** A figure held against what we want to reach. */
export interface Goal {
  readonly what: string;
  readonly goal: string;
  readonly figure: string;
  /** Null: not measured here; `figure` says where. */
  readonly isMet: boolean | null;
  /** Why it is missed. Shown only when it is. */
  readonly why?: string;
}

export interface Measured {
  /** Markdown below the heading. */
  readonly text: string;
  readonly goals?: readonly Goal[];
  /** Budgets of the requirement itself that were missed, in words: these fail the run. */
  readonly missed?: readonly string[];
}

export interface Section {
  /** What `--only` takes. */
  readonly name: string;
  readonly title: string;
  measure(effort: Effort): Promise<Measured>;
}

/** The whole run, or a small one of a quarter of the rounds. */
export function createEffort(isQuick: boolean): Effort {
  return { isQuick, rounds: (full) => (isQuick ? Math.min(full, Math.max(3, Math.ceil(full / 4))) : full) };
}
