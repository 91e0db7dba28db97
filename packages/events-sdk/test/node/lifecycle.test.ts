/** The ways a program ends: none of them loses an event that was acknowledged. */
import { DatabaseSync } from 'node:sqlite';

import { expect, test } from 'vitest';

import { makeWorld, MOVE, readQueue, signIn, startServer, until } from './world.ts';

const BATCH = { path: '/api/v1/events/batch/' };

test('close waits for emissions under way; every one of them is a row', async () => {
  for (const driver of ['node-sqlite', 'sqljs']) {
    const world = makeWorld({ env: { SPEC_KITTY_QUEUE_DRIVER: driver } });
    const { client } = world.open();

    const emissions = Array.from({ length: 20 }, () => client.emit(MOVE));
    await client.close();

    expect((await Promise.all(emissions)).map(({ status }) => status)).toEqual(emissions.map(() => 'held'));
    expect(readQueue(world.home).rows).toHaveLength(20);
  }
});

test('after close events are dropped with one warning, also when nothing was used before (FR-029, FR-030)', async () => {
  for (const used of [true, false]) {
    const world = makeWorld();
    const { client, warnings } = world.open();
    if (used) await client.emit(MOVE);
    await client.close();

    expect(await client.emit(MOVE)).toMatchObject({ status: 'dropped', reason: 'unavailable' });
    expect(await client.emit(MOVE)).toMatchObject({ status: 'dropped' });
    expect(await client.nudge()).toBe('none');
    expect(await client.syncNow()).toMatchObject({ stoppedBy: 'storage' });
    await client.close();

    expect(warnings.map(({ code }) => code)).toEqual(['event-dropped-unavailable']);
  }
});

test('a program that forgets to wait and to close still stores its event before it ends', async () => {
  const world = makeWorld();

  const child = world.start('forgetful');

  expect(await child.ended).toEqual({ code: 0, signal: null, stderr: '' });
  expect(readQueue(world.home).rows).toHaveLength(1);
});

test('everything acknowledged before SIGTERM is there, and the next command works at once (EC-5)', async () => {
  const world = makeWorld();
  const child = world.start('emit', ['100000']);
  await child.said(20);
  child.process.kill('SIGTERM');
  expect(await child.ended).toMatchObject({ signal: 'SIGTERM' });

  const said = child.lines().map((line) => Number(line.split(' ')[2]));
  const outcome = await world.open().client.emit(MOVE);

  const { rows, integrity } = readQueue(world.home);
  expect(integrity).toBe('ok');
  expect(rows.map(({ clock }) => clock)).toEqual(expect.arrayContaining(said));
  expect(outcome).toMatchObject({ envelope: { lamport_clock: rows.length } });
});

test('emission goes on after a transaction that failed (FR-029)', async () => {
  const world = makeWorld();
  const { client, warnings } = world.open();
  await client.emit(MOVE);
  const foreign = new DatabaseSync(world.file('queue.db'));
  foreign.exec(`CREATE TRIGGER full BEFORE INSERT ON queue BEGIN SELECT RAISE(ABORT, 'no'); END`);

  expect(await client.emit(MOVE)).toMatchObject({ status: 'spilled' });
  foreign.exec('DROP TRIGGER full');
  foreign.close();

  expect(await client.emit(MOVE)).toMatchObject({ status: 'held', envelope: { lamport_clock: 3 } });
  expect(warnings).toHaveLength(1);
});

test('close with time during a sync waits for the verdict: what the server took is gone from the queue', async () => {
  const world = makeWorld();
  const server = await startServer();
  await signIn(world, server);
  const { client } = world.open();
  await client.emit(MOVE);

  const sync = client.syncNow();
  expect(await client.close({ deadlineMs: 10_000 })).toEqual({ delivered: 1, pending: 0, rejected: 0 });

  expect(await sync).toMatchObject({ stoppedBy: 'drained', sent: 1 });
  expect(readQueue(world.home).rows).toEqual([]);
});

test('an aborted sync leaves its events, and frees the lease for the next one', async () => {
  const world = makeWorld();
  const server = await startServer();
  await signIn(world, server);
  const { client } = world.open();
  await client.emit(MOVE);
  server.hang(BATCH);
  const control = new AbortController();

  const sync = client.syncNow({ signal: control.signal });
  await until('the batch', () => server.requests.some(({ path }) => path === BATCH.path));
  control.abort();

  expect(await sync).toMatchObject({ stoppedBy: 'aborted', remaining: 1 });
  expect(await world.open().client.syncNow({ waitForOthersMs: 0 })).toMatchObject({ stoppedBy: 'drained', sent: 1 });
});

test('a deadline ends a sync that gets no answer', async () => {
  const world = makeWorld();
  const server = await startServer();
  await signIn(world, server);
  const { client } = world.open();
  await client.emit(MOVE);
  server.hang(BATCH);

  expect(await client.syncNow({ deadlineMs: 300 })).toMatchObject({ stoppedBy: 'aborted', remaining: 1 });
});

test('an event emitted during a sync is kept whatever the sync does', async () => {
  const world = makeWorld();
  const server = await startServer();
  await signIn(world, server);
  const { client } = world.open();
  await client.emit(MOVE);
  server.respondNext({ status: 503 }, BATCH);

  const [report, outcome] = await Promise.all([client.syncNow(), client.emit(MOVE)]);

  expect(report).toMatchObject({ stoppedBy: 'server-error' });
  expect(outcome).toMatchObject({ status: 'queued' });
  expect(readQueue(world.home).rows.map(({ clock }) => clock)).toEqual([1, 2]);
});

test('a program whose working directory was removed still records its event (FR-029)', async () => {
  const world = makeWorld();

  const child = world.start('no-directory');

  expect(await child.ended).toEqual({ code: 0, signal: null, stderr: '' });
  expect(child.lines()).toEqual(['held project']);
});
