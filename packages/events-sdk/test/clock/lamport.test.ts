import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { afterReceiving, compareEvents, createLamportClock, MAX_REMOTE_CLOCK } from '../../src/clock/lamport.ts';
import { createMemoryStore } from '../../src/storage/memory.ts';
import { anEvent } from '../../src/testing/an-event.ts';

describe('the Lamport clock', () => {
  test('starts at 1 and grows by one a tick (FR-005, FR-006)', async () => {
    const clock = createLamportClock({ store: createMemoryStore() });

    expect([await clock.tick(), await clock.tick(), await clock.tick()]).toEqual([1, 2, 3]);
  });

  test('moves above what it sees, and above itself', async () => {
    const clock = createLamportClock({ store: createMemoryStore() });

    expect(await clock.receive(41)).toBe(42);
    expect(await clock.receive(7)).toBe(43);
  });

  test('is shared by all clocks over one store', async () => {
    const store = createMemoryStore();
    const [one, two] = [createLamportClock({ store }), createLamportClock({ store })];

    const values = await Promise.all(Array.from({ length: 100 }, (_, n) => (n % 2 === 0 ? one : two).tick()));

    expect(values.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, n) => n + 1));
  });

  test.each([Number.MAX_SAFE_INTEGER, MAX_REMOTE_CLOCK + 1, -1, 1.5, Number.NaN])(
    'does not follow %d, which cannot be true',
    (remote) => {
      expect(afterReceiving(5, remote)).toBe(5);
    },
  );

  test('follows the least and the largest value that can be true', () => {
    expect(afterReceiving(0, 0)).toBe(1);
    expect(afterReceiving(5, MAX_REMOTE_CLOCK)).toBe(MAX_REMOTE_CLOCK + 1);
  });

  test('refuses a remote value that is no clock', async () => {
    const clock = createLamportClock({ store: createMemoryStore() });

    await expect(clock.receive(-1)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('whole number'),
    });
    expect(await clock.receive(0)).toBe(1);
  });

  test('never goes back and always ends above both sides', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (value, remote) => {
        expect(afterReceiving(value, remote)).toBeGreaterThan(Math.max(value, remote));
      }),
    );
  });
});

test('orders events by clock, then node, then id, never by wall time', () => {
  const a = anEvent({ lamport_clock: 2, node_id: 'a', event_id: '2', timestamp: '2020-01-01T00:00:00.000Z' });
  const b = anEvent({ lamport_clock: 1, node_id: 'b', event_id: '1', timestamp: '2030-01-01T00:00:00.000Z' });
  const c = anEvent({ lamport_clock: 2, node_id: 'a', event_id: '1' });
  const d = anEvent({ lamport_clock: 2, node_id: 'b', event_id: '0' });

  expect([a, b, c, d].toSorted(compareEvents)).toEqual([b, c, a, d]);
  expect(compareEvents(a, { ...a })).toBe(0);
});
