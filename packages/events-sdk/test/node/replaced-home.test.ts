/** A home that is deleted, or whose queue.db is replaced, under a running program: what is told as recorded is under the path. */
import { copyFileSync, existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

import { openHomeStore, type HomeStore } from '../../src/node/home-store.ts';
import { resolveHome } from '../../src/node/home.ts';
import { silentLogger } from '../../src/internal/logger.ts';
import { aStoredEvent } from '../../src/testing/store-suite.ts';
import { makeWorld, MOVE, readQueue, type World } from './world.ts';

/** Puts a copy of queue.db as it is now beside the home; answers how to put it back in its place. */
async function backUp(world: World): Promise<() => void> {
  const [copy, place] = [join(world.directory, 'backup.db'), world.file('queue.db')];
  copyFileSync(place, copy);
  return () => {
    for (const rest of ['-wal', '-shm']) rmSync(place + rest, { force: true });
    renameSync(copy, place);
  };
}

async function openStore(world: World, driver: 'node-sqlite' | 'sqljs'): Promise<HomeStore> {
  const opened = await openHomeStore({ home: resolveHome(world.env), env: world.env, driver, logger: silentLogger });
  onTestFinished(() => opened.store.close());
  return opened;
}

for (const driver of ['node-sqlite', 'sqljs'] as const) {
  const env = { SPEC_KITTY_QUEUE_DRIVER: driver };

  test(`${driver}: after the home was deleted the next event is on disk in a new one, with a higher clock and the same node`, async () => {
    const world = makeWorld({ env });
    const { client, warnings } = world.open();
    const before = await client.emitAll([MOVE, MOVE, MOVE]);
    rmSync(world.home, { recursive: true });

    const after = await client.emit(MOVE);

    expect(after).toMatchObject({ status: 'held', envelope: { lamport_clock: 4 } });
    const node = before[0]?.status === 'held' ? before[0].envelope.node_id : 'none';
    expect(readQueue(world.home).rows).toMatchObject([{ clock: 4, node }]);
    expect(warnings).toEqual([]);
    expect(await world.open().client.emit(MOVE)).toMatchObject({ envelope: { lamport_clock: 5, node_id: node } });
  });

  test(`${driver}: a home deleted before its first event gets one node id all the same`, async () => {
    const world = makeWorld({ env });
    const { client } = world.open();
    await client.status();
    rmSync(world.home, { recursive: true });

    await client.emit(MOVE);
    await world.open().client.emit(MOVE);

    expect(new Set(readQueue(world.home).rows.map(({ node }) => node)).size).toBe(1);
  });

  test(`${driver}: with an older queue.db put in its place the next event is in that one, and no clock value comes twice (SC-009)`, async () => {
    const world = makeWorld({ env });
    const first = world.open().client;
    await first.emit(MOVE);
    await first.close();
    const putBack = await backUp(world);
    const { client } = world.open();
    await client.emitAll([MOVE, MOVE]);
    putBack();

    expect(await client.emit(MOVE)).toMatchObject({ status: 'held', envelope: { lamport_clock: 4 } });

    expect(await client.status()).toMatchObject({ held: { team: 2 }, clock: 4 });
    expect(readQueue(world.home).rows.map(({ clock }) => clock)).toEqual([1, 4]);
  });

  test(`${driver}: a file that goes while a transaction runs does not take it along`, async () => {
    const world = makeWorld({ env });
    const { store } = await openStore(world, driver);
    await store.transact((tx) => tx.insert(aStoredEvent({ lamportClock: 1 })));
    let runs = 0;

    const attempt = store.transact((tx) => {
      runs += 1;
      if (runs === 1) rmSync(world.file('queue.db'));
      return tx.insert(aStoredEvent({ lamportClock: 2 }));
    });

    // sql.js finds its image gone and writes nothing; the native store commits, and then finds that out.
    if (driver === 'sqljs') {
      await expect(attempt).rejects.toMatchObject({ code: 'STORAGE_BUSY' });
      await store.transact((tx) => tx.insert(aStoredEvent({ lamportClock: 2 })));
    } else {
      expect([await attempt, runs]).toEqual([true, 2]);
    }
    expect(await store.read((reader) => reader.events().map((row) => row.lamportClock))).toEqual([2]);
    await store.close();
    expect(existsSync(world.file('queue.db'))).toBe(true);
  });
}

test('of two programs with a deleted file open both write into the new one, and neither takes its log away', async () => {
  const world = makeWorld();
  const [one, two] = [await openStore(world, 'node-sqlite'), await openStore(world, 'node-sqlite')];
  await one.store.transact((tx) => tx.insert(aStoredEvent({ lamportClock: 1 })));
  rmSync(world.home, { recursive: true });

  await one.store.transact((tx) => tx.insert(aStoredEvent({ lamportClock: 2 })));
  await two.store.transact((tx) => tx.insert(aStoredEvent({ lamportClock: 3 })));
  await one.store.transact((tx) => tx.insert(aStoredEvent({ lamportClock: 4 })));
  await two.store.close();
  await one.store.transact((tx) => tx.insert(aStoredEvent({ lamportClock: 5 })));
  await one.store.close();

  expect(readQueue(world.home)).toMatchObject({
    rows: [{ clock: 2 }, { clock: 3 }, { clock: 4 }, { clock: 5 }],
    integrity: 'ok',
  });
});

test('a transaction asked for after the close is refused, and nothing is begun that could fail unheard', async () => {
  const { store } = await openStore(makeWorld(), 'node-sqlite');
  await store.close();
  let runs = 0;

  const count = (): number => (runs += 1);
  await expect(store.transact(count)).rejects.toMatchObject({ code: 'CLOSED' });
  await expect(store.read(count)).rejects.toMatchObject({ code: 'CLOSED' });

  expect(runs).toBe(0);
});
