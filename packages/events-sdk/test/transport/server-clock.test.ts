import { expect, test } from 'vitest';

import { createTestTime } from '../../src/testing/test-time.ts';
import { createHttpTransport, type Fetch } from '../../src/transport/http/index.ts';
import { startHttpServer } from './local-server.ts';

const CONTEXT = { server: 'https://sync.example', accessToken: 'token' };

function clockAnswering(answer: () => Response | Promise<Response>): Promise<number | undefined> | undefined {
  const fetch: Fetch = () => Promise.resolve(answer());
  return createHttpTransport({ time: createTestTime(), fetch }).serverClock?.(CONTEXT);
}

test('asks the clock endpoint with the bearer token', async () => {
  const server = await startHttpServer((_request, response) => response.end('{"lamport_clock": 4711}'));
  const transport = createHttpTransport({ time: createTestTime() });

  expect(await transport.serverClock?.({ server: server.address, accessToken: 'token' })).toBe(4711);

  expect(server.seen).toMatchObject([
    { method: 'GET', url: '/api/v1/events/clock/', headers: { authorization: 'Bearer token' } },
  ]);
});

test.each([
  ['404', () => new Response('{"detail":"Not found"}', { status: 404 })],
  ['500', () => new Response('{"lamport_clock": 5}', { status: 500 })],
  ['a web page', () => new Response('<!doctype html>')],
  ['a text', () => new Response('{"lamport_clock": "5"}')],
  ['a fraction', () => new Response('{"lamport_clock": 5.5}')],
  ['less than nothing', () => new Response('{"lamport_clock": -1}')],
  ['more than a number can hold', () => new Response('{"lamport_clock": 9007199254740993}')],
  ['a failing network', () => Promise.reject(new Error('gone'))],
])('a server that answers with %s does not say where its clock stands', async (_name, answer) => {
  expect(await clockAnswering(answer)).toBeUndefined();
});

test('an address that may get no token is not asked (SEC-3)', async () => {
  let asked = 0;
  const fetch: Fetch = () => {
    asked += 1;
    return Promise.resolve(new Response('{"lamport_clock": 5}'));
  };
  const transport = createHttpTransport({ time: createTestTime(), fetch });

  expect(await transport.serverClock?.({ server: 'http://sync.example', accessToken: 'token' })).toBeUndefined();
  expect(await transport.serverClock?.({ server: 'https://sync.example', accessToken: '' })).toBeUndefined();
  expect(asked).toBe(0);
});
