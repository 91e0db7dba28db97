/**
 * Every promise of the `Transport` port as a case a transport passes or not, without a test framework: the fake, the
 * real one and one of your own run the same.
 */
import { deepEqual, equal, notEqual, ok } from 'node:assert/strict';

import type { BatchItem, PushAnswer, Transport } from '../transport/port.ts';
import { anEvent } from './an-event.ts';

/** A transport, and the other side of it. */
export interface TransportUnderTest {
  readonly transport: Transport;
  readonly server: string;
  readonly accessToken: string;
  /** Ids the other side has taken in, in order, each once. */
  accepted(): readonly string[];
  /** The other side refuses this event from now on, and takes those beside it. */
  reject(eventId: string): void;
  /** The other side does not accept the token of the next push. */
  refuseNextPush(): void;
  /** The other side is in trouble with the next push, and decides nothing. */
  failNextPush(): void;
  /** The other side takes the next push in, but its answer is lost. */
  loseNextAnswer(): void;
  /** The other side does not answer the next push. */
  hangNextPush(): void;
  /** The other side is gone. */
  vanish(): Promise<void>;
  cleanup(): Promise<void>;
}

/** One promise. `run` rejects when it is broken. */
export interface TransportCase {
  readonly title: string;
  run(): Promise<void>;
}

/** The cases; each opens a fresh transport and cleans it up. */
export function transportCases(open: () => Promise<TransportUnderTest>): readonly TransportCase[] {
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

const PROMISES: Readonly<Record<string, (opened: TransportUnderTest) => Promise<void>>> = {
  'takes events in order and says of each what became of it': async (opened) => {
    deepEqual(verdictsOf(await push(opened, batch(1, 2))), expected('success', batch(1, 2)));
    deepEqual(opened.accepted(), idsOf(batch(1, 2)));
    deepEqual(verdictsOf(await push(opened, batch(2))), expected('duplicate', batch(2)));
    deepEqual(opened.accepted(), idsOf(batch(1, 2)));
  },
  'takes a thousand events at once': async (opened) => {
    const events = batch(...Array.from({ length: 1000 }, (_, index) => index + 1));
    deepEqual(verdictsOf(await push(opened, events)), expected('success', events));
    deepEqual(opened.accepted(), idsOf(events));
  },
  'tells the one event that is refused from those beside it': async (opened) => {
    const events = batch(1, 2, 3);
    const [first, refused, last] = idsOf(events) as [string, string, string]; // three in, three out
    opened.reject(refused);
    deepEqual(verdictsOf(await push(opened, events)), [
      [first, 'success'],
      [refused, 'rejected'],
      [last, 'success'],
    ]);
    deepEqual(opened.accepted(), [first, last]);
  },
  'gives each of several pushes at once its own answer': async (opened) => {
    const answers = await Promise.all([push(opened, batch(1, 2)), push(opened, batch(3)), push(opened, batch(4))]);
    deepEqual(answers.map(verdictsOf), [
      expected('success', batch(1, 2)),
      expected('success', batch(3)),
      expected('success', batch(4)),
    ]);
  },
  'says that a token is not accepted, decides nothing, and goes on with the next push': async (opened) => {
    opened.refuseNextPush();
    deepEqual(await push(opened, batch(1)), { kind: 'unauthorized' });
    deepEqual(opened.accepted(), []);
    equal((await push(opened, batch(1))).kind, 'ok');
  },
  'says that it may be tried again when the other side is in trouble': async (opened) => {
    opened.failNextPush();
    equal((await push(opened, batch(1))).kind, 'retryable');
    deepEqual(opened.accepted(), []);
    equal((await push(opened, batch(1))).kind, 'ok');
  },
  'claims no verdict when the answer is lost, and finds the events there the next time': async (opened) => {
    opened.loseNextAnswer();
    equal((await push(opened, batch(1))).kind, 'retryable');
    deepEqual(verdictsOf(await push(opened, batch(1))), expected('duplicate', batch(1)));
    deepEqual(opened.accepted(), idsOf(batch(1)));
  },
  'answers when the other side cannot be reached, again and again': async (opened) => {
    await opened.vanish();
    for (const clock of [1, 2]) {
      const answer = await push(opened, batch(clock));
      deepEqual([answer.kind, reasonOf(answer)], ['retryable', 'unreachable']);
    }
  },
  'ends a push that is stopped, before and while it runs': async (opened) => {
    equal(reasonOf(await push(opened, batch(1), AbortSignal.abort())), 'aborted');
    deepEqual(opened.accepted(), []);
    opened.hangNextPush();
    const control = new AbortController();
    const answer = push(opened, batch(1), control.signal);
    control.abort();
    equal(reasonOf(await answer), 'aborted');
  },
  'does not send again by itself': async (opened) => {
    opened.failNextPush();
    await push(opened, batch(1));
    // A transport that retries would have used up the trouble, and been accepted.
    deepEqual(opened.accepted(), []);
  },
};

/** Pushes, and sees to it that no answer quotes the token. */
async function push(
  { transport, server, accessToken }: TransportUnderTest,
  events: readonly BatchItem[],
  signal?: AbortSignal,
): Promise<PushAnswer> {
  const answer = await transport.push(events, { server, accessToken, ...(signal === undefined ? {} : { signal }) });
  notEqual(accessToken, '');
  ok(!JSON.stringify(answer).includes(accessToken), 'The answer quotes the token.');
  return answer;
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

type Verdicts = readonly (readonly [eventId: string, verdict: string])[];

/** What was said of which event, in the order of the batch's clocks; reasons are the server's own words. */
function verdictsOf(answer: PushAnswer): Verdicts {
  equal(answer.kind, 'ok');
  // Just asserted.
  if (answer.kind !== 'ok') return [];
  return answer.verdicts.map(({ eventId, verdict }) => [eventId, verdict] as const);
}

function expected(verdict: string, items: readonly BatchItem[]): Verdicts {
  return idsOf(items).map((eventId) => [eventId, verdict] as const);
}

function reasonOf(answer: PushAnswer): string | undefined {
  return 'reason' in answer ? answer.reason : undefined;
}
