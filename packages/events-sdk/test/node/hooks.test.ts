/** Hooks, `beforeStore` and dry runs on a real home. */
import { existsSync } from 'node:fs';

import { expect, test } from 'vitest';

import { makeWorld, MOVE, readQueue, signIn, startServer } from './world.ts';

test('a dry run leaves the home as it is: here, not there', async () => {
  const world = makeWorld();
  const { client } = world.open({ dryRun: true });

  expect(await client.emit(MOVE)).toMatchObject({ status: 'dry-run', envelope: { project_slug: 'demo-repo' } });
  expect(await client.nudge()).toBe('none');
  expect(await client.syncNow()).toMatchObject({ stoppedBy: 'aborted' });
  expect(await client.close({ deadlineMs: 100 })).toEqual({ delivered: 0, pending: -1, rejected: 0 });

  expect(existsSync(world.home)).toBe(false);
});

test('what a host hears and changes is what is in queue.db and on the server', async () => {
  const world = makeWorld();
  const server = await startServer();
  await signIn(world, server);
  const heard: string[] = [];
  const { client } = world.open({
    beforeStore: (draft) =>
      draft.type === 'WPStatusChanged' ? { ...draft, payload: { ...draft.payload, changed_by: 'somebody' } } : null,
    hooks: {
      onEvent: (envelope, { status }) => heard.push(`${status} ${envelope.event_id}`),
      onPush: ({ events, answer }) => heard.push(`${answer.kind} ${events}`),
    },
  });

  await client.emit(MOVE);
  const [row] = readQueue(world.home).rows;
  await client.flush();

  expect(heard).toEqual([`queued ${row?.id}`, 'ok 1']);
  expect(server.events()).toMatchObject([{ envelope: { event_id: row?.id, payload: { changed_by: 'somebody' } } }]);
});
