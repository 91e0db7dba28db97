/** The store keeps every promise of its port, and what its own kind of file adds to them. */
import { appendFileSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { isEventsSdkError, type EventStore } from '@spec-kitty/events-sdk';
import { eventStoreCases, testUlid } from '@spec-kitty/events-sdk/testing';
import { describe, expect, test } from 'vitest';

import { openJsonlStore } from '../src/jsonl-store.ts';
import { aFolder, emitInProcess, temporaryFolder } from './support.ts';

describe('the JSON lines store', () => {
  const cases = eventStoreCases(async () => {
    const folder = aFolder();
    const path = join(folder.path, 'home', 'journal.jsonl');
    let store = await openJsonlStore({ path });
    return {
      store,
      async reopen() {
        await store.close();
        store = await openJsonlStore({ path });
        return store;
      },
      async cleanup() {
        await store.close();
        folder.remove();
      },
    };
  });
  for (const { title, run } of cases) test(title, run);
});

test('several processes share one journal: every event is there once, each with a clock value of its own', async () => {
  const journal = join(temporaryFolder(), 'journal.jsonl');

  const processes = [1, 2, 3].map(() => emitInProcess(journal, 20));
  await Promise.all(processes.map(({ ended }) => ended));

  const recorded = processes.flatMap((each) => each.recorded);
  const { ids, clocks } = await contents(journal);
  expect(recorded).toHaveLength(60);
  expect(ids.toSorted()).toEqual(recorded.toSorted());
  expect(new Set(clocks).size).toBe(60);
});

test('what a killed process was told is recorded, and the next one writes on', async () => {
  const journal = join(temporaryFolder(), 'journal.jsonl');
  const { child, lines, recorded, ended } = emitInProcess(journal, 100_000);
  lines.on('line', () => {
    if (recorded.length === 10) child.kill('SIGKILL');
  });
  await ended;

  const next = emitInProcess(journal, 1);
  await next.ended;

  const { ids } = await contents(journal);
  expect(ids).toEqual(expect.arrayContaining([...recorded, ...next.recorded]));
});

test('a line that a crash cut short never was, wherever it was cut', async () => {
  const journal = join(temporaryFolder(), 'journal.jsonl');
  await put(journal, 1);
  const whole = readFileSync(journal);
  await put(journal, 2);
  const both = readFileSync(journal);

  for (let end = whole.length; end < both.length; end += 7) {
    writeFileSync(journal, both.subarray(0, end));
    expect((await contents(journal)).clocks).toEqual([1]);
    expect(readFileSync(journal)).toEqual(whole);
  }
});

test('a last line whose bytes never reached the disk never was', async () => {
  const journal = join(temporaryFolder(), 'journal.jsonl');
  await put(journal, 1);
  appendFileSync(journal, `${'\0'.repeat(200)}\n`);

  expect((await contents(journal)).clocks).toEqual([1]);
});

test('damage before the last line is told, and no byte is changed', async () => {
  const journal = join(temporaryFolder(), 'journal.jsonl');
  await put(journal, 1);
  await put(journal, 2);
  const damaged = readFileSync(journal, 'utf8').replace('"WP01"', '"WP07"');
  writeFileSync(journal, damaged);

  await expect(openJsonlStore({ path: journal })).rejects.toSatisfy((error) =>
    isEventsSdkError(error, 'STORAGE_CORRUPT'),
  );
  expect(readFileSync(journal, 'utf8')).toBe(damaged);
});

test('a journal that was written anew by one process is read anew by another, with nothing lost', async () => {
  const journal = join(temporaryFolder(), 'journal.jsonl');
  const [one, other] = [
    await openJsonlStore({ path: journal, slackLines: 5 }),
    await openJsonlStore({ path: journal }),
  ];
  await insert(other, 1);
  await other.transact((tx) => tx.update(testUlid(1), { retryCount: 3 }));
  await other.transact((tx) => tx.setValue('name', 'value'));
  for (let clock = 2; clock < 20; clock += 1) {
    await insert(one, clock);
    await one.transact((tx) => tx.remove([testUlid(clock)]));
  }
  await insert(other, 20);

  for (const store of [one, other]) {
    const seen = await store.read((reader) => [
      reader.clock(),
      reader.value('name'),
      reader.events().map(({ lamportClock, retryCount }) => [lamportClock, retryCount]),
    ]);
    expect(seen).toEqual([
      20,
      'value',
      [
        [1, 3],
        [20, 0],
      ],
    ]);
    await store.close();
  }
  expect(readFileSync(journal, 'utf8').split('\n').length).toBeLessThan(15);
});

test('a journal that was removed while it was open is noticed', async () => {
  const journal = join(temporaryFolder(), 'journal.jsonl');
  const store = await openJsonlStore({ path: journal });
  rmSync(journal);

  await expect(insert(store, 1)).rejects.toSatisfy((error) => isEventsSdkError(error, 'STORAGE_REPLACED'));

  await store.close();
});

test('only its owner can read the journal', { skip: process.platform === 'win32' }, async () => {
  const journal = join(temporaryFolder(), 'home', 'journal.jsonl');
  await put(journal, 1);

  expect(statSync(journal).mode & 0o777).toBe(0o600);
  expect(statSync(join(journal, '..')).mode & 0o777).toBe(0o700);
});

function insert(store: EventStore, lamportClock: number): Promise<boolean> {
  return store.transact((tx) => {
    tx.raiseClock(lamportClock);
    return tx.insert({
      eventId: testUlid(lamportClock),
      eventType: 'WPStatusChanged',
      aggregateId: 'WP01',
      lamportClock,
      teamSlug: 'acme',
      projectUuid: null,
      data: '{}',
      state: 'queued',
      reason: null,
      server: null,
      projectRoot: null,
      enqueuedAt: 1_770_000_000,
    });
  });
}

async function put(path: string, lamportClock: number): Promise<void> {
  const store = await openJsonlStore({ path });
  await insert(store, lamportClock);
  await store.close();
}

async function contents(path: string) {
  const store = await openJsonlStore({ path });
  const rows = await store.read((reader) => reader.events());
  await store.close();
  return { ids: rows.map(({ eventId }) => eventId), clocks: rows.map(({ lamportClock }) => lamportClock) };
}
