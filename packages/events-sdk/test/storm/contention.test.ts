/**
 * Many processes on one home, all of them ready before the first one emits; a holder of the store that stands still in the
 * middle of its turn; locks of the dead, whose numbers others have by now. `SPEC_KITTY_STORM_EMITS` changes how many events
 * each process emits, `SPEC_KITTY_STORM_SEED` repeats the choices.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { tellStorm } from '@spec-kitty/storm';
import { expect, test } from 'vitest';

import { currentOwner, ownerToName } from '../../src/node/process-owner.ts';
import { createRandom } from '../../src/testing/seeded-random.ts';
import { makeWorld, until } from '../node/world.ts';
import { booksOf, contend, recordOneMore, startContender } from './contenders.ts';
import { between } from './random.ts';

const EMITS = Number(process.env['SPEC_KITTY_STORM_EMITS'] ?? 100);
const SEED = Number(process.env['SPEC_KITTY_STORM_SEED'] ?? Date.now() % 1_000_000);
const DRIVERS = ['node-sqlite', 'sqljs'] as const;

test.for([
  ['node-sqlite', 16, EMITS],
  ['node-sqlite', 64, Math.ceil(EMITS / 4)],
  ['sqljs', 32, Math.ceil(EMITS / 2)],
] as const)(
  `%s: of %i processes that emit %i events each at once nothing is lost, and clocks are distinct and without a gap (EC-5, SC-009, FR-006)`,
  { timeout: 300_000 },
  async ([driver, processes, emits], { task }) => {
    const world = makeWorld({ env: { SPEC_KITTY_QUEUE_DRIVER: driver } });
    const contenders = Array.from({ length: processes }, () => startContender(world, 'contender', [String(emits)]));

    const { acknowledged, dropped, failures, emitMs, seconds, isInOrder } = await contend(contenders);
    await recordOneMore(world);

    expect(failures).toEqual([]);
    expect(dropped).toEqual([]);
    expect(acknowledged).toHaveLength(processes * emits);
    expect(booksOf(world.home, acknowledged, 1)).toEqual([]);
    expect(isInOrder).toBe(true);
    tellStorm(task, {
      storm: 'contention',
      variant: `${driver}, ${processes} processes`,
      counts: { 'events acknowledged': acknowledged.length, 'seconds at work': Math.round(seconds) },
      times: { 'one emit': emitMs },
    });
  },
);

test.for(DRIVERS)(
  `%s: a process that stands still inside its transaction and goes on later costs neither its own event nor any of the others (EC-5, seed ${SEED})`,
  { timeout: 300_000 },
  async (driver, { task }) => {
    const random = createRandom(SEED);
    const world = makeWorld({ env: { SPEC_KITTY_QUEUE_DRIVER: driver } });
    await recordOneMore(world);
    const holder = startContender(world, 'holder', [driver]);
    await until('the holder to be in its transaction', () => holder.lines().includes('held'));
    // What waits beside the queue has a limit of 1,000.
    const emits = Math.min(Math.ceil(EMITS / 2), 100);
    const contenders = Array.from({ length: 8 }, () => startContender(world, 'contender', [String(emits)]));
    // Somewhere between the first event beside the queue and the last.
    const wanted = between(random, 1, 8 * emits);
    const said = (): number => contenders.reduce((sum, { lines }) => sum + lines().length - 1, 0);

    const contest = contend(contenders);
    await until('events while it stands', () => said() >= wanted, { withinMs: 120_000 });
    const besides = contenders.flatMap(({ lines }) => lines().filter((line) => / - - /.test(line))).length;
    holder.signal('SIGCONT');
    const { acknowledged, dropped, failures } = await contest;
    const { failure, lines } = await holder.ended;
    await recordOneMore(world);

    expect([failure, ...failures].filter((each) => each !== undefined)).toEqual([]);
    expect(dropped).toEqual([]);
    expect(lines).toEqual(['held', 'done']);
    expect(besides).toBeGreaterThan(0);
    expect(acknowledged).toHaveLength(8 * emits);
    // The first one, the holder's and the last one.
    expect(booksOf(world.home, acknowledged, 3)).toEqual([]);
    tellStorm(task, {
      storm: 'contention',
      variant: `${driver}, a holder stopped and continued`,
      seed: SEED,
      counts: { 'events acknowledged': acknowledged.length, 'of them beside the queue while it stood': besides },
    });
  },
);

test.for([
  ['of a process that is gone', () => spawnSync(process.execPath, ['--version']).pid],
  ['whose number belongs to another process by now', () => process.pid],
] as const)(
  'sqljs: a lock %s keeps nobody out, and one process at a time follows (EC-5)',
  { timeout: 120_000 },
  async ([whose, pid], { task }) => {
    const world = makeWorld({ env: { SPEC_KITTY_QUEUE_DRIVER: 'sqljs' } });
    const lock = join(world.home, 'queue.db.lock');
    mkdirSync(lock, { recursive: true });
    const owner = { ...currentOwner(Date.now()), pid: pid(), started: 'an-earlier-boot.1' };
    writeFileSync(join(lock, ownerToName(owner)), '');
    const emits = Math.ceil(EMITS / 5);
    const contenders = Array.from({ length: 8 }, () => startContender(world, 'contender', [String(emits)]));

    const { acknowledged, dropped, failures, emitMs } = await contend(contenders);
    await recordOneMore(world);

    expect(failures).toEqual([]);
    expect(dropped).toEqual([]);
    expect(acknowledged).toHaveLength(8 * emits);
    expect(booksOf(world.home, acknowledged, 1)).toEqual([]);
    tellStorm(task, {
      storm: 'contention',
      variant: `sqljs, a lock ${whose}`,
      counts: { 'events acknowledged': acknowledged.length },
      times: { 'one emit': emitMs },
    });
  },
);

test.for([
  ['a clock kept outside the transaction', 'clock-outside', 'clock-repeated'],
  ['a sql.js file written without its lock', 'without-lock', 'lost'],
] as const)('the same books find %s out', { timeout: 120_000 }, async ([mistake, fault, kind], { task }) => {
  expect(await kindsOf(fault)).toContain(kind);
  tellStorm(task, { storm: 'contention', caught: [mistake] });
});

test('the same books find nothing wrong with the same store when it is whole', async () => {
  expect(await kindsOf('none')).toEqual([]);
});

/** What the books lack after six processes with this fault. */
async function kindsOf(fault: string): Promise<readonly string[]> {
  const world = makeWorld();
  mkdirSync(world.home, { recursive: true });
  const contenders = Array.from({ length: 6 }, () => startContender(world, 'broken-contender', [fault, '40']));
  const { acknowledged, failures } = await contend(contenders);
  expect(failures).toEqual([]);
  return booksOf(world.home, acknowledged, 0).map(({ kind }) => kind);
}
