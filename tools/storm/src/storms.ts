/** The storms: which tests they are, and how much of them one round asks for. */

/** A storm is rounds of the same tests, each round with a seed of its own. */
export interface Storm {
  readonly name: string;
  /** What it proves, in a line of docs/reliability.md. */
  readonly proves: string;
  readonly folder: string;
  /** Test files or folders below `folder`; those that find broken variants out belong to it. */
  readonly files: readonly string[];
  /** What the tests read from the environment, for one round of a minute or two. */
  readonly amounts: Readonly<Record<string, number>>;
  /** Rounds of a whole storm. */
  readonly rounds: number;
}

export const STORMS: readonly Storm[] = [
  {
    name: 'kills',
    proves:
      'SIGKILL at any moment of 8 emitters and their deliveries: nothing acknowledged is lost, doubled or stamped twice',
    folder: 'packages/events-sdk',
    files: ['test/storm/storm.test.ts', 'test/storm/broken.test.ts'],
    amounts: { SPEC_KITTY_STORM_KILLS: 200 },
    rounds: 10,
  },
  {
    name: 'contention',
    proves:
      '16, 32 and 64 processes on one home, holders stopped and continued, locks of the dead: every event once, clocks without a gap',
    folder: 'packages/events-sdk',
    files: ['test/storm/contention.test.ts'],
    amounts: { SPEC_KITTY_STORM_EMITS: 200 },
    rounds: 3,
  },
  {
    name: 'commands',
    proves: 'fresh commands, 16 at a time, on one home: every event is there once, no command fails',
    folder: 'packages/cli',
    files: ['test/e2e/many-commands.test.ts'],
    amounts: { SPEC_KITTY_STORM_COMMANDS: 400 },
    rounds: 5,
  },
  {
    name: 'power',
    proves: 'a loss of power at every moment, every call failing, processes stopped at every call, on a simulated disk',
    folder: 'packages/events-sdk',
    files: ['test/disk'],
    amounts: { SPEC_KITTY_CRASH_STATES: 250_000 },
    rounds: 4,
  },
  {
    name: 'damage',
    proves: 'torn and flipped bytes in the files of a home: what can still be read is kept, the next event is recorded',
    folder: 'packages/events-sdk',
    files: ['test/node/damage.property.test.ts'],
    amounts: { SPEC_KITTY_TEST_SEEDS: 1_000 },
    rounds: 5,
  },
  {
    name: 'engine',
    proves: 'any answers of a server in any order: events leave on a verdict only, and every sync ends',
    folder: 'packages/events-sdk',
    files: ['test/engine/model.test.ts'],
    amounts: { SPEC_KITTY_MODEL_RUNS: 10_000 },
    rounds: 10,
  },
  {
    name: 'boards',
    proves: "random commands, hands, hooks and deaths on a real repository: the board's lanes are the disk's",
    folder: 'packages/cli',
    files: ['test/workflow/board-storm.test.ts'],
    amounts: { SPEC_KITTY_STORM_BOARDS: 50 },
    rounds: 20,
  },
  {
    name: 'texts',
    proves: 'mutated tasks.md, frontmatter and settings: a clear error or a right result, and never a crash or a loss',
    folder: 'packages/cli',
    files: ['test/workflow/fuzz.test.ts'],
    amounts: { SPEC_KITTY_STORM_TEXTS: 25_000 },
    rounds: 4,
  },
  {
    name: 'runs',
    proves: 'random graphs, agents and failures under the scheduler: every run ends, none starts work it must not',
    folder: 'packages/cli',
    files: ['test/workflow/orchestrate/simulation.test.ts'],
    amounts: { SPEC_KITTY_STORM_RUNS: 10_000 },
    rounds: 10,
  },
  {
    name: 'secrets',
    proves: 'whatever a server echoes: no token, password or payload in output, command lines, files or git objects',
    folder: 'packages/cli',
    files: ['test/e2e/secrets.test.ts'],
    amounts: { SPEC_KITTY_STORM_SECRETS: 1 },
    rounds: 1,
  },
  {
    name: 'hostile',
    proves:
      'repositories and servers that mean harm: nothing planted is run, nothing outside is read, changed or asked, the terminal stays ours',
    folder: 'packages/cli',
    files: ['test/e2e/hostile.test.ts'],
    amounts: { SPEC_KITTY_STORM_HOSTILE: 100 },
    rounds: 3,
  },
  {
    name: 'answers',
    proves:
      'odd, torn and hostile answers of a server: no event goes without permission, no secret is shown, every sync ends',
    folder: 'packages/events-sdk',
    files: ['test/storm/answers.test.ts'],
    amounts: { SPEC_KITTY_STORM_ANSWERS: 50_000 },
    rounds: 2,
  },
  {
    name: 'network',
    proves:
      'several homes and teams over a line that cuts, delays and mutes, to a server that fails: each event once, in order',
    folder: 'packages/events-sdk',
    files: ['test/storm/network.test.ts', 'test/storm/network-broken.test.ts'],
    amounts: { SPEC_KITTY_STORM_ROUNDS: 600 },
    rounds: 3,
  },
  {
    name: 'outage',
    proves:
      'a thousand clients that lose one server at once: the load peaks below twice the mean while it is away and when it is back',
    folder: 'packages/events-sdk',
    files: ['test/engine/outage.test.ts'],
    amounts: { SPEC_KITTY_STORM_OUTAGES: 200 },
    rounds: 1,
  },
  {
    name: 'soak',
    proves:
      'work without end, the network away half of the time, processes coming and going: nothing is lost, memory stays',
    folder: 'packages/events-sdk',
    files: ['test/storm/soak.test.ts'],
    amounts: { SPEC_KITTY_STORM_SOAK_S: 120 },
    rounds: 2,
  },
  {
    name: 'files',
    proves:
      'torn and flipped bytes in sign-in, settings, clock, spill and lock: read right or refused in words, no token shown',
    folder: 'packages/events-sdk',
    files: ['test/storm/files.test.ts'],
    amounts: { SPEC_KITTY_STORM_FILES: 5_000 },
    rounds: 10,
  },
  {
    name: 'full',
    proves: 'a file system that fills up under emitters: nothing acknowledged is lost, each drop is said, it goes on',
    folder: 'packages/events-sdk',
    files: ['test/storm/full-disk.test.ts'],
    amounts: { SPEC_KITTY_STORM_DISKS: 5 },
    rounds: 4,
  },
  {
    name: 'simulation',
    proves:
      'the whole library in virtual time: processes that die anywhere, failing disks, jumping clocks, lost answers; the books balance',
    folder: 'packages/events-sdk',
    files: ['test/simulation'],
    amounts: { SPEC_KITTY_STORM_SIMULATIONS: 10_000 },
    rounds: 10,
  },
];
