/** Attempts that come to no link: what they are answered, and that they leave nothing behind. */
import { spawn } from 'node:child_process';
import { getEventListeners, once } from 'node:events';
import nodeModule from 'node:module';
import { fileURLToPath } from 'node:url';

import { describe, expect, test } from 'vitest';

import type { FixedAnswer, ScriptedHandler } from '../../../src/testing/contract-server/index.ts';
import { createTestTime } from '../../../src/testing/test-time.ts';
import { createWebSocketTransport } from '../../../src/transport/websocket/index.ts';
import { startServer } from '../../contract-server/setup.ts';
import { closedAddress, startTcpServer, until } from '../local-server.ts';
import { countingWebSocket, linkOf, makeWorld } from './setup.ts';

const TOKEN_PATH = '/api/v1/ws-token/';
const LINK_PATH = '/ws/v1/events/';

const refusals: [string, FixedAnswer, object][] = [
  ['401', { status: 401 }, { kind: 'unauthorized' }],
  ['403', { status: 403 }, { kind: 'forbidden' }],
  ['404', { status: 404 }, { kind: 'unsupported' }],
  ['405', { status: 405 }, { kind: 'unsupported' }],
  ['501', { status: 501 }, { kind: 'unsupported' }],
  ['408', { status: 408 }, { kind: 'retryable', reason: 'timeout' }],
  [
    '429 with a time to wait',
    { status: 429, headers: { 'retry-after': '7' } },
    { kind: 'retryable', reason: 'throttled', retryAfterMs: 7_000 },
  ],
  ['500', { status: 500 }, { kind: 'retryable', reason: 'server-error' }],
  [
    '503 with a date to wait for',
    { status: 503, headers: { 'retry-after': 'Sat, 07 Feb 2026 18:05:05 GMT' } },
    { kind: 'retryable', reason: 'server-error', retryAfterMs: 59_880 },
  ],
  [
    'a redirect',
    { status: 307, headers: { location: 'https://elsewhere.example/' } },
    { kind: 'retryable', reason: 'unreachable', message: expect.stringContaining('redirects') },
  ],
];

describe.each([
  ['the token endpoint', TOKEN_PATH],
  ['the upgrade', LINK_PATH],
])('%s', (_name, path) => {
  test.each(refusals)('answering %s', async (_case, answer, expected) => {
    const { attempt, server, time, losses } = await makeWorld();
    server.respondNext(answer, { path });

    expect(await attempt()).toMatchObject(expected);
    expect(losses).toEqual([]);
    expect(time.pending).toBe(0);
    // The next attempt is a new one, with a token of its own.
    linkOf(await attempt());
  });

  test('not answering is given up after 10 s', async () => {
    const { attempt, server, time } = await makeWorld();
    server.hang({ path });
    const answer = attempt();
    await until(() => server.requests.at(-1)?.path === path && time.pending === 1);

    await time.advance(10_000);

    expect(await answer).toMatchObject({ kind: 'retryable', reason: 'timeout' });
    expect(time.pending).toBe(0);
  });

  test('not answering ends at once when the attempt is stopped', async () => {
    const { attempt, server, time } = await makeWorld();
    server.hang({ path });
    const control = new AbortController();
    const answer = attempt({ signal: control.signal });
    await until(() => server.requests.at(-1)?.path === path && time.pending === 1);

    control.abort();

    expect(await answer).toMatchObject({ kind: 'retryable', reason: 'aborted' });
    expect(time.pending).toBe(0);
    expect(getEventListeners(control.signal, 'abort')).toEqual([]);
  });

  test('cutting the connection', async () => {
    const { attempt, server, time } = await makeWorld();
    server.respondNext((request) => void request.socket.destroy(), { path });

    expect(await attempt()).toMatchObject({ kind: 'retryable', reason: 'unreachable' });
    expect(time.pending).toBe(0);
  });
});

describe('a WebSocket that tells nothing of HTTP, as in a browser', () => {
  const ends: [string, FixedAnswer | ScriptedHandler][] = [
    ['a refused upgrade', { status: 503 }],
    ['a redirect', { status: 307, headers: { location: 'https://elsewhere.example/' } }],
    ['a cut connection', (request) => void request.socket.destroy()],
  ];
  test.each(ends)('%s is worth another attempt', async (_name, fault) => {
    const { attempt, server, time } = await makeWorld({ implementation: globalThis.WebSocket });
    server.respondNext(fault, { path: LINK_PATH });

    expect(await attempt()).toMatchObject({
      kind: 'retryable',
      reason: 'unreachable',
      message: expect.stringContaining('(1006'),
    });
    expect(time.pending).toBe(0);
  });
});

describe('the token endpoint', () => {
  const bodies: [string, FixedAnswer, object][] = [
    ['no token', { status: 200, body: {} }, { kind: 'retryable', reason: 'server-error' }],
    ['a token for no header', { status: 200, body: { ws_token: 'a\r\nb' } }, { kind: 'retryable' }],
    ['no JSON', { status: 200, body: '{"ws_token":' }, { kind: 'retryable', reason: 'server-error' }],
    [
      'a web page',
      { status: 200, body: '<!doctype html><p>Welcome to our hotel', headers: { 'content-type': 'text/html' } },
      { kind: 'retryable', reason: 'unreachable', message: expect.stringContaining('web page') },
    ],
  ];
  test.each(bodies)('answering with %s', async (_name, answer, expected) => {
    const { attempt, server } = await makeWorld();
    server.respondNext(answer, { path: TOKEN_PATH });

    expect(await attempt()).toMatchObject(expected);
    expect(server.links).toBe(0);
  });
});

describe('an attempt', () => {
  test('that was stopped before it began sends nothing', async () => {
    const { attempt, server } = await makeWorld();

    expect(await attempt({ signal: AbortSignal.abort() })).toMatchObject({ kind: 'retryable', reason: 'aborted' });
    expect(server.requests).toEqual([]);
  });

  test('that is stopped while it waits for the snapshot ends at once', async () => {
    const { counts, implementation } = countingWebSocket();
    const { attempt, server, time } = await makeWorld({ implementation });
    server.breakNextLink({ kind: 'silent' });
    const control = new AbortController();
    const answer = attempt({ signal: control.signal });
    await until(() => counts.opened === 1);

    control.abort();

    expect(await answer).toMatchObject({ kind: 'retryable', reason: 'aborted' });
    expect(time.pending).toBe(0);
    await until(() => server.links === 0);
  });

  test('leaves its signal alone once it has come to a link', async () => {
    const { attempt, losses } = await makeWorld();
    const control = new AbortController();
    const link = linkOf(await attempt({ signal: control.signal }));

    expect(getEventListeners(control.signal, 'abort')).toEqual([]);
    control.abort();

    expect(await link.push([])).toEqual({ kind: 'ok', verdicts: [] });
    expect(losses).toEqual([]);
  });

  test('at an address where nobody listens, or somebody who speaks no HTTP', async () => {
    const { address: noHttp } = await startTcpServer((socket) => socket.end('220 mail.example ready\r\n'));
    const transport = createWebSocketTransport({ time: createTestTime() });
    const connect = (server: string) => transport.connect({ server, accessToken: 'token', onEvent() {}, onLost() {} });

    expect(await connect(await closedAddress())).toMatchObject({
      kind: 'retryable',
      reason: 'unreachable',
      message: expect.stringContaining('ECONNREFUSED'),
    });
    expect(await connect(noHttp)).toMatchObject({ kind: 'retryable', reason: 'unreachable' });
  });

  test('with a WebSocket class that cannot be used is answered all the same', async () => {
    const Broken = function (): never {
      throw new Error('secret');
    };
    // Not what the type asks for: that is the test.
    const { attempt, time } = await makeWorld({ implementation: Broken as never });

    const answer = await attempt();

    expect(answer.kind).toBe('unsupported');
    expect(JSON.stringify(answer)).not.toContain('secret');
    expect(time.pending).toBe(0);
  });
});

function runChild(args: readonly string[]) {
  const child = spawn(process.execPath, ['--experimental-strip-types', '--no-warnings', ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (text: Buffer) => {
    output += text.toString();
  });
  return once(child, 'close').then(([code]) => ({ code: code as number | null, output }));
}

test('a process ends by itself after close(), after a loss, and after an attempt that was stopped', async () => {
  const { url, alice, server } = await startServer();

  const { code, output } = await runChild([fileURLToPath(new URL('link-once.child.ts', import.meta.url)), url, alice]);

  expect({ code, said: JSON.parse(output) as unknown }).toEqual({ code: 0, said: ['ok', 'closed', 'aborted'] });
  expect(server.events()).toHaveLength(1);
});

// Early Node 22 cannot list what it loads.
test.skipIf(!('registerHooks' in nodeModule))(
  'loads no WebSocket and no HTTP client before the first attempt',
  async () => {
    const entry = new URL('../../../src/transport/websocket/index.ts', import.meta.url).href;
    const script = `
    import { registerHooks } from 'node:module';
    const loaded = [];
    registerHooks({ load(url, context, next) { loaded.push(url); return next(url, context); } });
    const { createWebSocketTransport } = await import(${JSON.stringify(entry)});
    createWebSocketTransport({ time: { now: () => 0, after: () => () => {} } });
    console.log(JSON.stringify({ loaded, builtins: process.moduleLoadList }));
  `;

    const { output } = await runChild(['--input-type=module', '-e', script]);

    // Written by the script above.
    const { loaded, builtins } = JSON.parse(output) as { loaded: string[]; builtins: string[] };
    expect(loaded).toContain(entry);
    expect(loaded.filter((url) => /node_modules\/(?:\.pnpm\/)?(?:ky|ws|isomorphic-ws)\b/.test(url))).toEqual([]);
    expect(builtins.filter((name) => /undici|^NativeModule (?:http|https|net|tls|zlib)$/.test(name))).toEqual([]);
  },
);
