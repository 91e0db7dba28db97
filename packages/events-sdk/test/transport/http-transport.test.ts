import { spawn } from 'node:child_process';
import { once } from 'node:events';
import nodeModule from 'node:module';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';

import { expect, test } from 'vitest';

import { systemTime } from '../../src/internal/time.ts';
import { nodeGzip } from '../../src/node/gzip.ts';
import { createTestTime } from '../../src/testing/test-time.ts';
import { createHttpTransport, type Fetch } from '../../src/transport/http/index.ts';
import type { BatchItem } from '../../src/transport/port.ts';
import { closedAddress, startHttpServer, startTcpServer, until } from './local-server.ts';

const TOKEN = 'eyJhbGciOiJIUzI1NiJ9.eyJ0ZWFtIjoiYWNtZSJ9.c2lnbmF0dXJl';
const A = '01KGVZ3Q8M5T2N7RJ4W6XA9BCD';
const B = '01KGVZ3Q8M5T2N7RJ4W6XA9BCE';
// Spacing, key order, escapes and a number that a parser would round: none of it may change on the way.
const BATCH: readonly BatchItem[] = [
  { eventId: A, data: `{ "event_id":"${A}",  "payload":{"z":1,"a":"\\u00e9 é 🐱","n":12345678901234567890}}` },
  { eventId: B, data: `{"event_id":"${B}"}` },
];
const success = (eventId: string): object => ({ event_id: eventId, status: 'success' });

test.each([
  ['the default compression', undefined],
  ['zlib at level 1', nodeGzip],
])(
  'sends the stored bytes untouched, gzipped by %s, with a fixed length and the token (US2-1, SEC-3)',
  async (_name, gzip) => {
    const server = await startHttpServer((_request, response) => {
      response.end(JSON.stringify({ results: [success(A), success(B)] }));
    });
    const transport = createHttpTransport({ time: createTestTime(), ...(gzip === undefined ? {} : { gzip }) });

    const answer = await transport.push(BATCH, { server: server.address, accessToken: TOKEN });

    expect(answer).toMatchObject({ kind: 'ok', verdicts: [{ eventId: A }, { eventId: B }] });
    const [request] = server.seen;
    expect(request).toMatchObject({
      method: 'POST',
      url: '/api/v1/events/batch/',
      headers: {
        authorization: `Bearer ${TOKEN}`,
        'content-encoding': 'gzip',
        'content-type': 'application/json',
        'content-length': String(request?.body.length),
      },
    });
    expect(request?.headers).not.toHaveProperty('transfer-encoding');
    expect(gunzipSync(request?.body ?? '').toString('utf8')).toBe(`{"events":[${BATCH[0]?.data},${BATCH[1]?.data}]}`);
  },
);

test('ignores verdicts on events that were not sent', async () => {
  const foreign = '01KGVZ3Q8M5T2N7RJ4W6XA9BCF';
  const server = await startHttpServer((_request, response) => {
    response.end(JSON.stringify({ results: [success(foreign), success(B)] }));
  });

  const answer = await createHttpTransport({ time: createTestTime() }).push(BATCH, {
    server: server.address,
    accessToken: TOKEN,
  });

  expect(answer).toEqual({ kind: 'ok', verdicts: [{ eventId: B, verdict: 'success' }] });
});

test.each([
  ['an empty token', ''],
  ['a token that would break its header', 'abc\r\nx-evil: 1'],
])('sends nothing with %s (SEC-3, FR-025)', async (_name, accessToken) => {
  const server = await startHttpServer((_request, response) => response.end('{"results":[]}'));

  const answer = await createHttpTransport({ time: createTestTime() }).push(BATCH, {
    server: server.address,
    accessToken,
  });

  expect(answer).toEqual({ kind: 'unauthorized' });
  expect(server.openSockets()).toBe(0);
});

test.each(['http://sync.example', 'ftp://127.0.0.1', 'https://u:p@sync.example', 'nonsense'])(
  'sends no token to %s (SEC-3)',
  async (server) => {
    const calls: unknown[] = [];
    const fetch: Fetch = (input) => {
      calls.push(input);
      return Promise.resolve(new Response('{"results":[]}'));
    };

    const answer = await createHttpTransport({ time: createTestTime(), fetch }).push(BATCH, {
      server,
      accessToken: TOKEN,
    });

    expect(answer).toMatchObject({ kind: 'failure', reason: 'protocol' });
    expect(calls).toEqual([]);
  },
);

test.each([301, 302, 303, 307, 308])('follows no redirect %i, so the token stays with its server', async (status) => {
  const other = await startHttpServer((_request, response) => response.end('{"results":[]}'));
  const server = await startHttpServer((_request, response) => {
    response.writeHead(status, { location: `${other.address}/elsewhere?t=1` }).end();
  });

  const answer = await createHttpTransport({ time: createTestTime() }).push(BATCH, {
    server: server.address,
    accessToken: TOKEN,
  });

  expect(answer).toMatchObject({ kind: 'failure', reason: 'protocol' });
  expect(answer).toHaveProperty(
    'message',
    expect.stringContaining(`${server.address} redirects to ${other.address}/elsewhere.`),
  );
  expect(other.seen).toEqual([]);
  expect(server.seen).toHaveLength(1);
});

test.each([408, 413, 429, 500, 503])('asks once only, whatever it is told: %i', async (status) => {
  const server = await startHttpServer((_request, response) => {
    response.writeHead(status, { 'retry-after': '1' }).end();
  });

  await createHttpTransport({ time: createTestTime() }).push(BATCH, { server: server.address, accessToken: TOKEN });

  expect(server.seen).toHaveLength(1);
});

test('gives a server that never answers up at its deadline and frees the socket', async () => {
  const time = createTestTime();
  const server = await startHttpServer(() => {});
  const pushing = createHttpTransport({ time }).push(BATCH, { server: server.address, accessToken: TOKEN });
  await until(() => server.seen.length === 1);

  await time.advance(59_999);
  expect(server.openSockets()).toBe(1);
  await time.advance(1);

  expect(await pushing).toEqual({
    kind: 'retryable',
    reason: 'timeout',
    message: `${server.address} did not answer within 60 s.`,
  });
  await until(() => server.openSockets() === 0);
  expect(time.pending).toBe(0);
});

test('holds the deadline against a body that comes too slowly, and takes no verdict from its beginning', async () => {
  const time = createTestTime();
  const server = await startHttpServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write(`{"results":[${JSON.stringify(success(A))},`);
  });
  let hasHeaders = false;
  const fetch: Fetch = async (input, init) => {
    const response = await globalThis.fetch(input, init);
    hasHeaders = true;
    return response;
  };
  const pushing = createHttpTransport({ time, fetch }).push(BATCH, { server: server.address, accessToken: TOKEN });
  await until(() => hasHeaders);

  await time.advance(60_000);

  expect(await pushing).toMatchObject({ kind: 'retryable', reason: 'timeout' });
  await until(() => server.openSockets() === 0);
});

test('holds the deadline against a fetch that does not listen to its signal', async () => {
  const time = createTestTime();
  let isAsked = false;
  const fetch: Fetch = () => {
    isAsked = true;
    return new Promise(() => {});
  };
  const pushing = createHttpTransport({ time, fetch }).push(BATCH, {
    server: 'https://sync.example',
    accessToken: TOKEN,
  });
  await until(() => isAsked);

  await time.advance(60_000);

  expect(await pushing).toMatchObject({ kind: 'retryable', reason: 'timeout' });
});

test("ends at once when the caller's signal aborts, before and during the request", async () => {
  const server = await startHttpServer(() => {});
  const transport = createHttpTransport({ time: createTestTime() });
  const control = new AbortController();
  const pushing = transport.push(BATCH, { server: server.address, accessToken: TOKEN, signal: control.signal });
  await until(() => server.seen.length === 1);

  control.abort();

  expect(await pushing).toMatchObject({ kind: 'retryable', reason: 'aborted' });
  await until(() => server.openSockets() === 0);
  const late = await transport.push(BATCH, { server: server.address, accessToken: TOKEN, signal: control.signal });
  expect(late).toMatchObject({ kind: 'retryable', reason: 'aborted' });
  expect(server.seen).toHaveLength(1);
});

test('reads a connection cut in the middle of the verdicts as undecided', async () => {
  const server = await startHttpServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '9999' });
    response.write(`{"results":[${JSON.stringify(success(A))}`, () => response.destroy());
  });

  const answer = await createHttpTransport({ time: createTestTime() }).push(BATCH, {
    server: server.address,
    accessToken: TOKEN,
  });

  expect(answer).toEqual({
    kind: 'retryable',
    reason: 'unreachable',
    message: `${server.address} cut the connection during its answer.`,
  });
});

test('keeps the meaning of a status whose body breaks off', async () => {
  const server = await startHttpServer((_request, response) => {
    response.writeHead(403, { 'content-length': '9999' });
    response.write('{"error":', () => response.destroy());
  });

  const answer = await createHttpTransport({ time: createTestTime() }).push(BATCH, {
    server: server.address,
    accessToken: TOKEN,
  });

  expect(answer).toMatchObject({ kind: 'forbidden' });
});

test('reads bytes that are no HTTP as unreachable', async () => {
  const server = await startTcpServer((socket) => {
    socket.once('data', () => socket.end('\u0000\u0001SSH-2.0-garbage\r\n\r\n'));
  });

  const answer = await createHttpTransport({ time: createTestTime() }).push(BATCH, {
    server: server.address,
    accessToken: TOKEN,
  });

  expect(answer).toMatchObject({ kind: 'retryable', reason: 'unreachable' });
  expect(answer).toHaveProperty('message', expect.stringContaining('it does not speak HTTP'));
});

test('names the server and the reason when nobody listens', async () => {
  const server = await closedAddress();

  const answer = await createHttpTransport({ time: createTestTime() }).push(BATCH, { server, accessToken: TOKEN });

  expect(answer).toEqual({
    kind: 'retryable',
    reason: 'unreachable',
    message: `Cannot reach ${server}: the connection was refused (ECONNREFUSED).`,
  });
});

test('stops reading an answer without end', async () => {
  const chunk = Buffer.alloc(1024 * 1024, 0x20);
  let written = 0;
  const server = await startHttpServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const pour = (): void => {
      written += 1;
      if (!response.destroyed) response.write(chunk, pour);
    };
    pour();
  });

  const answer = await createHttpTransport({ time: createTestTime() }).push(BATCH, {
    server: server.address,
    accessToken: TOKEN,
  });

  expect(answer).toMatchObject({ kind: 'failure', reason: 'protocol' });
  await until(() => server.openSockets() === 0);
  expect(written).toBeLessThan(64);
});

test('never repeats its token, whatever the server or fetch says (SEC-2)', async () => {
  const opaque = 'opaque-lower-case-token';
  const server = await startHttpServer((request, response) => {
    response.writeHead(403, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ error: `you sent ${request.headers.authorization}` }));
  });
  const time = createTestTime();
  const fetch: Fetch = () => Promise.reject(new TypeError(`"Bearer ${opaque}" is an invalid header value`));

  const echoed = await createHttpTransport({ time }).push(BATCH, { server: server.address, accessToken: opaque });
  const thrown = await createHttpTransport({ time, fetch }).push(BATCH, {
    server: server.address,
    accessToken: opaque,
  });
  const gzip = (): Promise<never> => Promise.reject(new Error(opaque));
  const broken = await createHttpTransport({ time, gzip }).push(BATCH, { server: server.address, accessToken: opaque });

  expect(echoed).toMatchObject({ kind: 'forbidden', message: expect.stringContaining('you sent') });
  expect(thrown).toMatchObject({ kind: 'retryable', reason: 'unreachable' });
  expect(broken).toMatchObject({ kind: 'failure', reason: 'unexpected' });
  expect(JSON.stringify([echoed, thrown, broken])).not.toContain(opaque);
});

test('lets the process end right after giving up on a server that never answers', async () => {
  const server = await startHttpServer(() => {});
  const child = spawn(
    process.execPath,
    [
      '--experimental-strip-types',
      '--no-warnings',
      fileURLToPath(new URL('push-once.child.ts', import.meta.url)),
      server.address,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let output = '';
  let endedAt = 0;
  child.stdout.on('data', (text: Buffer) => {
    output += text.toString();
    endedAt ||= systemTime.now();
  });

  const [code] = (await once(child, 'close')) as [number | null];

  expect({ code, output: JSON.parse(output) as unknown }).toMatchObject({
    code: 0,
    output: { kind: 'retryable', reason: 'timeout' },
  });
  // Kept-alive or half-open sockets would hold it for seconds.
  expect(systemTime.now() - endedAt).toBeLessThan(3_000);
});

// Early Node 22 cannot list what it loads.
test.skipIf(!('registerHooks' in nodeModule))('loads no HTTP client before the first push', async () => {
  const script = `
    import { registerHooks } from 'node:module';
    const loaded = [];
    registerHooks({ load(url, context, next) { loaded.push(url); return next(url, context); } });
    const { createHttpTransport, createHttpTokenEndpoint } = await import(${JSON.stringify(new URL('../../src/transport/http/index.ts', import.meta.url).href)});
    const time = { now: () => 0, after: () => () => {} };
    createHttpTransport({ time }); createHttpTokenEndpoint({ time });
    console.log(JSON.stringify(loaded));
  `;
  const child = spawn(
    process.execPath,
    ['--experimental-strip-types', '--no-warnings', '--input-type=module', '-e', script],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let output = '';
  child.stdout.on('data', (text: Buffer) => {
    output += text.toString();
  });
  await once(child, 'close');

  const loaded = JSON.parse(output) as string[];

  expect(loaded.some((url) => url.endsWith('/transport/http/index.ts'))).toBe(true);
  expect(loaded.filter((url) => /node_modules\/(ky|\.pnpm\/ky)|node:zlib|smol-toml/.test(url))).toEqual([]);
});
