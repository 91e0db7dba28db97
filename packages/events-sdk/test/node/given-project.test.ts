/** A program that knows itself what its events are about needs no file of ours: whoever has never heard of us can begin. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { openNodeClient } from '../../src/node/open-node-client.ts';
import { makeWorld, MOVE, PROJECT_UUID, signIn, startServer } from './world.ts';

const OTHER = { uuid: '{0D7E4A10-3F1C-4C55-9D0B-2A6C1B7E4D10}', slug: 'backup-tool' };

test('events of a project the host names are delivered from a folder without one, and by another process later', async () => {
  const world = makeWorld();
  const server = await startServer();
  await signIn(world, server);
  const nowhere = join(world.directory, 'nowhere');
  mkdirSync(nowhere);
  const { client } = world.open({ cwd: nowhere, project: OTHER });

  expect(await client.emit(MOVE)).toMatchObject({ status: 'queued' });
  expect((await client.status()).project).toMatchObject({ slug: 'backup-tool' });
  await client.close();
  // Whoever delivers knows nothing of the host.
  const report = await world.open({ cwd: nowhere }).client.syncNow();

  expect(report).toMatchObject({ sent: 1, remaining: 0, held: 0 });
  expect(server.events()[0]?.envelope).toMatchObject({
    project_uuid: '0d7e4a10-3f1c-4c55-9d0b-2a6c1b7e4d10',
    project_slug: 'backup-tool',
  });
});

test('it takes the place of the project around, and one named for a call takes its place', async () => {
  const world = makeWorld();
  const { client } = world.open({ project: OTHER });

  const own = await client.emitAll([MOVE]);
  const named = await client.emitAll([MOVE], { projectRoot: world.project });

  expect(own).toMatchObject([{ envelope: { project_uuid: '0d7e4a10-3f1c-4c55-9d0b-2a6c1b7e4d10' } }]);
  expect(named).toMatchObject([{ envelope: { project_uuid: PROJECT_UUID } }]);
});

test.each([
  ['no UUID', { uuid: 'mine', slug: 'x' }],
  ['no name', { uuid: PROJECT_UUID, slug: ' ' }],
])('a project with %s is refused when the client is opened, not event by event', (_what, project) => {
  expect(() => openNodeClient({ env: makeWorld().env, project })).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
  );
});
