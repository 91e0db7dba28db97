/** The native store's files: who makes them first, where they can lie, how large their log grows. */
import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test, vi } from 'vitest';

import { openNodeSqliteStore } from '../../src/storage/node-sqlite/index.ts';
import { aStoredEvent } from '../../src/testing/store-suite.ts';
import { start } from './processes.ts';
import { DRIVERS, aQueuePath } from './stores.ts';

const ORIGINAL = `CREATE TABLE queue (id INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT UNIQUE NOT NULL, event_type TEXT NOT NULL,
  data TEXT NOT NULL, timestamp INTEGER NOT NULL, retry_count INTEGER DEFAULT 0);
  INSERT INTO queue (event_id, event_type, data, timestamp) VALUES ('old', 'X', '{"lamport_clock":9}', 1)`;

for (const [what, sql, first] of [
  ['an absent file', null, 1],
  ["the original's file", ORIGINAL, 10],
] as const) {
  test(`sixteen processes that open ${what} at the same moment all get in, and none overwrites another (EC-5)`, async () => {
    const { path, remove } = aQueuePath();
    if (sql !== null) {
      mkdirSync(dirname(path));
      const db = new DatabaseSync(path);
      db.exec(sql);
      db.close();
    }
    const all = Array.from({ length: 16 }, () => start('opener', 'node-sqlite', path));
    await Promise.all(all.map((each) => each.said(1)));

    for (const { child } of all) child.stdin?.end('go\n');
    const ends = await Promise.all(all.map((each) => each.ended));

    expect(ends.filter(({ code, stderr }) => code !== 0 || stderr !== '')).toEqual([]);
    const clocks = all.map((each) => Number(each.lines()[1])).toSorted((a, b) => a - b);
    expect(clocks).toEqual(Array.from({ length: 16 }, (_, index) => first + index));
    const db = new DatabaseSync(path);
    expect(db.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
    db.close();
    remove();
  }, 30_000);
}

/** The module with a `DatabaseSync` that answers one statement differently. */
function pretend(answer: (sql: string) => { readonly mode: string } | { readonly errcode: number } | undefined) {
  const real = process.getBuiltinModule('node:sqlite');
  class Pretended extends real.DatabaseSync {
    override prepare(sql: string) {
      const statement = super.prepare(sql);
      const other = answer(sql);
      if (other === undefined) return statement;
      return new Proxy(statement, {
        get(target, name) {
          if (name !== 'get') return Reflect.get(target, name, target) as unknown;
          return () => {
            if ('errcode' in other) throw Object.assign(new Error('disk I/O error'), { errcode: other.errcode });
            return { journal_mode: other.mode };
          };
        },
      });
    }
  }
  return vi.spyOn(process, 'getBuiltinModule').mockReturnValue({ ...real, DatabaseSync: Pretended });
}

test.each([
  ['keeps no write-ahead log', { mode: 'delete' }],
  // SQLITE_IOERR_SHMOPEN and SQLITE_IOERR_SHMMAP: what network drives and some containers answer.
  ['has no shared memory', { errcode: 10 | (18 << 8) }],
  ['cannot map shared memory', { errcode: 10 | (21 << 8) }],
])('on a file system that %s it says what helps, and that works', async (_what, answer) => {
  const { path, remove } = aQueuePath();
  const stub = pretend((sql) => (sql === 'PRAGMA journal_mode = WAL' ? answer : undefined));

  const refused = await openNodeSqliteStore({ path }).catch((cause: unknown) => cause);
  stub.mockRestore();

  expect(refused).toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
  // The remedy by name: the other driver takes the very file.
  expect(String(refused)).toContain('SPEC_KITTY_QUEUE_DRIVER=sqljs');
  const portable = await DRIVERS.sqljs(path);
  expect(await portable.transact((tx) => tx.insert(aStoredEvent({ lamportClock: 1 })))).toBe(true);
  await portable.close();
  remove();
});

const logBytes = (path: string): number => statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
const MIB = 1024 * 1024;

test('a log that a long reader made large is cut back once he has left', async () => {
  const { path, remove } = aQueuePath();
  const store = await openNodeSqliteStore({ path });
  await store.transact((tx) => tx.raiseClock(1));
  const reader = new DatabaseSync(path);
  reader.exec('BEGIN');
  reader.prepare('SELECT count(*) FROM queue').get();
  const append = (from: number): Promise<unknown> =>
    store.transact((tx) => {
      for (let n = from; n < from + 100; n += 1)
        tx.insert({ ...aStoredEvent({ lamportClock: n }), reason: 'x'.repeat(3_000) });
    });
  for (let n = 0; logBytes(path) < 12 * MIB; n += 100) await append(n + 1);

  reader.exec('COMMIT');
  reader.close();
  for (let n = 1; n <= 3; n += 1) await append(n * 100_000);

  expect(logBytes(path)).toBeLessThanOrEqual(8 * MIB);
  await store.close();
  remove();
}, 60_000);

test('a hundred writers killed one after the other leave no log that grows', async () => {
  const { path, remove } = aQueuePath();
  let largest = 0;
  for (let n = 0; n < 100; n += 10) {
    const batch = Array.from({ length: 10 }, () => start('appender', 'node-sqlite', path, '1000000'));
    await Promise.all(batch.map((each) => each.said(3)));
    for (const { child } of batch) child.kill('SIGKILL');
    await Promise.all(batch.map((each) => each.ended));
    largest = Math.max(largest, logBytes(path));
  }

  // 1,000 pages between two checkpoints, and what commits while one is under way.
  expect(largest).toBeGreaterThan(0);
  expect(largest).toBeLessThanOrEqual(8 * MIB);
  const store = await openNodeSqliteStore({ path });
  expect(
    await store.transact((tx) => tx.insert(aStoredEvent({ lamportClock: tx.clock() + 1, eventId: 'after' }))),
  ).toBe(true);
  await store.close();
  expect(logBytes(path)).toBe(0);
  remove();
}, 120_000);
