/** What a build tool's cache has to tell. The library knows nothing of it but this map. */
import { defineEvent, type Draft, type EventEnvelope } from '@spec-kitty/events-sdk';
import * as v from 'valibot';

const name = v.pipe(v.string(), v.minLength(1));
const key = v.pipe(v.string(), v.regex(/^[0-9a-f]{8}$/, 'must be eight hex digits'));
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

export const cacheEvents = {
  TargetBuilt: defineEvent({
    payload: v.strictObject({
      target: name,
      key,
      from: v.picklist(['cache', 'sources']),
      duration_ms: count,
    }),
    aggregateType: 'Target',
    aggregateId: ({ target }) => target,
  }),
  CacheMissed: defineEvent({
    payload: v.strictObject({ target: name, key, because: v.picklist(['new', 'changed', 'pruned']) }),
    aggregateType: 'Target',
    aggregateId: ({ target }) => target,
  }),
  CachePruned: defineEvent({
    payload: v.strictObject({ cache: name, entries: count, bytes: count }),
    aggregateType: 'Cache',
    aggregateId: ({ cache }) => cache,
  }),
};

export type CacheEvents = typeof cacheEvents;
export type CacheDraft = Draft<CacheEvents>;

/** One line about an event. Its payload is known by its type. */
export function describe(event: EventEnvelope<CacheEvents>): string {
  switch (event.event_type) {
    case 'TargetBuilt':
      return `${event.payload.target} built from ${event.payload.from} in ${event.payload.duration_ms} ms`;
    case 'CacheMissed':
      return `${event.payload.target} not in the cache: ${event.payload.because}`;
    case 'CachePruned':
      return `${event.payload.entries} entries pruned, ${event.payload.bytes} bytes freed`;
    default:
      return event satisfies never;
  }
}
