import { expect, test } from 'vitest';

import { BATCH_INTERVAL_MS } from '../../src/contract/limits.ts';
import { noteBatch, noteFloor, readFloor, readPaceWait } from '../../src/engine/pace.ts';
import { createMemoryStore } from '../../src/storage/memory.ts';
import { MAX_RETRY_AFTER_MS } from '../../src/transport/retry-after.ts';

const NOW = 50_000_000;
const SERVER = 'https://team.example';
const THROTTLED = { by: 'throttled', message: 'Slow down.' } as const;

test('the next batch waits for what is left of the pace, and for nothing when the clock was set back (FR-033)', async () => {
  const store = createMemoryStore();
  const waitAt = (now: number): Promise<number> => store.read((reader) => readPaceWait(reader, now));
  expect(await waitAt(NOW)).toBe(0);

  await store.transact((tx) => {
    noteBatch(tx, NOW);
  });

  expect(await waitAt(NOW)).toBe(BATCH_INTERVAL_MS);
  expect(await waitAt(NOW + 1200)).toBe(BATCH_INTERVAL_MS - 1200);
  expect(await waitAt(NOW + BATCH_INTERVAL_MS)).toBe(0);
  expect(await waitAt(NOW - 1)).toBe(0);
});

test("a server's floor is its own, ends by itself, and is not believed after the clock was set back", async () => {
  const store = createMemoryStore();
  const floorAt = (now: number, server = SERVER) => store.read((reader) => readFloor(reader, server, now));
  await store.transact((tx) => {
    noteFloor(tx, SERVER, { ...THROTTLED, retryAfterMs: 8000 }, NOW);
  });

  expect(await floorAt(NOW + 3000)).toEqual({ ...THROTTLED, retryAfterMs: 5000 });
  expect(await floorAt(NOW + 8000)).toBeUndefined();
  expect(await floorAt(NOW - 1)).toBeUndefined();
  expect(await floorAt(NOW + 3000, 'https://other.example')).toBeUndefined();
});

test('an answer without a floor sets none, and an unreadable one is none', async () => {
  const store = createMemoryStore();
  await store.transact((tx) => {
    noteFloor(tx, SERVER, THROTTLED, NOW);
    noteFloor(tx, SERVER, { ...THROTTLED, retryAfterMs: 0 }, NOW);
  });
  expect(await store.read((reader) => reader.value(`retry_floor:${SERVER}`))).toBeUndefined();

  const endless = { setAt: NOW, until: NOW + MAX_RETRY_AFTER_MS * 2, by: 'throttled', message: '' };
  for (const text of ['{', '{}', JSON.stringify(endless)]) {
    await store.transact((tx) => {
      tx.setValue(`retry_floor:${SERVER}`, text);
    });
    expect(await store.read((reader) => readFloor(reader, SERVER, NOW))).toBeUndefined();
  }
});

test.each(['throttled', 'server-error', 'unreachable', 'aborted'] as const)(
  'a floor of a server that was %s lasts as long as one may, to the millisecond',
  async (by) => {
    const store = createMemoryStore();
    const stop = { by, message: 'Later.', retryAfterMs: MAX_RETRY_AFTER_MS };
    await store.transact((tx) => {
      noteFloor(tx, SERVER, stop, NOW);
    });

    expect(await store.read((reader) => readFloor(reader, SERVER, NOW))).toEqual(stop);
    expect(await store.read((reader) => readFloor(reader, SERVER, NOW + MAX_RETRY_AFTER_MS - 1))).toMatchObject({
      retryAfterMs: 1,
    });
  },
);
