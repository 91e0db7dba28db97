/** A queue.db that is damaged or not ours: put aside, its events saved, by one process, also when that one is killed. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { expect, onTestFinished, test } from 'vitest';

import { openHomeStore } from '../../src/node/home-store.ts';
import { resolveHome } from '../../src/node/home.ts';
import { CLOCK_SAFETY_STEP } from '../../src/node/damaged-queue.ts';
import { projectTeamKey, VALUE } from '../../src/storage/values.ts';
import { aStoredEvent } from '../../src/testing/store-suite.ts';
import { makeWorld, MOVE, readQueue, type World } from './world.ts';

type Driver = 'node-sqlite' | 'sqljs';

const oldFolders = (world: World): readonly string[] =>
  readdirSync(world.home).filter((name) => name.startsWith('queue.damaged-'));

async function openStore(world: World, driver: Driver, warnings: string[] = []) {
  const logger = { warn: (_code: string, message: string) => void warnings.push(message), debug() {} };
  const opened = await openHomeStore({ home: resolveHome(world.env), env: world.env, driver, logger });
  onTestFinished(() => opened.store.close());
  return opened;
}

/** Thirty rows of every kind, a counter and a team; closed. */
async function fillQueue(world: World, driver: Driver): Promise<void> {
  const { store } = await openStore(world, driver);
  await store.transact((tx) => {
    for (let n = 1; n <= 30; n += 1) {
      const state = (['queued', 'held', 'parked'] as const)[n % 3] ?? 'queued';
      tx.insert({
        ...aStoredEvent({ lamportClock: n }),
        state,
        reason: `r${n}`,
        server: 'https://t.example',
        projectRoot: '/p',
      });
      if (state === 'parked') tx.update(`event-${n}`, { retryCount: 5 });
    }
    tx.setValue(VALUE.dropped, '7');
    tx.setValue(VALUE.lease, 'held by a process long gone');
    tx.setValue(projectTeamKey('project-1'), 'acme');
    tx.raiseClock(44);
  });
  await store.close();
}

/** Makes one of the two indexes unreadable: writing meets it at once, the rows are whole. */
function breakIndex(path: string): Buffer {
  const db = new DatabaseSync(path);
  const page = Number(
    db.prepare(`SELECT rootpage FROM sqlite_schema WHERE name = 'idx_sending_order'`).get()?.['rootpage'],
  );
  db.close();
  const bytes = readFileSync(path);
  bytes.fill(0xff, (page - 1) * 4096, page * 4096);
  writeFileSync(path, bytes);
  return bytes;
}

for (const driver of ['node-sqlite', 'sqljs'] as const) {
  const env = { SPEC_KITTY_QUEUE_DRIVER: driver };

  test.for<readonly [string, (bytes: Buffer) => number]>([
    ['a function in the schema', (bytes) => bytes.indexOf('json_valid')],
    ['the format that may be written', () => 18],
    ['the format that may be read', () => 19],
  ])(
    `${driver}: one wrong byte in %s is damage like any other: its events are saved, and the next is recorded (EC-5)`,
    async ([, at]) => {
      const world = makeWorld({ env });
      await fillQueue(world, driver);
      const bytes = readFileSync(world.file('queue.db'));
      bytes[at(bytes)] = 0x6e;
      writeFileSync(world.file('queue.db'), bytes);

      const { store } = await openStore(world, driver);
      await store.transact((tx) => {
        tx.insert(aStoredEvent({ lamportClock: 100 }));
      });

      expect(await store.read((reader) => [reader.count(), reader.event('event-100')?.eventId])).toEqual([
        31,
        'event-100',
      ]);
      expect(oldFolders(world)).toHaveLength(1);
    },
  );

  test(`${driver}: a damaged queue.db is put aside byte for byte, and every row goes on with its state, reason, server and retries (EC-5, FR-029)`, async () => {
    const world = makeWorld({ env });
    await fillQueue(world, driver);
    const before = (await openStore(world, driver)).store;
    const rows = await before.read((reader) => reader.events());
    const nodeId = await before.read((reader) => reader.value(VALUE.nodeId));
    await before.close();
    const damaged = breakIndex(world.file('queue.db'));
    const warnings: string[] = [];

    const { store } = await openStore(world, driver, warnings);
    expect(
      await store.transact((tx) => tx.insert(aStoredEvent({ lamportClock: tx.clock() + 1, eventId: 'new' }))),
    ).toBe(true);

    const found = await store.read((reader) => ({
      rows: reader.events(),
      clock: reader.clock(),
      values: [VALUE.nodeId, VALUE.dropped, projectTeamKey('project-1'), VALUE.lease].map((key) => reader.value(key)),
    }));
    const withoutSeq = (all: typeof rows) => all.map(({ seq: _seq, ...row }) => row);
    expect(withoutSeq(found.rows.filter(({ eventId }) => eventId !== 'new'))).toEqual(withoutSeq(rows));
    expect(found.values).toEqual([nodeId, '7', 'acme', undefined]);
    expect(found.clock).toBe(44 + CLOCK_SAFETY_STEP + 1);
    const [folder] = oldFolders(world);
    expect(readFileSync(join(world.home, String(folder), 'queue.db')).equals(damaged)).toBe(true);
    expect(warnings).toEqual([
      `queue.db was damaged or not an event queue. 30 events were saved into a new one; the old file is kept in $SPEC_KITTY_HOME/${folder}.`,
    ]);
    expect(existsSync(world.file('queue.moving'))).toBe(false);
  });

  test(`${driver}: damage that is met in the middle of a program's life costs it nothing`, async () => {
    const world = makeWorld({ env });
    await fillQueue(world, driver);
    const { client, warnings } = world.open();
    expect(await client.emit(MOVE)).toMatchObject({ status: 'held', envelope: { lamport_clock: 45 } });
    if (driver === 'node-sqlite') {
      const db = new DatabaseSync(world.file('queue.db'));
      db.exec('DROP INDEX idx_sending_order');
      db.close();
    } else breakIndex(world.file('queue.db'));

    expect((await client.status()).held['team']).toBe(1);
    expect(await client.emit(MOVE)).toMatchObject({ status: 'held' });

    expect(readQueue(world.home)).toMatchObject({ integrity: 'ok' });
    expect(readQueue(world.home).rows).toHaveLength(32);
    expect(warnings.map(({ code }) => code)).toEqual(['queue-damaged']);
  });

  test(`${driver}: a clock value is never given out again, whichever record of it is left (SC-009)`, async () => {
    const world = makeWorld({ env });
    const first = world.open().client;
    await first.emitAll([MOVE, MOVE]);
    await first.close();
    writeFileSync(world.file('clock.json'), JSON.stringify({ value: 500, node_id: 'abc' }));
    writeFileSync(world.file('queue.db'), 'nothing of it is left');

    const { client } = world.open();

    expect(await client.emit(MOVE)).toMatchObject({
      envelope: { lamport_clock: 500 + CLOCK_SAFETY_STEP + 1, node_id: 'abc' },
    });
    // Only this process knows by now.
    writeFileSync(world.file('garbage'), 'and again');
    renameSync(world.file('garbage'), world.file('queue.db'));
    for (const rest of ['-wal', '-shm']) rmSync(world.file('queue.db') + rest, { force: true });
    rmSync(world.file('clock.json'), { force: true });
    const later = await client.emit(MOVE);
    expect(later.status === 'held' && later.envelope.lamport_clock).toBeGreaterThan(500 + CLOCK_SAFETY_STEP + 1);
    expect(oldFolders(world)).toHaveLength(2);
  });

  test(`${driver}: a database of another program under our name is put aside as it is`, async () => {
    const world = makeWorld({ env });
    mkdirSync(world.home);
    const db = new DatabaseSync(world.file('queue.db'));
    db.exec(`CREATE TABLE queue (job TEXT); INSERT INTO queue VALUES ('not ours')`);
    db.close();

    expect(await world.open().client.emit(MOVE)).toMatchObject({ status: 'held' });

    const old = new DatabaseSync(join(world.home, String(oldFolders(world)[0]), 'queue.db'));
    expect(old.prepare('SELECT job FROM queue').all()).toMatchObject([{ job: 'not ours' }]);
    old.close();
  });

  test(`${driver}: the original's file with a page gone is saved like ours, its rows to be sent`, async () => {
    const world = makeWorld({ env });
    mkdirSync(world.home);
    const path = world.file('queue.db');
    const db = new DatabaseSync(path);
    db.exec(`CREATE TABLE queue (id INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT UNIQUE NOT NULL, event_type TEXT NOT NULL,
      data TEXT NOT NULL, timestamp INTEGER NOT NULL, retry_count INTEGER DEFAULT 0)`);
    for (let n = 1; n <= 60; n += 1)
      db.prepare(
        `INSERT INTO queue (event_id, event_type, data, timestamp, retry_count) VALUES (?, 'X', ?, 1770000000, 2)`,
      ).run(
        `e${n}`,
        JSON.stringify({
          event_id: `e${n}`,
          event_type: 'X',
          lamport_clock: n,
          team_slug: 'local',
          text: 'x'.repeat(400),
        }),
      );
    db.close();
    const bytes = readFileSync(path);
    // In the middle of the table.
    bytes.fill(0xff, 4 * 4096, 5 * 4096);
    writeFileSync(path, bytes);

    const { store } = await openStore(world, driver);

    const rows = await store.read((reader) => reader.events({ states: ['queued'] }));
    expect(rows.length).toBeGreaterThan(40);
    expect(rows[0]).toMatchObject({ eventType: 'X', teamSlug: 'local', retryCount: 2, enqueuedAt: 1_770_000_000 });
  });

  test(`${driver}: of many processes that meet the damage at once exactly one puts the file aside, and all go on (EC-5)`, async () => {
    const world = makeWorld({ env });
    await fillQueue(world, driver);
    breakIndex(world.file('queue.db'));

    const children = Array.from({ length: 6 }, () => world.start('emit', ['2']));
    const ends = await Promise.all(children.map((child) => child.ended));

    expect(ends.map(({ code }) => code)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(ends.filter(({ stderr }) => stderr.includes('queue-damaged'))).toHaveLength(1);
    expect(oldFolders(world)).toHaveLength(1);
    const { rows, integrity } = readQueue(world.home);
    expect([rows.length, integrity]).toEqual([30 + 12, 'ok']);
    expect(new Set(rows.map(({ clock }) => clock)).size).toBe(42);
  }, 30_000);

  test(`${driver}: killed at any step of putting it aside, the next process ends the work and no event is lost`, async () => {
    const start = makeWorld({ env });
    await fillQueue(start, driver);
    const damaged = breakIndex(start.file('queue.db'));
    const undisturbed = start.start('recover', [driver, '0']);
    await undisturbed.ended;
    const steps = Number(undisturbed.lines().at(-1)?.replace('done ', ''));
    expect(steps).toBeGreaterThan(20);

    for (let step = 1; step <= steps; step += 1) {
      const world = makeWorld({ env });
      mkdirSync(world.home);
      writeFileSync(world.file('queue.db'), damaged);
      const killed = world.start('recover', [driver, String(step)]);
      expect({ step, ...(await killed.ended) }).toMatchObject({ step, signal: 'SIGKILL' });

      const { store } = await openStore(world, driver);
      await store.transact((tx) => tx.raiseClock(tx.clock() + 1));

      const found = await store.read((reader) => [reader.count(), reader.events().length]);
      expect({ step, found, folders: oldFolders(world).length }).toEqual({ step, found: [30, 30], folders: 1 });
      await store.close();
      const old = readFileSync(join(world.home, String(oldFolders(world)[0]), 'queue.db'));
      expect(old.equals(damaged)).toBe(true);
      expect(readdirSync(world.home).filter((name) => name === 'queue.moving')).toEqual([]);
    }
  }, 240_000);
}

test('an event that was saved and delivered before the saving process was killed does not come back', async () => {
  const world = makeWorld();
  await fillQueue(world, 'node-sqlite');
  breakIndex(world.file('queue.db'));
  const first = (await openStore(world, 'node-sqlite')).store;
  await first.transact((tx) => tx.remove(['event-3']));
  await first.close();
  // As it stands when the process is killed right before the last step: the new queue is filled, the folder not yet named.
  renameSync(join(world.home, String(oldFolders(world)[0])), world.file('queue.moving'));

  const { store } = await openStore(world, 'node-sqlite');

  expect(await store.read((reader) => [reader.count(), reader.event('event-3')])).toEqual([29, undefined]);
  expect(oldFolders(world)).toHaveLength(1);
});

test('a damaged queue in a folder that cannot be written is told with what helps, and nothing is moved', async () => {
  const world = makeWorld();
  mkdirSync(world.home);
  writeFileSync(world.file('queue.db'), 'not a database');
  writeFileSync(world.file('queue.moving'), 'in the way');

  await expect(openStore(world, 'node-sqlite')).rejects.toMatchObject({
    code: 'STORAGE_CORRUPT',
    message: expect.stringMatching(/cannot be put aside \(E\w+\)/),
  });

  expect(readFileSync(world.file('queue.db'), 'utf8')).toBe('not a database');
});
