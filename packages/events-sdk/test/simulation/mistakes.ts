/** Programs that are wrong on purpose, each in one part of a process, for the invariants to find out. */
import type { Persister } from '../../src/storage/sqljs/persister.ts';
import type { EventStore, StoreTransaction } from '../../src/storage/port.ts';
import { VALUE } from '../../src/storage/values.ts';
import type { BatchItem, PushAnswer, Transport } from '../../src/transport/port.ts';
import type { SimulatedProcess } from './process.ts';

export const MISTAKES = {
  'deletes before the answer': 'a delivery that removes events when it sends them',
  'clock in memory': 'a clock that each process keeps for itself',
  'no lock': 'processes that save the queue without its lock',
  'new id': 'a retry under a new id',
  'settles failures': 'a transport failure taken for a delivery',
  'lost wakeup': 'a wait for a wake-up that a killed process never gives',
  'other account': "a batch that takes in another team's events",
  'waits for delivery': 'an emission that waits for its delivery',
  'drops in silence': 'a drop that is not counted',
} as const;

export type Mistake = keyof typeof MISTAKES;

/** The parts of a process, right but for at most one. */
export interface Mistakes {
  file(file: Persister): Persister;
  store(store: EventStore, process: SimulatedProcess): EventStore;
  transport(transport: Transport, store: () => Promise<EventStore>): Transport;
  readonly waitsForAWakeup: boolean;
  readonly waitsForDelivery: boolean;
}

const RIGHT: Mistakes = {
  file: (file) => file,
  store: (store) => store,
  transport: (transport) => transport,
  waitsForAWakeup: false,
  waitsForDelivery: false,
};

export function mistakesOf(mistake: Mistake | undefined): Mistakes {
  switch (mistake) {
    case undefined:
      return RIGHT;
    case 'deletes before the answer':
      return { ...RIGHT, transport: settledEarly };
    case 'clock in memory':
      return { ...RIGHT, store: clockInMemory };
    case 'no lock':
      return { ...RIGHT, file: withoutLock };
    case 'new id':
      return { ...RIGHT, transport: underNewId };
    case 'settles failures':
      return { ...RIGHT, transport: failuresSettled };
    case 'lost wakeup':
      return { ...RIGHT, waitsForAWakeup: true };
    case 'other account':
      return { ...RIGHT, store: withoutTeams };
    case 'waits for delivery':
      return { ...RIGHT, waitsForDelivery: true };
    case 'drops in silence':
      return { ...RIGHT, store: uncounted };
    default:
      return mistake satisfies never;
  }
}

function settledEarly(transport: Transport, store: () => Promise<EventStore>): Transport {
  return {
    ...transport,
    async push(batch, context) {
      await (await store()).transact((tx) => tx.remove(batch.map(({ eventId }) => eventId)));
      return transport.push(batch, context);
    },
  };
}

function failuresSettled(transport: Transport): Transport {
  return {
    ...transport,
    async push(batch, context) {
      const answer = await transport.push(batch, context);
      return answer.kind === 'retryable' ? { kind: 'ok', verdicts: successOf(batch) } : answer;
    },
  };
}

const successOf = (batch: readonly BatchItem[]) =>
  batch.map(({ eventId }) => ({ eventId, verdict: 'success' as const }));

function underNewId(transport: Transport): Transport {
  const tried = new Set<string>();
  let ids = 0;
  return {
    ...transport,
    async push(batch, context): Promise<PushAnswer> {
      const renamed = new Map<string, string>();
      const sent = batch.map((item) => {
        if (!tried.has(item.eventId)) return item;
        const eventId = `${item.eventId.slice(0, -3)}${100 + (ids += 1)}`;
        renamed.set(eventId, item.eventId);
        return { eventId, data: item.data.replace(item.eventId, eventId) };
      });
      for (const { eventId } of batch) tried.add(eventId);
      const answer = await transport.push(sent, context);
      if (answer.kind !== 'ok') return answer;
      const verdicts = answer.verdicts.map((one) => ({ ...one, eventId: renamed.get(one.eventId) ?? one.eventId }));
      return { ...answer, verdicts };
    },
  };
}

function withoutLock(file: Persister): Persister {
  return {
    load: (known) => file.load(known),
    exclusively: (work) => work(),
    save: async (bytes) => file.save(bytes, (await file.load())?.generation ?? ''),
  };
}

/** `store`, with transactions that do some things otherwise. */
function altered(store: EventStore, change: (tx: StoreTransaction) => Partial<StoreTransaction>): EventStore {
  return { ...store, transact: (work) => store.transact((tx) => work({ ...tx, ...change(tx) })) };
}

function clockInMemory(store: EventStore): EventStore {
  let clock: number | undefined;
  return altered(store, (tx) => ({
    clock: () => (clock ??= tx.clock()),
    raiseClock(value) {
      clock = Math.max(clock ?? tx.clock(), value);
    },
  }));
}

function uncounted(store: EventStore): EventStore {
  return altered(store, (tx) => ({
    setValue(key, value) {
      if (key !== VALUE.dropped) tx.setValue(key, value);
    },
  }));
}

function withoutTeams(store: EventStore): EventStore {
  return {
    ...store,
    read: (work) =>
      store.read((reader) =>
        work({
          ...reader,
          events({ teamSlug, ...query } = {}) {
            return reader.events(teamSlug === null ? { teamSlug, ...query } : query);
          },
        }),
      ),
  };
}
