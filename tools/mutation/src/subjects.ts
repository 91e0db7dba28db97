/** Where the promise lives, and the tests that are meant to hold it: in one process, without a storm. */

/** Files are seen from the root of the repository; `*` stands for a name. */
export interface Subject {
  readonly name: string;
  /** What a reader of docs/mutation.md is told it is. */
  readonly is: string;
  readonly sources: readonly string[];
  readonly tests: readonly string[];
}

const sdk = (...files: readonly string[]): readonly string[] => files.map((file) => `packages/events-sdk/${file}`);
const cli = (...files: readonly string[]): readonly string[] => files.map((file) => `packages/cli/${file}`);

export const SUBJECTS: readonly Subject[] = [
  {
    name: 'clock',
    is: 'the Lamport clock and the order of events',
    sources: sdk('src/clock/lamport.ts'),
    tests: sdk('test/clock/*.test.ts', 'test/events/*.test.ts', 'test/core/emitter.test.ts'),
  },
  {
    name: 'queue',
    is: 'append, binding to team and project, releasing, refused events',
    sources: sdk(
      'src/queue/binding.ts',
      'src/queue/destinations.ts',
      'src/queue/offline-queue.ts',
      'src/queue/rejected-events.ts',
      'src/queue/release.ts',
    ),
    tests: sdk('test/queue/*.test.ts', 'test/core/emitter.test.ts', 'test/core/rejected-events.test.ts'),
  },
  {
    name: 'batcher',
    is: 'what goes into a batch, by count and bytes, and what a server taught about it',
    sources: sdk('src/queue/cut-batch.ts', 'src/engine/batch-limits.ts'),
    tests: sdk('test/queue/cut-batch.test.ts', 'test/engine/batch-limits.test.ts'),
  },
  {
    name: 'verdicts',
    is: "reading a server's answer, and what it does to a row",
    sources: sdk('src/transport/classify.ts', 'src/queue/settle.ts', 'src/contract/batch.ts'),
    tests: sdk(
      'test/queue/settle.test.ts',
      'test/contract/batch.test.ts',
      'test/transport/classify.test.ts',
      'test/transport/answer-words.test.ts',
    ),
  },
  {
    name: 'retry',
    is: 'backoff with full jitter, Retry-After, pace, attempts in a pass',
    sources: sdk(
      'src/internal/backoff.ts',
      'src/engine/retry.ts',
      'src/engine/pace.ts',
      'src/engine/attempts.ts',
      'src/transport/retry-after.ts',
    ),
    tests: sdk(
      'test/internal/backoff.test.ts',
      'test/engine/retry.test.ts',
      'test/engine/pace.test.ts',
      'test/engine/attempts.test.ts',
      'test/transport/retry-after.test.ts',
    ),
  },
  {
    name: 'transition',
    is: 'lanes and who may move what, dependencies, the one function that moves a package',
    sources: cli('src/workflow/rules/*.ts', 'src/workflow/project/transition.ts'),
    tests: cli(
      'test/workflow/lanes.test.ts',
      'test/workflow/dependency-graph.test.ts',
      'test/workflow/rules.test.ts',
      'test/workflow/transition.test.ts',
    ),
  },
];
