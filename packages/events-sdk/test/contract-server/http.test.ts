/** Routing, faults and shutdown over real HTTP. */
import { describe, expect, test } from 'vitest';

import { anEvent } from '../../src/testing/an-event.ts';
import { requireSqlite } from '../../src/testing/contract-server/database.ts';
import { createContractServer } from '../../src/testing/contract-server/index.ts';
import { startServer } from './setup.ts';

const BATCH = '/api/v1/events/batch/';
const HEALTH = '/api/v1/sync/health/';

describe('routing', () => {
  test('advertises its limits in the health probe', async () => {
    const { call, alice } = await startServer({ maxEvents: 10 });

    const answer = await call('GET', HEALTH, { token: alice });

    expect(answer.body).toEqual({
      status: 'ok',
      sync_ingress: { limits: { max_events_per_batch: 10, max_decompressed_bytes_per_batch: 8_388_608 } },
    });
  });

  test('answers an unknown path with 404, a missing slash with 404 and a hint, a wrong method with 405', async () => {
    const { call, alice } = await startServer();

    expect(await call('GET', '/api/v2/', { token: alice })).toMatchObject({
      status: 404,
      body: { error: 'Not found' },
    });
    expect(await call('POST', '/api/v1/events/batch', { token: alice })).toMatchObject({
      status: 404,
      body: { error: 'Not found; the path ends with a slash' },
    });
    const wrong = await call('GET', BATCH, { token: alice });
    expect(wrong.status).toBe(405);
    expect(wrong.headers.get('allow')).toBe('POST');
  });

  test('logs method, path, status, size and event count of requests, never a query or a body (SEC-2)', async () => {
    const { call, push, alice, server } = await startServer();

    await call('GET', `${HEALTH}?token=secret`, { token: alice });
    await push([anEvent()]);

    expect(server.requests).toEqual([
      { method: 'GET', path: HEALTH, status: 200, bytes: 0, events: null },
      { method: 'POST', path: BATCH, status: 200, bytes: expect.any(Number), events: 1 },
    ]);
    expect(JSON.stringify(server.requests)).not.toContain('secret');
  });

  test('goes on answering after it refused a request whose body nobody read', async () => {
    const { call, alice } = await startServer();

    const refused = await call('POST', BATCH, { body: { events: [anEvent()] } });
    const next = await call('GET', HEALTH, { token: alice });

    expect([refused.status, next.status]).toEqual([401, 200]);
  });
});

describe('scripted answers', () => {
  test('stand in for the server for the next requests of a path, then it answers itself again', async () => {
    const { push, call, alice, server } = await startServer();
    server.respondNext(
      { status: 429, body: { error: 'slow down' }, headers: { 'retry-after': '7' } },
      { path: BATCH, times: 2 },
    );

    const health = await call('GET', HEALTH, { token: alice });
    const answers = [await push([anEvent()]), await push([anEvent()]), await push([anEvent()])];

    expect(health.status).toBe(200);
    expect(answers.map((answer) => answer.status)).toEqual([429, 429, 200]);
    expect(answers[0]?.headers.get('retry-after')).toBe('7');
    expect(server.events()).toHaveLength(1);
  });

  test('can look on and let the server answer', async () => {
    const { push, server } = await startServer();
    const seen: string[] = [];
    server.respondNext((request) => {
      seen.push(request.method ?? '');
      return 'continue';
    });

    const answer = await push([anEvent()]);

    expect(answer.status).toBe(200);
    expect(seen).toEqual(['POST']);
  });

  test('can cut the connection', async () => {
    const { push, server } = await startServer();
    server.respondNext((request) => {
      request.socket.destroy();
    });

    await expect(push([anEvent()])).rejects.toThrow('fetch failed');
    expect(server.requests.at(-1)).toMatchObject({ status: null });
  });

  test('can be garbage', async () => {
    const { url, server, alice } = await startServer();
    server.garbage();

    const response = await fetch(`${url}${HEALTH}`, { headers: { authorization: `Bearer ${alice}` } });

    expect(response.status).toBe(200);
    await expect(response.json()).rejects.toThrow(SyntaxError);
  });

  test('can hang, and close() ends the hanging request at once', async () => {
    const { call, alice, server } = await startServer();
    server.hang();
    const outcome = call('GET', HEALTH, { token: alice }).catch((error: unknown) => error);
    while (server.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));

    await server.close();

    expect(await outcome).toBeInstanceOf(TypeError);
    expect(server.requests).toMatchObject([{ path: HEALTH, status: null }]);
  });
});

describe('starting', () => {
  test('says which address is taken', async () => {
    const { url } = await startServer();
    const port = Number(new URL(url).port);
    const second = await createContractServer();

    await expect(second.listen(port)).rejects.toThrow(`Cannot listen on 127.0.0.1:${port}`);
    await second.close();
  });

  test('has no URL before it listens', async () => {
    const server = await createContractServer();

    expect(() => server.url).toThrow('not listening');
    await server.close();
  });

  test('names the Node it needs where the runtime has no SQLite', () => {
    expect(() => requireSqlite(() => undefined)).toThrow('Use Node 22.13 or newer');
  });
});
