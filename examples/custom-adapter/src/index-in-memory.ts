/**
 * The rows, in memory: the SDK's own memory store answers queries, and beside it stands what each transaction changed,
 * so that it can be written down and done again.
 */
import type { EventStore, NewStoredEvent, StoreReader, StoreTransaction } from '@spec-kitty/events-sdk';
import { createMemoryStore } from '@spec-kitty/events-sdk/storage/memory';

type Patch = Parameters<StoreTransaction['update']>[1];

/** One change, as it is written into the journal. */
export type Change =
  | readonly ['clock', number]
  | readonly ['insert', NewStoredEvent]
  | readonly ['update', string, Patch]
  | readonly ['remove', readonly string[]]
  | readonly ['value', string, string | null];

/** What a store knows of its journal. */
export interface Index {
  /** Runs `work`; its changes are handed to `commit` before they count. A throw of either leaves the index as it was. */
  transact<T>(work: (tx: StoreTransaction) => T, commit: (changes: readonly Change[]) => void): Promise<T>;
  read<T>(work: (reader: StoreReader) => T): Promise<T>;
  /** Does again what a line of the journal says. */
  replay(changes: readonly Change[]): void;
  /** Number of rows. */
  size(): number;
  /** The changes that lead from nothing to here. */
  everything(): readonly Change[];
}

/** An empty index. */
export function openIndex(): Index {
  const memory: EventStore = createMemoryStore();
  /** Beside the memory store, whose values can be asked for by name only. */
  const values = new Map<string, string>();
  let size = 0;
  let everything: readonly Change[] = [];

  function note(reader: StoreReader): void {
    size = reader.count();
    everything = [];
  }
  const noteValues = (changes: readonly Change[]): void => {
    for (const change of changes) {
      if (change[0] !== 'value') continue;
      if (change[2] === null) values.delete(change[1]);
      else values.set(change[1], change[2]);
    }
  };

  return {
    async transact(work, commit) {
      const changes: Change[] = [];
      const result = await memory.transact((tx) => {
        const answer = work(recording(tx, changes));
        commit(changes);
        note(tx);
        return answer;
      });
      noteValues(changes);
      return result;
    },
    read: (work) => memory.read(work),
    replay(changes) {
      // The memory store runs `work` before it returns, so nothing can come between two lines.
      void memory.transact((tx) => {
        for (const change of changes) apply(tx, change);
        note(tx);
      });
      noteValues(changes);
    },
    size: () => size,
    everything() {
      void memory.read((reader) => {
        everything = changesOf(reader, values);
      });
      return everything;
    },
  };
}

/** A transaction that also writes down what is done to it. */
function recording(tx: StoreTransaction, changes: Change[]): StoreTransaction {
  return {
    ...tx,
    raiseClock(value) {
      if (value <= tx.clock()) return;
      tx.raiseClock(value);
      changes.push(['clock', value]);
    },
    insert(event) {
      const isNew = tx.insert(event);
      if (isNew) changes.push(['insert', event]);
      return isNew;
    },
    update(eventId, patch) {
      tx.update(eventId, patch);
      changes.push(['update', eventId, patch]);
    },
    remove(eventIds) {
      tx.remove(eventIds);
      if (eventIds.length > 0) changes.push(['remove', eventIds]);
    },
    setValue(key, value) {
      tx.setValue(key, value);
      changes.push(['value', key, value]);
    },
  };
}

function apply(tx: StoreTransaction, change: Change): void {
  switch (change[0]) {
    case 'clock':
      return tx.raiseClock(change[1]);
    case 'insert':
      tx.insert(change[1]);
      return undefined;
    case 'update':
      return tx.update(change[1], change[2]);
    case 'remove':
      return tx.remove(change[1]);
    case 'value':
      return tx.setValue(change[1], change[2]);
    default:
      return change satisfies never;
  }
}

/** Rows in the order they were inserted, because that decides between equal clock values. */
function changesOf(reader: StoreReader, values: ReadonlyMap<string, string>): readonly Change[] {
  const rows = reader.events().toSorted((a, b) => a.seq - b.seq);
  return [
    ['clock', reader.clock()],
    ...[...values].map(([key, value]): Change => ['value', key, value]),
    ...rows.flatMap(({ seq: _seq, retryCount, ...row }): readonly Change[] => {
      const insert: Change = ['insert', row];
      return retryCount === 0 ? [insert] : [insert, ['update', row.eventId, { retryCount }]];
    }),
  ];
}
