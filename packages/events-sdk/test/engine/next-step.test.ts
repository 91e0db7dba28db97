import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { newLink, type Link } from '../../src/engine/link.ts';
import { LINK_MOST_EVENTS, nextStep, type BackgroundState, type Step } from '../../src/engine/next-step.ts';

const NOW = 1_000_000;
const CONNECTED: Link = { ...newLink(NOW), state: 'connected', reason: 'open' };

/** Nothing to do until the next look, in 100 ms. */
function state(change: Partial<BackgroundState> = {}): BackgroundState {
  return {
    queued: 0,
    held: 0,
    work: 'none',
    request: null,
    retryAt: null,
    paceAt: null,
    flushAt: NOW + 1000,
    lookAt: NOW + 100,
    renewAt: NOW + 500,
    signInAt: null,
    linkFailed: false,
    isConnecting: false,
    link: newLink(NOW),
    ...change,
  };
}

describe('the next step', () => {
  test.each<[string, Partial<BackgroundState>, Step]>([
    ['nothing to do: sleep until the next look', {}, { kind: 'sleep', until: NOW + 100 }],
    ['the lease before anything else', { renewAt: NOW, lookAt: NOW, queued: 1, work: 'all' }, { kind: 'renew' }],
    ['then the store', { lookAt: NOW, queued: 1, work: 'new' }, { kind: 'look' }],
    [
      'a new event: a batch of what is new',
      { queued: 1, work: 'new' },
      { kind: 'pass', via: 'batch', scope: 'new', paced: true },
    ],
    [
      'over the link when it is open',
      { queued: 1, work: 'new', link: CONNECTED },
      { kind: 'pass', via: 'link', scope: 'new', paced: true },
    ],
    [
      'nothing over the link, where nothing is new, before the pace allows a batch of everything',
      { queued: 1, flushAt: NOW, paceAt: NOW + 50, link: CONNECTED },
      { kind: 'sleep', until: NOW + 50 },
    ],
    [
      'as a batch when the link has left something',
      { queued: 1, work: 'new', link: CONNECTED, linkFailed: true },
      { kind: 'pass', via: 'batch', scope: 'new', paced: true },
    ],
    [
      'as a batch when there is much',
      { queued: LINK_MOST_EVENTS + 1, work: 'new', link: CONNECTED },
      { kind: 'pass', via: 'batch', scope: 'new', paced: true },
    ],
    [
      'everything, at the start and when its time has come (US7-2)',
      { queued: 1, flushAt: NOW },
      { kind: 'pass', via: 'batch', scope: 'all', paced: true },
    ],
    [
      'held events are looked at as well',
      { held: 1, flushAt: NOW },
      { kind: 'pass', via: 'batch', scope: 'all', paced: true },
    ],
    ['an empty queue is not', { flushAt: NOW, work: 'all' }, { kind: 'sleep', until: NOW + 100 }],
    [
      'no attempt during the wait after a failure',
      { queued: 1, work: 'new', retryAt: NOW + 50 },
      { kind: 'sleep', until: NOW + 50 },
    ],
    [
      'one when it is over, as a batch',
      { queued: 1, retryAt: NOW, link: CONNECTED },
      { kind: 'pass', via: 'batch', scope: 'new', paced: true },
    ],
    [
      'a batch keeps the pace of the home, a link that is due is opened meanwhile (FR-033)',
      {
        queued: 1,
        work: 'all',
        paceAt: NOW + 90,
        link: { ...newLink(NOW), state: 'reconnecting', retryAt: NOW + 60 },
      },
      { kind: 'sleep', until: NOW + 60 },
    ],
    [
      'and a link that is open has none to keep',
      { queued: 1, work: 'new', paceAt: NOW + 90, link: CONNECTED },
      { kind: 'pass', via: 'link', scope: 'new', paced: true },
    ],
    [
      'also at the start: what came just now need not wait with what was refused before',
      { queued: 1, work: 'all', paceAt: NOW + 90, link: CONNECTED },
      { kind: 'pass', via: 'link', scope: 'new', paced: true },
    ],
    [
      "a person's request: at once, everything, without pace, even during a wait (US7-4)",
      { queued: 1, request: 'id', retryAt: NOW + 50_000, signInAt: NOW + 50_000 },
      { kind: 'pass', via: 'batch', scope: 'all', paced: false },
    ],
    [
      'without a sign-in nothing is sent',
      { queued: 1, work: 'all', signInAt: NOW + 70 },
      { kind: 'sleep', until: NOW + 70 },
    ],
    ['but looked for', { queued: 1, work: 'all', signInAt: NOW }, { kind: 'check-sign-in' }],
    [
      'a link that is due is opened',
      { link: { ...newLink(NOW), state: 'reconnecting', retryAt: NOW } },
      { kind: 'connect' },
    ],
    [
      'once at a time',
      { link: { ...newLink(NOW), state: 'reconnecting', retryAt: NOW }, isConnecting: true },
      { kind: 'sleep', until: NOW + 100 },
    ],
  ])('%s', (_name, change, expected) => {
    expect(nextStep(state(change), NOW)).toEqual(expected);
  });

  test('never sleeps past a look, and never for no time at all', () => {
    const time = fc.integer({ min: NOW - 5000, max: NOW + 5000 });
    const orNull = fc.option(time);
    const any = fc.record({
      queued: fc.nat(200),
      held: fc.nat(2),
      work: fc.constantFrom('none' as const, 'new' as const, 'all' as const),
      retryAt: orNull,
      paceAt: orNull,
      flushAt: time,
      lookAt: time,
      renewAt: time,
      signInAt: orNull,
      linkFailed: fc.boolean(),
      isConnecting: fc.boolean(),
      link: fc
        .tuple(fc.constantFrom<Link>(newLink(NOW), CONNECTED), orNull)
        .map(([link, retryAt]): Link => ({ ...link, retryAt })),
    });
    fc.assert(
      fc.property(any, (change) => {
        const made = state(change);
        const step = nextStep(made, NOW);
        if (step.kind !== 'sleep') return;
        expect(step.until).toBeGreaterThan(NOW);
        expect(step.until).toBeLessThanOrEqual(Math.min(made.lookAt, made.renewAt));
      }),
    );
  });
});
