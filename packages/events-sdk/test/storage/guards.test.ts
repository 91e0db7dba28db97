import { describe, expect, test } from 'vitest';
import type { StoreTransaction } from '../../src/storage/port.ts';
import { aStoredEvent } from '../../src/testing/store-suite.ts';
import { openFresh } from './stores.ts';

for (const driver of ['node-sqlite', 'sqljs'] as const) {
  describe(`a transaction of the ${driver} store`, () => {
    test('refuses work that is asynchronous, and undoes what it did', async () => {
      const { store, cleanup } = await openFresh(driver);

      const attempt = store.transact(async (tx) => {
        tx.insert(aStoredEvent({ lamportClock: 1 }));
      });

      await expect(attempt).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
      expect(await store.read((reader) => [reader.count(), reader.clock()])).toEqual([0, 0]);
      await cleanup();
    });

    test('cannot be used after it has ended', async () => {
      const { store, cleanup } = await openFresh(driver);
      let kept: StoreTransaction | undefined;
      await store.transact((tx) => {
        kept = tx;
      });

      expect(() => kept?.insert(aStoredEvent({ lamportClock: 1 }))).toThrow(
        expect.objectContaining({ code: 'CLOSED' }),
      );
      expect(await store.read((reader) => reader.count())).toBe(0);
      await cleanup();
    });

    test('fails with a storage failure inside it even when the work swallows that, and keeps nothing', async () => {
      const { store, cleanup } = await openFresh(driver);

      const attempt = store.transact((tx) => {
        tx.insert(aStoredEvent({ lamportClock: 1 }));
        try {
          // SQLite has no NaN: it stands for null, which the column refuses.
          tx.insert(aStoredEvent({ lamportClock: 2, enqueuedAt: Number.NaN }));
        } catch {
          return 'fine';
        }
        return 'unreachable';
      });

      await expect(attempt).rejects.toMatchObject({ code: 'STORAGE_UNAVAILABLE' });
      expect(await store.read((reader) => [reader.count(), reader.clock()])).toEqual([0, 0]);
      await cleanup();
    });

    test('keeps the other transactions of its commit when its own storage fails', async () => {
      const { store, cleanup } = await openFresh(driver);

      const results = await Promise.allSettled(
        [1, Number.NaN, 3].map((enqueuedAt, index) =>
          store.transact((tx) => tx.insert(aStoredEvent({ lamportClock: index + 1, enqueuedAt }))),
        ),
      );

      expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
      expect(await store.read((reader) => reader.events().map((row) => row.lamportClock))).toEqual([1, 3]);
      await cleanup();
    });
  });
}
