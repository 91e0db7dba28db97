import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { MAX_RECONNECTS } from '../../src/contract/limits.ts';
import { LEASE_MS } from '../../src/engine/lease.ts';
import { GAVE_UP_PAUSE_MS, newLink, nextLink, type Link, type LinkEvent } from '../../src/engine/link.ts';
import { readLink, writeLink } from '../../src/engine/link-record.ts';
import { createMemoryStore } from '../../src/storage/memory.ts';
import { THIS_PROCESS } from './setup.ts';

const STARTED: LinkEvent = { kind: 'started', hasRealtime: true };
const FAILED: LinkEvent = { kind: 'failed', delayMs: 100 };

/** The link after the events, one a second from 0. */
function after(...events: readonly LinkEvent[]): Link {
  return events.reduce((link, event, index) => nextLink(link, event, index * 1000), newLink(0));
}

const failures = (count: number): readonly LinkEvent[] => Array.from({ length: count }, () => FAILED);

describe('the table of the link', () => {
  test.each<[string, readonly LinkEvent[], Partial<Link>]>([
    ['a start with realtime tries at once', [STARTED], { state: 'reconnecting', reason: 'connecting', retryAt: 0 }],
    [
      'a start without is batches',
      [{ kind: 'started', hasRealtime: false }],
      { state: 'offline-batch', reason: 'no-realtime' },
    ],
    ['an open link is connected', [STARTED, { kind: 'opened' }], { state: 'connected', reason: 'open', retryAt: null }],
    [
      'a lost link is tried again',
      [STARTED, { kind: 'opened' }, { kind: 'lost', delayMs: 300 }],
      { state: 'reconnecting', reason: 'lost', attempts: 0, retryAt: 2300 },
    ],
    [
      'a failed attempt is followed by another',
      [STARTED, FAILED],
      { state: 'reconnecting', attempts: 1, retryAt: 1100 },
    ],
    [
      'nine failures are not the end',
      [STARTED, ...failures(MAX_RECONNECTS - 1)],
      { state: 'reconnecting', attempts: 9 },
    ],
    ['ten are', [STARTED, ...failures(MAX_RECONNECTS)], { state: 'offline-batch', reason: 'gave-up', retryAt: null }],
    [
      'success ends the count',
      [STARTED, ...failures(9), { kind: 'opened' }, { kind: 'lost', delayMs: 0 }, FAILED],
      { state: 'reconnecting', attempts: 1 },
    ],
    [
      'a server without realtime is batches',
      [STARTED, { kind: 'settled', reason: 'unsupported' }],
      { state: 'offline-batch', reason: 'unsupported', retryAt: null },
    ],
    [
      'and offline while batches fail as well',
      [STARTED, { kind: 'settled', reason: 'unsupported' }, { kind: 'batch-failed' }],
      { state: 'offline', reason: 'unreachable' },
    ],
    [
      'and batches again when one is decided on',
      [STARTED, { kind: 'settled', reason: 'unsupported' }, { kind: 'batch-failed' }, { kind: 'batch-decided' }],
      { state: 'offline-batch', reason: 'unsupported' },
    ],
    [
      'a lost link is offline once batches fail as well, and is tried all the same',
      [STARTED, { kind: 'opened' }, { kind: 'lost', delayMs: 9000 }, { kind: 'batch-failed' }],
      { state: 'offline', reason: 'unreachable', attempts: 0, retryAt: 11_000 },
    ],
    [
      'which counts its attempts on',
      [STARTED, FAILED, { kind: 'batch-failed' }, FAILED],
      { state: 'offline', reason: 'unreachable', attempts: 2, retryAt: 3100 },
    ],
    [
      'up to the tenth',
      [STARTED, FAILED, { kind: 'batch-failed' }, ...failures(MAX_RECONNECTS - 1)],
      { state: 'offline-batch', reason: 'gave-up', retryAt: null },
    ],
    [
      'and is opened at once when a batch is decided on: the server is back',
      [STARTED, FAILED, { kind: 'batch-failed' }, { kind: 'batch-decided' }],
      { state: 'reconnecting', attempts: 1, retryAt: 3000 },
    ],
    [
      'a batch that fails during the first attempt says nothing about the link',
      [STARTED, { kind: 'batch-failed' }],
      { state: 'reconnecting', reason: 'connecting', retryAt: 0 },
    ],
    ['without a sign-in it is offline', [STARTED, { kind: 'signed-out' }], { state: 'offline', reason: 'signed-out' }],
    [
      'a new sign-in asks a server that had none once more',
      [STARTED, { kind: 'settled', reason: 'unsupported' }, { kind: 'signed-out' }, { kind: 'signed-in' }],
      { state: 'reconnecting', reason: 'connecting', retryAt: 3000 },
    ],
    ['the end is the end', [STARTED, { kind: 'stopped' }, { kind: 'opened' }], { state: 'offline', reason: 'stopped' }],
  ])('%s (FR-036)', (_name, events, expected) => {
    expect(after(...events)).toMatchObject(expected);
  });

  test.each<LinkEvent>([{ kind: 'batch-decided' }, { kind: 'new-event' }])(
    'a link that was given up is tried again at a sign of life ($kind), but only after a pause',
    (event) => {
      const given = after(STARTED, ...failures(MAX_RECONNECTS));

      expect(nextLink(given, event, given.since + GAVE_UP_PAUSE_MS - 1)).toBe(given);
      expect(nextLink(given, event, given.since + GAVE_UP_PAUSE_MS)).toMatchObject({
        state: 'reconnecting',
        attempts: 0,
        retryAt: given.since + GAVE_UP_PAUSE_MS,
      });
    },
  );

  test('whatever happens in whatever order, it is connected only by opening, and an attempt is planned only while it is tried', () => {
    const event = fc.constantFrom<LinkEvent>(
      STARTED,
      { kind: 'opened' },
      { kind: 'lost', delayMs: 10 },
      FAILED,
      { kind: 'settled', reason: 'unsupported' },
      { kind: 'settled', reason: 'forbidden' },
      { kind: 'signed-out' },
      { kind: 'signed-in' },
      { kind: 'batch-decided' },
      { kind: 'batch-failed' },
      { kind: 'new-event' },
      { kind: 'online' },
      { kind: 'stopped' },
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(event, fc.integer({ min: 0, max: 40_000 })), { maxLength: 40 }), (steps) => {
        let link = newLink(0);
        let now = 0;
        for (const [what, ms] of steps) {
          now += ms;
          const next = nextLink(link, what, now);
          if (next.state === 'connected' && link.state !== 'connected') expect(what.kind).toBe('opened');
          if (next.retryAt !== null)
            expect(next.state === 'reconnecting' || next.reason === 'unreachable', next.reason).toBe(true);
          expect(next.attempts).toBeLessThanOrEqual(MAX_RECONNECTS);
          link = next;
        }
      }),
    );
  });
});

describe('what other processes see', () => {
  const read = async (at: number, isGone = false) => {
    const store = createMemoryStore();
    await store.transact((tx) => {
      writeLink(tx, after(STARTED, { kind: 'opened' }), THIS_PROCESS, 5000);
    });
    return store.read((reader) => readLink(reader, { now: at, isGone: () => isGone }));
  };

  test('the state, why, and when it was last seen to be true (FR-036)', async () => {
    expect(await read(6000)).toEqual({ state: 'connected', reason: 'open', at: 5000 });
  });

  test('never connected once the evidence is too old, the clock was set back, or the process is gone (FR-036)', async () => {
    expect(await read(5000 + LEASE_MS)).toEqual({ state: 'offline', reason: 'nobody', at: 5000 });
    expect(await read(5000 - LEASE_MS)).toMatchObject({ state: 'offline' });
    expect(await read(6000, true)).toMatchObject({ state: 'offline', reason: 'nobody' });
  });

  test('offline where nothing readable was ever written', async () => {
    const store = createMemoryStore();
    await store.transact((tx) => {
      tx.setValue('link', '{"state":"on fire"}');
    });

    expect(await store.read((reader) => readLink(reader, { now: 0, isGone: () => false }))).toEqual({
      state: 'offline',
      reason: 'nobody',
      at: null,
    });
  });
});
