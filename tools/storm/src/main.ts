/**
 * `npm run storm`: the proofs of `npm test` with as many kills, crash states and seeds as one has patience for, and the
 * page that says what came out, docs/reliability.md. The programs are the tests themselves; this asks them for more, round
 * after round, each with a seed of its own.
 * Flags: `--minutes N` shares that much time among the storms instead of running all their rounds; `--seed N` repeats a
 * storm's choices (default: by the clock, printed); `--only NAME,…` runs some, and leaves what the page says of the others.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { pageWith, type StormResult } from './page.ts';
import { readRound, type VitestReport } from './round.ts';
import { STORMS, type Storm } from './storms.ts';

const root = join(import.meta.dirname, '../../..');
const page = join(root, 'docs', 'reliability.md');
/** Between the first seeds of two rounds: no round runs that many. */
const SEEDS_APART = 1_000_000;

const { values } = parseArgs({
  options: { minutes: { type: 'string' }, seed: { type: 'string' }, only: { type: 'string' } },
});
const minutes = values.minutes === undefined ? undefined : positive('--minutes', values.minutes);
const seed = values.seed === undefined ? Date.now() % SEEDS_APART : positive('--seed', values.seed);
const names = values.only?.split(',');
const unknown = names?.find((name) => !STORMS.some((storm) => storm.name === name));
if (unknown !== undefined)
  throw new Error(`There is no storm ${unknown}. --only takes: ${STORMS.map(({ name }) => name).join(', ')}.`);
const chosen = STORMS.filter(({ name }) => names?.includes(name) ?? true);

function positive(flag: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`${flag} must be a number above 0, not "${text}".`);
  return value;
}

const [cpu] = cpus();
const machine = `Node ${process.versions.node}, ${cpus().length} cores (${cpu?.model.trim() ?? 'unknown'}), ${process.platform}`;
const commit = spawnSync('git', ['describe', '--always', '--dirty'], { cwd: root, encoding: 'utf8' }).stdout.trim();
const lost = chosen.filter((storm) => {
  const date = new Date().toISOString().slice(0, 10);
  const result = weather(storm);
  const command = `npm run storm -- --only ${storm.name} --seed ${seed}${minutes === undefined ? '' : ` --minutes ${(minutes / chosen.length).toFixed(1)}`}`;
  // Read again: another run may have written it meanwhile.
  const run = { date, commit, machine, command, result };
  writeFileSync(
    page,
    pageWith(
      readFileSync(page, 'utf8'),
      STORMS.map(({ name }) => name),
      run,
    ),
  );
  return result.failures.length > 0;
});
console.log(`\n${chosen.length - lost.length} storms survived, ${lost.length} lost (seed ${seed})`);
process.exitCode = lost.length === 0 ? 0 : 1;

/** All rounds of one storm, or as many as its share of the time allows, one at least; ends with the first that fails. */
function weather(storm: Storm): StormResult {
  const began = performance.now();
  const shareMs = minutes === undefined ? Number.POSITIVE_INFINITY : (minutes * 60_000) / chosen.length;
  const most = minutes === undefined ? storm.rounds : Number.POSITIVE_INFINITY;
  const result = { storm, rounds: 0, seconds: 0, figures: [], failures: [] } as StormResult & { rounds: number };
  do {
    const own = seed + result.rounds * SEEDS_APART;
    console.log(`\n── ${storm.name}, round ${result.rounds + 1}, seed ${own}`);
    const { figures, failures } = play(storm, own);
    result.figures.push(...figures);
    result.failures.push(...failures.map((title) => ({ title, seed: own })));
    result.rounds += 1;
  } while (result.failures.length === 0 && result.rounds < most && performance.now() - began < shareMs);
  return { ...result, seconds: (performance.now() - began) / 1000 };
}

function play({ folder, files, amounts }: Storm, own: number): ReturnType<typeof readRound> {
  const scratch = mkdtempSync(join(tmpdir(), 'spec-kitty-storm-'));
  const report = join(scratch, 'report.json');
  const { status } = spawnSync(
    join(root, folder, 'node_modules', '.bin', 'vitest'),
    ['run', '--testTimeout', '0', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...files],
    {
      cwd: join(root, folder),
      stdio: 'inherit',
      env: {
        ...process.env,
        ...Object.fromEntries(Object.entries(amounts).map(([name, amount]) => [name, String(amount)])),
        SPEC_KITTY_STORM_SEED: String(own),
      },
    },
  );
  try {
    // vitest wrote it in this very run; a run that died before has none, which is a failure of the round.
    return readRound(JSON.parse(readFileSync(report, 'utf8')) as VitestReport, status ?? 1);
  } catch (cause) {
    return { figures: [], failures: [`the tests did not come to their end: ${String(cause)}`] };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
