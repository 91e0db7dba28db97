import { existsSync, readFileSync, writeFileSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test, vi } from 'vitest';
import { convertStore, readStoreFile } from '../../src/node/convert-store.ts';
import { readFileHeader } from '../../src/storage/sql/file-header.ts';
import { aStoredEvent } from '../../src/testing/store-suite.ts';
import { start } from './processes.ts';
import { DRIVERS, aQueuePath } from './stores.ts';
import type { Driver } from './stores.ts';

const append = async (driver: Driver, path: string, ...clocks: readonly number[]): Promise<void> => {
  const store = await DRIVERS[driver](path);
  await store.transact((tx) => clocks.forEach((lamportClock) => tx.insert(aStoredEvent({ lamportClock }))));
  await store.close();
};
const clocksIn = async (driver: Driver, path: string): Promise<readonly number[]> => {
  const store = await DRIVERS[driver](path);
  try {
    return await store.read((reader) => reader.events().map((row) => row.lamportClock));
  } finally {
    await store.close();
  }
};

test('hands the file to sql.js and back with every row', async () => {
  const { path, remove } = aQueuePath();
  await append('node-sqlite', path, 1, 2);

  expect(await convertStore({ path, to: 'sqljs' })).toEqual({ from: 'node-sqlite', changed: true });
  await append('sqljs', path, 3);
  expect([readFileHeader(readFileSync(path))?.isWal, existsSync(`${path}-wal`)]).toEqual([false, false]);

  expect(await convertStore({ path, to: 'node-sqlite' })).toEqual({ from: 'sqljs', changed: true });
  await append('node-sqlite', path, 4);
  expect(await clocksIn('node-sqlite', path)).toEqual([1, 2, 3, 4]);
  remove();
});

test('takes along what a killed process left in the write-ahead log', async () => {
  const { path, remove } = aQueuePath();
  const killed = start('appender', 'node-sqlite', path, '1000000');
  await killed.said(5);
  killed.child.kill('SIGKILL');
  await killed.ended;

  await convertStore({ path, to: 'sqljs' });

  expect(await clocksIn('sqljs', path)).toEqual(expect.arrayContaining(killed.lines().map(Number)));
  remove();
});

test('changes nothing where there is nothing to do, and makes no file', async () => {
  const { path, remove } = aQueuePath();
  expect(await convertStore({ path, to: 'sqljs' })).toEqual({ from: null, changed: false });
  expect(existsSync(dirname(path))).toBe(false);

  await append('sqljs', path, 1);
  const before = readFileSync(path);
  expect(await convertStore({ path, to: 'sqljs' })).toEqual({ from: 'sqljs', changed: false });
  expect(readFileSync(path).equals(before)).toBe(true);
  remove();
});

test('refuses while another process has the store open, and that one carries on', async () => {
  const { path, remove } = aQueuePath();
  await append('node-sqlite', path, 1);
  const holder = start('holder', path);
  await holder.said(1);

  await expect(convertStore({ path, to: 'sqljs', waitMs: 50 })).rejects.toMatchObject({
    code: 'STORAGE_BUSY',
    message: expect.stringContaining('Another process has queue.db open'),
  });

  expect(readStoreFile(path).driver).toBe('node-sqlite');
  expect(await clocksIn('node-sqlite', path)).toEqual([1]);
  holder.child.kill('SIGKILL');
  await holder.ended;
  remove();
});

test('finishes what a killed SQLite program left in its journal, which sql.js refuses to touch', async () => {
  const { path, remove } = aQueuePath();
  await append('sqljs', path, 1);
  const [good, db] = [readFileSync(path), new DatabaseSync(path)];
  // Small cache: the change reaches the file before its commit, as it does when a program is killed in the middle.
  db.exec(`PRAGMA cache_size = 1; BEGIN; INSERT INTO queue (event_id, event_type, data, timestamp)
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) SELECT 'x' || i, 'X', hex(zeroblob(500)), 1 FROM n`);
  const [half, journal] = [readFileSync(path), readFileSync(`${path}-journal`)];
  db.close();
  expect(half.equals(good)).toBe(false);
  writeFileSync(path, half);
  writeFileSync(`${path}-journal`, journal);
  await expect(DRIVERS.sqljs(path)).rejects.toMatchObject({ code: 'STORAGE_REFUSED' });

  await convertStore({ path, to: 'sqljs' });

  expect(await clocksIn('sqljs', path)).toEqual([1]);
  remove();
});

test('loses nothing when it is killed at any moment, and the same command finishes it', async () => {
  const { path, remove } = aQueuePath();
  await append('node-sqlite', path, 1, 2, 3);

  for (const changes of [1, 2, 3, 6, 9]) {
    const converter = start('converter', path);
    await converter.said(changes);
    converter.child.kill('SIGKILL');
    await converter.ended;
    // A kill in the middle leaves SQLite's journal: sql.js refuses such a file and names this very command.
    await convertStore({ path, to: 'sqljs' });

    expect(await clocksIn('sqljs', path)).toEqual([1, 2, 3]);
    await convertStore({ path, to: 'node-sqlite' });
    expect(await clocksIn('node-sqlite', path)).toEqual([1, 2, 3]);
  }
  remove();
});

test('in a runtime without node:sqlite says which one it takes', async () => {
  const { path, remove } = aQueuePath();
  await append('node-sqlite', path, 1);
  const builtin = vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined);

  const attempt = convertStore({ path, to: 'sqljs' });

  await expect(attempt).rejects.toMatchObject({
    code: 'STORAGE_UNAVAILABLE',
    message: expect.stringContaining('Node 22.13'),
  });
  builtin.mockRestore();
  remove();
});

test('a file that cannot be read is told as such', () => {
  const { path, remove } = aQueuePath();
  mkdirSync(path, { recursive: true });

  expect(() => readStoreFile(path)).toThrow(expect.objectContaining({ code: 'STORAGE_UNAVAILABLE' }));
  remove();
});
