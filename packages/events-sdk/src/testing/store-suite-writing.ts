/** The port's promises about what is written: all or nothing, in turn, the clock, and what stays. */

import { deepEqual, equal, rejects } from './check.ts';
import { aStoredEvent, clockOf, idsOf, put, whyRejected } from './store-suite-rows.ts';
import type { Promises } from './store-suite-rows.ts';

/** What writing promises. */
export const WRITING_PROMISES: Promises = {
  'keeps the first row of an event id and says so': async (store) => {
    deepEqual(
      await put(
        store,
        aStoredEvent({ lamportClock: 1, eventId: 'same' }),
        aStoredEvent({ lamportClock: 2, eventId: 'same' }),
      ),
      [true, false],
    );
    equal(await store.read((reader) => reader.event('same')?.lamportClock), 1);
    equal(await store.read((reader) => reader.count()), 1);
  },
  'changes only what a patch names, with the facts of the new envelope': async (store) => {
    await put(store, aStoredEvent({ lamportClock: 1, teamSlug: null, state: 'held', reason: 'team' }));
    const { data } = aStoredEvent({ lamportClock: 8, eventId: 'event-1' });
    await store.transact((tx) => {
      tx.update('event-1', { data, teamSlug: 'acme', lamportClock: 8, state: 'queued', reason: null, retryCount: 2 });
      tx.update('missing', { state: 'parked' });
    });
    const row = await store.read((reader) => reader.event('event-1'));
    deepEqual(
      [row?.data, row?.teamSlug, row?.lamportClock, row?.state, row?.reason, row?.retryCount],
      [data, 'acme', 8, 'queued', null, 2],
    );
    equal(row?.projectUuid, 'project-1');
  },
  'removes thousands of rows at once and ignores the unknown': async (store) => {
    const events = Array.from({ length: 2_500 }, (_, index) => aStoredEvent({ lamportClock: index + 1 }));
    await put(store, ...events);
    await store.transact((tx) => tx.remove([...events.slice(1).map((event) => event.eventId), 'unknown']));
    deepEqual(await idsOf(store), ['event-1']);
  },
  'sees its own changes inside a transaction': async (store) => {
    const seen = await store.transact((tx) => {
      tx.insert(aStoredEvent({ lamportClock: 4 }));
      tx.setValue('name', 'value');
      return [tx.count(), tx.clock(), tx.value('name'), tx.events().length];
    });
    deepEqual(seen, [1, 4, 'value', 1]);
  },
  'leaves no trace of a transaction that throws, and passes the error on': async (store) => {
    await put(store, aStoredEvent({ lamportClock: 1 }));
    const failure = new Error('changed my mind');
    const attempt = store.transact((tx) => {
      tx.insert(aStoredEvent({ lamportClock: 2 }));
      tx.update('event-1', { state: 'parked' });
      tx.raiseClock(50);
      tx.setValue('name', 'value');
      tx.remove(['event-1']);
      throw failure;
    });
    await rejects(attempt, (error) => error === failure);
    deepEqual(
      await store.read((reader) => [
        reader.clock(),
        reader.value('name'),
        reader.events().map((event) => [event.eventId, event.state]),
      ]),
      [1, undefined, [['event-1', 'queued']]],
    );
  },
  'undoes only the one that throws among transactions that wait together': async (store) => {
    const results = await Promise.allSettled(
      [1, 2, 3, 4].map((lamportClock) =>
        store.transact((tx) => {
          tx.insert(aStoredEvent({ lamportClock }));
          if (lamportClock === 3) throw new Error('not this one');
        }),
      ),
    );
    deepEqual(
      results.map((result) => result.status),
      ['fulfilled', 'fulfilled', 'rejected', 'fulfilled'],
    );
    deepEqual(await idsOf(store), ['event-1', 'event-2', 'event-4']);
  },
  'counts and ticks right from one transaction to the next, whatever came between': async (store) => {
    const look = (): Promise<unknown> =>
      store.read((reader) => [
        reader.clock(),
        reader.count({ states: ['queued'] }),
        reader.count({ states: ['held', 'parked'] }),
      ]);
    await put(store, aStoredEvent({ lamportClock: 1 }), aStoredEvent({ lamportClock: 2, state: 'held' }));
    deepEqual(await look(), [2, 1, 1]);
    await put(store, aStoredEvent({ lamportClock: 1 }), aStoredEvent({ lamportClock: 3 }));
    deepEqual(await look(), [3, 2, 1]);
    await store.transact((tx) => tx.update('event-2', { state: 'queued', reason: null }));
    deepEqual(await look(), [3, 3, 0]);
    const failed = store.transact((tx) => {
      tx.raiseClock(70);
      tx.insert(aStoredEvent({ lamportClock: 71 }));
      throw new Error('not this one');
    });
    await rejects(failed);
    deepEqual(await look(), [3, 3, 0]);
    await store.transact((tx) =>
      tx.update('event-3', { data: aStoredEvent({ lamportClock: 9, eventId: 'event-3' }).data, lamportClock: 9 }),
    );
    deepEqual(await look(), [9, 3, 0]);
    await store.transact((tx) => tx.remove(['event-1', 'event-3']));
    deepEqual(await look(), [9, 1, 0]);
  },
  'raises the clock and never lowers it': async (store) => {
    await store.transact((tx) => tx.raiseClock(7));
    await store.transact((tx) => tx.raiseClock(3));
    equal(await clockOf(store), 7);
  },
  'sees a larger clock among its rows, and remembers it when they are gone': async (store) => {
    await store.transact((tx) => {
      tx.raiseClock(3);
      tx.insert(aStoredEvent({ lamportClock: 40 }));
    });
    equal(await clockOf(store), 40);
    await store.transact((tx) => tx.remove(['event-40']));
    equal(await clockOf(store), 40);
  },
  'runs the transactions of one process one after another, in the order they were asked for': async (store) => {
    const given = await Promise.all(
      Array.from({ length: 50 }, () =>
        store.transact((tx) => {
          const clock = tx.clock() + 1;
          tx.raiseClock(clock);
          tx.insert(aStoredEvent({ lamportClock: clock }));
          return clock;
        }),
      ),
    );
    deepEqual(
      given,
      Array.from({ length: 50 }, (_, index) => index + 1),
    );
  },
  'keeps named values, replaces and removes them, apart from the clock': async (store) => {
    await store.transact((tx) => {
      for (const key of ['clock', 'a', 'b']) tx.setValue(key, `${key}-1`);
      tx.setValue('a', 'a-2');
      tx.setValue('b', null);
      tx.raiseClock(5);
    });
    deepEqual(await store.read((reader) => ['clock', 'a', 'b'].map((key) => reader.value(key))), [
      'clock-1',
      'a-2',
      undefined,
    ]);
    equal(await clockOf(store), 5);
  },
  'has everything after it was opened again': async (store, opened) => {
    await store.transact((tx) => {
      tx.insert(aStoredEvent({ lamportClock: 2 }));
      tx.raiseClock(9);
      tx.setValue('name', 'value');
    });
    const again = await opened.reopen();
    deepEqual(
      await again.read((reader) => [
        reader.clock(),
        reader.value('name'),
        reader.events().map((event) => event.eventId),
      ]),
      [9, 'value', ['event-2']],
    );
  },
  'finishes what was asked for before it closes, and refuses what comes after': async (store) => {
    const last = put(store, aStoredEvent({ lamportClock: 1 }));
    await store.close();
    deepEqual(await last, [true]);
    await whyRejected(
      store.transact(() => 0),
      'CLOSED',
    );
    await whyRejected(
      store.read(() => 0),
      'CLOSED',
    );
    await store.close();
  },
};
