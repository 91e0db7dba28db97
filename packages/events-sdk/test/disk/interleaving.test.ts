import { join } from 'node:path';
import { tellStorm } from '@spec-kitty/storm';
import { afterAll, beforeAll, expect, test, type TestContext } from 'vitest';
import { ownerToName } from '../../src/node/process-owner.ts';
import type { SimulatedDisk } from '../../src/testing/simulated-disk.ts';
import { createSqlJsFile } from '../../src/node/sqljs-file.ts';
import { createSimulatedMachine } from '../../src/testing/simulated-disk-processes.ts';
import { createTestTime } from '../../src/testing/test-time.ts';
import { INTERLEAVINGS, SEED } from './amount.ts';
import { startCrew, type Crew, type RunOptions, type RunResult } from './interleave.ts';
import { HOME, inspect, QUEUE } from './prove-store.ts';

const LOCK = '/home/user/queue.db.lock';

let crew: Crew;
beforeAll(() => {
  crew = startCrew(3);
});
afterAll(() => crew.dismiss());

type Judge = (result: RunResult) => Promise<string | undefined> | string | undefined;

/** One run of the crew: what is wrong with it, and how many calls it took. */
async function runOnce(
  seed: number,
  options: Omit<RunOptions, 'seed'>,
  judge: Judge = () => undefined,
): Promise<{ readonly wrong: readonly string[]; readonly calls: number }> {
  const result = await crew.run({ ...options, seed });
  const worse = await judge(result);
  const wrong = [...result.wrong, ...(worse === undefined ? [] : [worse])];
  if (result.disk.openFiles() > 0) wrong.push('a file was left open');
  return { wrong: wrong.map((each) => `SPEC_KITTY_STORM_SEED=${seed}: ${each}`), calls: result.calls };
}

/** Runs seed after seed until something is wrong; says what, or tells the storm that nothing was. */
async function findWrong(
  { task }: Pick<TestContext, 'task'>,
  seeds: number,
  options: Omit<RunOptions, 'seed'>,
  judge?: Judge,
): Promise<readonly string[]> {
  let calls = 0;
  for (let seed = SEED; seed < SEED + seeds; seed += 1) {
    const run = await runOnce(seed, options, judge);
    if (run.wrong.length > 0) return run.wrong;
    calls += run.calls;
  }
  tellStorm(task, {
    storm: 'power',
    variant: `${options.work} of 3 processes`,
    seed: SEED,
    counts: { interleavings: seeds, 'calls stopped at': calls },
  });
  return [];
}

const lockRuns = {
  work: 'lock',
  path: LOCK,
  times: 3,
  prepare: (disk: SimulatedDisk) => disk.plantFolder('/home/user'),
} as const;

/** Nobody but dead processes may have left something. */
function leftByLiving({ disk }: RunResult): string | undefined {
  const left = [...disk.tree().keys()].filter((path) => path.startsWith(LOCK));
  return left.length === 0 ? undefined : `left: ${left.join()}`;
}

test('of three processes that want the lock one at a time gets it, however their calls interleave, and nothing stays behind (EC-5)', async (context) => {
  expect(await findWrong(context, 150 * INTERLEAVINGS, lockRuns, leftByLiving)).toEqual([]);
});

test('a dead owner is followed by exactly one of three, however their calls interleave (EC-5)', async (context) => {
  const dead = { pid: 1, started: 'boot1.0', host: 'here', takenAtMs: 0, token: 't' };
  const prepare = (disk: SimulatedDisk): void => disk.plant(join(LOCK, ownerToName(dead)), '');

  expect(await findWrong(context, 150 * INTERLEAVINGS, { ...lockRuns, times: 2, prepare }, leftByLiving)).toEqual([]);
});

test('a process killed at any call keeps nobody out, however the calls interleave (EC-5)', async (context) => {
  expect(await findWrong(context, 150 * INTERLEAVINGS, { ...lockRuns, withKill: true })).toEqual([]);
});

const storeRuns = {
  work: 'store',
  path: QUEUE,
  times: 2,
  prepare: (disk: SimulatedDisk) => disk.plantFolder('/home/user'),
} as const;

function lostIn({ disk, acknowledged }: RunResult): string | undefined {
  const bytes = disk.tree().get(QUEUE);
  const { events } = inspect(bytes ?? new Uint8Array());
  const missing = acknowledged.filter(([eventId]) => events?.has(eventId) !== true);
  if (missing.length > 0) return `acknowledged and lost: ${missing.join(' ')}`;
  const clocks = acknowledged.map(([, clock]) => clock);
  return new Set(clocks).size === clocks.length ? undefined : `a clock was given twice: ${clocks.join()}`;
}

/** What two turns of a later process do not clean up. */
async function leftAfter({ disk }: RunResult): Promise<string | undefined> {
  const [time, processes] = [createTestTime(), createSimulatedMachine({ boot: 'boot2' }).start()];
  const file = createSqlJsFile({ path: QUEUE, disk, time, processes, busyTimeoutMs: 0 });
  // The first may take the lock over; around it sweeps the one that makes it.
  await file.exclusively(async () => {});
  await file.exclusively(async () => {});
  const left = [...disk.tree().keys()].filter((path) => path.startsWith(`${HOME}/`) && path !== QUEUE);
  return left.length === 0 ? undefined : `left for ever: ${left.join()}`;
}

test('sql.js: three processes record without loss or a clock given twice, however their calls interleave (EC-5, SC-009)', async (context) => {
  expect(await findWrong(context, 40 * INTERLEAVINGS, storeRuns, lostIn)).toEqual([]);
});

test('sql.js: neither is anything lost when one is killed at any call, and the next leaves no trace of it (EC-5)', async (context) => {
  const judge = async (result: RunResult): Promise<string | undefined> => lostIn(result) ?? (await leftAfter(result));

  expect(await findWrong(context, 40 * INTERLEAVINGS, { ...storeRuns, withKill: true }, judge)).toEqual([]);
});

test.for([
  [
    'takes over without looking whether the owner lives',
    { ...lockRuns, mistake: 'owner not looked up' },
    /two hold the lock/,
  ],
  [
    'has no lock',
    { ...storeRuns, mistake: 'no lock' },
    /refused: .*changed queue.db meanwhile|acknowledged and lost|given twice/,
  ],
  ['has neither lock nor last look', { ...storeRuns, mistake: 'no last look' }, /acknowledged and lost|given twice/],
  [
    'does not read again what others wrote',
    { ...storeRuns, mistake: 'no reading again' },
    /acknowledged and lost|given twice/,
  ],
] as const)('the interleavings find a protocol that %s', async ([mistake, options, expected], { task }) => {
  const judge = options.work === 'store' ? lostIn : undefined;
  const found: string[] = [];
  // A broken protocol breaks in more than one way: the one it is known by counts.
  for (let seed = SEED; seed < SEED + 400 && !expected.test(found.join()); seed += 1)
    found.push(...(await runOnce(seed, options, judge)).wrong);

  expect(found.join()).toMatch(expected);
  tellStorm(task, { storm: 'power', caught: [`a process that ${mistake}`] });
});
