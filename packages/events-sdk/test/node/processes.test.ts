/** Many processes on one home: nothing is lost, no clock value is given out twice, one node id. */
import { readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

import { makeWorld, MOVE, readQueue } from './world.ts';

const EMISSIONS = { 'node-sqlite': { 4: 100, 16: 25 }, sqljs: { 4: 20, 16: 4 } } as const;

for (const driver of ['node-sqlite', 'sqljs'] as const) {
  for (const processes of [4, 16] as const) {
    test(`${driver}: of ${processes} processes emitting at once every acknowledged event is a row, clocks have no gap, the file is sound (EC-5, SC-009, FR-006)`, async () => {
      const world = makeWorld({ env: { SPEC_KITTY_QUEUE_DRIVER: driver } });
      const each = EMISSIONS[driver][processes];
      const children = Array.from({ length: processes }, () => world.start('emit', [String(each)]));

      const ends = await Promise.all(children.map((child) => child.ended));

      expect(ends.filter(({ code, stderr }) => code !== 0 || stderr !== '')).toEqual([]);
      const said = children.flatMap((child) => child.lines().map((line) => line.split(' ')));
      const { rows, integrity } = readQueue(world.home);
      expect(integrity).toBe('ok');
      expect(rows.map(({ clock }) => clock)).toEqual(Array.from({ length: processes * each }, (_, index) => index + 1));
      expect(new Set(said.map(([status]) => status))).toEqual(new Set(['held']));
      expect(said.map(([, id, clock]) => `${id} ${clock}`).toSorted()).toEqual(
        rows.map(({ id, clock }) => `${id} ${clock}`).toSorted(),
      );
      expect(new Set([...said.map(([, , , node]) => node), ...rows.map(({ node }) => node)]).size).toBe(1);
    }, 20_000);
  }

  test(`${driver}: eight processes that open an absent home at once agree on one node id and lose nothing (FR-007)`, async () => {
    const world = makeWorld({ home: 'deep/er/home', env: { SPEC_KITTY_QUEUE_DRIVER: driver } });
    const children = Array.from({ length: 8 }, () => world.start('emit', ['1']));

    const ends = await Promise.all(children.map((child) => child.ended));

    expect(ends.filter(({ code, stderr }) => code !== 0 || stderr !== '')).toEqual([]);
    const { rows } = readQueue(world.home);
    expect(rows).toHaveLength(8);
    expect(new Set(rows.map(({ node }) => node)).size).toBe(1);
    const later = await world.open().client.emit(MOVE);
    expect(later).toMatchObject({ envelope: { node_id: rows[0]?.node, lamport_clock: 9 } });
  }, 20_000);
}

test("clock.json holds the store's own clock when many commands end together (FR-005)", async () => {
  const world = makeWorld();
  for (let round = 1; round <= 3; round += 1) {
    const children = Array.from({ length: 6 }, () => world.start('emit', ['2']));

    await Promise.all(children.map((child) => child.ended));

    expect(JSON.parse(readFileSync(world.file('clock.json'), 'utf8'))).toMatchObject({ value: round * 12 });
  }
});

test('status is read from the store: it is the same after the writer was killed (FR-037, SC-006)', async () => {
  const world = makeWorld();
  const writer = world.start('emit', ['5', 'stay']);
  await writer.said(5);
  writer.process.kill('SIGKILL');
  await writer.ended;

  const status = await world.open().client.status();

  expect(status).toMatchObject({ queued: 0, held: { team: 5 }, clock: 5, courier: null, lastSync: null });
  expect(status.oldestPendingAt).toBeGreaterThan(Date.now() - 60_000);
});
