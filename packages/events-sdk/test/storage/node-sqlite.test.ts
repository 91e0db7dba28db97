/** What only the native store does: other connections at work on the same file at the same time. */
import { mkdirSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { readStoreFile } from '../../src/node/convert-store.ts';
import { openNodeSqliteStore } from '../../src/storage/node-sqlite/index.ts';
import { aStoredEvent } from '../../src/testing/store-suite.ts';
import { aQueuePath } from './stores.ts';

test('gives up with STORAGE_BUSY when another program keeps the file locked, and works once it lets go', async () => {
  const { path, remove } = aQueuePath();
  const store = await openNodeSqliteStore({ path, busyTimeoutMs: 0 });
  const other = new DatabaseSync(path);
  other.exec('BEGIN IMMEDIATE');

  await expect(store.transact((tx) => tx.raiseClock(1))).rejects.toMatchObject({ code: 'STORAGE_BUSY' });
  expect(await store.read((reader) => reader.clock())).toBe(0);
  other.exec('ROLLBACK');
  await store.transact((tx) => tx.raiseClock(2));

  expect(await store.read((reader) => reader.clock())).toBe(2);
  other.close();
  await store.close();
  remove();
});

test('waits without blocking the process until the other program lets go', async () => {
  const { path, remove } = aQueuePath();
  const store = await openNodeSqliteStore({ path });
  const other = new DatabaseSync(path);
  other.exec('BEGIN IMMEDIATE');

  const waiting = store.transact((tx) => tx.insert(aStoredEvent({ lamportClock: 1 })));
  // Runs only because the wait leaves the event loop free.
  setTimeout(() => other.exec('COMMIT'), 1);

  expect(await waiting).toBe(true);
  other.close();
  await store.close();
  remove();
});

test('tries the switch to WAL again while another program is reading a file that has no WAL yet', async () => {
  const { path, remove } = aQueuePath();
  mkdirSync(dirname(path));
  const other = new DatabaseSync(path);
  other.exec('CREATE TABLE other (a); BEGIN; SELECT * FROM other');
  const reading = other.prepare('SELECT count(*) FROM other');
  reading.get();
  await expect(openNodeSqliteStore({ path, busyTimeoutMs: 0 })).rejects.toMatchObject({ code: 'STORAGE_BUSY' });

  const opening = openNodeSqliteStore({ path });
  setTimeout(() => other.exec('COMMIT'), 1);
  const store = await opening;

  expect(readStoreFile(path).driver).toBe('node-sqlite');
  other.close();
  await store.close();
  remove();
});

test('sees at once what other programs add and take away, in counts and clock too', async () => {
  const { path, remove } = aQueuePath();
  const store = await openNodeSqliteStore({ path });
  const other = new DatabaseSync(path);
  const tick = (): Promise<readonly number[]> =>
    store.transact((tx) => {
      const next = tx.clock() + 1;
      tx.raiseClock(next);
      tx.insert(aStoredEvent({ lamportClock: next }));
      return [next, tx.count(), tx.count({ states: ['queued'] })];
    });

  expect(await tick()).toEqual([1, 1, 1]);
  other.exec(
    `INSERT INTO queue (event_id, event_type, data, timestamp) VALUES ('foreign', 'X', '{"lamport_clock":40}', 1), ('broken', 'X', '{', 1)`,
  );
  expect(await tick()).toEqual([41, 4, 3]);
  other.exec('DELETE FROM queue');
  expect(await tick()).toEqual([42, 1, 1]);
  other.close();
  await store.close();
  remove();
});

test('says that its file was removed or replaced instead of writing where nobody looks', async () => {
  const { path, remove } = aQueuePath();
  const store = await openNodeSqliteStore({ path });
  await store.transact((tx) => tx.insert(aStoredEvent({ lamportClock: 1 })));
  renameSync(path, `${path}.old`);
  const refused = { code: 'STORAGE_REPLACED' };
  await expect(store.transact((tx) => tx.raiseClock(2))).rejects.toMatchObject(refused);

  const successor = await openNodeSqliteStore({ path });

  await expect(store.read((reader) => reader.count())).rejects.toMatchObject(refused);
  await store.close();
  await successor.transact((tx) => tx.insert(aStoredEvent({ lamportClock: 3 })));
  expect(await successor.read((reader) => reader.clock())).toBe(3);
  await successor.close();
  remove();
});

test('any number of stores may create one file at the same time without a lock of ours', async () => {
  const { path, remove } = aQueuePath();

  const stores = await Promise.all(Array.from({ length: 8 }, () => openNodeSqliteStore({ path })));
  await Promise.all(
    stores.map((store, index) => store.transact((tx) => tx.insert(aStoredEvent({ lamportClock: index + 1 })))),
  );

  expect(await stores[0]?.read((reader) => reader.count())).toBe(8);
  await Promise.all(stores.map((store) => store.close()));
  remove();
});
