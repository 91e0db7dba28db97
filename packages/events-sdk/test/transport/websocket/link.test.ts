/** Links against the contract server, over Node's `ws` and over the WebSocket every browser has. */
import { getEventListeners } from 'node:events';

import { describe, expect, test } from 'vitest';

import { anEvent, testUlid } from '../../../src/testing/an-event.ts';
import { startHttpServer, until } from '../local-server.ts';
import { createWebSocketTransport } from '../../../src/transport/websocket/index.ts';
import { createTestTime } from '../../../src/testing/test-time.ts';
import { aBatch, makeWorld, someEvents, toBatch } from './setup.ts';

const LINK_PATH = '/ws/v1/events/';
const kindsOf = { ws: {}, 'the standard WebSocket': { implementation: globalThis.WebSocket } };

describe.each(Object.entries(kindsOf))('over %s', (_name, options) => {
  test('events leave in order and each gets its verdict', async () => {
    const { open, server } = await makeWorld(options);
    const link = await open();
    const events = someEvents(3);

    const first = await link.push(toBatch(events.slice(0, 2)));
    const second = await link.push(toBatch(events.slice(1)));

    expect(first).toEqual({
      kind: 'ok',
      verdicts: [
        { eventId: testUlid(1), verdict: 'success' },
        { eventId: testUlid(2), verdict: 'success' },
      ],
    });
    expect(second).toEqual({
      kind: 'ok',
      verdicts: [
        { eventId: testUlid(2), verdict: 'duplicate' },
        { eventId: testUlid(3), verdict: 'success' },
      ],
    });
    expect(server.events().map(({ envelope }) => envelope)).toEqual(events);
  });

  test('a burst of a thousand events goes through in order', async () => {
    const { open, server } = await makeWorld(options);
    const link = await open();

    const answer = await link.push(aBatch(1000));

    expect(answer.kind === 'ok' && answer.verdicts.filter(({ verdict }) => verdict === 'success')).toHaveLength(1000);
    const sent = server.frames.filter(({ direction, type }) => direction === 'in' && type === 'event');
    expect(sent.map(({ eventId }) => eventId)).toEqual(someEvents(1000).map((event) => event.event_id));
  });

  test('a refused token is noticed before the link counts as connected', async () => {
    const { attempt, server, losses, time } = await makeWorld(options);
    server.breakNextLink({ kind: 'close', atEvent: 0, isStored: false, code: 4401 });

    const answer = await attempt();

    expect(answer).toEqual({ kind: 'unauthorized' });
    expect(losses).toEqual([]);
    expect(time.pending).toBe(0);
  });

  test('events of others come in, without their frame', async () => {
    const { open, push, events } = await makeWorld(options);
    await open();

    await push([anEvent()]);
    await until(() => events.length > 0);

    expect(events).toEqual([anEvent()]);
  });

  test('close() ends the link at once, leaves no timer, and tells nobody', async () => {
    const { open, server, time, losses } = await makeWorld(options);
    const link = await open();
    expect(time.pending).toBe(1);

    link.close();
    link.close();

    expect(time.pending).toBe(0);
    expect(await link.push(aBatch(1))).toMatchObject({ kind: 'retryable', reason: 'aborted' });
    await until(() => server.links === 0);
    expect(losses).toEqual([]);
    expect(server.events()).toEqual([]);
  });
});

describe('signing in', () => {
  test('the token travels in a header where that is possible, never in the address (SEC-2)', async () => {
    const { open, server, alice } = await makeWorld();
    const seen: unknown[] = [];
    server.respondNext(
      ({ url, headers }) => {
        seen.push({ url, isBearer: headers.authorization?.startsWith('Bearer ') });
        return 'continue';
      },
      { path: LINK_PATH },
    );

    await open();

    expect(seen).toEqual([{ url: LINK_PATH, isBearer: true }]);
    expect(server.frames.map(({ type }) => type)).toEqual(['snapshot']);
    expect(server.requests.slice(-2)).toMatchObject([
      { method: 'POST', path: '/api/v1/ws-token/', status: 200 },
      { method: 'GET', path: LINK_PATH, status: 101 },
    ]);
    expect(JSON.stringify(server.frames)).not.toContain(alice);
  });

  test('elsewhere it is the first frame', async () => {
    const { open, server } = await makeWorld({ implementation: globalThis.WebSocket });
    const seen: unknown[] = [];
    server.respondNext(
      ({ url, headers }) => {
        seen.push({ url, authorization: headers.authorization });
        return 'continue';
      },
      { path: LINK_PATH },
    );

    await open();

    expect(seen).toEqual([{ url: LINK_PATH, authorization: undefined }]);
    expect(server.frames.map(({ direction, type }) => `${direction} ${type}`)).toEqual(['in auth', 'out snapshot']);
  });

  test('nothing is sent to an address that may not receive a token, nor without a usable token (SEC-3)', async () => {
    const { seen, address } = await startHttpServer((_request, response) => response.end());
    const transport = createWebSocketTransport({ time: createTestTime() });
    const connect = (server: string, accessToken = 'token') =>
      transport.connect({ server, accessToken, onEvent() {}, onLost() {} });

    expect(await connect('http://team.example')).toMatchObject({ kind: 'unsupported' });
    expect(await connect(`${address}/`)).toMatchObject({ kind: 'unsupported' });
    expect(await connect('not a url')).toMatchObject({ kind: 'unsupported' });
    expect(await connect(address, 'two\nlines')).toEqual({ kind: 'unauthorized' });
    expect(await connect(address, '')).toEqual({ kind: 'unauthorized' });
    expect(seen).toEqual([]);
  });
});

describe('a push', () => {
  test('carries a refusal with its reason and the server’s clock', async () => {
    const { open, server } = await makeWorld();
    server.rejectClocksUpTo(7);
    server.poison([testUlid(9)], 'batch');
    const link = await open();

    const answer = await link.push(toBatch([anEvent({ lamport_clock: 7 }), anEvent({ lamport_clock: 9 })]));

    expect(answer).toEqual({
      kind: 'ok',
      verdicts: [
        {
          eventId: testUlid(7),
          verdict: 'rejected',
          reason: 'lamport_clock: behind the clock of the server',
          serverClock: 7,
        },
        { eventId: testUlid(9), verdict: 'rejected', reason: 'Validation failed' },
      ],
    });
  });

  test('of nothing is answered without a frame', async () => {
    const { open, server } = await makeWorld();
    const link = await open();

    expect(await link.push([])).toEqual({ kind: 'ok', verdicts: [] });
    expect(server.frames).toHaveLength(1);
  });

  test('stops in front of a row that is no envelope, so that nothing overtakes it', async () => {
    const { open, server } = await makeWorld();
    const link = await open();
    const [first, second] = aBatch(2);

    const answer = await link.push([first!, { eventId: 'x', data: '{}' }, second!]);

    expect(answer).toEqual({ kind: 'ok', verdicts: [{ eventId: testUlid(1), verdict: 'success' }] });
    expect(server.events()).toHaveLength(1);
  });

  test('waits for its turn, so that two do not mix', async () => {
    const { open, server } = await makeWorld();
    const link = await open();

    await Promise.all([link.push(aBatch(300)), link.push(aBatch(300, 301)), link.push(aBatch(1, 601))]);

    const sent = server.frames.filter(({ direction, type }) => direction === 'in' && type === 'event');
    expect(sent.map(({ eventId }) => eventId)).toEqual(someEvents(601).map((event) => event.event_id));
  });

  test('that is stopped sends no more and names what was answered', async () => {
    const { open, server, push, events, time } = await makeWorld();
    server.breakNextLink({ kind: 'ack-lost', atEvent: 3 });
    const link = await open();
    const control = new AbortController();
    const answer = link.push(aBatch(3), control.signal);
    await until(() => server.events().length === 3);
    // What the server shows now comes behind its answers.
    await push([anEvent({ lamport_clock: 9 })]);
    await until(() => events.length === 1);

    control.abort();

    expect(await answer).toMatchObject({ kind: 'ok', verdicts: [{ eventId: testUlid(1) }, { eventId: testUlid(2) }] });
    expect(getEventListeners(control.signal, 'abort')).toEqual([]);
    expect(time.pending).toBe(1);
    expect(await link.push(aBatch(1, 9), AbortSignal.abort())).toMatchObject({ kind: 'retryable', reason: 'aborted' });
  });

  test('of an event of a foreign team ends as forbidden', async () => {
    const { open, losses } = await makeWorld();
    const link = await open();

    const answer = await link.push(toBatch([anEvent({ team_slug: 'globex' })]));

    expect(answer).toMatchObject({ kind: 'forbidden', message: expect.stringContaining('(4403)') });
    expect(losses).toMatchObject([{ reason: 'closed' }]);
  });
});
