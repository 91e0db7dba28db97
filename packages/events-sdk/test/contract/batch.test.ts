/** What a batch request weighs, and how a 200 answer's body is read. */
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';

import { BATCH_PATH, batchBytes, batchRequestSchema, readVerdicts } from '../../src/contract/batch.ts';
import { anEvent } from '../../src/testing/an-event.ts';

const A = '01KGVZ3Q8M5T2N7RJ4W6XA9BCD';

const read = (fields: Readonly<Record<string, unknown>>) =>
  readVerdicts({ results: [{ event_id: A, status: 'rejected', ...fields }] })?.[0];

describe('a request', () => {
  test('goes to the path with the slash at its end', () => {
    expect(BATCH_PATH).toBe('/api/v1/events/batch/');
  });

  test('holds one to a thousand whole envelopes', () => {
    const holds = (count: number): boolean =>
      v.is(batchRequestSchema, { events: Array.from({ length: count }, (_, n) => anEvent({ lamport_clock: n + 1 })) });

    expect([0, 1, 1000, 1001].map(holds)).toEqual([false, true, true, false]);
    expect(v.is(batchRequestSchema, { events: [{}] })).toBe(false);
    expect(v.is(batchRequestSchema, {})).toBe(false);
  });

  test('weighs what its events and what stands around them take in UTF-8', () => {
    const texts = ['{"a":"x"}', '{"a":"ä"}', '{"a":"🐈"}'];

    expect(batchBytes([])).toBe(Buffer.byteLength('{"events":[]}'));
    // One comma an event: the last has none, so the sum is one byte on the safe side.
    expect(batchBytes(texts.map((data) => ({ data })))).toBe(Buffer.byteLength(`{"events":[${texts.join()}]}`) + 1);
  });
});

describe('a verdict', () => {
  test('has the words of error_message before those of error, and passes over empty ones and what is no text', () => {
    expect(read({ error_message: 'first', error: 'second' })?.reason).toBe('first');
    expect(read({ error_message: '', error: 'second' })?.reason).toBe('second');
    expect(read({ error_message: { code: 7 }, error: 'second' })?.reason).toBe('second');
    expect(read({ error_message: null, error: 'second' })?.reason).toBe('second');
  });

  test('names the status where a rejection has no words, and nothing where there is nothing to explain', () => {
    expect(read({})?.reason).toBe('status "rejected"');
    expect(read({ error: '' })?.reason).toBe('status "rejected"');
    expect(read({ status: 'vanished' })).toEqual({ eventId: A, verdict: 'rejected', reason: 'status "vanished"' });
    for (const status of ['success', 'duplicate', 'pending']) {
      expect(read({ status })).toStrictEqual({ eventId: A, verdict: status });
      expect(read({ status, error: 'by the way' })).toEqual({ eventId: A, verdict: status, reason: 'by the way' });
    }
  });

  test('carries the clock of the server only where it is a whole number', () => {
    expect(read({ server_clock: 41 })).toMatchObject({ serverClock: 41 });
    for (const clock of ['41', 41.5, 2 ** 53, Number.NaN, null, undefined, {}])
      expect(read({ server_clock: clock })).not.toHaveProperty('serverClock');
  });

  test('costs no other one its place: a damaged element is left out', () => {
    expect(readVerdicts({ results: [null, { event_id: A }, { event_id: A, status: 'success' }], more: 1 })).toEqual([
      { eventId: A, verdict: 'success' },
    ]);
  });
});

test.each([
  ['no list', { results: {} }],
  ['no results', {}],
  ['nothing', undefined],
  ['a list', []],
])('a body with %s is none of this contract', (_name, body) => {
  expect(readVerdicts(body)).toBeUndefined();
});
