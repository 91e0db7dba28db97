/**
 * Keeps the sql.js store's image in IndexedDB, for web pages and workers: one entry that all tabs of an origin share,
 * replaced in one transaction under a Web Lock. The browser has flushed what was acknowledged. It may still
 * throw the whole entry away (private windows, cleared site data, eviction): the next page then finds an empty queue.
 */

import { EventsSdkError, isEventsSdkError } from '../../errors.ts';
import { systemTime, type Time } from '../../internal/time.ts';
import type { IdbDatabase, IdbRequest, IdbStore, WebRuntime } from './indexed-db-types.ts';
import type { Persister, StoredImage } from './persister.ts';

/** Which entry, and how long to wait for it. */
export interface IndexedDbOptions {
  /** Name of the database, and of the lock: tabs that say the same name share one store. Default `spec-kitty-events`. */
  readonly name?: string;
  /** Longest wait for other tabs, in milliseconds. Default 15000: every turn of theirs rewrites the image. */
  readonly busyTimeoutMs?: number;
  /** Default: the machine's own. */
  readonly time?: Time;
}

const STORE = 'image';
const NO_IMAGE = 'none';

/** A persister for {@link openSqlJsStore}. Opens nothing before its first use; rejects with STORAGE_*. Needs a secure context (https, or http on loopback). */
export function createIndexedDbPersister(options: IndexedDbOptions = {}): Persister {
  const { name = 'spec-kitty-events', busyTimeoutMs = 15_000, time = systemTime } = options;
  let opened: Promise<IdbDatabase> | undefined;

  function database(): Promise<IdbDatabase> {
    opened ??= openDatabase(name, () => (opened = undefined)).catch((cause: unknown) => {
      opened = undefined;
      throw cause;
    });
    return opened;
  }

  /** Both records agree: they are only ever read and written in one transaction. */
  async function inStore<T>(mode: 'readonly' | 'readwrite', work: (store: IdbStore) => Promise<T>): Promise<T> {
    try {
      // `strict`: complete means flushed; the default of most browsers is "handed to the system".
      const transaction = (await database()).transaction(STORE, mode, { durability: 'strict' });
      const complete = new Promise<void>((resolve, reject) => {
        transaction.addEventListener('complete', () => resolve());
        transaction.addEventListener('abort', () =>
          reject(transaction.error ?? new Error('The transaction was aborted.')),
        );
      });
      // It is awaited below, in whatever way the work ends; until then it must not count as unhandled.
      complete.catch(() => {});
      try {
        return await work(transaction.objectStore(STORE));
      } finally {
        // Its own reason, where it has one (no more room), says more than that a request of it was aborted.
        await complete;
      }
    } catch (cause) {
      throw toStorageError(cause);
    }
  }

  return {
    load: (known) =>
      inStore('readonly', async (store): Promise<StoredImage | undefined> => {
        const generation = (await valueOf(store.get('generation'))) ?? NO_IMAGE;
        if (generation === known) return undefined;
        const bytes = (await valueOf(store.get('bytes'))) ?? null;
        if (typeof generation === 'string' && (bytes === null || bytes instanceof Uint8Array))
          return { generation, bytes };
        throw new EventsSdkError(
          'STORAGE_CORRUPT',
          `The IndexedDB database "${name}" holds something else than events.`,
        );
      }),

    exclusively<T>(work: () => Promise<T>): Promise<T> {
      const { locks } = web().navigator ?? {};
      if (locks === undefined)
        return Promise.reject(unavailable('This page has no Web Locks: it needs https, or http on this machine.'));
      const { promise, resolve, reject } = Promise.withResolvers<T>();
      const waiting = new AbortController();
      const stopWaiting = time.after(busyTimeoutMs, () => {
        reject(new EventsSdkError('STORAGE_BUSY', 'Other tabs kept the event store busy. Try again.'));
        waiting.abort();
      });
      locks
        .request(`${name} image`, { signal: waiting.signal }, async () => {
          // Chromium misses an abort right after a page's first request, and grants the lock when it is free.
          if (waiting.signal.aborted) return;
          stopWaiting();
          await work().then(resolve, reject);
        })
        .catch((cause: unknown) => {
          stopWaiting();
          reject(toStorageError(cause));
        });
      return promise;
    },

    save: (bytes, replaced) =>
      inStore('readwrite', async (store) => {
        // The lock keeps other tabs out; a page that does not know it, or cleared site data, is seen here.
        if (((await valueOf(store.get('generation'))) ?? NO_IMAGE) !== replaced)
          throw new EventsSdkError('STORAGE_BUSY', 'Somebody else changed the event store meanwhile. Try again.');
        // Never one used before, also when the data was cleared in between.
        const generation = globalThis.crypto.randomUUID();
        store.put(bytes, 'bytes');
        await valueOf(store.put(generation, 'generation'));
        return generation;
      }),
  };
}

function openDatabase(name: string, onGone: () => void): Promise<IdbDatabase> {
  const { indexedDB } = web();
  if (indexedDB === undefined) return Promise.reject(unavailable('This runtime has no IndexedDB.'));
  const request = indexedDB.open(name, 1);
  request.addEventListener('upgradeneeded', () => {
    request.result.createObjectStore(STORE);
  });
  return valueOf(request).then((database) => {
    // Somebody deletes the data: let go, so that they need not wait for this page to close.
    database.addEventListener('versionchange', () => {
      database.close();
      onGone();
    });
    database.addEventListener('close', onGone);
    return database;
  });
}

function valueOf<T>(request: IdbRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener('success', () => resolve(request.result));
    request.addEventListener('error', () => reject(request.error ?? new Error('The request failed.')));
  });
}

function toStorageError(cause: unknown): EventsSdkError {
  if (isEventsSdkError(cause)) return cause;
  const reason = cause instanceof Error ? cause.name : 'unknown';
  return unavailable(
    reason === 'QuotaExceededError'
      ? 'The browser gives the event store no more room. Free some space and try again.'
      : `Cannot use the event store in IndexedDB (${reason}). Check that this site may keep data.`,
    cause,
  );
}

function unavailable(message: string, cause?: unknown): EventsSdkError {
  return new EventsSdkError('STORAGE_UNAVAILABLE', message, { cause });
}

/** What a browser has and Node does not; absent where this is no browser. */
function web(): WebRuntime {
  return globalThis;
}
