/** Delivery as a person sees it: sync now, the courier, and servers that misbehave. */
import { createServer } from 'node:net';
import { createServer as createHttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { wpStatusChanged } from '@spec-kitty/events-sdk';
import { openNodeClient } from '@spec-kitty/events-sdk/node';
import { describe, expect, onTestFinished, test } from 'vitest';

import { ADA, DRIVERS, makeWorld, startServer, until, type World } from './world.ts';

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

const MOVE = wpStatusChanged({ wpId: 'WP01', previousStatus: 'planned', newStatus: 'doing', featureSlug: '001-demo' });

/** `count` events in the home's queue, emitted by the library itself. */
async function emit(world: World, count: number): Promise<void> {
  // The test's own Node has node:sqlite; the store must be one the commands' Node can open too.
  const client = openNodeClient({ cwd: world.repository, env: { SPEC_KITTY_QUEUE_DRIVER: DRIVERS[0], ...world.env } });
  await client.emitAll(Array.from({ length: count }, () => MOVE));
  await client.close();
}

test('sync now sends fifty offline events as one gzipped batch under a JWT and empties the queue (US2-1, US2-2, SC-007, SEC-3)', async () => {
  const world = makeWorld();
  const server = await startServer();
  await world.makeProject();
  await world.login(server);
  await emit(world, 50);

  const ended = await world.must(['sync', 'now']);

  const batches = server.requests.filter((request) => request.path === '/api/v1/events/batch/');
  expect(batches).toMatchObject([{ method: 'POST', status: 200, events: 50 }]);
  expect(server.events({}).map(({ envelope }) => envelope.lamport_clock)).toEqual(
    Array.from({ length: 50 }, (_, n) => n + 1),
  );
  expect(world.queued()).toEqual([]);
  expect(ended.stdout).toMatch(/50/);
});

test('a rejected event stays with its count and reason, and the summary says so (US2-3)', async () => {
  const world = makeWorld();
  const server = await startServer();
  await world.makeProject();
  await world.login(server);
  await emit(world, 3);
  const [refused, ...others] = world.rows().map((row) => String(row['event_id']));
  const rejection = { event_id: refused, status: 'rejected', error: 'payload: wp_id missing' };
  const results = [rejection, ...others.map((event_id) => ({ event_id, status: 'success' }))];
  server.respondNext({ status: 200, body: { results } }, { path: '/api/v1/events/batch/' });
  server.respondNext({ status: 200, body: { results: [rejection] } }, { path: '/api/v1/events/batch/' });

  const ended = await world.specKitty(['sync', 'now', '--json']);

  expect(ended.code).toBe(1);
  expect(JSON.parse(ended.stdout)).toMatchObject({
    sent: 2,
    rejected: [{ event_type: 'WPStatusChanged', retry_count: 1 }],
  });
  expect(world.rows()).toMatchObject([{ retry_count: 1, state: 'queued', reason: 'payload: wp_id missing' }]);
  expect((await world.specKitty(['sync', 'now'])).stdout).toMatch(/1 rejected/);
});

test('events refused because the clock is behind leave again with new clock values, in their order (EC-3)', async () => {
  const world = makeWorld();
  const server = await startServer();
  await world.makeProject();
  await world.login(server);
  await emit(world, 3);
  server.rejectClocksUpTo(70);

  const ended = await world.specKitty(['sync', 'now', '--json']);

  expect(ended.code).toBe(0);
  expect(JSON.parse(ended.stdout)).toMatchObject({ sent: 3, rejected: [], remaining: 0 });
  expect(server.events({}).map(({ envelope }) => envelope.lamport_clock)).toEqual([72, 73, 74]);
});

test('a home restored from a backup sends nothing twice, and its clock moves past what the server has seen (EC-3)', async () => {
  const world = makeWorld();
  const server = await startServer();
  const backup = join(world.root, 'backup');
  await world.makeProject();
  await world.login(server);
  await emit(world, 3);
  cpSync(world.home, backup, { recursive: true });
  await world.must(['sync', 'now']);
  await emit(world, 4);
  await world.must(['sync', 'now']);
  const before = server.events().map(({ envelope }) => envelope.lamport_clock);
  expect(before).toHaveLength(7);

  rmSync(world.home, { recursive: true });
  cpSync(backup, world.home, { recursive: true });
  await emit(world, 2);
  server.rejectClocksUpTo(Math.max(...before));
  const ended = await world.must(['sync', 'now', '--json']);

  // The three old ones are known, the two new ones got a place behind everything the server has.
  expect(JSON.parse(ended.stdout)).toMatchObject({ sent: 2, duplicates: 3, rejected: [], remaining: 0 });
  const clocks = server.events().map(({ envelope }) => envelope.lamport_clock);
  expect(clocks).toHaveLength(9);
  expect(new Set(clocks).size).toBe(9);
  expect(Math.min(...clocks.slice(-2))).toBeGreaterThan(Math.max(...before));
});

test('an access token refused in the middle of a sync is renewed and the sync goes on (EC-6)', async () => {
  const world = makeWorld();
  const server = await startServer();
  await world.makeProject();
  await world.login(server);
  await emit(world, 1500);
  // The first batch passes, for the second the server wants a newer token.
  let batches = 0;
  server.respondNext(
    () => {
      batches += 1;
      if (batches === 2) server.revokeTokens('access');
      return 'continue';
    },
    { path: '/api/v1/events/batch/', times: 2 },
  );

  const ended = await world.must(['sync', 'now', '--json']);

  expect(JSON.parse(ended.stdout)).toMatchObject({ sent: 1500, stopped_by: 'drained' });
  const answers = server.requests.filter(({ path }) => /batch|refresh/.test(path)).map(({ status }) => status);
  expect(answers, 'batch, refused batch, refresh, the same batch again').toEqual([200, 401, 200, 200]);
  expect(server.events({})).toHaveLength(1500);
});

test('sync status names the queue, the connection and the last sync (US6-4)', async () => {
  const world = makeWorld();
  const server = await startServer();
  await world.makeProject();
  await world.login(server);
  await emit(world, 2);
  await world.must(['sync', 'now']);
  await emit(world, 3);

  const status = JSON.parse((await world.must(['sync', 'status', '--json'])).stdout) as Record<string, unknown>;

  expect(status).toMatchObject({
    queue: { queued: 3 },
    connection: { state: 'offline' },
    last_sync: { sent: 2, stopped_by: 'drained' },
  });
});

test('a command hands its event to a courier that delivers it and is gone (FR-029)', async () => {
  const world = makeWorld({ delivery: 'courier' });
  const server = await startServer();
  await world.makeProject();
  await world.makeFeature(['First']);
  await world.login(server);

  await world.must(['implement', 'WP01']);

  await until('the event to arrive', () => server.events({}).length === 1);
  await until('the courier to leave', () => /left=idle delivered=1 .*\n$/.test(world.homeFile('courier.log')));
  expect(world.queued()).toEqual([]);
});

test('events of two teams reach each its own team only (SEC-1, SC-010)', async () => {
  const world = makeWorld();
  const server = await startServer();
  const bob = { username: 'bob@example.com', password: 'another long password', team: 'tigers' };
  await server.accounts.addUser(bob);
  await world.makeProject();
  await world.login(server);
  await emit(world, 1);

  await world.must(
    ['auth', 'login', '--force', '--server', server.url, '--username', bob.username, '--password-stdin'],
    { input: `${bob.password}\n` },
  );
  await world.specKitty(['sync', 'now']);
  expect(server.events({})).toEqual([]);
  expect(world.queued()).toMatchObject([{ team_slug: ADA.team }]);

  await world.must(
    ['auth', 'login', '--force', '--server', server.url, '--username', ADA.username, '--password-stdin'],
    { input: `${ADA.password}\n` },
  );
  await world.must(['sync', 'now']);
  expect(server.events({ team: ADA.team })).toHaveLength(1);
  expect(server.events({ team: bob.team })).toEqual([]);
});

describe('whatever the server does, implement answers the same', () => {
  /** What the command printed and how it ended, against a server that is replaced after the login. */
  async function implementAgainst(
    replacement: 'healthy' | 'refused' | 'black hole' | 'slow' | 'garbage' | 'logged out',
  ) {
    const world = makeWorld({ delivery: 'courier' });
    const server = await startServer();
    await world.makeProject();
    await world.makeFeature(['First']);
    if (replacement !== 'logged out') await world.login(server);
    const { port } = new URL(server.url);
    if (replacement === 'garbage') server.garbage();
    if (replacement === 'refused' || replacement === 'black hole' || replacement === 'slow') await server.close();
    if (replacement === 'black hole')
      await listen(
        createServer(() => {}),
        Number(port),
      );
    if (replacement === 'slow') {
      await listen(
        createHttpServer((_, response) => {
          response.write('{');
        }),
        Number(port),
      );
    }
    const { code, stdout } = await world.specKitty(['implement', 'WP01', '--json']);
    const { commit_hash: _, ...answer } = JSON.parse(stdout) as Record<string, unknown>;
    return { code, answer };
  }

  async function listen(server: ReturnType<typeof createServer>, port: number): Promise<void> {
    const sockets = new Set<{ destroy(): void }>();
    server.on('connection', (socket) => sockets.add(socket));
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    expect((server.address() as AddressInfo).port).toBe(port);
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
  }

  // One healthy run serves all comparisons.
  const healthyRun = once(() => implementAgainst('healthy'));

  test.each(['refused', 'black hole', 'slow', 'garbage', 'logged out'] as const)(
    'server: %s (SC-008, TECH-2, TECH-3, FR-029)',
    async (replacement) => {
      const healthy = await healthyRun();

      expect(healthy).toMatchObject({ code: 0, answer: { status: 'created', claimed: true } });
      expect(await implementAgainst(replacement)).toEqual(healthy);
    },
  );
});

test('no token and no payload reaches a terminal or a log (SEC-2)', async () => {
  const world = makeWorld({ delivery: 'courier' });
  const server = await startServer();
  await world.makeProject();
  await world.makeFeature(['Very secret title']);
  await world.login(server);
  const printed: string[] = [];
  const messages: string[] = [];
  server.respondNext({ status: 500, body: { error: 'boom' } }, { path: '/api/v1/events/batch/', times: 2 });

  for (const args of [
    ['agent', 'feature', 'finalize-tasks'],
    ['sync', 'now'],
    ['sync', 'status'],
    ['auth', 'status'],
    ['sync', 'now'],
  ]) {
    const { stdout, stderr } = await world.specKitty(args, { extraEnv: { DEBUG: '*' } });
    printed.push(stderr, stdout);
    messages.push(stderr, world.homeFile('courier.log'));
  }

  const text = printed.join('\n') + world.homeFile('courier.log');
  const tokens = [...world.homeFile('credentials').matchAll(/^(?:access|refresh) = "(.+)"$/gm)].map(
    (match) => match[1] ?? '',
  );
  expect(tokens).toHaveLength(2);
  for (const secret of [...tokens, ADA.password]) expect(text).not.toContain(secret);
  // On stdout a title is the answer that was asked for; in a message it would be a leak.
  expect(messages.join('\n')).not.toContain('Very secret title');
});

test('a home that cannot be used costs a warning, not the work (TECH-2, FR-030)', async () => {
  const world = makeWorld();
  await world.makeProject();
  await world.makeFeature(['First']);
  writeFileSync(join(world.root, 'not-a-folder'), '');

  const ended = await world.must(['implement', 'WP01'], {
    extraEnv: { SPEC_KITTY_HOME: join(world.root, 'not-a-folder/home') },
  });

  expect(ended.stderr).toMatch(/not recorded/);
  expect(ended.stderr.match(/not recorded/g)).toHaveLength(1);
});
