/** What a client opens: once, on first use, and never again after it was told to end. */
import { EventsSdkError } from '../errors.ts';
import { once } from '../internal/once.ts';
import { createOfflineQueue, type OfflineQueue, type OfflineQueueDeps } from '../queue/offline-queue.ts';
import type { EventStore } from '../storage/port.ts';
import { createLedger, type Ledger } from './ledger.ts';

export interface Opened {
  readonly store: EventStore;
  readonly queue: OfflineQueue;
  readonly ledger: Ledger;
}

export interface Parts {
  /** Rejects with STORAGE_*, and with CLOSED after `refuseMore`. */
  open(): Promise<Opened>;
  /** What was opened before, also after `refuseMore`; undefined when nothing was, or it failed. */
  opened(): Promise<Opened | undefined>;
  /** From now on `open` rejects with CLOSED. */
  refuseMore(): void;
  readonly isClosed: boolean;
  close(): Promise<void>;
}

export interface PartsDeps extends Omit<OfflineQueueDeps, 'store' | 'cap' | 'overflow'> {
  readonly openStore: () => Promise<EventStore>;
  readonly cap: OfflineQueueDeps['cap'] | undefined;
  readonly overflow: OfflineQueueDeps['overflow'] | undefined;
}

/** Opens the store on first use and never again after `refuseMore`. */
export function openOnce({ openStore, time, cap, overflow }: PartsDeps): Parts {
  let isClosed = false;
  const open = once(async (): Promise<Opened> => {
    const store = await openStore();
    const ledger = createLedger(
      createOfflineQueue({
        store,
        time,
        ...(cap === undefined ? {} : { cap }),
        ...(overflow === undefined ? {} : { overflow }),
      }),
    );
    return { store, queue: ledger.queue, ledger };
  });
  const opened = async (): Promise<Opened | undefined> =>
    open.isStarted() ? open().catch(() => undefined) : undefined;

  return {
    open: () => (isClosed ? Promise.reject(closedError()) : open()),
    opened,
    refuseMore() {
      isClosed = true;
    },
    get isClosed() {
      return isClosed;
    },
    async close() {
      await (await opened())?.store.close();
    },
  };
}

/** Told to whoever uses a client that was closed. */
export function closedError(): EventsSdkError {
  return new EventsSdkError('CLOSED', 'The client is closed.');
}
