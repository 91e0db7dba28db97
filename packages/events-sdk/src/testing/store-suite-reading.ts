/** The port's promises about what is read: fields, order, filters, counts. */

import { deepEqual, equal, ok } from './check.ts';
import { aStoredEvent, idsOf, put } from './store-suite-rows.ts';
import type { Promises } from './store-suite-rows.ts';

/** What reading promises. */
export const READING_PROMISES: Promises = {
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
        reader.count({ states: ['queued'] }),
        reader.count({ states: ['queued', 'held'] }),
        reader.count({ states: ['parked', 'parked'] }),
        reader.count({ states: [] }),
      ]),
      [5, 2, 3, 2, 0],
    );
  },
  'counts and finds the rows with one reason': async (store) => {
    await put(
      store,
      aStoredEvent({ lamportClock: 1, state: 'held', reason: 'team' }),
      aStoredEvent({ lamportClock: 2, state: 'held', reason: 'project' }),
      aStoredEvent({ lamportClock: 3, state: 'parked', reason: 'team' }),
      aStoredEvent({ lamportClock: 4 }),
    );
    const counts = await store.read((reader) => [
      reader.count({ reason: 'team' }),
      reader.count({ states: ['held'], reason: 'team' }),
      reader.count({ reason: 'disabled' }),
    ]);
    deepEqual(counts, [2, 1, 0]);
    deepEqual(await idsOf(store, { reason: 'team' }), ['event-1', 'event-3']);
  },
  'counts the rows of one team, and those one server may have': async (store) => {
    await put(
      store,
      aStoredEvent({ lamportClock: 1 }),
      aStoredEvent({ lamportClock: 2, server: 'https://a.example' }),
      aStoredEvent({ lamportClock: 3, server: 'https://b.example' }),
      aStoredEvent({ lamportClock: 4, teamSlug: 'other' }),
      aStoredEvent({ lamportClock: 5, teamSlug: null, state: 'held' }),
    );
    deepEqual(
      await store.read((reader) => [
        reader.count({ teamSlug: 'acme' }),
        reader.count({ teamSlug: null }),
        reader.count({ server: 'https://a.example' }),
        reader.count({ states: ['queued'], teamSlug: 'acme', server: 'https://b.example' }),
        reader.count({ states: [], teamSlug: 'acme' }),
      ]),
      [3, 1, 4, 2, 0],
    );
  },
};
