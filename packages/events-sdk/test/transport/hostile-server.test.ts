/**
 * A server that means harm: bodies and headers without end, bombs, answers a drop at a time, JSON to choke on. The client is a
 * process of its own with a small heap: it ends by itself with an answer, and its memory stays bounded.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { PassThrough, pipeline, Readable, type Transform } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { createBrotliCompress, createGzip } from 'node:zlib';

import { expect, test } from 'vitest';

import { readDetails } from '../../src/transport/server-body.ts';
import { classifyAnswer } from '../../src/transport/classify.ts';
import { trimStack } from '../../src/internal/redact.ts';
import { startHttpServer, startTcpServer } from './local-server.ts';

/** What the client may take in all: the program itself, its heap of 128 MiB, and buffers outside of it. */
const MAX_MEMORY_KIB = 512 * 1024;

interface Ended {
  readonly answer: { readonly kind: string; readonly reason?: string; readonly message?: string };
  readonly maxRSS: number;
  readonly polluted: number;
}

/** Pushes from a process with a heap of 128 MiB. */
async function push(address: string, timeoutMs = 20_000): Promise<Ended> {
  const child = spawn(
    process.execPath,
    [
      '--max-old-space-size=128',
      fileURLToPath(new URL('push-once-bounded.child.ts', import.meta.url)),
      address,
      String(timeoutMs),
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`The client ended with ${code}: ${output}`);
  return JSON.parse(output) as Ended;
}

/** Zeros for as long as somebody reads. */
function endless(): Readable {
  const chunk = Buffer.alloc(64 * 1024, ' ');
  return new Readable({
    read() {
      this.push(chunk);
    },
  });
}

function flow(response: ServerResponse, ...through: readonly Transform[]): void {
  pipeline([endless(), ...through, response], () => {});
}

test.for([
  ['without end', undefined, (response: ServerResponse) => flow(response, new PassThrough())],
  ['that gzip makes endless', 'gzip', (response: ServerResponse) => flow(response, createGzip({ level: 9 }))],
  [
    'that gzip makes endless, and gzip again',
    'gzip, gzip',
    (response: ServerResponse) => flow(response, createGzip(), createGzip()),
  ],
  ['that brotli makes endless', 'br', (response: ServerResponse) => flow(response, createBrotliCompress())],
] as const)('a body %s is cut off', { timeout: 60_000 }, async ([, encoding, send]) => {
  const server = await startHttpServer((_request, response) => {
    response.writeHead(200, {
      'content-type': 'application/json',
      ...(encoding === undefined ? {} : { 'content-encoding': encoding }),
    });
    send(response);
  });

  const { answer, maxRSS } = await push(server.address);

  expect(answer).toMatchObject({ kind: 'failure', reason: 'protocol', message: expect.stringContaining('more than') });
  expect(maxRSS).toBeLessThan(MAX_MEMORY_KIB);
});

test('headers without end are cut off', { timeout: 60_000 }, async () => {
  const server = await startTcpServer((socket) => {
    socket.on('error', () => {});
    socket.write('HTTP/1.1 200 OK\r\n');
    pipeline(Readable.from(lines()), socket, () => {});
  });
  function* lines(): Generator<string> {
    for (let at = 0; ; at += 1) yield `x-${at}: ${'y'.repeat(1000)}\r\n`;
  }

  const { answer, maxRSS } = await push(server.address);

  expect(answer).toMatchObject({ kind: 'retryable', reason: 'unreachable' });
  expect(maxRSS).toBeLessThan(MAX_MEMORY_KIB);
});

test('an answer a drop at a time ends with the time limit', { timeout: 60_000 }, async () => {
  const server = await startHttpServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const drip = setInterval(() => {
      response.write(' ');
    }, 10);
    response.on('close', () => {
      clearInterval(drip);
    });
  });

  const { answer } = await push(server.address, 300);

  expect(answer).toMatchObject({ kind: 'retryable', reason: 'timeout' });
});

const MEGABYTES = 4 * 1024 * 1024 - 100;
const filled = (item: string): string =>
  Array<string>(Math.floor(MEGABYTES / (item.length + 1)))
    .fill(item)
    .join(',');

test.for([
  ['a million empty verdicts', 200, (): string => `{"results":[${filled('{}')}]}`, 'ok'],
  [
    'verdicts on events nobody sent',
    200,
    (): string => `{"results":[${filled('{"event_id":"x","status":"success"}')}]}`,
    'ok',
  ],
  ['brackets four million deep', 200, (): string => '['.repeat(MEGABYTES), 'failure'],
  [
    'names of every object’s members',
    200,
    (): string =>
      '{"__proto__":{"polluted":1},"results":[{"event_id":"e","status":"__proto__","constructor":{"prototype":{"polluted":1}}}]}',
    'ok',
  ],
  [
    'one event refused a quarter of a million times',
    400,
    (): string => `{"error":"x","details":[${filled('{"event_id":"a"}')}]}`,
    'failure',
  ],
] as const)('%s: an answer in bounded memory', { timeout: 60_000 }, async ([, status, body, kind]) => {
  const text = body();
  const server = await startHttpServer((_request, response) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(text);
  });

  const { answer, maxRSS, polluted } = await push(server.address);

  expect(answer.kind).toBe(kind);
  expect(polluted).toBe(0);
  expect(maxRSS).toBeLessThan(MAX_MEMORY_KIB);
});

test('of the verdicts in an answer some thousand are looked at, of the words on one event a line', () => {
  const many = Array.from({ length: 50_000 }, (_, at) => ({
    event_id: `e${at}`,
    status: 'success',
    detail: `no ${at}`,
  }));
  const answer = classifyAnswer({
    address: 'https://sync.example',
    status: 200,
    headers: { get: () => null },
    body: JSON.stringify({ results: many }),
    now: 0,
  });

  expect(answer.kind === 'ok' && answer.verdicts.length).toBe(4_000);
  expect(readDetails({ details: many })).toHaveLength(4_000);
  const [one, ...others] = readDetails({ details: many.map((each) => ({ ...each, event_id: 'a' })) });
  expect(others).toEqual([]);
  expect(one?.reason?.length).toBeLessThanOrEqual(300);
});

test('a stack whose lines have no end is cut, line by line', () => {
  // Each slash could begin a path that goes on to the end: what is not cut costs the square of its length.
  const line = `    at ${' /a'.repeat(1_000_000)}(`;

  expect(trimStack(`Error: x\n${line}\n${line}`).length).toBeLessThanOrEqual(4_000);
});
