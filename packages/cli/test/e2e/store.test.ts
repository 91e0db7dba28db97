/** `spec-kitty sync store`: the remedy that refusals name, executed word for word. */
import { expect, test } from 'vitest';

import { makeWorld } from './world.ts';

/** A project with two packages; the first is implemented, so that one event waits. */
async function startWork(world: ReturnType<typeof makeWorld>): Promise<void> {
  await world.makeProject();
  await world.makeFeature(['One', 'Two']);
  await world.must(['implement', 'WP01']);
}

test('the remedy a refusal of the sql.js store names works: every event is there afterwards, and after the way back', async () => {
  const world = makeWorld({ driver: 'node-sqlite' });
  await startWork(world);
  const before = world.queued();
  expect(before).toHaveLength(1);
  const portable = { extraEnv: { SPEC_KITTY_QUEUE_DRIVER: 'sqljs' } };

  const refused = await world.specKitty(['sync', 'status'], portable);
  const remedy = /spec-kitty (sync store --convert [\w-]+)/.exec(refused.stderr)?.[1];
  expect([refused.code, remedy]).toEqual([1, 'sync store --convert sqljs']);

  const converted = await world.must(String(remedy).split(' '));
  expect(converted.stdout).toContain('queue_driver = "sqljs"');
  await world.must(['implement', 'WP02'], portable);
  const written = world.queued();
  expect(written).toHaveLength(2);
  expect(written[0]).toEqual(before[0]);
  expect(written[1]?.['lamport_clock']).toBe(2);

  await world.must(['sync', 'store', '--convert', 'node-sqlite']);
  expect(JSON.parse((await world.must(['sync', 'store', '--json'])).stdout)).toMatchObject({ driver: 'node-sqlite' });
  await world.must(['sync', 'status']);
  expect(world.queued()).toEqual(written);
});

test('shows who keeps the queue, where and how large, as text and as one document', async () => {
  const world = makeWorld({ driver: 'sqljs' });
  const none = await world.must(['sync', 'store']);
  expect(none.stdout).toContain('No event has been recorded yet');
  await startWork(world);

  const text = await world.must(['sync', 'store']);

  expect(text.stdout).toMatch(/Kept by +sqljs\nFile +\$SPEC_KITTY_HOME\/queue\.db\nSize +[\d,]+ bytes\n/);
  const document = JSON.parse((await world.must(['sync', 'store', '--json'])).stdout) as unknown;
  expect(document).toEqual({
    driver: 'sqljs',
    path: '$SPEC_KITTY_HOME/queue.db',
    bytes: expect.any(Number),
    damaged: [],
  });
});

test('with --json a conversion answers with what changed, and a second one that nothing did', async () => {
  const world = makeWorld({ driver: 'node-sqlite' });
  await startWork(world);
  const convert = async () =>
    JSON.parse((await world.must(['sync', 'store', '--convert', 'sqljs', '--json'])).stdout) as unknown;

  expect(await convert()).toMatchObject({ driver: 'sqljs', from: 'node-sqlite', changed: true });
  expect(await convert()).toMatchObject({ driver: 'sqljs', from: 'sqljs', changed: false });
});

test('an unknown driver is a usage error', async () => {
  const world = makeWorld();

  expect((await world.specKitty(['sync', 'store', '--convert', 'postgres'])).code).toBe(2);
});
