/** Schema versions: every older file is brought up, a newer one is left alone, and its events wait beside it. */
import { mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, onTestFinished, test } from 'vitest';

import { createUlidFactory } from '../../src/id/ulid.ts';
import { silentLogger } from '../../src/internal/logger.ts';
import { systemTime } from '../../src/internal/time.ts';
import { systemDisk } from '../../src/node/disk.ts';
import { createSpillFolder } from '../../src/node/spill-folder.ts';
import { createSqlJsFile } from '../../src/node/sqljs-file.ts';
import { openNodeSqliteStore } from '../../src/storage/node-sqlite/index.ts';
import type { EventStore } from '../../src/storage/port.ts';
import { createSchema, MIGRATIONS, SCHEMA, type Schema } from '../../src/storage/sql/schema.ts';
import { openSqlJsStore } from '../../src/storage/sqljs/index.ts';
import { takingIn } from '../../src/storage/take-in.ts';
import { aStoredEvent } from '../../src/testing/store-suite.ts';
import { makeWorld, MOVE } from '../node/world.ts';
import { aQueuePath, type Driver } from './stores.ts';

const open: Readonly<Record<Driver, (path: string, schema: Schema) => Promise<EventStore>>> = {
  'node-sqlite': (path, schema) => openNodeSqliteStore({ path, schema }),
  sqljs: (path, schema) => openSqlJsStore({ persister: createSqlJsFile({ path }), schema }),
};

/** A version to come: a column with something in it for every row. */
const NEXT = createSchema([
  ...MIGRATIONS,
  (db) => {
    db.exec(`ALTER TABLE queue ADD COLUMN colour TEXT; UPDATE queue SET colour = 'blue ' || event_id`);
  },
]);

const withFile = <T>(path: string, use: (db: DatabaseSync) => T): T => {
  mkdirSync(dirname(path), { recursive: true });
  const db = new DatabaseSync(path);
  try {
    return use(db);
  } finally {
    db.close();
  }
};
const versionOf = (path: string): unknown =>
  withFile(path, (db) => db.prepare('PRAGMA user_version').get()?.['user_version']);

describe.each(['node-sqlite', 'sqljs'] as const)('%s', (driver) => {
  test('a file of the version before is brought up with its rows, and the steps before are not repeated', async () => {
    const { path, remove } = aQueuePath();
    const old = await open[driver](path, SCHEMA);
    await old.transact((tx) => [1, 2].map((lamportClock) => tx.insert(aStoredEvent({ lamportClock }))));
    await old.close();

    const store = await open[driver](path, NEXT);
    await store.transact((tx) => tx.insert(aStoredEvent({ lamportClock: 3 })));
    expect(await store.read((reader) => reader.events().map((row) => row.eventId))).toEqual([
      'event-1',
      'event-2',
      'event-3',
    ]);
    await store.close();

    expect(versionOf(path)).toBe(2);
    expect(
      withFile(path, (db) =>
        db
          .prepare('SELECT colour FROM queue ORDER BY id')
          .all()
          .map((row) => row['colour']),
      ),
    ).toEqual(['blue event-1', 'blue event-2', null]);
    remove();
  });

  test("the original's file goes through every step at once", async () => {
    const { path, remove } = aQueuePath();
    withFile(path, (db) =>
      db.exec(`CREATE TABLE queue (id INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT UNIQUE NOT NULL, event_type TEXT NOT NULL,
        data TEXT NOT NULL, timestamp INTEGER NOT NULL, retry_count INTEGER DEFAULT 0);
        INSERT INTO queue (event_id, event_type, data, timestamp) VALUES ('old', 'X', '{"lamport_clock":5}', 1)`),
    );

    const store = await open[driver](path, NEXT);
    await store.transact((tx) => tx.raiseClock(6));
    await store.close();

    expect([versionOf(path), withFile(path, (db) => db.prepare('SELECT colour FROM queue').get()?.['colour'])]).toEqual(
      [2, 'blue old'],
    );
    remove();
  });

  test('a step that fails leaves the file of the version before as it was, usable by that version', async () => {
    const { path, remove } = aQueuePath();
    const old = await open[driver](path, SCHEMA);
    await old.transact((tx) => tx.insert(aStoredEvent({ lamportClock: 1 })));
    await old.close();
    const failing = createSchema([
      ...MIGRATIONS,
      (db) => db.exec('ALTER TABLE queue ADD COLUMN half TEXT'),
      (db) => db.exec('INSERT INTO queue (event_id) VALUES (NULL)'),
    ]);

    await expect(open[driver](path, failing)).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });

    expect(versionOf(path)).toBe(1);
    const again = await open[driver](path, SCHEMA);
    expect(await again.transact((tx) => tx.insert(aStoredEvent({ lamportClock: 2 })))).toBe(true);
    await again.close();
    expect(
      withFile(path, (db) => db.prepare(`SELECT name FROM pragma_table_xinfo('queue') WHERE name = 'half'`).all()),
    ).toEqual([]);
    remove();
  });

  test('a program that has the file open when a later version brings it up writes nothing more into it', async () => {
    const { path, remove } = aQueuePath();
    const old = await open[driver](path, SCHEMA);
    await old.transact((tx) => tx.insert(aStoredEvent({ lamportClock: 1 })));
    const next = await open[driver](path, NEXT);
    await next.transact((tx) => tx.raiseClock(5));

    for (const attempt of [old.transact((tx) => tx.raiseClock(9)), old.read((reader) => reader.clock())])
      await expect(attempt).rejects.toMatchObject({
        code: 'STORAGE_REFUSED',
        message: expect.stringContaining('Update spec-kitty'),
      });

    expect(await next.read((reader) => reader.clock())).toBe(5);
    await Promise.all([old.close(), next.close()]);
    remove();
  });

  test('an event for a file of a later version waits beside it untouched, and that version takes it in (FR-029)', async () => {
    const world = makeWorld({ env: { SPEC_KITTY_QUEUE_DRIVER: driver } });
    const next = await open[driver](world.file('queue.db'), NEXT);
    await next.transact((tx) => tx.raiseClock(20));
    await next.close();
    const before = readFileSync(world.file('queue.db'));
    const { client, warnings } = world.open();

    const outcome = await client.emit(MOVE);
    expect(outcome).toMatchObject({ status: 'spilled' });
    expect(warnings[0]?.message).toContain('schema 2, this version knows 1. Update spec-kitty');
    await client.close();
    expect(readFileSync(world.file('queue.db')).equals(before)).toBe(true);

    const spill = createSpillFolder({
      path: join(world.home, 'queue.spill'),
      shownAs: 'queue.spill',
      disk: systemDisk,
      time: systemTime,
      newUlid: createUlidFactory({ time: systemTime }),
      logger: silentLogger,
    });
    const updated = takingIn(await open[driver](world.file('queue.db'), NEXT), { spill, nodeId: 'n' });
    onTestFinished(() => updated.close());
    await updated.transact(() => {});
    const rows = await updated.read((reader) => reader.events());
    expect(rows).toMatchObject([{ lamportClock: 21, eventId: 'envelope' in outcome && outcome.envelope.event_id }]);
  });
});
