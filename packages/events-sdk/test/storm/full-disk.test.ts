/**
 * A disk that is full, for real: a small file system of memory, with processes that emit and one that delivers until nothing
 * more fits, and then room again. Nothing acknowledged is lost, what was dropped was said, and the next command works.
 * `SPEC_KITTY_STORM_DISKS` sets how many disks are filled, `SPEC_KITTY_STORM_SEED` repeats their sizes and turns.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { tellStorm } from '@spec-kitty/storm';
import { expect, onTestFinished, test } from 'vitest';

import { createRandom } from '../../src/testing/seeded-random.ts';
import { makeWorld, MOVE, readQueue, signIn, startServer } from '../node/world.ts';
import { booksOf, contend, startContender } from './contenders.ts';
import { judge } from './judge.ts';
import { between } from './random.ts';
import { eventsOn } from './storm.ts';

const DISKS = Number(process.env['SPEC_KITTY_STORM_DISKS'] ?? 1);
const SEED = Number(process.env['SPEC_KITTY_STORM_SEED'] ?? Date.now() % 1_000_000);

/** Of each of three processes: more than fit. */
const EMITS = 100;

/** Whether this machine lets us mount a file system of memory: as root on Linux, outside most containers. */
const canMount = ((): boolean => {
  if (process.platform !== 'linux') return false;
  const place = mkdtempSync(join(tmpdir(), 'can-mount-'));
  const isMounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', place]).status === 0;
  if (isMounted) execFileSync('umount', [place]);
  rmSync(place, { recursive: true });
  return isMounted;
})();

/** Mounts `kib` KiB; unmounted when the test is over. */
function mountSmall(kib: number): string {
  const place = mkdtempSync(join(tmpdir(), 'full-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kib}k`, 'tmpfs', place]);
  onTestFinished(() => {
    // Lazily: a process killed a moment ago may still hold a file.
    execFileSync('umount', ['-l', place]);
    rmSync(place, { recursive: true, force: true });
  });
  return place;
}

/** KiB that a first command fits into and all of them do not: SQLite's log takes more than its file. */
const SIZES = [
  ['node-sqlite', 900, 1_400],
  ['sqljs', 240, 340],
] as const;

for (const [driver, least, most] of SIZES) {
  test.skipIf(!canMount)(
    `${driver}: on a disk that fills up nothing acknowledged is lost, every drop is said, and with room again it goes on (FR-026, EC-5, seed ${SEED}; needs the right to mount)`,
    { timeout: 120_000 + DISKS * 60_000 },
    async ({ task }) => {
      const random = createRandom(SEED);
      const total = { disks: DISKS, 'events acknowledged': 0, 'drops told': 0, 'delivered before it was full': 0 };
      for (let disk = 0; disk < DISKS; disk += 1) {
        const place = mountSmall(between(random, least, most));
        const server = await startServer({ accessLifetimeS: 7 * 86_400 });
        const world = makeWorld({ env: { SPEC_KITTY_QUEUE_DRIVER: driver, SPEC_KITTY_HOME: join(place, 'home') } });
        const home = join(place, 'home');
        await signIn(world, server);
        // What somebody else keeps there, and later throws away.
        const ballast = join(place, 'ballast');
        mkdirSync(home, { recursive: true });
        writeFileSync(ballast, Buffer.alloc(between(random, 20, 90) * 1024));
        const first = await contend([startContender(world, 'contender', ['20'])]);
        const drainer = world.open().client;
        const before = await drainer.syncNow();
        await drainer.close();

        const full = await contend(
          Array.from({ length: 3 }, () => startContender(world, 'contender', [String(EMITS)])),
        );

        truncateSync(ballast);
        rmSync(ballast);
        // Room for as much again.
        execFileSync('mount', ['-o', 'remount,size=8m', place]);
        const last = world.open().client;
        expect((await last.emit(MOVE)).status).toBe('queued');
        const report = await last.syncNow();
        await last.close();

        expect([...first.failures, ...full.failures]).toEqual([]);
        const dropped = [...first.dropped, ...full.dropped];
        const acknowledged = [...first.acknowledged, ...full.acknowledged];
        expect(acknowledged.length + dropped.length).toBe(20 + 3 * EMITS);
        expect(dropped.length, 'the disk was full').toBeGreaterThan(0);
        expect(report).toMatchObject({ stoppedBy: 'drained', remaining: 0, parked: 0 });
        const { rows, integrity } = readQueue(home);
        const onServer = eventsOn(server);
        expect(judge({ acknowledged, server: onServer, queue: rows })).toEqual([]);
        expect(integrity).toBe('ok');
        // An event whose last step failed may be there although it was not promised; nothing else is.
        expect(onServer.length).toBeLessThanOrEqual(acknowledged.length + dropped.length + 1);
        expect(existsSync(join(home, 'queue.db.lock'))).toBe(false);
        total['events acknowledged'] += acknowledged.length;
        total['drops told'] += dropped.length;
        total['delivered before it was full'] += before.sent;
      }
      tellStorm(task, { storm: 'full', variant: driver, seed: SEED, counts: total });
    },
  );
}

test.skipIf(!canMount)(
  'the same books find a client out that takes a failed write for a recorded one',
  async ({ task }) => {
    const place = mountSmall(600);
    const world = makeWorld({ env: { SPEC_KITTY_HOME: place } });

    const { acknowledged } = await contend([startContender(world, 'broken-contender', ['deaf', '200'])]);
    execFileSync('mount', ['-o', 'remount,size=8m', place]);

    expect(booksOf(place, acknowledged, 0).map(({ kind }) => kind)).toContain('lost');
    tellStorm(task, { storm: 'full', caught: ['a client that takes a failed write for a recorded one'] });
  },
);
