/**
 * How a test says what its storm did. `npm run storm` reads it from vitest's report and writes docs/reliability.md;
 * in `npm test` it is one line of output, from which a failure can be replayed.
 */

/** What one test of a storm did. Counts are summed over the rounds of a storm, times put together. */
export interface StormFigures {
  /** The storm's name in `storms.ts`. */
  readonly storm: string;
  /** Where the same test stands for several things: `node-sqlite`. */
  readonly variant?: string;
  /** Replays the test's choices with `SPEC_KITTY_STORM_SEED`. */
  readonly seed?: number;
  /** What was done, named as a person would: `{ kills: 100, 'events acknowledged': 812 }`. */
  readonly counts?: Readonly<Record<string, number>>;
  /** Samples in milliseconds: `{ 'first acknowledgement after a kill': [31.2, 40.1] }`. */
  readonly times?: Readonly<Record<string, readonly number[]>>;
  /** What is wrong on purpose and was found out by the same storm: `the clock is kept outside the transaction`. */
  readonly caught?: readonly string[];
}

/** As much of vitest's test as is needed here. */
interface TestWithMeta {
  readonly meta: object;
}

/** Call it last, when everything was asserted; a test that fails says its seed by its title or message. */
export function tellStorm(task: TestWithMeta, figures: StormFigures): void {
  Object.assign(task.meta, { storm: figures });
  process.stdout.write(`${inWords(figures)}\n`);
}

function inWords({ storm, variant, seed, counts = {}, times = {}, caught = [] }: StormFigures): string {
  const facts = [
    ...(seed === undefined ? [] : [`seed ${seed}`]),
    ...Object.entries(counts).map(([name, count]) => `${count.toLocaleString('en')} ${name}`),
    ...Object.entries(times).map(
      ([name, sample]) =>
        `${name}: median ${quantile(sample, 0.5).toFixed(0)} ms, longest ${quantile(sample, 1).toFixed(0)} ms`,
    ),
    ...caught.map((mistake) => `found out: ${mistake}`),
  ];
  return `${storm}${variant === undefined ? '' : ` (${variant})`}: ${facts.join('; ')}`;
}

/** The value below which `share` of the sample lies; NaN for an empty one. */
export function quantile(sample: readonly number[], share: number): number {
  const sorted = sample.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
