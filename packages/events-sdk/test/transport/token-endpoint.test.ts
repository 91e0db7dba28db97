import { expect, test } from 'vitest';

import { createTestTime } from '../../src/testing/test-time.ts';
import { createHttpTokenEndpoint, type Fetch } from '../../src/transport/http/index.ts';
import { closedAddress, startHttpServer, until } from './local-server.ts';

const NOW = Date.UTC(2026, 1, 7, 18, 4, 5, 120);
const PASSWORD = 'hunter2-correct-horse';
const PAIR = { access: 'aaa', refresh: 'rrr' };
const RIGHT = { username: 'alice@example.com', password: PASSWORD };

function endpointAnswering(
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): ReturnType<typeof createHttpTokenEndpoint> {
  const fetch: Fetch = () =>
    Promise.resolve(new Response(typeof body === 'string' ? body : JSON.stringify(body), { status, headers }));
  return createHttpTokenEndpoint({ time: createTestTime(NOW), fetch });
}

test('asks for tokens with name and password, and for new ones with the refresh token, at the exact paths', async () => {
  const server = await startHttpServer((_request, response) => {
    response.end(JSON.stringify({ ...PAIR, access_lifetime: 900, refresh_lifetime: 604_800, team_slug: 'acme' }));
  });
  const endpoint = createHttpTokenEndpoint({ time: createTestTime(NOW) });

  const obtained = await endpoint.obtain({ server: server.address, ...RIGHT });
  await endpoint.refresh({ server: `${server.address}/`, refreshToken: 'rrr' });

  expect(obtained).toEqual({
    kind: 'tokens',
    tokens: { ...PAIR, accessExpiresAt: NOW + 900_000, refreshExpiresAt: NOW + 604_800_000 },
    teamSlug: 'acme',
  });
  expect(server.seen.map(({ method, url, body }) => [method, url, JSON.parse(body.toString()) as unknown])).toEqual([
    ['POST', '/api/v1/token/', RIGHT],
    ['POST', '/api/v1/token/refresh/', { refresh: 'rrr' }],
  ]);
  expect(
    server.seen.every(
      ({ headers }) => headers['content-type'] === 'application/json' && headers.authorization === undefined,
    ),
  ).toBe(true);
});

test.each([
  [{}, 900, 604_800],
  [{ access_lifetime: 60, refresh_lifetime: 120 }, 60, 120],
  [{ expires_in: 60, refresh_expires_in: 120 }, 60, 120],
  [{ access_lifetime: 60, expires_in: 61 }, 60, 604_800],
  [{ access_lifetime: 0, expires_in: 61 }, 61, 604_800],
  [{ access_lifetime: null, expires_in: '61', refresh_expires_in: ' 120 ' }, 61, 120],
  [{ access_lifetime: 'garbage', expires_in: 61 }, 900, 604_800],
  [{ access_lifetime: -5, refresh_lifetime: {} }, 900, 604_800],
  [{ access_lifetime: 1e300, refresh_lifetime: '9'.repeat(400) }, 31_622_400, 31_622_400],
  [{ access_lifetime: true }, 900, 604_800],
])('reads the lifetimes %o as %i s and %i s', async (lifetimes, accessS, refreshS) => {
  const answer = await endpointAnswering(200, { ...PAIR, ...lifetimes }).obtain({
    server: 'https://sync.example',
    ...RIGHT,
  });

  expect(answer).toMatchObject({
    tokens: { accessExpiresAt: NOW + accessS * 1000, refreshExpiresAt: NOW + refreshS * 1000 },
  });
});

test.each([
  [401, '', 'refused'],
  [401, PAIR, 'refused'],
  [400, { error: 'invalid_grant' }, 'refused'],
  [400, { error: 'session_invalid' }, 'refused'],
  [400, { error: 'schema' }, 'invalid'],
  [403, {}, 'invalid'],
  [404, '<html>', 'invalid'],
  [405, '', 'invalid'],
  [408, '', 'unreachable'],
  [409, { error: 'refresh_replay_benign_retry' }, 'unreachable'],
  [429, '', 'unreachable'],
  [500, '', 'unreachable'],
  [503, '', 'unreachable'],
  [200, '<html>', 'invalid'],
  [200, '', 'invalid'],
  [200, { access: 'aaa' }, 'invalid'],
  [200, { refresh: 'rrr' }, 'invalid'],
  [200, { access: '', refresh: 'rrr' }, 'invalid'],
  [200, { access: 'a b', refresh: 'r\nr' }, 'invalid'],
  [200, { access: 7, refresh: null }, 'invalid'],
  [200, [], 'invalid'],
  [201, PAIR, 'invalid'],
])('reads %i with %j as %s', async (status, body, kind) => {
  expect(
    await endpointAnswering(status, body).refresh({ server: 'https://sync.example', refreshToken: 'rrr' }),
  ).toMatchObject({ kind });
});

test('no message repeats a password or token, whatever the server says (SEC-2)', async () => {
  const echo = { error: `wrong: ${PASSWORD} rrr-secret`, detail: PASSWORD };
  const answers = await Promise.all(
    [200, 301, 400, 401, 403, 404, 418, 429, 500].map(async (status) => {
      const endpoint = endpointAnswering(status, echo, { location: `https://x.example/${PASSWORD}` });
      return [
        await endpoint.obtain({ server: 'https://sync.example', ...RIGHT }),
        await endpoint.refresh({ server: 'https://sync.example', refreshToken: 'rrr-secret' }),
      ];
    }),
  );

  expect(JSON.stringify(answers)).not.toMatch(/hunter2|rrr-secret/);
});

test.each([301, 302, 307, 308])(
  'follows no redirect %i: neither password nor token reaches another server',
  async (status) => {
    const other = await startHttpServer((_request, response) => response.end(JSON.stringify(PAIR)));
    const server = await startHttpServer((request, response) => {
      response.writeHead(status, { location: `${other.address}${request.url}` }).end();
    });
    const endpoint = createHttpTokenEndpoint({ time: createTestTime(NOW) });

    expect(await endpoint.obtain({ server: server.address, ...RIGHT })).toMatchObject({ kind: 'invalid' });
    expect(await endpoint.refresh({ server: server.address, refreshToken: 'rrr' })).toMatchObject({ kind: 'invalid' });
    expect(other.seen).toEqual([]);
  },
);

test('sends nothing to a server that is not encrypted (SEC-3)', async () => {
  let calls = 0;
  const fetch: Fetch = () => {
    calls += 1;
    return Promise.resolve(new Response('{}'));
  };
  const endpoint = createHttpTokenEndpoint({ time: createTestTime(NOW), fetch });

  expect(await endpoint.refresh({ server: 'http://sync.example', refreshToken: 'rrr' })).toMatchObject({
    kind: 'invalid',
  });
  expect(calls).toBe(0);
});

test('gives up after ten seconds, and when nobody listens', async () => {
  const time = createTestTime(NOW);
  const server = await startHttpServer(() => {});
  const endpoint = createHttpTokenEndpoint({ time });
  const asking = endpoint.refresh({ server: server.address, refreshToken: 'rrr' });
  await until(() => server.seen.length === 1);

  await time.advance(10_000);

  expect(await asking).toEqual({ kind: 'unreachable', message: `${server.address} did not answer within 10 s.` });
  const nobody = await closedAddress();
  expect(await endpoint.obtain({ server: nobody, ...RIGHT })).toEqual({
    kind: 'unreachable',
    message: `Cannot reach ${nobody}: the connection was refused (ECONNREFUSED).`,
  });
});

test('reads tokens cut short as unreachable, never as a refusal', async () => {
  const server = await startHttpServer((_request, response) => {
    response.writeHead(200, { 'content-length': '999' });
    response.write('{"access":"aaa"', () => response.destroy());
  });

  expect(
    await createHttpTokenEndpoint({ time: createTestTime(NOW) }).refresh({
      server: server.address,
      refreshToken: 'rrr',
    }),
  ).toMatchObject({
    kind: 'unreachable',
  });
});
