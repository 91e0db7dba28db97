/** `.kittify/config.yaml` as people write it, read by the built program: the bundle must hold a whole YAML reader. */
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { makeWorld } from './world.ts';

test('holds events of a project that switched sync off in flow style, and records them when its file is broken', async () => {
  const world = makeWorld();
  await world.makeProject();
  await world.makeFeature(['One', 'Two']);
  const config = join(world.repository, '.kittify/config.yaml');

  appendFileSync(config, 'sync: { enabled: false }\n');
  const disabled = await world.must(['implement', 'WP01']);
  const status = JSON.parse((await world.must(['sync', 'status', '--json'])).stdout) as {
    readonly queue: { readonly held: object };
  };
  writeFileSync(config, '{ bad: [\n');
  const broken = await world.must(['implement', 'WP02']);

  expect(disabled.stderr).not.toContain('not recorded');
  expect(status.queue.held).toEqual({ disabled: 1 });
  expect(broken.stderr).not.toContain('not recorded');
  expect(broken.stderr).toContain('config.yaml');
  expect(world.queued()).toHaveLength(2);
});

test('counts as recorded only what the queue took, and tells the rest at the next run', async () => {
  const world = makeWorld();
  await world.makeProject();
  await world.makeFeature(['One', 'Two']);
  await world.must(['sync', 'status']);

  const ended = await world.must(['agent', 'feature', 'finalize-tasks', '--json'], {
    extraEnv: { SPEC_KITTY_HOME: join(world.repository, 'README.md') },
  });

  expect(ended.stderr).toContain('not recorded');
  expect(JSON.parse(ended.stdout)).toMatchObject({ events_emitted: 0, causation_id: null });
  expect(JSON.parse((await world.must(['agent', 'feature', 'finalize-tasks', '--json'])).stdout)).toMatchObject({
    events_emitted: 3,
    commit_created: false,
  });
});
