/** The courier as commands use it: real processes, a server that comes and goes, and one that is far away. */
import { cpSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { wpStatusChanged } from '@spec-kitty/events-sdk';
import { openNodeClient } from '@spec-kitty/events-sdk/node';
import { createDelayingProxy } from '@spec-kitty/events-sdk/testing';
import { expect, onTestFinished, test } from 'vitest';

import { DRIVERS, isRunning, makeWorld, startServer, until, type World } from './world.ts';

const BATCH_PATH = '/api/v1/events/batch/';
const MOVE = wpStatusChanged({ wpId: 'WP01', previousStatus: 'planned', newStatus: 'doing', featureSlug: '001-demo' });

/** Announces the feature again: two events, no commit. */
const EMIT = ['agent', 'feature', 'finalize-tasks', '--emit'];

/** A project with a feature of one package and couriers that stay for `idleS` seconds without an event. */
async function makeCourierWorld(idleS: number): Promise<World> {
  const world = makeWorld({ delivery: 'courier' });
  world.env['SPEC_KITTY_COURIER_IDLE_S'] = String(idleS);
  await world.makeProject();
  await world.makeFeature(['One']);
  onTestFinished(() => {
    for (const pid of world.couriers()) if (isRunning(pid)) process.kill(pid, 'SIGKILL');
  });
  return world;
}

const linkOpens = (world: World, times = 1) =>
  until('the link to open', () => world.homeFile('courier.log').split(' link=connected ').length > times);

test('a courier, a watch, a sync and eight emitting commands at once deliver every event once, and leave nobody behind (FR-031, US7-4)', async () => {
  const world = await makeCourierWorld(1);
  const server = await startServer();
  await world.login(server);
  const repositories = Array.from({ length: 8 }, (_, lane) => join(world.root, `repository-${lane}`));
  for (const repository of repositories) cpSync(world.repository, repository, { recursive: true });
  await world.must(EMIT);

  const watch = world.start(['sync', 'watch', '--json']);
  const ended = await Promise.all([
    world.specKitty(['sync', 'now']),
    ...repositories.map((cwd) => world.specKitty(EMIT, { cwd })),
  ]);

  expect(ended.map(({ code }) => code)).toEqual(Array.from({ length: 9 }, () => 0));
  await until('every event to arrive', () => server.events({}).length === 18);
  await until('the queue to be empty', () => world.queued().length === 0);
  expect(server.events({}).map(({ envelope }) => envelope.lamport_clock)).toEqual(
    Array.from({ length: 18 }, (_, n) => n + 1),
  );
  expect(`${watch.output.stdout}\n${world.homeFile('courier.log')}`).not.toMatch(/duplicates"?[=:][1-9]/);
  watch.kill('SIGTERM');
  expect((await watch.ended).code).toBe(143);
  await world.allGone();
  expect(JSON.parse((await world.must(['sync', 'status', '--json'])).stdout)).toMatchObject({ courier: null });
});

test('what was recorded while the server was away arrives by itself within thirty seconds of its return (US7-1, FR-031)', async () => {
  const world = await makeCourierWorld(60);
  const data = join(world.root, 'server.db');
  const first = await startServer(0, data);
  await world.login(first);
  await world.must(EMIT);
  await linkOpens(world);

  const port = Number(new URL(first.url).port);
  await first.close();
  for (let command = 0; command < 3; command += 1) await world.must(EMIT);
  await until('the courier to notice', () => world.homeFile('courier.log').includes('stopped=unreachable'));
  expect(world.queued()).toHaveLength(6);
  const second = await startServer(port, data);

  // `until` gives up after thirty seconds.
  await until('everything to arrive', () => second.events({}).length === 8);
  await linkOpens(world, 2);
  expect(world.couriers()).toHaveLength(1);
});

test('a courier whose sign-in is refused warns once and waits, and a login makes it go on (US7-3)', async () => {
  const world = await makeCourierWorld(60);
  const server = await startServer();
  await world.login(server);
  await world.must(EMIT);
  await linkOpens(world);

  server.revokeTokens('all');
  server.endLinks();
  await world.must(EMIT);
  await until('the warning', () => world.homeFile('courier.log').includes('warning=sync-unauthorized'));
  expect(world.queued()).toHaveLength(2);
  await world.login(server);

  await until('the events to arrive', () => server.events({}).length === 4);
  expect(world.homeFile('courier.log').match(/warning=/g)).toHaveLength(1);
  expect(world.couriers()).toHaveLength(1);
});

test('an access token that has run out is renewed by the courier, and the events leave (FR-034)', async () => {
  const world = await makeCourierWorld(60);
  const server = await startServer();
  await world.login(server);
  server.revokeTokens('access');

  await world.must(EMIT);

  await until('the events to arrive', () => server.events({}).length === 2);
  expect(server.requests.filter(({ path }) => path.endsWith('/refresh/')).map(({ status }) => status)).toEqual([200]);
});

test('events whose link breaks while they are sent stay in the queue and leave as a batch (EC-1)', async () => {
  const world = await makeCourierWorld(60);
  const server = await startServer();
  await world.login(server);
  server.breakNextLink({ kind: 'close', atEvent: 1, isStored: false });
  await world.must(EMIT);
  await linkOpens(world);
  const batches = () => server.requests.filter(({ path }) => path === BATCH_PATH).map(({ status }) => status);
  // No second link: the batches are the only way then, and the first of them fails.
  server.respondNext({ status: 404 }, { path: '/ws/v1/events/', times: 100 });
  // A second to look at the queue before the next try.
  server.respondNext({ status: 503, headers: { 'retry-after': '1' } }, { path: BATCH_PATH });

  await world.must(EMIT);

  await until('the batch after the break to be refused', () => batches().length === 2);
  expect(world.queued()).toHaveLength(2);
  await until('the events to arrive', () => server.events({}).length === 4);
  await until('the queue to be empty', () => world.queued().length === 0);
  expect(batches()).toEqual([200, 503, 200]);
});

test('events of a warm courier and of a cold one are acknowledged from 100 ms away; how soon is printed (US1-3)', async () => {
  const world = await makeCourierWorld(60);
  const server = await startServer();
  const proxy = await createDelayingProxy({ target: server.url, roundTripMs: 100 });
  onTestFinished(() => proxy.close());
  await world.login(proxy);
  const script = fileURLToPath(new URL('../../dist/courier.js', import.meta.url));
  expect(existsSync(script)).toBe(true);
  const client = openNodeClient({
    cwd: world.repository,
    env: { SPEC_KITTY_QUEUE_DRIVER: DRIVERS[0], ...world.env },
    courier: { script },
  });
  onTestFinished(async () => void (await client.close()));

  async function acknowledged(): Promise<number> {
    const startedAt = performance.now();
    await client.emit(MOVE);
    await client.nudge();
    while ((await client.status()).queued > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    return Math.round(performance.now() - startedAt);
  }
  const cold = await acknowledged();
  await linkOpens(world);
  const warm: number[] = [];
  for (let run = 0; run < 5; run += 1) warm.push(await acknowledged());

  process.stdout.write(`acknowledged after: cold ${cold} ms; warm ${warm.join(', ')} ms (100 ms round trip)\n`);
  expect(server.events({})).toHaveLength(6);
  expect(
    server.requests.filter(({ path }) => path === BATCH_PATH),
    'the others over the link',
  ).toHaveLength(1);
});
