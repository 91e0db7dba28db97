/**
 * A store that outlives its file: where that is removed, replaced or found damaged while a program has it open, the
 * store is opened anew and the transaction under way runs once more there, so that what is acknowledged stands in the
 * file that now has the name. The clock never goes back within the process, whatever the new file says.
 */
import { EventsSdkError, isEventsSdkError } from '../errors.ts';
import type { EventStore, StoreTransaction } from '../storage/port.ts';
import type { StorePatience } from './store-patience.ts';

export interface ReopeningStoreDeps {
  /** Opens the file, making it where it is missing. */
  readonly open: () => Promise<EventStore>;
  /**
   * Sees to a damaged file. `isCertain`: it was looked at before and found sound, and yet it failed again. `clock`: the
   * highest value given out here.
   */
  readonly recover: (damage: { readonly isCertain: boolean; readonly clock: number }) => Promise<void>;
  /** Brings a file that knows less than this process up to it: `clock` is the highest value given out here. */
  readonly settle: (tx: StoreTransaction, clock: number) => void;
  /** Throws where the file must not be made anew. */
  readonly assertWanted: () => void;
  readonly patience: StorePatience;
}

/** First try, look at the damage, and once more after it was put aside in any case. */
const MOST_ROUNDS = 3;

/** Opens the store. Rejects with STORAGE_*. */
export async function openReopeningStore(deps: ReopeningStoreDeps): Promise<EventStore> {
  const { patience } = deps;
  const running = new Set<Promise<unknown>>();
  let opening: Promise<EventStore> | undefined;
  let renewing: Promise<void> | undefined;
  let closing: Promise<void> | undefined;
  /** The highest clock value this process knows to be given out. */
  let highest = 0;

  const current = (): Promise<EventStore> => {
    deps.assertWanted();
    opening ??= deps.open().catch((cause: unknown) => {
      opening = undefined;
      throw cause;
    });
    return opening;
  };

  async function use<T>(run: (store: EventStore) => Promise<T>): Promise<T> {
    let wasLookedAt = false;
    for (let round = 1; ; round += 1) {
      let store: EventStore | undefined;
      try {
        store = await current();
        return await run(store);
      } catch (cause) {
        if (isEventsSdkError(cause, 'STORAGE_BUSY')) patience.failed();
        const isDamaged = isEventsSdkError(cause, 'STORAGE_CORRUPT');
        if (round === MOST_ROUNDS || !(isDamaged || isEventsSdkError(cause, 'STORAGE_REPLACED'))) throw cause;
        renewing ??= renew(store, isDamaged, wasLookedAt).finally(() => (renewing = undefined));
        await renewing;
        wasLookedAt ||= isDamaged;
      }
    }
  }

  /** Of many transactions that failed together one does this; the others find it done. */
  async function renew(failed: EventStore | undefined, isDamaged: boolean, isCertain: boolean): Promise<void> {
    const present = await opening;
    if (present !== failed) return;
    opening = undefined;
    // A damaged file may not even close in order.
    await failed?.close().catch(() => {});
    if (isDamaged) await deps.recover({ isCertain, clock: highest });
  }

  /** Begins the work only while the store is open: what nobody waits for must not fail. */
  function track<T>(begin: () => Promise<T>): Promise<T> {
    if (closing !== undefined) return Promise.reject(new EventsSdkError('CLOSED', 'The event store is closed.'));
    const work = begin();
    running.add(work);
    const forget = (): void => void running.delete(work);
    work.then(forget, forget);
    return work;
  }

  const transact = <T>(work: (tx: StoreTransaction) => T): Promise<T> =>
    use(async (store) => {
      let clock = 0;
      const value = await store.transact((tx) => {
        // An empty or older file stands there now.
        if (tx.clock() < highest || tx.clock() === 0) deps.settle(tx, highest);
        const result = work(tx);
        clock = tx.clock();
        return result;
      });
      // Reading shows nothing about the lock that writing waits for.
      patience.worked();
      highest = Math.max(highest, clock);
      return value;
    });

  await use(async (store) => {
    highest = await store.read((reader) => reader.clock());
  });
  return {
    transact: (work) => track(() => transact(work)),
    read: (work) => track(() => use((store) => store.read(work))),
    close() {
      closing ??= (async () => {
        while (running.size > 0) await Promise.allSettled(running);
        await (await opening?.catch(() => undefined))?.close();
      })();
      return closing;
    },
  };
}
