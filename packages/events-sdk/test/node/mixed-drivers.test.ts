/** One home, programs with different drivers, and somebody who converts the file meanwhile: nothing is lost. */
import { expect, test } from 'vitest';

import { convertStore } from '../../src/node/convert-store.ts';
import { makeWorld, MOVE, readQueue } from './world.ts';

const ROUNDS = 6;
const EACH = 3;

test(
  'programs of both drivers that emit while the file is converted to and fro lose nothing, and no clock value repeats (EC-5, SC-009)',
  { timeout: 120_000 },
  async () => {
    const world = makeWorld();
    const first = world.open().client;
    await first.emit(MOVE);
    await first.close();
    const converter = world.start('convert');
    const statuses: string[] = [];

    for (let round = 0; round < ROUNDS; round += 1) {
      const programs = (['node-sqlite', 'sqljs', 'node-sqlite', 'sqljs'] as const).map((driver) =>
        world.start('emit', [String(EACH)], {
          SPEC_KITTY_QUEUE_DRIVER: driver,
          SPEC_KITTY_TEST_STORE_WAIT_MS: '300',
        }),
      );
      const ends = await Promise.all(programs.map(({ ended }) => ended));
      expect(ends.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
      statuses.push(...programs.flatMap((program) => program.lines().map((line) => line.split(' ')[0] ?? '')));
    }
    converter.process.kill('SIGKILL');
    await converter.ended;
    await convertStore({ path: world.file('queue.db'), to: 'node-sqlite' });
    const last = world.open().client;
    await last.emit(MOVE);
    await last.close();

    expect(statuses).toHaveLength(ROUNDS * 4 * EACH);
    expect(new Set(statuses).has('dropped')).toBe(false);
    // The file changed hands and both ways were taken, or this test shows nothing.
    expect(converter.lines().length).toBeGreaterThan(0);
    expect(new Set(statuses)).toEqual(new Set(['held', 'spilled']));
    const { rows, integrity } = readQueue(world.home);
    expect(integrity).toBe('ok');
    expect(rows).toHaveLength(statuses.length + 2);
    expect(rows.map(({ clock }) => clock)).toEqual(rows.map((_, index) => index + 1));
  },
);
