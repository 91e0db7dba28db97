/** The stores under test, on real files in a temporary folder. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withDirectoryLock } from '../../src/node/directory-lock.ts';
import { createSqlJsFile } from '../../src/node/sqljs-file.ts';
import { loadSqlJs } from '../../src/node/load-sqljs.ts';
import { openNodeSqliteStore } from '../../src/storage/node-sqlite/index.ts';
import type { EventStore } from '../../src/storage/port.ts';
import { openSqlJsStore } from '../../src/storage/sqljs/index.ts';
import type { StoreUnderTest } from '../../src/testing/store-suite.ts';

export const DRIVERS = {
  'node-sqlite': (path: string): Promise<EventStore> =>
    openNodeSqliteStore({
      path,
      busyTimeoutMs: 20_000,
      exclusively: (work) => withDirectoryLock(`${path}.lock`, { waitMs: 20_000 }, work),
    }),
  sqljs: (path: string): Promise<EventStore> =>
    openSqlJsStore({ persister: createSqlJsFile({ path, busyTimeoutMs: 20_000 }), loadSqlJs }),
} as const;

export type Driver = keyof typeof DRIVERS;

/** A fresh folder and the path of a queue.db in it that does not exist yet. */
export function aQueuePath(): { readonly path: string; readonly folder: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'event-store-'));
  return {
    folder,
    path: join(folder, 'home', 'queue.db'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** A store on a fresh file, as the suite wants it. */
export async function openFresh(driver: Driver): Promise<StoreUnderTest> {
  const place = aQueuePath();
  let store = await DRIVERS[driver](place.path);
  return {
    store,
    async reopen() {
      await store.close();
      store = await DRIVERS[driver](place.path);
      return store;
    },
    async cleanup() {
      await store.close();
      place.remove();
    },
  };
}
