/**
 * `npm run storm`: the proofs of `npm test` with as many kills, crash states and seeds as one has patience for. The
 * programs are the tests themselves; this only asks them for more, one after the other, and passes on what they print.
 * Flags: `--scale N` (default 1: the figures below; 0.01 for a try), `--seed N` to repeat a storm's choices, `--only NAME`.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

interface Storm {
  readonly name: string;
  readonly folder: 'packages/events-sdk' | 'packages/cli';
  readonly files: readonly string[];
  /** What the tests read, and how much of it a whole storm asks for. */
  readonly amounts: Readonly<Record<string, number>>;
}

const STORMS: readonly Storm[] = [
  {
    name: 'kills',
    folder: 'packages/events-sdk',
    files: ['test/storm/storm.test.ts'],
    amounts: { SPEC_KITTY_STORM_KILLS: 1_000 },
  },
  {
    name: 'contention',
    folder: 'packages/events-sdk',
    files: ['test/storm/contention.test.ts'],
    amounts: { SPEC_KITTY_STORM_EMITS: 100 },
  },
  {
    name: 'commands',
    folder: 'packages/cli',
    files: ['test/e2e/many-commands.test.ts'],
    amounts: { SPEC_KITTY_STORM_COMMANDS: 2_000 },
  },
  {
    name: 'power',
    folder: 'packages/events-sdk',
    files: ['test/disk'],
    amounts: { SPEC_KITTY_CRASH_STATES: 1_000_000 },
  },
  {
    name: 'damage',
    folder: 'packages/events-sdk',
    files: ['test/node/damage.property.test.ts'],
    amounts: { SPEC_KITTY_TEST_SEEDS: 5_000 },
  },
  {
    name: 'boards',
    folder: 'packages/cli',
    files: ['test/workflow/board-storm.test.ts'],
    amounts: { SPEC_KITTY_STORM_BOARDS: 1_000 },
  },
  {
    name: 'texts',
    folder: 'packages/cli',
    files: ['test/workflow/fuzz.test.ts'],
    amounts: { SPEC_KITTY_STORM_TEXTS: 100_000 },
  },
  {
    name: 'runs',
    folder: 'packages/cli',
    files: ['test/workflow/orchestrate/simulation.test.ts'],
    amounts: { SPEC_KITTY_STORM_RUNS: 100_000 },
  },
  {
    name: 'engine',
    folder: 'packages/events-sdk',
    files: ['test/engine/model.test.ts'],
    amounts: { SPEC_KITTY_MODEL_RUNS: 100_000 },
  },
];

const { values } = parseArgs({
  options: { scale: { type: 'string' }, seed: { type: 'string' }, only: { type: 'string' } },
});
const scale = Number(values.scale ?? 1);
if (!(scale > 0)) throw new Error('--scale must be a number above 0.');
const chosen = STORMS.filter(({ name }) => values.only === undefined || name === values.only);
if (chosen.length === 0) throw new Error(`--only takes one of: ${STORMS.map(({ name }) => name).join(', ')}.`);

let failed = 0;
for (const { name, folder, files, amounts } of chosen) {
  const asked = Object.entries(amounts).map(([key, most]) => [key, String(Math.max(1, Math.round(most * scale)))]);
  console.log(`\n── ${name}: ${asked.map(([key, amount]) => `${key}=${amount}`).join(' ')}`);
  const { status } = spawnSync('vitest', ['run', '--testTimeout', '0', ...files], {
    cwd: fileURLToPath(new URL(`../../${folder}`, import.meta.url)),
    stdio: 'inherit',
    env: {
      ...process.env,
      ...Object.fromEntries(asked),
      ...(values.seed === undefined ? {} : { SPEC_KITTY_STORM_SEED: values.seed }),
    },
  });
  if (status !== 0) failed += 1;
}
console.log(`\n${chosen.length - failed} storms survived, ${failed} lost`);
process.exitCode = failed === 0 ? 0 : 1;
