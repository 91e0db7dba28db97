/** Refused events, from the server's no to a person's decision, with the built program and a real server. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

import type { ContractServer } from '@spec-kitty/events-sdk/testing';
import { expect, test } from 'vitest';

import { makeWorld, startServer, type World } from './world.ts';

const BATCH = '/api/v1/events/batch/';

/** A project with one event in its queue, which the server refuses `times` times. */
async function setUp(times: number): Promise<{ world: World; server: ContractServer; id: string }> {
  const [world, server] = [makeWorld(), await startServer()];
  await world.makeProject();
  await world.login(server);
  await world.makeFeature(['Alpha']);
  await world.must(['agent', 'feature', 'finalize-tasks']);
  await world.must(['sync', 'now']);
  await world.must(['implement', 'WP01']);
  const id = String(world.queued()[0]?.['event_id']);
  for (let time = 0; time < times; time += 1) {
    server.respondNext(
      { status: 200, body: { results: [{ event_id: id, status: 'rejected', error: 'lane is unknown' }] } },
      { path: BATCH },
    );
    expect((await world.specKitty(['sync', 'now'])).code).toBe(1);
  }
  return { world, server, id };
}

test('an event refused five times is set aside, listed with its reason, shown whole, and delivered once retried (US2-3)', async () => {
  const { world, server, id } = await setUp(5);

  const list = await world.must(['sync', 'rejected', 'list']);
  expect(list.stdout).toContain(`${id}  WPStatusChanged WP01`);
  expect(list.stdout).toContain('refused 5 times, set aside: lane is unknown');
  const shown = JSON.parse((await world.must(['sync', 'rejected', 'show', id, '--json'])).stdout) as object;
  expect(shown).toMatchObject({ event_id: id, parked: true, retry_count: 5, envelope: { payload: { wp_id: 'WP01' } } });

  const retried = await world.must(['sync', 'rejected', 'retry', id]);
  // The remedy the answer names.
  expect(retried.stdout).toContain('Send now: spec-kitty sync now');
  await world.must(['sync', 'now']);

  expect(server.events().map(({ envelope }) => envelope.event_id)).toContain(id);
  expect((await world.must(['sync', 'rejected', 'list'])).stdout).toContain('refused nothing');
}, 60_000);

test('refused events are exported for their owner only, never over another file, and dropped only when really meant', async () => {
  const { world, id } = await setUp(1);
  const file = join(world.repository, '..', 'refused.jsonl');

  await world.must(['sync', 'rejected', 'export', '--out', '../refused.jsonl']);
  expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ event_id: id, reason: 'lane is unknown' });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const again = await world.specKitty(['sync', 'rejected', 'export', '--out', '../refused.jsonl', '--json']);
  expect([again.code, JSON.parse(again.stdout)]).toMatchObject([1, { code: 'file-exists' }]);

  expect((await world.specKitty(['sync', 'rejected', 'drop'])).code).toBe(2);
  expect((await world.specKitty(['sync', 'rejected', 'drop', '--all'])).code).toBe(2);
  expect((await world.specKitty(['sync', 'rejected', 'drop', 'nobody'])).code).toBe(1);
  expect(world.queued()).toHaveLength(1);
  expect((await world.must(['sync', 'rejected', 'drop', '--all', '--yes'])).stdout).toBe('1 event dropped.\n');

  expect(world.queued()).toEqual([]);
  const status = JSON.parse((await world.must(['sync', 'status', '--json'])).stdout) as object;
  expect(status).toMatchObject({ queue: { dropped: 1 } });
}, 60_000);
