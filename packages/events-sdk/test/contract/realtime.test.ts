/** Reading a server's frames: tolerant, total, and never guessing at a verdict. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';

import { authFrame, eventFrame, pongFrame, readServerFrame } from '../../src/contract/realtime.ts';

const ID = '01KGVZ3Q8M5T2N7RJ4W6XA9BCD';
const read = (frame: unknown) => readServerFrame(JSON.stringify(frame));

const frames: [string, unknown, object][] = [
  ['a snapshot', { type: 'snapshot', work_packages: [{}, {}] }, { kind: 'snapshot', workPackages: 2 }],
  ['a snapshot without a list', { type: 'snapshot' }, { kind: 'snapshot', workPackages: 0 }],
  ['an event', { type: 'event', event_id: ID, later: 1 }, { kind: 'event', event: { event_id: ID, later: 1 } }],
  ['a ping', { type: 'ping', timestamp: '2026-02-07T18:04:05Z' }, { kind: 'ping', timestamp: '2026-02-07T18:04:05Z' }],
  ['a ping with a number', { type: 'ping', timestamp: 1.5 }, { kind: 'ping', timestamp: 1.5 }],
  ['a bare ping', { type: 'ping' }, { kind: 'ping', timestamp: null }],
  ['a ping with a tale', { type: 'ping', timestamp: 'x'.repeat(201) }, { kind: 'unknown' }],
  ['a ping with a tree', { type: 'ping', timestamp: {} }, { kind: 'unknown' }],
  [
    'an ack',
    { type: 'ack', event_id: ID, status: 'accepted' },
    { kind: 'verdict', verdict: { eventId: ID, verdict: 'success' } },
  ],
  [
    'an ack of what was there',
    { type: 'ack', event_id: ID, status: 'duplicate' },
    { kind: 'verdict', verdict: { eventId: ID, verdict: 'duplicate' } },
  ],
  [
    'an ack of what waits',
    { type: 'ack', event_id: ID, status: 'queued' },
    { kind: 'verdict', verdict: { eventId: ID, verdict: 'pending' } },
  ],
  [
    'an error with words',
    { type: 'error', event_id: ID, status: 'rejected', error_category: 'c', error: 'too old', server_clock: 9 },
    { kind: 'verdict', verdict: { eventId: ID, verdict: 'rejected', reason: 'too old', serverClock: 9 } },
  ],
  [
    'an error with a category only',
    { type: 'error', event_id: ID, status: 'rejected', error_category: 'schema_mismatch' },
    { kind: 'verdict', verdict: { eventId: ID, verdict: 'rejected', reason: 'schema_mismatch' } },
  ],
  [
    'an ack that rejects',
    { type: 'ack', event_id: ID, status: 'rejected' },
    { kind: 'verdict', verdict: { eventId: ID, verdict: 'pending', reason: 'contradictory verdicts' } },
  ],
  [
    'an error that accepts',
    { type: 'error', event_id: ID, status: 'accepted' },
    { kind: 'verdict', verdict: { eventId: ID, verdict: 'pending', reason: 'contradictory verdicts' } },
  ],
  ['an ack without a status', { type: 'ack', event_id: ID }, { kind: 'unknown' }],
  ['an ack without an id', { type: 'ack', status: 'accepted' }, { kind: 'unknown' }],
  ['a type of a later version', { type: 'LocalCommitAck' }, { kind: 'unknown' }],
  ['no type', {}, { kind: 'unknown' }],
  ['a list', [{ type: 'ping' }], { kind: 'unknown' }],
  ['a number', 1, { kind: 'unknown' }],
];
test.each(frames)('reads %s', (_name, frame, expected) => {
  expect(read(frame)).toEqual(expected);
});

test('reads what is no JSON as unreadable', () => {
  expect([readServerFrame(''), readServerFrame('{"type":'), readServerFrame('hello')]).toEqual([
    { kind: 'unreadable' },
    { kind: 'unreadable' },
    { kind: 'unreadable' },
  ]);
});

test('takes success from nothing but an ack that says so of a named event, whatever arrives (5,000 frames)', () => {
  const field = fc.oneof(fc.jsonValue(), fc.constantFrom('ack', 'error', 'event', 'ping', 'accepted', ID, 'rejected'));
  const frame = fc.oneof(
    fc.string(),
    fc.json(),
    fc
      .dictionary(fc.constantFrom('type', 'event_id', 'status', 'timestamp', 'error', '__proto__'), field)
      .map((fields) => JSON.stringify(fields)),
  );

  fc.assert(
    fc.property(frame, (text) => {
      const result = readServerFrame(text);
      if (result.kind !== 'verdict' || result.verdict.verdict !== 'success') return;
      expect(JSON.parse(text)).toMatchObject({ type: 'ack', event_id: result.verdict.eventId });
    }),
    { numRuns: 5_000 },
  );
});

test('writes an event from its stored text, byte for byte', () => {
  const stored = ' { "event_id":"a",  "n":12345678901234567890}';

  expect(eventFrame(stored)).toBe('{"type":"event", "event_id":"a",  "n":12345678901234567890}');
  expect([eventFrame('{}'), eventFrame('[]'), eventFrame('null'), eventFrame('')]).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});

test('answers a ping with its own timestamp, and says who it is', () => {
  expect(pongFrame('x')).toBe('{"type":"pong","timestamp":"x"}');
  expect(authFrame('t')).toBe('{"type":"auth","token":"t"}');
});
