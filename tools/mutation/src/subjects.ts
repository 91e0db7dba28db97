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

/** Every test of the SDK that runs the engine or a store in this process. */
const ENGINE = sdk('test/core/*.test.ts', 'test/queue/*.test.ts', 'test/engine/*.test.ts');

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
    tests: [...ENGINE, ...sdk('test/storage/take-in.test.ts')],
  },
  {
    name: 'batcher',
    is: 'what goes into a batch, by count and bytes, and what a server taught about it',
    sources: sdk('src/queue/cut-batch.ts', 'src/engine/batch-limits.ts'),
    tests: ENGINE,
  },
  {
    name: 'verdicts',
    is: "reading a server's answer, and what it does to a row",
    sources: sdk('src/transport/classify.ts', 'src/queue/settle.ts', 'src/contract/batch.ts'),
    tests: [...ENGINE, ...sdk('test/transport/classify.test.ts', 'test/transport/http-transport.test.ts')],
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
    tests: [...ENGINE, ...sdk('test/internal/*.test.ts', 'test/transport/classify.test.ts')],
  },
  {
    name: 'transition',
    is: 'lanes and who may move what, dependencies, the one function that moves a package',
    sources: cli('src/workflow/rules/*.ts', 'src/workflow/project/transition.ts'),
    tests: cli(
      'test/workflow/lanes.test.ts',
      'test/workflow/dependency-graph.test.ts',
      'test/workflow/move-task.test.ts',
      'test/workflow/mark-status.test.ts',
      'test/workflow/implement.test.ts',
      'test/workflow/merge-plan.test.ts',
    ),
  },
];
