/** Taking in what was spilled: once, in order, before everything else. A real folder beside each kind of store. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

import { EventsSdkError } from '../../src/errors.ts';
import type { UnclockedEnvelope } from '../../src/events/stamp.ts';
import { systemDisk, type Disk } from '../../src/node/disk.ts';
import { currentOwner, ownerToName } from '../../src/node/process-owner.ts';
import { createSpillFolder, MAX_SPILL_FILES, type SpillFolder } from '../../src/node/spill-folder.ts';
import { createMemoryStore } from '../../src/storage/memory.ts';
import type { Spill, SpilledEvent } from '../../src/storage/spill.ts';
import { takingIn } from '../../src/storage/take-in.ts';
import { projectTeamKey, VALUE } from '../../src/storage/values.ts';
import { anEvent, testUlid } from '../../src/testing/an-event.ts';

function unclocked(eventId: string): UnclockedEnvelope {
  const { lamport_clock: _clock, node_id: _node, ...rest } = anEvent({ event_id: eventId });
  return rest;
}

const aSpilled = (number: number, more: Partial<SpilledEvent> = {}): SpilledEvent => ({
  envelope: unclocked(testUlid(number)),
  state: 'queued',
  reason: null,
  server: 'https://team.example',
  projectRoot: '/srv/demo',
  enqueuedAt: 1_770_000_000,
  projectTeam: null,
  ...more,
});

/** A memory store beside a real folder, and what was warned of. */
function setup({ disk = systemDisk, change = (spill: SpillFolder): Spill => spill } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'spill-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'queue.spill');
  const warnings: string[] = [];
  let names = 0;
  const spill = createSpillFolder({
    path,
    shownAs: '~/queue.spill',
    disk,
    time: { now: () => Date.now() },
    newUlid: () => testUlid((names += 1)),
    logger: { warn: (code) => void warnings.push(code), debug() {} },
  });
  const inner = createMemoryStore();
  const store = takingIn(inner, { spill: change(spill), nodeId: '9417b43226d4' });
  const clocks = (): Promise<readonly (readonly [string, number])[]> =>
    store.read((reader) => reader.events().map((row) => [row.eventId, row.lamportClock] as const));
  return { path, spill, store, inner, warnings, clocks };
}

test('what was spilled gets its place in the order of emission, before the work of the transaction that takes it in', async () => {
  const { path, spill, store, inner } = setup();
  await inner.transact((tx) => tx.raiseClock(40));
  await spill.keep([aSpilled(3), aSpilled(2)]);
  await spill.keep([
    aSpilled(1, { state: 'held', reason: 'team', envelope: { ...unclocked(testUlid(1)), team_slug: null } }),
  ]);

  const seen = await store.transact((tx) => [tx.clock(), tx.count()]);

  expect(seen).toEqual([43, 3]);
  const rows = await store.read((reader) => reader.events());
  expect(rows.map((row) => [row.eventId, row.lamportClock, row.state, row.reason])).toEqual([
    [testUlid(3), 41, 'queued', null],
    [testUlid(2), 42, 'queued', null],
    [testUlid(1), 43, 'held', 'team'],
  ]);
  const whole = anEvent({ event_id: testUlid(3), lamport_clock: 41 });
  expect(rows[0]).toMatchObject({
    data: JSON.stringify(whole),
    server: 'https://team.example',
    projectRoot: '/srv/demo',
    enqueuedAt: 1_770_000_000,
  });
  expect(existsSync(path)).toBe(false);
});

test('a process that ends between commit and removal does not bring a delivered event back', async () => {
  const { spill, store, inner, clocks } = setup({ change: (real) => ({ ...real, remove() {} }) });
  await spill.keep([aSpilled(1)]);
  await store.transact(() => {});
  await inner.transact((tx) => tx.remove([testUlid(1)]));

  await store.transact(() => {});
  await spill.keep([aSpilled(2)]);
  await store.transact(() => {});

  expect(await clocks()).toEqual([[testUlid(2), 2]]);
});

test('the note of what was taken in goes with the files', async () => {
  const { spill, store } = setup();
  await spill.keep([aSpilled(1)]);
  await store.transact(() => {});
  expect(await store.read((reader) => reader.value(VALUE.takenIn))).toContain(testUlid(1));
  await spill.keep([aSpilled(2)]);

  await store.transact(() => {});

  expect(await store.read((reader) => reader.value(VALUE.takenIn))).toBe(JSON.stringify([testUlid(2)]));
});

test('a transaction that fails takes nothing in, and the next one does', async () => {
  const { spill, store, clocks } = setup();
  await spill.keep([aSpilled(1)]);

  await expect(
    store.transact(() => {
      throw new Error('no');
    }),
  ).rejects.toThrow('no');
  expect([spill.count(), await clocks()]).toEqual([1, []]);
  await store.transact(() => {});

  expect([spill.count(), await clocks()]).toEqual([0, [[testUlid(1), 1]]]);
});

test('an event that reached the store after all is not there twice', async () => {
  const { spill, store, clocks } = setup();
  await store.transact((tx) => {
    const { lamport_clock: lamportClock, ...envelope } = anEvent({ event_id: testUlid(1), lamport_clock: 7 });
    tx.insert({
      eventId: testUlid(1),
      eventType: envelope.event_type,
      aggregateId: envelope.aggregate_id,
      lamportClock,
      teamSlug: 'acme',
      projectUuid: envelope.project_uuid,
      data: '{}',
      state: 'queued',
      reason: null,
      server: null,
      projectRoot: null,
      enqueuedAt: 1,
    });
  });
  await spill.keep([aSpilled(1), aSpilled(2)]);

  await store.transact(() => {});

  expect(await clocks()).toEqual([
    [testUlid(1), 7],
    [testUlid(2), 8],
  ]);
});

test('the team a project was last delivered under is asked when the store is there again (SEC-1)', async () => {
  const { spill, store, inner } = setup();
  const project = unclocked(testUlid(1)).project_uuid;
  await inner.transact((tx) => tx.setValue(projectTeamKey(String(project)), 'tigers'));
  await spill.keep([aSpilled(1), aSpilled(2, { projectTeam: 'acme' })]);

  await store.transact(() => {});

  const rows = await store.read((reader) => reader.events());
  expect(rows.map((row) => [row.state, row.reason, row.teamSlug])).toEqual([
    ['held', 'team-changed', null],
    ['queued', null, 'acme'],
  ]);
});

test('a file that cannot be understood is kept under another name and warned of, and keeps nothing else out', async () => {
  const { path, spill, store, warnings, clocks } = setup();
  mkdirSync(path);
  const files: Readonly<Record<string, string>> = {
    [testUlid(90)]: '{"version":1,"events":[{',
    [testUlid(91)]: '[]',
    [testUlid(92)]: JSON.stringify({ version: 1, events: [{ ...aSpilled(5), state: 'sent' }] }),
    [testUlid(93)]: JSON.stringify({ version: 1, events: [{ ...aSpilled(5), envelope: { event_id: 'x' } }] }),
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, `${name}.json`), text);
  await spill.keep([aSpilled(1)]);

  await store.transact(() => {});
  await store.transact(() => {});

  expect(await clocks()).toEqual([[testUlid(1), 1]]);
  expect(readdirSync(path).toSorted()).toEqual(Object.keys(files).map((name) => `${name}.json.damaged`));
  expect(warnings).toEqual(Array.from({ length: 4 }, () => 'spill-damaged'));
});

test('a file of a later version is left for that version', async () => {
  const { path, store, warnings } = setup();
  mkdirSync(path);
  writeFileSync(join(path, `${testUlid(1)}.json`), '{"version":2,"events":"in another form"}');

  await store.transact(() => {});

  expect([readdirSync(path), warnings]).toEqual([[`${testUlid(1)}.json`], ['spill-newer']]);
});

test('what a killed writer left half-written is removed with the rest, that of a living one stays', async () => {
  const { path, spill, store } = setup();
  await spill.keep([aSpilled(1)]);
  const living = currentOwner(Date.now());
  const [dead, kept] = [{ ...living, started: 'before.1' }, living].map((owner) => `${ownerToName(owner)}.tmp`);
  for (const name of [dead, kept]) writeFileSync(join(path, String(name)), 'half');

  await store.transact(() => {});

  expect(readdirSync(path)).toEqual(process.platform === 'linux' ? [kept] : [dead, kept].toSorted());
});

test('beyond its bound it takes no more, and keeps what it has', async () => {
  const { path, spill } = setup();
  mkdirSync(path);
  for (let n = 0; n < MAX_SPILL_FILES; n += 1) writeFileSync(join(path, `${testUlid(n + 5_000)}.json`), '');
  expect(await spill.keep([aSpilled(1)])).toBe('full');
  rmSync(join(path, `${testUlid(5_000)}.json`));
  expect(await spill.keep([aSpilled(1)])).toBe('kept');

  const other = setup();
  mkdirSync(other.path);
  writeFileSync(join(other.path, `${testUlid(9)}.json`), Buffer.alloc(16 * 1024 * 1024));
  expect(await other.spill.keep([aSpilled(1)])).toBe('full');
});

test.each(['write', 'fsync', 'rename'] as const)(
  'when the disk fails at %s nothing is kept, now or later',
  async (call) => {
    let isBroken = true;
    const fail = (): never => {
      throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
    };
    const disk: Disk = {
      ...systemDisk,
      [call]: (...args: never[]) => (isBroken ? fail() : Reflect.apply(systemDisk[call], undefined, args)),
    };
    const { spill, store, clocks } = setup({ disk });

    await expect(spill.keep([aSpilled(1)])).rejects.toMatchObject({
      code: 'STORAGE_UNAVAILABLE',
      message: 'Nor can ~/queue.spill be written (ENOSPC).',
    });
    isBroken = false;
    await store.transact(() => {});

    expect([spill.count(), await clocks()]).toEqual([0, []]);
  },
);

test('a store that cannot take them in does its other work all the same', async () => {
  const { spill, inner } = setup();
  const warnings: string[] = [];
  const store = takingIn(
    {
      ...inner,
      transact: (work) =>
        inner.transact((tx) =>
          work({
            ...tx,
            insert() {
              throw new EventsSdkError('STORAGE_UNAVAILABLE', 'Cannot insert.');
            },
          }),
        ),
    },
    { spill, nodeId: 'n', logger: { warn: (code) => void warnings.push(code), debug() {} } },
  );
  await spill.keep([aSpilled(1)]);

  expect(await store.transact((tx) => tx.count())).toBe(0);

  expect([spill.count(), warnings]).toEqual([1, ['spill-waits']]);
});

test('a folder that cannot be looked at keeps nobody from the store', async () => {
  let isShut = false;
  const disk: Disk = {
    ...systemDisk,
    look(path) {
      if (isShut) throw Object.assign(new Error('shut'), { code: 'EACCES' });
      return systemDisk.look(path);
    },
  };
  const { spill, store, clocks } = setup({ disk });
  await spill.keep([aSpilled(1)]);
  isShut = true;

  expect([await store.transact((tx) => tx.clock()), spill.count()]).toEqual([0, 0]);
  isShut = false;
  await store.transact(() => {});

  expect(await clocks()).toEqual([[testUlid(1), 1]]);
});
