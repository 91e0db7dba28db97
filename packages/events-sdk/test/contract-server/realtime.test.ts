/** The realtime endpoint over real WebSockets. */
import { get } from 'node:http';

import { describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';

import { anEvent, testUlid } from '../../src/testing/an-event.ts';
import { createTestTime } from '../../src/testing/test-time.ts';
import { until } from '../transport/local-server.ts';
import { LINK_PATH, LINK_TOKEN_PATH, linkToken, openClient } from './links.ts';
import { startServer, type Setup } from './setup.ts';

const BATCH = '/api/v1/events/batch/';

/** The status an upgrade is refused with. */
function upgradeStatus({ url }: Setup, path: string, token?: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const headers = {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    };
    get(`${url}${path}`, { headers }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).on('error', reject);
  });
}

describe('the realtime token', () => {
  test('is given to who is signed in, for 15 minutes, and opens nothing but a link (SEC-3)', async () => {
    const time = createTestTime();
    const { call, alice } = await startServer({ time });

    const answer = await call('POST', LINK_TOKEN_PATH, { token: alice });
    const refused = await call('POST', LINK_TOKEN_PATH);
    const misused = await call('POST', BATCH, { token: answer.body.ws_token, body: { events: [anEvent()] } });

    expect(answer.body).toEqual({
      ws_token: expect.any(String),
      expires_in: 900,
      expires_at: new Date(Math.floor(time.now() / 1000) * 1000 + 900_000).toISOString(),
    });
    expect([answer.status, refused.status, misused.status]).toEqual([200, 401, 401]);
  });

  test('is needed: an access token, an expired, a revoked and a forged one are refused with 401 (SEC-3)', async () => {
    const time = createTestTime();
    const setup = await startServer({ time, accessLifetimeS: 10_000 });
    const expired = await linkToken(setup);
    await time.advance(900_000);
    const revoked = await linkToken(setup);
    setup.server.revokeTokens('access');

    const statuses = await Promise.all(
      [setup.alice, expired, revoked, 'junk'].map((token) => upgradeStatus(setup, LINK_PATH, token)),
    );

    expect(statuses).toEqual([401, 401, 401, 401]);
    expect(setup.server.links).toBe(0);
  });
});

describe('opening a link', () => {
  test('is answered with 404 anywhere else', async () => {
    const setup = await startServer();
    const token = await linkToken(setup);

    expect(await upgradeStatus(setup, '/ws/v1/events', token)).toBe(404);
    expect(await upgradeStatus(setup, '/', token)).toBe(404);
    expect((await setup.call('GET', LINK_PATH)).status).toBe(404);
  });

  test('brings the work packages of the team first, those of no other team', async () => {
    const setup = await startServer();
    await setup.push([anEvent()]);

    const alice = await openClient(setup);
    const bob = await openClient(setup, await linkToken(setup, setup.bob));

    expect(await alice.next()).toEqual({
      type: 'snapshot',
      work_packages: [
        {
          team_slug: 'acme',
          project_uuid: anEvent().project_uuid,
          feature_slug: '001-demo',
          wp_id: 'WP01',
          status: 'doing',
          title: null,
        },
      ],
    });
    expect(await bob.next()).toEqual({ type: 'snapshot', work_packages: [] });
    expect(setup.server.requests.at(-1)).toMatchObject({ method: 'GET', path: LINK_PATH, status: 101 });
  });

  test('works without headers: the first frame brings the token', async () => {
    const setup = await startServer();
    const client = await openClient(setup, null);

    client.send({ type: 'auth', token: await linkToken(setup) });
    client.send({ type: 'event', ...anEvent() });

    expect((await client.next()).type).toBe('snapshot');
    expect(await client.next()).toMatchObject({ type: 'ack', status: 'accepted' });
  });

  test('ends with 4401 when the first frame brings no token, a wrong one, or does not come within 5 s (SEC-3)', async () => {
    const time = createTestTime();
    const setup = await startServer({ time });
    const wrong = await openClient(setup, null);
    const other = await openClient(setup, null);
    const late = await openClient(setup, null);

    wrong.send({ type: 'auth', token: setup.alice });
    other.send({ type: 'event', ...anEvent() });
    const refused = [await wrong.closed, await other.closed];
    await time.advance(4_999);
    expect(late.socket.readyState).toBe(WebSocket.OPEN);
    await time.advance(1);

    expect([...refused, await late.closed]).toEqual([4401, 4401, 4401]);
    expect(setup.server.events()).toEqual([]);
    expect(late.frames).toEqual([]);
  });
});

describe('an event over a link', () => {
  test('gets the verdict it would get in a batch', async () => {
    const setup = await startServer({ rejectClocksUpTo: 5 });
    const good = anEvent({ lamport_clock: 6 });
    const behind = anEvent({ lamport_clock: 5 });
    const wrong = { ...anEvent({ lamport_clock: 7 }), build_id: 'x' };
    const client = await openClient(setup);
    await client.next();

    for (const event of [good, good, behind, wrong]) client.send({ type: 'event', ...event });
    const answers = [await client.next(), await client.next(), await client.next(), await client.next()];
    const batch = await setup.push([good, behind, wrong]);

    expect(answers).toEqual([
      {
        type: 'ack',
        event_id: good.event_id,
        status: 'accepted',
        anomaly: 'wp_status_event_without_create',
      },
      { type: 'ack', event_id: good.event_id, status: 'duplicate' },
      { type: 'error', ...batch.body.results[1] },
      { type: 'error', ...batch.body.results[2] },
    ]);
    expect(batch.body.results[0]).toEqual({ event_id: good.event_id, status: 'duplicate' });
  });

  test('ends the link with 4403 when it belongs to a foreign team; neither it nor what follows is stored (SEC-1)', async () => {
    const setup = await startServer();
    const client = await openClient(setup);

    client.send({ type: 'event', ...anEvent({ team_slug: 'globex' }) });
    client.send({ type: 'event', ...anEvent({ lamport_clock: 2 }) });

    expect(await client.closed).toBe(4403);
    expect(setup.server.events()).toEqual([]);
  });

  test('is shown to the other links of its team, like one from a batch, and counts as stored', async () => {
    const setup = await startServer();
    const told: string[] = [];
    setup.server.onStored((team) => told.push(team));
    const sender = await openClient(setup);
    const reader = await openClient(setup);
    const stranger = await openClient(setup, await linkToken(setup, setup.bob));
    for (const client of [sender, reader, stranger]) await client.next();

    sender.send({ type: 'event', ...anEvent() });
    expect((await sender.next()).type).toBe('ack');
    sender.send({ type: 'event', ...anEvent() });
    expect((await sender.next()).status).toBe('duplicate');
    const second = anEvent({ lamport_clock: 2 });
    await setup.push([second]);

    expect([await reader.next(), await reader.next()]).toEqual([
      { type: 'event', ...anEvent() },
      { type: 'event', ...second },
    ]);
    expect(await sender.next()).toEqual({ type: 'event', ...second });
    expect(stranger.frames).toHaveLength(1);
    expect(told).toEqual(['acme', 'acme']);
  });
});

describe('an open link', () => {
  test('is pinged every 20 s and cut when nothing comes back', async () => {
    const time = createTestTime();
    const setup = await startServer({ time });
    const client = await openClient(setup);
    await client.next();

    await time.advance(20_000);
    const ping = await client.next();
    client.send({ type: 'pong', timestamp: ping['timestamp'] });
    await until(() => setup.server.frames.some((frame) => frame.type === 'pong'));
    await time.advance(20_000);
    expect((await client.next()).type).toBe('ping');
    await time.advance(20_000);

    expect(await client.closed).toBe(1006);
    expect(ping).toEqual({ type: 'ping', timestamp: new Date(time.now() - 40_000).toISOString() });
    expect(setup.server.links).toBe(0);
    expect(time.pending).toBe(0);
  });

  test('ignores frames it does not know and ends at bytes that are no frame', async () => {
    const setup = await startServer();
    const client = await openClient(setup);
    await client.next();

    client.send({ type: 'LocalCommit' });
    client.send({});
    client.send({ type: 'event', ...anEvent() });
    expect((await client.next()).type).toBe('ack');
    client.send('no frame');

    expect(await client.closed).toBe(1007);
  });

  test('is logged by type and event id, never by payload or token (SEC-2)', async () => {
    const setup = await startServer();
    const token = await linkToken(setup);
    const client = await openClient(setup, null);
    client.send({ type: 'auth', token });
    await client.next();
    client.send({ type: 'event', ...anEvent() });
    await client.next();

    expect(setup.server.frames).toEqual([
      { link: 1, direction: 'in', type: 'auth', eventId: null },
      { link: 1, direction: 'out', type: 'snapshot', eventId: null },
      { link: 1, direction: 'in', type: 'event', eventId: testUlid(1) },
      { link: 1, direction: 'out', type: 'ack', eventId: testUlid(1) },
    ]);
  });

  test('ends with the server, also while its upgrade hangs', async () => {
    const setup = await startServer();
    const client = await openClient(setup);
    setup.server.hang({ path: LINK_PATH });
    const hanging = upgradeStatus(setup, LINK_PATH).catch((error: Error) => error.message);
    await until(() => setup.server.requests.at(-1)?.status === null);

    await setup.server.close();

    expect(await client.closed).toBe(1006);
    expect(await hanging).toBe('socket hang up');
  });
});
