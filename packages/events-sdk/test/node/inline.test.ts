/** Inline delivery: one short try in the command, and none for a while after it failed. */
import { expect, test } from 'vitest';

import { createTestTime } from '../../src/testing/test-time.ts';
import { INLINE_DEADLINE_MS, INLINE_PAUSE_MS } from '../../src/node/dispatch.ts';
import { blackHole, withToken } from './black-hole.ts';
import { makeWorld, MOVE, readQueue, signIn, startServer, until, type World } from './world.ts';

function inlineWorld(server: string): World {
  return makeWorld({ env: { SPEC_KITTY_DELIVERY: 'inline', ...withToken(server) } });
}

test('delivers within the command', async () => {
  const world = makeWorld({ env: { SPEC_KITTY_DELIVERY: 'inline' } });
  const server = await startServer();
  await signIn(world, server);
  const { client } = world.open();
  await client.emit(MOVE);

  expect(await client.nudge()).toBe('tried');

  expect(server.events()).toHaveLength(1);
  expect(readQueue(world.home).rows).toEqual([]);
});

test('gives up after its time against a server that never answers, and the next commands do not ask it (FR-029, TECH-2)', async () => {
  const hole = await blackHole();
  const world = inlineWorld(hole.url);
  const time = createTestTime();
  const { client } = world.open({ time });
  await client.emit(MOVE);

  const first = client.nudge();
  await until('the try to reach the server', () => hole.requests() === 1);
  await time.advance(INLINE_DEADLINE_MS);
  expect(await first).toBe('tried');
  const next = await world.open({ time }).client.nudge();

  expect(next).toBe('none');
  expect(hole.requests()).toBe(1);
  expect(readQueue(world.home).rows).toMatchObject([{ state: 'queued' }]);
  await time.advance(INLINE_PAUSE_MS);
  const later = world.open({ time }).client.nudge();
  await until('the try after the pause', () => hole.requests() === 2);
  await time.advance(INLINE_DEADLINE_MS);
  expect(await later).toBe('tried');
});

test('is asked again at once after a sync has succeeded', async () => {
  const world = makeWorld({ env: { SPEC_KITTY_DELIVERY: 'inline' } });
  const server = await startServer();
  await signIn(world, server);
  const { client } = world.open();
  await client.emit(MOVE);
  server.respondNext({ status: 503 }, { path: '/api/v1/events/batch/' });
  expect(await client.nudge()).toBe('tried');
  expect(await client.nudge()).toBe('none');

  expect(await client.syncNow()).toMatchObject({ stoppedBy: 'drained' });

  await client.emit(MOVE);
  expect(await client.nudge()).toBe('tried');
  expect(server.events()).toHaveLength(2);
});

test('leaves its events to a sync that is running already', async () => {
  const world = makeWorld({ env: { SPEC_KITTY_DELIVERY: 'inline' } });
  const server = await startServer();
  await signIn(world, server);
  const { client } = world.open();
  await client.emit(MOVE);
  let answer: () => void = () => {};
  const mayAnswer = new Promise<void>((resolve) => {
    answer = resolve;
  });
  server.respondNext(async () => {
    await mayAnswer;
    return 'continue' as const;
  });
  const running = world.open().client.syncNow();
  await until('the running sync to send', () => server.requests.some(({ path }) => path === '/api/v1/events/batch/'));

  await client.emit(MOVE);
  expect(await client.nudge()).toBe('courier');
  answer();

  expect(await running).toMatchObject({ stoppedBy: 'drained', sent: 2 });
});
