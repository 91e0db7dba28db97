/** A command that cannot have the queue: its work is done, its event is kept, and the next command takes it in. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { expect, test } from 'vitest';

import { makeWorld } from './world.ts';

test('implement with a queue held by another program succeeds, says where its event is, and loses none (SC-008, FR-029, FR-030, EC-5)', async () => {
  const world = makeWorld({ driver: 'node-sqlite' });
  await world.makeProject();
  await world.makeFeature(['One', 'Two']);
  await world.must(['sync', 'status']);
  const other = new DatabaseSync(join(world.home, 'queue.db'));
  other.exec('BEGIN IMMEDIATE');

  const ended = await world.must(['implement', 'WP01']);
  expect(ended.stderr).toMatch(/Warning: 1 event kept beside the queue: Another process is writing queue\.db/);
  expect(ended.stderr).toContain('1 event waiting');
  expect((await world.must(['sync', 'status'])).stdout).toContain(
    'Beside it   1 event that could not get into the queue',
  );
  const failed = await world.specKitty(['implement', 'WP09']);
  expect(failed.code).toBe(1);
  other.close();
  expect(world.queued()).toEqual([]);

  await world.must(['implement', 'WP02']);

  expect(world.queued()).toMatchObject([
    { event_type: 'WPStatusChanged', aggregate_id: 'WP01', lamport_clock: 1 },
    { event_type: 'ErrorLogged', lamport_clock: 2 },
    { event_type: 'WPStatusChanged', aggregate_id: 'WP02', lamport_clock: 3 },
  ]);
  expect(existsSync(join(world.home, 'queue.spill'))).toBe(false);
});
