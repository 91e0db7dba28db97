/**
 * Every promise of the `EventStore` port as a case a store passes or not, without a test framework:
 * a new adapter runs them under whatever runner it likes.
 */

import { deepEqual, equal, ok, rejects } from 'node:assert/strict';
import { isEventsSdkError } from '../errors.ts';
import type { EventStore, NewStoredEvent } from '../storage/port.ts';

/** One opened store under test. */
export interface StoreUnderTest {
  readonly store: EventStore;
  /** Closes and opens the same place again. A store without persistence returns the store it has. */
  reopen(): Promise<EventStore>;
  cleanup(): Promise<void>;
}

/** One promise. `run` rejects when it is broken. */
export interface StoreCase {
  readonly title: string;
  run(): Promise<void>;
}

/** A row whose envelope says what its fields say; `lamportClock` also names it unless `eventId` is given. */
export function aStoredEvent(fields: Partial<NewStoredEvent> & { readonly lamportClock: number }): NewStoredEvent {
  const eventId = fields.eventId ?? `event-${fields.lamportClock}`;
  const { teamSlug = 'acme', projectUuid = 'project-1', aggregateId = 'WP01', eventType = 'WPStatusChanged' } = fields;
  const data = JSON.stringify({
    event_id: eventId,
    event_type: eventType,
    aggregate_id: aggregateId,
    lamport_clock: fields.lamportClock,
    team_slug: teamSlug,
    project_uuid: projectUuid,
  });
  return {
    eventId,
    eventType,
    aggregateId,
    lamportClock: fields.lamportClock,
    teamSlug,
    projectUuid,
    data,
    state: fields.state ?? 'queued',
    reason: fields.reason ?? null,
    server: fields.server ?? null,
    projectRoot: fields.projectRoot ?? null,
    enqueuedAt: fields.enqueuedAt ?? 1_770_000_000,
  };
}

/** The cases; each opens a fresh store and cleans it up. */
export function eventStoreCases(open: () => Promise<StoreUnderTest>): readonly StoreCase[] {
  return Object.entries(PROMISES).map(([title, check]) => ({
    title,
    async run() {
      const opened = await open();
      try {
        await check(opened.store, opened);
      } finally {
        await opened.cleanup();
      }
    },
  }));
}

type Check = (store: EventStore, opened: StoreUnderTest) => Promise<void>;

const put = (store: EventStore, ...events: readonly NewStoredEvent[]): Promise<readonly boolean[]> =>
  store.transact((tx) => events.map((event) => tx.insert(event)));
const idsOf = (
  store: EventStore,
  query?: Parameters<Parameters<Parameters<EventStore['read']>[0]>[0]['events']>[0],
): Promise<readonly string[]> => store.read((reader) => reader.events(query).map((event) => event.eventId));
const clockOf = (store: EventStore): Promise<number> => store.read((reader) => reader.clock());
const whyRejected = async (promise: Promise<unknown>, code: Parameters<typeof isEventsSdkError>[1]): Promise<void> => {
  await rejects(promise, (error) => isEventsSdkError(error, code));
};

const PROMISES: Readonly<Record<string, Check>> = {
  'starts empty, with its clock at 0': async (store) => {
    deepEqual(
      await store.read((reader) => [
        reader.clock(),
        reader.count(),
        reader.events(),
        reader.event('x'),
        reader.value('x'),
      ]),
      [0, 0, [], undefined, undefined],
    );
  },
  'gives back every field of a row as it was put': async (store) => {
    const event = aStoredEvent({
      lamportClock: 3,
      state: 'held',
      reason: 'team',
      server: 'https://a.example',
      projectRoot: '/p',
      teamSlug: null,
    });
    await put(store, event);
    const found = await store.read((reader) => reader.event(event.eventId));
    ok(found !== undefined);
    const { seq, ...rest } = found;
    ok(Number.isInteger(seq));
    deepEqual(rest, { ...event, retryCount: 0 });
  },
  'keeps sending order: clock first, then order of insertion': async (store) => {
    await put(
      store,
      aStoredEvent({ lamportClock: 9 }),
      aStoredEvent({ lamportClock: 2, eventId: 'b' }),
      aStoredEvent({ lamportClock: 2, eventId: 'a' }),
    );
    deepEqual(await idsOf(store), ['b', 'a', 'event-9']);
  },
  'continues behind a position, also between equal clocks': async (store) => {
    await put(
      store,
      ...['c', 'a', 'b'].map((eventId) => aStoredEvent({ lamportClock: 5, eventId })),
      aStoredEvent({ lamportClock: 6 }),
    );
    const [first] = await store.read((reader) => reader.events({ limit: 1 }));
    equal(first?.eventId, 'c');
    deepEqual(await idsOf(store, { after: first, limit: 2 }), ['a', 'b']);
    deepEqual(await idsOf(store, { after: { lamportClock: 6, seq: Number.MAX_SAFE_INTEGER } }), []);
  },
  'filters by state, team, project and server, and by none of them': async (store) => {
    await put(
      store,
      aStoredEvent({ lamportClock: 1 }),
      aStoredEvent({ lamportClock: 2, teamSlug: 'other' }),
      aStoredEvent({ lamportClock: 3, teamSlug: null, state: 'held' }),
      aStoredEvent({ lamportClock: 4, projectUuid: null, state: 'held' }),
      aStoredEvent({ lamportClock: 5, server: 'https://a.example', state: 'parked' }),
      aStoredEvent({ lamportClock: 6, server: 'https://b.example' }),
    );
    const clocks = async (query: Parameters<typeof idsOf>[1]): Promise<readonly string[]> =>
      (await idsOf(store, query)).map((id) => id.replace('event-', ''));
    deepEqual(await clocks({}), ['1', '2', '3', '4', '5', '6']);
    deepEqual(await clocks({ states: ['queued'] }), ['1', '2', '6']);
    deepEqual(await clocks({ states: ['held', 'parked'] }), ['3', '4', '5']);
    deepEqual(await clocks({ states: [] }), []);
    deepEqual(await clocks({ teamSlug: 'acme' }), ['1', '4', '5', '6']);
    deepEqual(await clocks({ teamSlug: null }), ['3']);
    deepEqual(await clocks({ projectUuid: null }), ['4']);
    deepEqual(await clocks({ server: 'https://a.example' }), ['1', '2', '3', '4', '5']);
    deepEqual(
      await clocks({
        states: ['queued'],
        teamSlug: 'acme',
        projectUuid: 'project-1',
        server: 'https://b.example',
        limit: 1,
      }),
      ['1'],
    );
  },
  'counts all rows, and those in the given states': async (store) => {
    await put(
      store,
      ...[1, 2, 3].map((lamportClock) => aStoredEvent({ lamportClock })),
      aStoredEvent({ lamportClock: 4, state: 'held' }),
      aStoredEvent({ lamportClock: 5, state: 'parked' }),
    );
    await store.transact((tx) => tx.update('event-1', { state: 'parked' }));
    deepEqual(
      await store.read((reader) => [
        reader.count(),
        reader.count(['queued']),
        reader.count(['queued', 'held']),
        reader.count(['parked', 'parked']),
        reader.count([]),
      ]),
      [5, 2, 3, 2, 0],
    );
  },
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
