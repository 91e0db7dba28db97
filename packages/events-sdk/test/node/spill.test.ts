/** Events that cannot have the store: kept beside it, acknowledged, and taken in by whoever comes next. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';

import { expect, onTestFinished, test } from 'vitest';

import { start } from '../storage/processes.ts';
import { makeWorld, MOVE, readQueue, signIn, startServer, until, type World } from './world.ts';

/** Keeps everybody else from the store of a home; answers how to let go. */
async function occupy(world: World, driver: string): Promise<() => Promise<void>> {
  if (driver === 'node-sqlite') {
    const other = new DatabaseSync(world.file('queue.db'));
    other.exec('BEGIN IMMEDIATE');
    return async () => other.close();
  }
  const holder = start('lock-holder', world.file('queue.db.lock'));
  await holder.said(1);
  // Stopped, not dead: nobody may take its lock away.
  holder.child.kill('SIGSTOP');
  const letGo = async (): Promise<void> => {
    holder.child.kill('SIGKILL');
    await holder.ended;
  };
  onTestFinished(letGo);
  return letGo;
}

const spilled = (world: World): readonly string[] =>
  existsSync(world.file('queue.spill')) ? readdirSync(world.file('queue.spill')) : [];

for (const driver of ['node-sqlite', 'sqljs'] as const) {
  const env = { SPEC_KITTY_QUEUE_DRIVER: driver };

  test(`${driver}: with the store held by another process an event is kept beside it, and the next command takes it in (EC-5, FR-029, FR-030, SC-008)`, async () => {
    const world = makeWorld({ env });
    const first = world.open().client;
    await first.emit(MOVE);
    await first.close();
    const letGo = await occupy(world, driver);
    const { client, warnings } = world.open({ storeWaitMs: 50 });

    const outcome = await client.emit(MOVE);
    expect(outcome).toMatchObject({ status: 'spilled', held: 'team', envelope: { event_type: 'WPStatusChanged' } });
    expect('envelope' in outcome && Object.keys(outcome.envelope)).not.toContain('lamport_clock');
    expect(warnings).toEqual([
      { code: 'event-spilled', message: expect.stringMatching(/^1 event kept beside the queue: .+ takes it in\.$/) },
    ]);
    expect(await client.status()).toMatchObject({ spilled: 1, held: { team: 1 } });
    expect(spilled(world)).toHaveLength(1);
    const mode = (path: string): number => statSync(path).mode & 0o777;
    expect([mode(world.file('queue.spill')), mode(join(world.file('queue.spill'), spilled(world)[0] ?? ''))]).toEqual([
      0o700, 0o600,
    ]);
    await client.close();
    await letGo();

    const second = world.open().client;
    expect(await second.emit(MOVE)).toMatchObject({ status: 'held', envelope: { lamport_clock: 3 } });
    expect(await second.status()).toMatchObject({ spilled: 0, held: { team: 3 } });
    await second.close();

    const { rows } = readQueue(world.home);
    expect(rows.map(({ clock }) => clock)).toEqual([1, 2, 3]);
    expect(rows[1]?.id).toBe('envelope' in outcome && outcome.envelope.event_id);
    expect(new Set(rows.map(({ node }) => node)).size).toBe(1);
    expect(existsSync(world.file('queue.spill'))).toBe(false);
  });

  test(`${driver}: one wait in vain is all: the steps after it do not wait again (FR-029)`, async () => {
    const world = makeWorld({ env });
    await world.open().client.emit(MOVE);
    const letGo = await occupy(world, driver);
    const { client } = world.open({ storeWaitMs: 1_500 });

    // Fifteen waits of their own would take longer than this test may.
    const outcomes = [];
    for (let n = 0; n < 12; n += 1) outcomes.push((await client.emit(MOVE)).status);
    await client.nudge();
    await client.close();

    expect(outcomes).toEqual(Array.from({ length: 12 }, () => 'spilled'));
    await letGo();
  }, 12_000);

  test(`${driver}: a client that stays takes in what it spilled as soon as it has the store again`, async () => {
    const world = makeWorld({ env });
    const { client } = world.open({ storeWaitMs: 0 });
    await client.emit(MOVE);
    const letGo = await occupy(world, driver);
    expect(await client.emitAll([MOVE, MOVE])).toMatchObject([{ status: 'spilled' }, { status: 'spilled' }]);
    expect(spilled(world), 'one file an emission').toHaveLength(1);
    await letGo();

    expect(await client.emit(MOVE)).toMatchObject({ status: 'held', envelope: { lamport_clock: 4 } });
  });

  test(`${driver}: an event whose process is killed right after it was told as spilled is not lost, and many who come next take it in once`, async () => {
    const world = makeWorld({ env });
    await world.open().client.emit(MOVE);
    const letGo = await occupy(world, driver);
    const killed = world.start('emit', ['3', 'stay'], { SPEC_KITTY_TEST_STORE_WAIT_MS: '0' });
    await killed.said(3);
    killed.process.kill('SIGKILL');
    await killed.ended;
    expect(killed.lines().map((line) => line.split(' ')[0])).toEqual(['spilled', 'spilled', 'spilled']);
    await letGo();

    const next = Array.from({ length: 4 }, () => world.start('emit', ['1']));
    const ends = await Promise.all(next.map((child) => child.ended));

    expect(ends.filter(({ code, stderr }) => code !== 0 || stderr !== '')).toEqual([]);
    const { rows, integrity } = readQueue(world.home);
    expect(rows.map(({ clock }) => clock)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect([integrity, spilled(world)]).toEqual(['ok', []]);
  }, 20_000);

  test(`${driver}: where neither the store nor the folder beside it can be written, the event is dropped and both are said (FR-030)`, async () => {
    const world = makeWorld({ env });
    await world.open().client.emit(MOVE);
    const letGo = await occupy(world, driver);
    writeFileSync(world.file('queue.spill'), 'not a folder');
    const { client, warnings } = world.open({ storeWaitMs: 0 });

    expect(await client.emit(MOVE)).toMatchObject({ status: 'dropped', reason: 'unavailable' });

    expect(warnings[0]?.message).toMatch(/^1 event not recorded: .+ Nor can .*queue\.spill be written/);
    expect(warnings[0]?.message).not.toContain(world.directory);
    await letGo();
  });
}

test('a file only the other driver may touch costs no event: that driver takes it in', async () => {
  const world = makeWorld();
  const native = world.open({ env: { ...world.env, SPEC_KITTY_QUEUE_DRIVER: 'node-sqlite' } }).client;
  await native.emit(MOVE);
  const portable = world.open({ env: { ...world.env, SPEC_KITTY_QUEUE_DRIVER: 'sqljs' } });

  expect(await portable.client.emit(MOVE)).toMatchObject({ status: 'spilled' });
  expect(portable.warnings[0]?.message).toContain('sync store --convert sqljs');

  expect(await native.emit(MOVE)).toMatchObject({ status: 'held', envelope: { lamport_clock: 3 } });
});

test('a switched-off project keeps its events at home, spilled or not', async () => {
  const world = makeWorld({
    project: 'project:\n  uuid: 3f1c9a52-7f0e-4c55-9d0b-2a6c1b7e4d10\n  slug: d\nsync:\n  enabled: false\n',
  });
  await world.open().client.emit(MOVE);
  const letGo = await occupy(world, 'node-sqlite');
  const { client } = world.open({ storeWaitMs: 0 });
  expect(await client.emit(MOVE)).toMatchObject({ status: 'spilled', held: 'disabled' });
  await letGo();

  await client.emit(MOVE);

  expect(readQueue(world.home).rows.map(({ state, reason }) => `${state} ${reason}`)).toEqual(
    Array.from({ length: 3 }, () => 'held disabled'),
  );
});

test('signed in, a spilled event reaches the server with the next sync, in its place', async () => {
  const world = makeWorld();
  const server = await startServer();
  await signIn(world, server);
  await world.open().client.emit(MOVE);
  const letGo = await occupy(world, 'node-sqlite');
  const { client } = world.open({ storeWaitMs: 0 });
  const outcome = await client.emit(MOVE);
  expect(outcome).toMatchObject({ status: 'spilled', held: null, envelope: { team_slug: 'acme' } });
  await letGo();

  expect(await client.syncNow()).toMatchObject({ sent: 2, stoppedBy: 'drained' });

  expect(server.events({}).map(({ envelope }) => envelope.lamport_clock)).toEqual([1, 2]);
});

test('a nudge takes in what could not get into the queue a moment before, and a courier delivers it', async () => {
  const world = makeWorld();
  const server = await startServer();
  await signIn(world, server);
  await world.open().client.status();
  const letGo = await occupy(world, 'node-sqlite');
  const courier = { script: fileURLToPath(new URL('./fixtures/courier.child.ts', import.meta.url)) };
  const { client } = world.open({ storeWaitMs: 0, courier });
  expect(await client.emit(MOVE)).toMatchObject({ status: 'spilled' });
  await letGo();

  expect(await client.nudge()).toBe('courier');

  await until('the event at the server', () => server.events({}).length === 1);
});

test('status counts what lies beside a queue that is there, and an empty folder of damaged files says nothing', async () => {
  const world = makeWorld();
  mkdirSync(world.file('queue.spill'), { recursive: true });
  writeFileSync(join(world.file('queue.spill'), '01KGVZ3Q8M0000000000000001.json'), '{');
  const { client, warnings } = world.open();

  expect(await client.status()).toMatchObject({ spilled: 0 });
  await client.status();

  expect(warnings).toEqual([
    { code: 'spill-damaged', message: expect.stringContaining('$SPEC_KITTY_HOME/queue.spill/01KGVZ3Q8M') },
  ]);
  expect(readFileSync(join(world.file('queue.spill'), '01KGVZ3Q8M0000000000000001.json.damaged'), 'utf8')).toBe('{');
});
