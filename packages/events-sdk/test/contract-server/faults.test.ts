/** What a client sees of each fault: the HTTP transport against the contract server. */
import { describe, expect, test } from 'vitest';

import { anEvent, testUlid } from '../../src/testing/an-event.ts';
import {
  faultCatalogue,
  faults,
  type ContractServer,
  type FixedAnswer,
  type ScriptedHandler,
} from '../../src/testing/contract-server/index.ts';
import { createTestTime } from '../../src/testing/test-time.ts';
import { createHttpTransport } from '../../src/transport/http/index.ts';
import type { PushAnswer } from '../../src/transport/port.ts';
import { createWebSocketTransport } from '../../src/transport/websocket/index.ts';
import { until } from '../transport/local-server.ts';
import { countingWebSocket } from '../transport/websocket/setup.ts';
import { startServer } from './setup.ts';

const BATCH = '/api/v1/events/batch/';
const EVENTS = [1, 2, 3, 4].map((clock) => anEvent({ lamport_clock: clock }));
const ITEMS = EVENTS.map((event) => ({ eventId: event.event_id, data: JSON.stringify(event) }));
const all = (...clocks: number[]) => ({
  kind: 'ok',
  verdicts: clocks.map((clock) => ({ eventId: testUlid(clock), verdict: 'success' })),
});

async function makeClient() {
  const { server, url, alice, call } = await startServer();
  const time = createTestTime();
  const transport = createHttpTransport({ time });
  const push = (token = alice): Promise<PushAnswer> => transport.push(ITEMS, { server: url, accessToken: token });
  return { server, url, alice, call, time, push, stored: () => server.events().length };
}

const unreachable = { kind: 'retryable', reason: 'unreachable' };
const protocol = { kind: 'failure', reason: 'protocol' };
const seen: [string, FixedAnswer | ScriptedHandler, object, number][] = [
  [
    'any status with any body',
    { status: 503, body: { error: 'full moon' } },
    { kind: 'retryable', reason: 'server-error', message: expect.stringContaining('full moon') },
    0,
  ],
  [
    'a time to wait in seconds',
    faults.retryAfter(429, 7),
    { kind: 'retryable', reason: 'throttled', retryAfterMs: 7_000 },
    0,
  ],
  [
    'a time to wait as a date',
    faults.retryAfter(503, new Date('2026-02-07T18:05:05Z')),
    { kind: 'retryable', retryAfterMs: 59_880 },
    0,
  ],
  ['cutBefore', faults.cutBefore(), unreachable, 0],
  ['cutUnanswered', faults.cutUnanswered(), unreachable, 4],
  ['cutInside', faults.cutInside(), unreachable, 4],
  ['cutAfter', faults.cutAfter(), unreachable, 4],
  ['truncatedJson', faults.truncatedJson(), protocol, 4],
  ['truncatedGzip', faults.truncatedGzip(), { kind: expect.stringMatching(/retryable|failure/) }, 4],
  ['notGzip', faults.notGzip(), { kind: expect.stringMatching(/retryable|failure/) }, 4],
  ['noResults', faults.noResults(), all(), 4],
  ['wrongResults', faults.wrongResults(), protocol, 4],
  ['foreignIds', faults.foreignIds(), all(), 4],
  ['extraIds', faults.extraIds(), all(1, 2, 3, 4), 4],
  ['partialResults', faults.partialResults(), all(1, 2), 4],
  ['partialResults(3)', faults.partialResults(3), all(1, 2, 3), 4],
  [
    'results, changed as one likes',
    faults.results((list) => list.map((result) => ({ ...result, status: 'pending' }))),
    { kind: 'ok', verdicts: [{ verdict: 'pending' }, {}, {}, {}] },
    4,
  ],
  [
    'redirect',
    faults.redirect('https://user:secret@elsewhere.example/?token=x'),
    { ...protocol, message: expect.stringMatching(/^((?!secret|token=).)*$/) },
    0,
  ],
  ['portal', faults.portal(), { ...protocol, message: expect.stringContaining('web page') }, 0],
];

describe('a fault of a request', () => {
  test.each(seen)('%s', async (_name, fault, expected, stored) => {
    const client = await makeClient();
    client.server.respondNext(fault, { path: BATCH });

    expect(await client.push()).toMatchObject(expected);
    expect(client.stored()).toBe(stored);
    // It strikes once; whatever the server had, it knows again.
    expect(await client.push()).toMatchObject({ kind: 'ok', verdicts: { length: 4 } });
    expect(client.stored()).toBe(4);
  });

  test('slow: an answer that trickles ends with the patience of the client, not with its own end', async () => {
    const client = await makeClient();
    client.server.respondNext(faults.slow(5), { path: BATCH });
    const answer = client.push();
    await until(() => client.stored() === 4);

    await client.time.advance(60_000);

    expect(await answer).toMatchObject({ kind: 'retryable', reason: 'timeout' });
  });

  test('slow: who waits gets it whole', async () => {
    const client = await makeClient();
    client.server.respondNext(faults.slow(0), { path: BATCH });

    expect(await client.push()).toEqual(all(1, 2, 3, 4));
  });

  test('strikes at the n-th batch when asked to', async () => {
    const client = await makeClient();
    client.server.respondNext({ status: 401 }, { path: BATCH, skip: 2 });

    const kinds = [await client.push(), await client.push(), await client.push(), await client.push()];

    expect(kinds.map(({ kind }) => kind)).toEqual(['ok', 'ok', 'unauthorized', 'ok']);
  });
});

describe('a standing fault', () => {
  test('poison: the event is refused, the others of its batch are not', async () => {
    const client = await makeClient();
    client.server.poison([testUlid(2)]);

    const answer = await client.push();
    client.server.poison([testUlid(2)], 'none');
    const healed = await client.push();

    expect(answer).toMatchObject({
      kind: 'ok',
      verdicts: [
        { verdict: 'success' },
        { verdict: 'rejected', reason: 'payload: refused by this server' },
        { verdict: 'success' },
        { verdict: 'success' },
      ],
    });
    expect(healed).toMatchObject({ verdicts: [{}, { verdict: 'success' }, {}, {}] });
  });

  test('poison: the whole batch is refused and nothing stored, with or without naming the event', async () => {
    const client = await makeClient();
    client.server.poison([testUlid(2)], 'batch');
    const unnamed = await client.push();
    client.server.poison([testUlid(2)], 'batch-with-details');
    const named = await client.push();

    expect(unnamed).toEqual({
      kind: 'failure',
      reason: 'bad-request',
      message: expect.stringContaining('Validation failed'),
    });
    expect(named).toMatchObject({
      kind: 'failure',
      reason: 'bad-request',
      verdicts: [{ eventId: testUlid(2), verdict: 'rejected', reason: 'payload: refused by this server' }],
    });
    expect(client.stored()).toBe(0);
  });

  test('limitBytes: from now on a larger batch is too large', async () => {
    const client = await makeClient();
    client.server.limitBytes(1_000);

    const answer = await client.push();
    client.server.limitBytes(1_000_000);

    expect(answer).toMatchObject({
      kind: 'failure',
      reason: 'too-large',
      limits: { maxBytes: 1_000, maxEvents: 1000 },
    });
    expect(await client.push()).toMatchObject({ kind: 'ok' });
  });

  test('revoked tokens: refused until one signs in again', async () => {
    const client = await makeClient();
    client.server.revokeTokens('access');

    expect(await client.push()).toEqual({ kind: 'unauthorized' });
    expect(await client.push((await client.server.signIn('alice')).access)).toMatchObject({ kind: 'ok' });
  });

  test('a clock ahead: what is behind it is refused with the value to catch up with', async () => {
    const client = await makeClient();
    client.server.rejectClocksUpTo(2);

    expect(await client.push()).toMatchObject({
      verdicts: [
        { verdict: 'rejected', serverClock: 2 },
        { verdict: 'rejected' },
        { verdict: 'success' },
        { verdict: 'success' },
      ],
    });
  });
});

describe('the catalogue', () => {
  test('names each fault once', () => {
    const names = faultCatalogue.map(({ name }) => name);

    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThan(40);
  });

  test.each(faultCatalogue.map((fault) => [fault.name, fault] as const))(
    '%s: who believes what it sees and tries again has delivered everything once',
    async (_name, fault) => {
      const { server, url, time } = await makeClient();
      // Fixed numbers: a failure here is the same failure again.
      const random = () => 0.4;
      const { counts, implementation } = countingWebSocket();
      const hasStruck = () =>
        fault.on === 'batch' ? server.requests.some(({ path }) => path === BATCH) : counts.opened > 0;
      const delivered = new Set<string>();
      if (fault.on !== 'open links') fault.arm(server, random);

      for (let round = 0; delivered.size < ITEMS.length; round += 1) {
        expect(round).toBeLessThan(20);
        const { access } = await server.signIn('alice');
        if (round === 0 && fault.name === 'revoked-tokens') fault.arm(server, random);
        const attempt =
          fault.on === 'batch'
            ? createHttpTransport({ time }).push(ITEMS, { server: url, accessToken: access })
            : pushOverLink(server, access, () => {
                if (round === 0 && fault.on === 'open links') fault.arm(server, random);
              });
        for (const verdict of verdictsOf(await (round === 0 && fault.isEndless ? patiently(attempt) : attempt))) {
          if (verdict.verdict === 'success' || verdict.verdict === 'duplicate') delivered.add(verdict.eventId);
        }
        // Nothing counts as delivered that is not there.
        const stored = server.events().map(({ envelope }) => envelope.event_id);
        expect(stored).toEqual(expect.arrayContaining([...delivered]));
      }

      expect(server.events().map(({ envelope }) => envelope)).toEqual(EVENTS);
      expect(time.pending).toBe(0);

      async function pushOverLink(ofServer: ContractServer, accessToken: string, onOpen: () => void) {
        const transport = createWebSocketTransport({ time, implementation });
        const answer = await transport.connect({ server: ofServer.url, accessToken, onEvent() {}, onLost() {} });
        if (answer.kind !== 'connected') return answer;
        onOpen();
        const pushed = await answer.link.push(ITEMS);
        answer.link.close();
        return pushed;
      }

      /** Lets the client's patience run out. */
      async function patiently<T>(attempt: Promise<T>): Promise<T> {
        const state = { isDone: false };
        void attempt.finally(() => {
          state.isDone = true;
        });
        // Only once it has struck: before, time that runs ahead would use up another attempt.
        await until(() => state.isDone || hasStruck());
        while (!state.isDone) await time.advance(1_000);
        return attempt;
      }
    },
  );
});

function verdictsOf(answer: { readonly kind: string }) {
  // Both transports' answers carry verdicts under `ok` only; the whole-batch ones of a 400 are refusals.
  return answer.kind === 'ok' ? (answer as Extract<PushAnswer, { kind: 'ok' }>).verdicts : [];
}
