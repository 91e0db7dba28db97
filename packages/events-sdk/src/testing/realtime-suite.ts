/**
 * Every promise of the `RealtimeTransport` port as a case a transport passes or not, without a test framework: the fake,
 * the real one and one of your own run the same.
 */
import { deepEqual, equal, notEqual } from './check.ts';

import type { AnyEnvelope } from '../contract/envelope.ts';
import type { BatchItem, PushAnswer } from '../transport/port.ts';
import type { LinkLoss, RealtimeContext, RealtimeLink, RealtimeTransport } from '../transport/realtime-port.ts';
import { anEvent } from './an-event.ts';

/** A transport, and the other side of it. */
export interface RealtimeUnderTest {
  readonly transport: RealtimeTransport;
  readonly server: string;
  readonly accessToken: string;
  /** Ids the other side has taken in, in order, each once. */
  accepted(): readonly string[];
  /** The other side shows an event of somebody else. */
  show(event: AnyEnvelope): void;
  /** The other side ends the open links. */
  loseLinks(): void;
  /** The other side does not accept the token of the next attempt. */
  refuseNextAttempt(): void;
  /** The other side does not answer the next attempt. */
  hangNextAttempt(): void;
  /** The next link opens, but a push over it gets no answer. */
  muteNextLink(): void;
  cleanup(): Promise<void>;
}

/** One promise. `run` rejects when it is broken. */
export interface RealtimeCase {
  readonly title: string;
  run(): Promise<void>;
}

/** The cases; each opens a fresh transport and cleans it up. */
export function realtimeTransportCases(open: () => Promise<RealtimeUnderTest>): readonly RealtimeCase[] {
  return Object.entries(PROMISES).map(([title, check]) => ({
    title,
    async run() {
      const opened = await open();
      try {
        await check(opened);
      } finally {
        await opened.cleanup();
      }
    },
  }));
}

const PROMISES: Readonly<Record<string, (opened: RealtimeUnderTest) => Promise<void>>> = {
  'takes events in order and says of each what became of it': async (opened) => {
    const { link } = await connect(opened);
    deepEqual(await link.push(batch(1, 2)), ok('success', batch(1, 2)));
    deepEqual(opened.accepted(), idsOf(batch(1, 2)));
    deepEqual(await link.push(batch(2)), ok('duplicate', batch(2)));
    deepEqual(opened.accepted(), idsOf(batch(1, 2)));
    link.close();
  },
  'answers a push of nothing': async (opened) => {
    const { link } = await connect(opened);
    deepEqual(await link.push([]), { kind: 'ok', verdicts: [] });
    link.close();
  },
  'takes a burst of a thousand events': async (opened) => {
    const { link } = await connect(opened);
    const events = batch(...Array.from({ length: 1000 }, (_, index) => index + 1));
    deepEqual(await link.push(events), ok('success', events));
    deepEqual(opened.accepted(), idsOf(events));
    link.close();
  },
  'lets pushes run in turn': async (opened) => {
    const { link } = await connect(opened);
    const answers = await Promise.all([link.push(batch(1, 2)), link.push(batch(3)), link.push(batch(4))]);
    deepEqual(
      answers.map(({ kind }) => kind),
      ['ok', 'ok', 'ok'],
    );
    deepEqual(opened.accepted(), idsOf(batch(1, 2, 3, 4)));
    link.close();
  },
  'shows events of somebody else as they are': async (opened) => {
    const { link, nextEvent } = await connect(opened);
    const event = anEvent({ lamport_clock: 7 });
    opened.show(event);
    deepEqual(await nextEvent, event);
    link.close();
  },
  'ignores observers that throw': async (opened) => {
    const shown = Promise.withResolvers<void>();
    const lost = Promise.withResolvers<void>();
    const { link } = await connect(opened, {
      onEvent() {
        shown.resolve();
        throw new Error('observer');
      },
      onLost() {
        lost.resolve();
        throw new Error('observer');
      },
    });
    opened.show(anEvent({ lamport_clock: 7 }));
    await shown.promise;
    deepEqual(await link.push(batch(1)), ok('success', batch(1)));
    opened.loseLinks();
    await lost.promise;
    link.close();
  },
  'tells a loss once, and afterwards takes nothing': async (opened) => {
    const { link, losses, lost } = await connect(opened);
    opened.loseLinks();
    await lost;
    const answer = await link.push(batch(1));
    opened.loseLinks();
    link.close();
    notEqual(answer.kind, 'ok');
    equal(losses.length, 1);
    deepEqual(opened.accepted(), []);
  },
  'answers a push whose link is lost': async (opened) => {
    opened.muteNextLink();
    const { link, lost } = await connect(opened);
    const answer = link.push(batch(1));
    opened.loseLinks();
    await lost;
    equal((await answer).kind, 'retryable');
    link.close();
  },
  'answers a push whose link is closed, and tells nobody of the end': async (opened) => {
    opened.muteNextLink();
    const { link, losses } = await connect(opened);
    const answer = link.push(batch(1));
    link.close();
    link.close();
    equal(reasonOf(await answer), 'aborted');
    equal(reasonOf(await link.push(batch(2))), 'aborted');
    deepEqual(losses, []);
  },
  'ends a push that is stopped, before and while it runs': async (opened) => {
    opened.muteNextLink();
    const { link, losses } = await connect(opened);
    equal(reasonOf(await link.push(batch(1), AbortSignal.abort())), 'aborted');
    const control = new AbortController();
    const answer = link.push(batch(1), control.signal);
    control.abort();
    equal(reasonOf(await answer), 'aborted');
    deepEqual(losses, []);
    link.close();
  },
  'says that a token is not accepted, and goes on with the next attempt': async (opened) => {
    opened.refuseNextAttempt();
    const { transport, ...context } = contextFor(opened, {});
    deepEqual(await transport.connect(context), { kind: 'unauthorized' });
    const { link } = await connect(opened);
    link.close();
  },
  'ends an attempt that is stopped, before and while it runs': async (opened) => {
    const { transport, ...context } = contextFor(opened, {});
    equal(reasonOf(await transport.connect({ ...context, signal: AbortSignal.abort() })), 'aborted');
    opened.hangNextAttempt();
    const control = new AbortController();
    const answer = transport.connect({ ...context, signal: control.signal });
    control.abort();
    equal(reasonOf(await answer), 'aborted');
  },
  'leaves an open link alone when the signal of its attempt aborts': async (opened) => {
    const control = new AbortController();
    const { link, losses } = await connect(opened, { signal: control.signal });
    control.abort();
    deepEqual(await link.push(batch(1)), ok('success', batch(1)));
    deepEqual(losses, []);
    link.close();
  },
};

async function connect(opened: RealtimeUnderTest, overrides: Partial<RealtimeContext> = {}) {
  const losses: LinkLoss[] = [];
  const { promise: nextEvent, resolve: onEvent } = Promise.withResolvers<unknown>();
  const { promise: lost, resolve } = Promise.withResolvers<void>();
  const onLost = (loss: LinkLoss): void => {
    losses.push(loss);
    resolve();
  };
  const { transport, ...context } = contextFor(opened, { onEvent, onLost, ...overrides });
  const answer = await transport.connect(context);
  equal(answer.kind, 'connected');
  // Just asserted.
  const { link } = answer as { readonly link: RealtimeLink };
  return { link, losses, lost, nextEvent };
}

function contextFor({ transport, server, accessToken }: RealtimeUnderTest, overrides: Partial<RealtimeContext>) {
  return { transport, server, accessToken, onEvent() {}, onLost() {}, ...overrides };
}

function batch(...clocks: readonly number[]): readonly BatchItem[] {
  return clocks.map((clock) => {
    const event = anEvent({ lamport_clock: clock });
    return { eventId: event.event_id, data: JSON.stringify(event) };
  });
}

function idsOf(items: readonly BatchItem[]): readonly string[] {
  return items.map(({ eventId }) => eventId);
}

function ok(verdict: 'success' | 'duplicate', items: readonly BatchItem[]): PushAnswer {
  return { kind: 'ok', verdicts: idsOf(items).map((eventId) => ({ eventId, verdict })) };
}

function reasonOf(answer: { readonly kind: string; readonly reason?: string }): string | undefined {
  return answer.reason;
}
