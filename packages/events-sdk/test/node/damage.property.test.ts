/**
 * Whatever happens to the bytes of queue.db, the next command works, and every event SQLite could still have told is
 * there. SPEC_KITTY_TEST_SEEDS=n tries more, SPEC_KITTY_STORM_SEED is the first; a failure names its seed.
 */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { tellStorm } from '@spec-kitty/storm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { isEventsSdkError } from '../../src/errors.ts';
import { silentLogger } from '../../src/internal/logger.ts';
import { openHomeStore } from '../../src/node/home-store.ts';
import { resolveHome } from '../../src/node/home.ts';
import { createRandom } from '../../src/testing/seeded-random.ts';
import { aStoredEvent } from '../../src/testing/store-suite.ts';

const SEEDS = Number(process.env['SPEC_KITTY_TEST_SEEDS'] ?? 70);
const FIRST = Number(process.env['SPEC_KITTY_STORM_SEED'] ?? Date.now() % 1_000_000);
const ROWS = 200;
type Driver = 'node-sqlite' | 'sqljs';

const PAGE = 4096;

/** Damages of the kinds disks and people do. */
const DAMAGES: readonly ((bytes: Buffer, random: () => number) => Buffer)[] = [
  function flipBytes(bytes, random) {
    for (let n = 1 + Math.floor(random() * 20); n > 0; n -= 1) {
      const at = Math.floor(random() * bytes.length);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(random() * 8));
    }
    return bytes;
  },
  function flipInPageHeads(bytes, random) {
    for (let n = 1 + Math.floor(random() * 6); n > 0; n -= 1) {
      const at = Math.floor(random() * (bytes.length / PAGE)) * PAGE + Math.floor(random() * 24);
      if (at < bytes.length) bytes[at] = Math.floor(random() * 256);
    }
    return bytes;
  },
  function zeroPage(bytes, random) {
    const at = Math.floor(random() * (bytes.length / PAGE)) * PAGE;
    return bytes.fill(0, at, Math.min(at + PAGE, bytes.length));
  },
  function noisyPage(bytes, random) {
    const at = Math.floor(random() * (bytes.length / PAGE)) * PAGE;
    for (let n = at; n < Math.min(at + PAGE, bytes.length); n += 1) bytes[n] = Math.floor(random() * 256);
    return bytes;
  },
  function cut(bytes, random) {
    return bytes.subarray(0, Math.floor(random() * bytes.length));
  },
  function swapPages(bytes, random) {
    const [a, b] = [random, random].map((draw) => Math.floor(draw() * (bytes.length / PAGE)) * PAGE) as [
      number,
      number,
    ];
    const [one, two] = [Buffer.from(bytes.subarray(a, a + PAGE)), Buffer.from(bytes.subarray(b, b + PAGE))];
    two.copy(bytes, a);
    one.copy(bytes, b);
    return bytes;
  },
];

let folder: string;
const originals = new Map<string, string>();
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'damage-'));
  for (const driver of ['node-sqlite', 'sqljs'] as const) {
    const home = homeAt(driver);
    const { store } = await openHomeStore({ ...home, driver, logger: silentLogger });
    for (let start = 1; start <= ROWS; start += 50) {
      if (start > ROWS - 50) foldLog(join(folder, driver, 'queue.db'));
      await store.transact((tx) => {
        for (let n = start; n < start + 50; n += 1)
          tx.insert({
            ...aStoredEvent({ lamportClock: n }),
            reason: 'x'.repeat(n),
            state: n % 3 === 0 ? 'held' : 'queued',
          });
      });
    }
    // Once with its log beside it, once folded in.
    if (driver === 'node-sqlite') {
      mkdirSync(join(folder, 'with-log'));
      for (const name of ['queue.db', 'queue.db-wal'])
        copyFileSync(join(folder, driver, name), join(folder, 'with-log', name));
    }
    await store.close();
  }
  const db = new DatabaseSync(join(folder, 'sqljs', 'queue.db'));
  for (const row of db.prepare('SELECT event_id, data FROM queue').all())
    originals.set(String(row['event_id']), String(row['data']));
  db.close();
  if (originals.size !== ROWS) throw new Error('The file to be damaged is not as it should be.');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Brings what the log holds into the file, so that both have their share. */
function foldLog(path: string): void {
  const db = new DatabaseSync(path);
  db.exec('PRAGMA wal_checkpoint(PASSIVE)');
  db.close();
}

function homeAt(name: string) {
  const env = { HOME: folder, USER: 'ada', SPEC_KITTY_HOME: join(folder, name) };
  return { home: resolveHome(env), env };
}

/** Ids of the whole rows a plain SELECT gives, asked one by one. */
function readable(path: string): readonly string[] {
  const found: string[] = [];
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path);
    const one = db.prepare('SELECT event_id, data FROM queue NOT INDEXED WHERE id = ?');
    for (let id = 1; id <= ROWS; id += 1) {
      try {
        const row = one.get(id);
        if (row !== undefined && originals.get(String(row['event_id'])) === row['data'])
          found.push(String(row['event_id']));
      } catch {
        // This one is lost.
      }
    }
  } catch {
    // All are.
  } finally {
    db?.close();
  }
  return found;
}

/** The queues that were put aside in a home. */
function oldFiles(home: string): readonly string[] {
  return readdirSync(home)
    .filter((name) => name.startsWith('queue.damaged-'))
    .map((name) => join(home, name, 'queue.db'));
}

type Open = typeof openHomeStore;

async function survive(seed: number, driver: Driver, source: string, open: Open = openHomeStore): Promise<void> {
  const random = createRandom(seed);
  const name = `${source}-${seed}`;
  const [from, to] = [join(folder, source), join(folder, name)];
  const names = readdirSync(from).filter((file) => /^queue\.db(-wal)?$/.test(file));
  for (const place of [to, `${to}-seen`]) mkdirSync(place);
  const target = names[Math.floor(random() * names.length)];
  for (const file of names) {
    const bytes = readFileSync(join(from, file));
    const damage = DAMAGES[Math.floor(random() * DAMAGES.length)];
    const damaged = file === target && damage !== undefined ? damage(bytes, random) : bytes;
    for (const place of [to, `${to}-seen`]) writeFileSync(join(place, file), damaged);
  }
  const damagedBytes = readFileSync(join(to, 'queue.db'));
  const expected = readable(join(`${to}-seen`, 'queue.db'));

  const warnings: string[] = [];
  const opened = await open({
    ...homeAt(name),
    driver,
    logger: { warn: (_code, message) => void warnings.push(message), debug() {} },
  }).catch((cause: unknown) => {
    // The header now says so, and that is respected: the file stays, and its events spill.
    if (isEventsSdkError(cause, 'STORAGE_REFUSED')) return undefined;
    throw cause;
  });
  if (opened === undefined) {
    expect(readFileSync(join(to, 'queue.db')).equals(damagedBytes)).toBe(true);
  } else {
    const { store } = opened;
    expect(
      await store.transact((tx) => tx.insert(aStoredEvent({ lamportClock: tx.clock() + 1, eventId: 'new' }))),
    ).toBe(true);
    await store.read((reader) => [reader.events(), reader.count({ states: ['held'] }), reader.event('event-7')]);
    await store.transact((tx) => tx.raiseClock(tx.clock() + 1));
    expect((await store.read((reader) => reader.event('new')))?.eventId).toBe('new');
    await store.close();
    const there = new Set(readable(join(to, 'queue.db')));
    // What SQLite itself loses by writing into a damaged file before it notices is not in the old file either.
    const inOldFiles = oldFiles(to).flatMap(readable);
    const given = oldFiles(to).length === 0 ? expected : inOldFiles;
    expect(given.filter((id) => !there.has(id))).toEqual([]);
  }
  const kept = oldFiles(to);
  if (kept.length > 0) expect(warnings.join()).toContain('the old file is kept in');
  expect(existsSync(join(to, 'queue.moving'))).toBe(false);
  moved += kept.length;
  saved += expected.length;
  for (const place of [to, `${to}-seen`]) rmSync(place, { recursive: true });
}

let moved = 0;
let saved = 0;

describe.each([
  ['node-sqlite', 'node-sqlite'],
  ['node-sqlite', 'with-log'],
  ['sqljs', 'sqljs'],
] as const)('%s, damaged %s', (driver, source) => {
  test(`a damaged queue.db never stops a command, and gives every event it still has (EC-5, FR-029), ${SEEDS} seeds`, async ({
    task,
  }) => {
    moved = 0;
    saved = 0;
    for (let seed = FIRST; seed < FIRST + SEEDS; seed += 1) {
      try {
        await survive(seed, driver, source);
      } catch (cause) {
        throw new Error(
          `SPEC_KITTY_STORM_SEED=${seed} of ${driver} (${source}): ${cause instanceof Error ? cause.message : String(cause)}`,
          { cause },
        );
      }
    }

    // The damages did reach what they were meant to, and did not leave nothing.
    expect([moved > 0, saved > SEEDS]).toEqual([true, true]);
    tellStorm(task, {
      storm: 'damage',
      variant: `${driver}, damaged ${source}`,
      seed: FIRST,
      counts: { 'damaged files': SEEDS, 'put aside': moved, 'events still readable, all kept': saved },
    });
  }, 240_000);
});

/** Whether SQLite finds nothing wrong with a file. */
function isSound(path: string): boolean {
  try {
    using db = new DatabaseSync(path);
    return db.prepare('PRAGMA quick_check').get()?.['quick_check'] === 'ok';
  } catch {
    return false;
  }
}

/** Ways to open a damaged queue that seem to work. */
const BROKEN: readonly (readonly [mistake: string, broken: Open])[] = [
  [
    'begins anew where a queue is damaged',
    async (options) => {
      const { queueDb } = options.home;
      if (!isSound(queueDb)) for (const end of ['', '-wal', '-shm']) rmSync(`${queueDb}${end}`, { force: true });
      return openHomeStore(options);
    },
  ],
  [
    'puts a damaged queue aside and takes nothing over',
    async (options) => {
      const { queueDb } = options.home;
      if (!isSound(queueDb)) {
        const aside = join(dirname(queueDb), 'queue.damaged-1');
        mkdirSync(aside);
        for (const end of ['', '-wal', '-shm'])
          if (existsSync(`${queueDb}${end}`)) renameSync(`${queueDb}${end}`, join(aside, `queue.db${end}`));
      }
      return openHomeStore(options);
    },
  ],
  [
    'takes every damage for the end of the command',
    async (options) => {
      if (!isSound(options.home.queueDb)) throw new Error('database disk image is malformed');
      return openHomeStore(options);
    },
  ],
];

test.for(BROKEN)('the same damages find a store out that %s', async ([mistake, broken], { task }) => {
  const isFound = async (): Promise<boolean> => {
    for (let seed = FIRST; seed < FIRST + 200; seed += 1)
      try {
        await survive(seed, 'sqljs', 'sqljs', broken);
      } catch {
        for (const place of [`sqljs-${seed}`, `sqljs-${seed}-seen`])
          rmSync(join(folder, place), { recursive: true, force: true });
        return true;
      }
    return false;
  };

  expect(await isFound()).toBe(true);
  tellStorm(task, { storm: 'damage', caught: [`a store that ${mistake}`] });
});
