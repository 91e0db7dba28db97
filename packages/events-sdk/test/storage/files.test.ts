import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { currentOwner, ownerToName } from '../../src/node/process-owner.ts';
import { createSqlJsFile } from '../../src/node/sqljs-file.ts';
import { openSqlJsStore } from '../../src/storage/sqljs/index.ts';
import { aStoredEvent } from '../../src/testing/store-suite.ts';
import { DRIVERS, aQueuePath } from './stores.ts';

/** Writes with plain SQLite, as another program would. */
const withFile = (path: string, sql: string): void => {
  mkdirSync(dirname(path), { recursive: true });
  const db = new DatabaseSync(path);
  db.exec(sql);
  db.close();
};
const ORIGINAL = `CREATE TABLE queue (id INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT UNIQUE NOT NULL, event_type TEXT NOT NULL,
  data TEXT NOT NULL, timestamp INTEGER NOT NULL, retry_count INTEGER DEFAULT 0);
  CREATE INDEX idx_timestamp ON queue(timestamp); CREATE INDEX idx_retry ON queue(retry_count);
  INSERT INTO queue (event_id, event_type, data, timestamp, retry_count) VALUES ('old', 'WPCreated', '{"lamport_clock": 12, "team_slug": "local"}', 1770000000, 3);`;

for (const driver of ['node-sqlite', 'sqljs'] as const) {
  describe(`the ${driver} store's file`, () => {
    const open = DRIVERS[driver];

    test('is readable by its owner only, and so is its new folder', async () => {
      const place = aQueuePath();
      const store = await open(place.path);
      await store.transact((tx) => tx.raiseClock(1));

      expect(statSync(place.path).mode & 0o777).toBe(0o600);
      expect(statSync(dirname(place.path)).mode & 0o777).toBe(0o700);
      await store.close();
      expect(readdirSync(dirname(place.path))).toEqual(['queue.db']);
      place.remove();
    });

    test("takes over the Python original's database, its rows, retries and clock", async () => {
      const place = aQueuePath();
      withFile(place.path, ORIGINAL);
      const store = await open(place.path);

      const found = await store.read(
        (reader) => [reader.clock(), reader.count({ states: ['queued'] }), reader.event('old')] as const,
      );
      expect(found).toMatchObject([
        12,
        1,
        { lamportClock: 12, teamSlug: 'local', state: 'queued', retryCount: 3, enqueuedAt: 1_770_000_000 },
      ]);
      await store.transact((tx) => tx.insert(aStoredEvent({ lamportClock: 13 })));
      await store.close();
      place.remove();
    });

    test('of a newer version is refused and left as it is', async () => {
      const place = aQueuePath();
      withFile(place.path, 'CREATE TABLE queue (id INTEGER); PRAGMA user_version = 99');
      const before = readFileSync(place.path);

      await expect(open(place.path)).rejects.toMatchObject({
        code: 'STORAGE_REFUSED',
        message: expect.stringContaining('Update spec-kitty'),
      });
      expect(readFileSync(place.path).equals(before)).toBe(true);
      place.remove();
    });

    test('that is no database is called corrupt and left as it is', async () => {
      const place = aQueuePath();
      mkdirSync(dirname(place.path));
      writeFileSync(
        place.path,
        'this is not a database, and long enough to have a header of one hundred bytes if it were one. '.repeat(10),
      );
      const before = readFileSync(place.path);

      await expect(open(place.path)).rejects.toMatchObject({ code: 'STORAGE_CORRUPT' });
      expect(readFileSync(place.path).equals(before)).toBe(true);
      place.remove();
    });

    test('shows a row with unreadable JSON as parked, and it blocks nothing', async () => {
      const place = aQueuePath();
      const first = await open(place.path);
      await first.transact((tx) => tx.insert(aStoredEvent({ lamportClock: 2 })));
      await first.close();
      withFile(
        place.path,
        `INSERT INTO queue (event_id, event_type, data, timestamp) VALUES ('cut', 'X', '{"lamport_clock": 1', 1), ('huge', 'X', '{"lamport_clock": 9223372036854775807}', 1)`,
      );
      const store = await open(place.path);

      await store.read((reader) => {
        expect([
          reader.count(),
          reader.count({ states: ['queued'] }),
          reader.count({ states: ['parked'] }),
          reader.clock(),
        ]).toEqual([3, 1, 2, 2]);
        expect(reader.events({ states: ['queued'] }).map((row) => row.eventId)).toEqual(['event-2']);
        expect(reader.event('cut')).toMatchObject({ state: 'parked', reason: 'unreadable', lamportClock: 0 });
      });
      await store.transact((tx) => tx.remove(['cut', 'huge']));
      expect(await store.read((reader) => reader.count())).toBe(1);
      await store.close();
      place.remove();
    });
  });
}

test('sql.js refuses a file in WAL mode and names the remedy, before touching it', async () => {
  const place = aQueuePath();
  const native = await DRIVERS['node-sqlite'](place.path);
  await native.transact((tx) => tx.insert(aStoredEvent({ lamportClock: 1 })));
  const refused = {
    code: 'STORAGE_REFUSED',
    message: expect.stringContaining('spec-kitty sync store --convert sqljs'),
  };

  await expect(DRIVERS.sqljs(place.path)).rejects.toMatchObject(refused);
  await native.close();
  await expect(DRIVERS.sqljs(place.path)).rejects.toMatchObject(refused);
  place.remove();
});

test('an open sql.js store refuses to go on once the native store has taken the file over, and loses nothing', async () => {
  const place = aQueuePath();
  const portable = await DRIVERS.sqljs(place.path);
  await portable.transact((tx) => tx.insert(aStoredEvent({ lamportClock: 1 })));
  const native = await DRIVERS['node-sqlite'](place.path);
  await native.transact((tx) => tx.insert(aStoredEvent({ lamportClock: 2 })));

  await expect(portable.transact((tx) => tx.raiseClock(9))).rejects.toMatchObject({ code: 'STORAGE_REFUSED' });
  expect(await native.read((reader) => reader.events().map((row) => row.eventId))).toEqual(['event-1', 'event-2']);
  await portable.close();
  await native.close();
  place.remove();
});

test('sql.js writes nothing when nothing changed, and once for transactions that wait together', async () => {
  const place = aQueuePath();
  const file = createSqlJsFile({ path: place.path });
  let saves = 0;
  const store = await openSqlJsStore({
    persister: {
      ...file,
      save(bytes, replaced) {
        saves += 1;
        return file.save(bytes, replaced);
      },
    },
  });

  await Promise.all([1, 2, 3].map((lamportClock) => store.transact((tx) => tx.insert(aStoredEvent({ lamportClock })))));
  expect(saves).toBe(1);
  await store.transact((tx) => tx.raiseClock(2));
  expect(saves).toBe(1);
  await store.close();
  place.remove();
});

test('sql.js replaces nothing when another program changed the file meanwhile, and carries on from its change', async () => {
  const place = aQueuePath();
  const store = await DRIVERS.sqljs(place.path);
  await store.transact((tx) => tx.insert(aStoredEvent({ lamportClock: 1 })));

  const overtaken = store.transact((tx) => {
    withFile(
      place.path,
      `INSERT INTO queue (event_id, event_type, data, timestamp) VALUES ('foreign', 'X', '{"lamport_clock":5}', 1)`,
    );
    tx.raiseClock(9);
  });

  await expect(overtaken).rejects.toMatchObject({ code: 'STORAGE_BUSY' });
  expect(await store.read((reader) => [reader.clock(), reader.count()])).toEqual([5, 2]);
  expect(readdirSync(dirname(place.path))).toEqual(['queue.db']);
  await store.close();
  place.remove();
});

test('sql.js removes the half-written file of a process that died, and leaves that of a living one', async () => {
  const place = aQueuePath();
  mkdirSync(dirname(place.path));
  const living = currentOwner(Date.now());
  const [left, kept] = [{ ...living, started: 'before.1' }, living].map(
    (owner) => `${place.path}.${ownerToName(owner)}.tmp`,
  );
  for (const path of [left, kept]) writeFileSync(String(path), 'half');

  const store = await DRIVERS.sqljs(place.path);
  await store.transact((tx) => tx.raiseClock(1));

  expect([existsSync(String(left)), existsSync(String(kept))]).toEqual([process.platform !== 'linux', true]);
  await store.close();
  place.remove();
});
