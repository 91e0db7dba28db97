import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { expect, onTestFinished, test } from 'vitest';

import { systemTime } from '../../src/internal/time.ts';
import { createCredentialsFile } from '../../src/node/credentials-file.ts';
import { startHttpServer } from '../transport/local-server.ts';
import { credentials, tokenPair } from './samples.ts';

const CHILD = fileURLToPath(new URL('renew-once.child.ts', import.meta.url));

interface ChildReport {
  readonly kind: string;
  readonly accessToken?: string;
}

/** Runs the processes at once; `onAllStarted` is called when every one of them is about to ask. */
async function renewIn(count: number, onAllStarted: () => void, ...args: string[]): Promise<ChildReport[]> {
  let started = 0;
  return Promise.all(
    Array.from({ length: count }, async () => {
      const child = spawn(process.execPath, ['--experimental-strip-types', '--no-warnings', CHILD, ...args], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let output = '';
      child.stdout.on('data', (text: Buffer) => {
        if (output === '' && (started += 1) === count) onAllStarted();
        output += text.toString();
      });
      await once(child, 'close');
      return JSON.parse(output.replace(/^asking\n/, '')) as ChildReport;
    }),
  );
}

/** Rotates as real servers do: each refresh token works once. Answers nobody before `open` is called. */
async function startRotatingServer(): Promise<{
  readonly address: string;
  readonly asked: string[];
  readonly open: () => void;
}> {
  const asked: string[] = [];
  let open: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  let valid = 'refresh-1';
  const { address } = await startHttpServer((request, response) => {
    const { refresh } = JSON.parse(request.body.toString()) as { refresh: string };
    asked.push(refresh);
    const isRight = request.url === '/api/v1/token/refresh/' && refresh === valid;
    const number = Number(valid.split('-')[1]) + 1;
    if (isRight) valid = `refresh-${number}`;
    void opened.then(() => {
      if (isRight) response.end(JSON.stringify({ access: `access-${number}`, refresh: `refresh-${number}` }));
      else response.writeHead(401).end('{}');
    });
  });
  return { address, asked, open };
}

function setupHome(): string {
  const home = mkdtempSync(join(tmpdir(), 'many-'));
  onTestFinished(() => {
    rmSync(home, { recursive: true, force: true });
  });
  return join(home, 'credentials');
}

test.each([
  ['an expired token', ''],
  ['a token the server refused', 'access-1'],
])('eight processes with %s spend one refresh token between them, and none is logged out', async (_name, rejected) => {
  const server = await startRotatingServer();
  const path = setupHome();
  const store = createCredentialsFile({ path, time: systemTime });
  const now = systemTime.now();
  const tokens = tokenPair({
    accessExpiresAt: rejected === '' ? now - 1 : now + 900_000,
    refreshExpiresAt: now + 604_800_000,
  });
  await store.update(() =>
    Promise.resolve({ next: credentials({ server: server.address, tokens }), answer: undefined }),
  );

  const reports = await renewIn(8, server.open, path, rejected);

  expect(reports).toEqual(Array.from({ length: 8 }, () => ({ kind: 'token', accessToken: 'access-2' })));
  expect(server.asked).toEqual(['refresh-1']);
  expect(await store.load()).toMatchObject({
    username: 'alice@example.com',
    teamSlug: 'acme',
    tokens: { access: 'access-2', refresh: 'refresh-2' },
  });
});

test('eight processes with a refresh token the server has revoked ask once and all know whose session expired', async () => {
  const server = await startRotatingServer();
  const path = setupHome();
  const store = createCredentialsFile({ path, time: systemTime });
  const now = systemTime.now();
  const tokens = tokenPair({ refresh: 'revoked', accessExpiresAt: now - 1, refreshExpiresAt: now + 604_800_000 });
  await store.update(() =>
    Promise.resolve({ next: credentials({ server: server.address, tokens }), answer: undefined }),
  );

  const reports = await renewIn(8, server.open, path, '');

  expect(reports).toEqual(Array.from({ length: 8 }, () => ({ kind: 'expired' })));
  expect(server.asked).toEqual(['revoked']);
  expect(await store.load()).toEqual(credentials({ server: server.address, tokens: null }));
});
