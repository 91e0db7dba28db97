import { expect, test } from 'vitest';

import { createTestTime } from '../../src/testing/test-time.ts';
import { probeServer, type Fetch, type ProbeVerdict } from '../../src/transport/http/index.ts';
import { closedAddress, startHttpServer, until } from './local-server.ts';

function probeAnswering(status: number, body: string, headers: Record<string, string> = {}): Promise<ProbeVerdict> {
  const fetch: Fetch = () => Promise.resolve(new Response(body, { status, headers }));
  return probeServer({ server: 'https://sync.example', accessToken: 'token', time: createTestTime(), fetch });
}

test('asks the health endpoint with the real token and reads its limits (US6-4)', async () => {
  const server = await startHttpServer((_request, response) => {
    response.end(
      JSON.stringify({
        sync_ingress: { limits: { max_events_per_batch: 500, max_decompressed_bytes_per_batch: 524_288 } },
      }),
    );
  });

  const verdict = await probeServer({ server: server.address, accessToken: 'token', time: createTestTime() });

  expect(verdict).toEqual({ kind: 'healthy', tookMs: 0, limits: { maxEvents: 500, maxBytes: 524_288 } });
  expect(server.seen).toMatchObject([
    { method: 'GET', url: '/api/v1/sync/health/', headers: { authorization: 'Bearer token' } },
  ]);
});

test('shows no token where there is none', async () => {
  const server = await startHttpServer((_request, response) => response.end('{}'));

  expect(await probeServer({ server: server.address, time: createTestTime() })).toEqual({ kind: 'healthy', tookMs: 0 });
  expect(server.seen[0]?.headers.authorization).toBeUndefined();
});

test.each([
  [200, '{"status":"ok"}', {}, 'healthy'],
  [200, '<!doctype html>', {}, 'not-a-sync-server'],
  [200, 'null', {}, 'not-a-sync-server'],
  [200, '', {}, 'not-a-sync-server'],
  [302, '', { location: 'https://login.example' }, 'not-a-sync-server'],
  [401, '', {}, 'unauthorized'],
  [403, '', {}, 'forbidden'],
  [404, '{"detail":"Not found"}', {}, 'unknown'],
  [404, '<html>', { 'content-type': 'text/html' }, 'not-a-sync-server'],
  [418, '', {}, 'not-a-sync-server'],
  [429, '', {}, 'unhealthy'],
  [503, '', {}, 'unhealthy'],
])('reads %i %j %o as %s', async (status, body, headers, kind) => {
  expect(await probeAnswering(status, body, headers)).toMatchObject({ kind });
});

test('an address that may get no token is told apart from one that does not answer', async () => {
  const nobody = await closedAddress();

  expect(await probeServer({ server: 'http://sync.example', time: createTestTime() })).toMatchObject({
    kind: 'not-a-sync-server',
  });
  expect(await probeServer({ server: nobody, time: createTestTime() })).toMatchObject({ kind: 'unreachable' });
});

test('gives up after five seconds', async () => {
  const time = createTestTime();
  const server = await startHttpServer(() => {});
  const probing = probeServer({ server: server.address, time });
  await until(() => server.seen.length === 1);

  await time.advance(5_000);

  expect(await probing).toEqual({ kind: 'unreachable', message: `${server.address} did not answer within 5 s.` });
});
