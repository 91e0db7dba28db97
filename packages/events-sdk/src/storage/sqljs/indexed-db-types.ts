/** As much of IndexedDB and Web Locks as the persister uses. Own types, because the library compiles without those of the DOM. */

/** What of a browser's global object is used; everything may be missing. */
export interface WebRuntime {
  readonly indexedDB?: { open(name: string, version: number): IdbOpenRequest };
  readonly navigator?: { readonly locks?: LockManager };
}

interface LockManager {
  request<T>(name: string, options: { readonly signal: AbortSignal }, work: () => Promise<T>): Promise<T>;
}

/** What all of them are: they say when something has happened. */
interface Emits<E extends string> {
  addEventListener(event: E, listener: () => void): void;
}

export interface IdbRequest<T, E extends string = never> extends Emits<'success' | 'error' | E> {
  readonly result: T;
  readonly error: Error | null;
}

type IdbOpenRequest = IdbRequest<IdbDatabase, 'upgradeneeded'>;

export interface IdbDatabase extends Emits<'versionchange' | 'close'> {
  transaction(
    store: string,
    mode: 'readonly' | 'readwrite',
    options: { readonly durability: 'strict' },
  ): IdbTransaction;
  createObjectStore(name: string): unknown;
  close(): void;
}

interface IdbTransaction extends Emits<'complete' | 'abort'> {
  readonly error: Error | null;
  objectStore(name: string): IdbStore;
}

export interface IdbStore {
  get(key: string): IdbRequest<unknown>;
  put(value: unknown, key: string): IdbRequest<unknown>;
}
