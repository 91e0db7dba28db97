/** A contract server for a program with events of its own. */
import * as v from 'valibot';
import { expect, test } from 'vitest';

import { defineEvent } from '../../src/contract/event-map.ts';
import { anEvent, testUlid } from '../../src/testing/an-event.ts';
import { startServer } from './setup.ts';

const events = {
  BackupFinished: defineEvent({
    payload: v.strictObject({ job: v.string() }),
    aggregateType: 'Backup',
    aggregateId: (payload) => payload.job,
  }),
};
const BACKUP = { event_type: 'BackupFinished', aggregate_type: 'Backup', aggregate_id: 'nightly' };

test('checks the events of the map it was given, and knows no others', async () => {
  const { push, server } = await startServer({ events });

  const { body } = await push([
    anEvent({ ...BACKUP, lamport_clock: 1, payload: { job: 'nightly' } }),
    anEvent({ ...BACKUP, lamport_clock: 2, payload: { job: 7 } }),
    anEvent({ lamport_clock: 3 }),
  ]);

  expect(body.results).toMatchObject([
    { status: 'success' },
    { status: 'rejected', error: expect.stringContaining('payload.job') },
    { status: 'rejected', error: 'event_type: is not an event of this contract' },
  ]);
  expect(server.events().map(({ envelope }) => envelope.event_id)).toEqual([testUlid(1)]);
  expect(server.board('acme').features).toEqual([]);
});
