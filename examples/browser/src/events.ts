/** What this page records: an event map of its own. Server and page read the same one. */
import { defineEvent } from '@spec-kitty/events-sdk';
import * as v from 'valibot';

/** Readings somebody takes at stations, often out of reach of any network. */
export const fieldEvents = {
  ReadingTaken: defineEvent({
    payload: v.strictObject({
      station: v.pipe(v.string(), v.minLength(1)),
      celsius: v.number(),
    }),
    aggregateType: 'Station',
    aggregateId: (payload) => payload.station,
  }),
};

/** The map's type. */
export type FieldEvents = typeof fieldEvents;
