/** The indicator and `sync status` beside a real link: what they say is what was last seen of it. */
import { openNodeClient } from '@spec-kitty/events-sdk/node';
import { expect, onTestFinished, test } from 'vitest';

import { DRIVERS, makeWorld, startServer, until, type World } from './world.ts';

const WS_PATH = '/ws/v1/events/';
const BATCH_PATH = '/api/v1/events/batch/';

/** A project with packages to claim, signed in, and a host that delivers in this process. */
async function makeHost(world: World, options: { readonly random?: () => number } = {}) {
  const server = await startServer();
  await world.makeProject();
  await world.makeFeature(['First', 'Second', 'Third', 'Fourth']);
  await world.login(server);
  const env = { SPEC_KITTY_QUEUE_DRIVER: DRIVERS[0], ...world.env };
  const client = openNodeClient({ cwd: world.repository, env, role: 'host' });
  onTestFinished(async () => void (await client.close()));
  const background = await client.background(options);
  return { server, client, background };
}

const connection = async (world: World) =>
  (JSON.parse((await world.must(['sync', 'status', '--json'])).stdout) as Record<string, unknown>)['connection'];

test('with a link open every emitting command says so, and its event arrives over that link (US6-1, US1-3, FR-038, FR-036)', async () => {
  const world = makeWorld({ delivery: 'courier' });
  const { server, background } = await makeHost(world);
  await background.start();
  await until('the link to open', () => background.status().link.state === 'connected');

  const ended = await world.must(['implement', 'WP01']);

  expect(ended.stderr).toMatch(/^\[Connected\](?: 1 event on the way)?$/m);
  await until('the event to arrive', () => server.events({}).length === 1);
  expect(server.requests.filter(({ path }) => path === BATCH_PATH)).toEqual([]);
  expect(await connection(world)).toMatchObject({ state: 'connected', evidence: 'a realtime link is open' });
});

test('when the connection drops a command says offline, and its event waits in the queue (US6-2, FR-036, FR-038)', async () => {
  const world = makeWorld({ delivery: 'courier' });
  const { server, background } = await makeHost(world);
  await background.start();
  await until('the link to open', () => background.status().link.state === 'connected');

  await server.close();
  // Its event is the one that finds out that batches fail as well.
  const first = await world.must(['implement', 'WP01']);
  expect(first.stderr).not.toContain('[Connected]');
  await until('both ways to fail', () => background.status().link.reason === 'unreachable');
  const ended = await world.must(['implement', 'WP02']);

  expect(ended.stderr).toMatch(/^\[Offline\] 2 events waiting; the courier tries again/m);
  expect(world.queued().map(({ event_type }) => event_type)).toEqual(['WPStatusChanged', 'WPStatusChanged']);
  expect(await connection(world)).toMatchObject({ state: 'offline', evidence: 'the server cannot be reached' });
});

test('when every attempt to reconnect has failed a command says batch mode, and events go on waiting (US6-3, FR-036, FR-038)', async () => {
  const world = makeWorld({ delivery: 'courier' });
  // No waits between the attempts.
  const { server, background } = await makeHost(world, { random: () => 0 });
  server.respondNext({ status: 503 }, { path: WS_PATH, times: 1000 });
  server.respondNext({ status: 503 }, { path: BATCH_PATH, times: 1000 });
  await background.start();
  await until('the link to be given up', () => background.status().link.reason === 'gave-up');

  const ended = await world.must(['implement', 'WP01']);

  expect(ended.stderr).toMatch(/^\[Offline - Batch Mode\] 1 event waiting/m);
  expect(world.queued()).toHaveLength(1);
  expect(await connection(world)).toMatchObject({ state: 'offline-batch', label: '[Offline - Batch Mode]' });
});

test('a link whose process was killed is never shown as connected (FR-036)', async () => {
  const world = makeWorld({ delivery: 'courier' });
  const server = await startServer();
  await world.makeProject();
  await world.login(server);
  const watch = world.start(['sync', 'watch']);
  await until('the link to open', () => watch.output.stdout.includes('[Connected]'));
  expect(await connection(world)).toMatchObject({ state: 'connected' });

  watch.kill('SIGKILL');
  await watch.ended;

  expect(await connection(world)).toMatchObject({ state: 'offline' });
});
