/** Accounts and tokens over real HTTP. */
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { SignJWT, UnsecuredJWT, decodeJwt } from 'jose';
import { describe, expect, onTestFinished, test } from 'vitest';

import { createContractServer } from '../../src/testing/contract-server/index.ts';
import { importJose } from '../../src/testing/contract-server/jose.ts';
import { createTestTime } from '../../src/testing/test-time.ts';
import { startServer } from './setup.ts';

const TOKEN = '/api/v1/token/';
const REFRESH = '/api/v1/token/refresh/';
const HEALTH = '/api/v1/sync/health/';

describe('signing in', () => {
  test('answers name and password with a token pair, its lifetimes and the team', async () => {
    const { call } = await startServer();

    const answer = await call('POST', TOKEN, { body: { username: 'alice', password: 'correct horse' } });

    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      access: expect.any(String),
      refresh: expect.any(String),
      access_lifetime: 900,
      refresh_lifetime: 604_800,
      team_slug: 'acme',
    });
    expect(decodeJwt(answer.body.access)).toMatchObject({
      sub: 'alice',
      team: 'acme',
      token_type: 'access',
      jti: expect.any(String),
    });
    expect((await call('GET', HEALTH, { token: answer.body.access })).status).toBe(200);
  });

  test('answers a wrong password and an unknown name alike', async () => {
    const { call } = await startServer();

    const wrong = await call('POST', TOKEN, { body: { username: 'alice', password: 'nope' } });
    const unknown = await call('POST', TOKEN, { body: { username: 'mallory', password: 'nope' } });

    expect(wrong.status).toBe(401);
    expect(unknown.status).toBe(401);
    expect(unknown.body).toEqual(wrong.body);
  });

  test('reads little of a request that anyone may send', async () => {
    const { call } = await startServer();

    const answer = await call('POST', TOKEN, { body: { username: 'alice', password: 'x'.repeat(20_000) } });

    expect(answer.status).toBe(413);
  });

  test('asks for both fields', async () => {
    const { call } = await startServer();

    const answer = await call('POST', TOKEN, { body: { username: 'alice' } });

    expect(answer).toMatchObject({ status: 400, body: { error: 'username and password are required' } });
  });
});

describe('access', () => {
  const cases: [string, string, string][] = [
    ['GET', HEALTH, 'the health probe'],
    ['POST', '/api/v1/events/batch/', 'a batch'],
    ['GET', '/api/v1/events/clock/', 'the clock'],
  ];
  test.each(cases)('%s %s: %s without a token is refused (SEC-3)', async (method, path) => {
    const { call } = await startServer();

    const answer = await call(method, path);

    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
  });

  test('refuses forged, unsigned, foreign and refresh tokens (SEC-3)', async () => {
    const { call, server, alice } = await startServer();
    const claims = decodeJwt(alice);
    const forged = await new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(new Uint8Array(32));
    const unsigned = new UnsecuredJWT(claims).encode();
    const foreign = await (await startServer()).server.signIn('alice');
    const { refresh } = await server.signIn('alice');

    const statuses = await Promise.all(
      [forged, unsigned, foreign.access, refresh, 'junk', ''].map(
        async (token) => (await call('GET', HEALTH, { token })).status,
      ),
    );

    expect(statuses).toEqual([401, 401, 401, 401, 401, 401]);
  });

  test('refuses an access token whose time has run out, and takes the refreshed one (SEC-3)', async () => {
    const time = createTestTime();
    const { call, server } = await startServer({ time, accessLifetimeS: 60 });
    const pair = await server.signIn('alice');
    expect((await call('GET', HEALTH, { token: pair.access })).status).toBe(200);

    await time.advance(60_000);
    const expired = await call('GET', HEALTH, { token: pair.access });
    const refreshed = await call('POST', REFRESH, { body: { refresh: pair.refresh } });

    expect(expired.status).toBe(401);
    expect(refreshed.status).toBe(200);
    expect((await call('GET', HEALTH, { token: refreshed.body.access })).status).toBe(200);
  });

  test('refuses revoked access tokens while the refresh token still works', async () => {
    const { call, server } = await startServer();
    const pair = await server.signIn('alice');

    server.revokeTokens('access');

    expect((await call('GET', HEALTH, { token: pair.access })).status).toBe(401);
    expect((await call('POST', REFRESH, { body: { refresh: pair.refresh } })).status).toBe(200);
  });
});

describe('refreshing', () => {
  test('uses a refresh token up: the second use is refused', async () => {
    const { call, server } = await startServer();
    const { refresh } = await server.signIn('alice');

    const first = await call('POST', REFRESH, { body: { refresh } });
    const second = await call('POST', REFRESH, { body: { refresh } });

    expect(first.status).toBe(200);
    expect(first.body.refresh).not.toBe(refresh);
    expect(second.status).toBe(401);
  });

  test('gives a new pair to exactly one of many at once', async () => {
    const { call, server } = await startServer();
    const { refresh } = await server.signIn('alice');

    const answers = await Promise.all(Array.from({ length: 8 }, () => call('POST', REFRESH, { body: { refresh } })));

    expect(answers.map((answer) => answer.status).toSorted()).toEqual([200, 401, 401, 401, 401, 401, 401, 401]);
  });

  test('refuses access tokens, expired and revoked refresh tokens', async () => {
    const time = createTestTime();
    const { call, server, alice } = await startServer({ time, refreshLifetimeS: 10 });
    const revoked = (await server.signIn('alice')).refresh;
    server.revokeTokens('all');
    const expired = (await server.signIn('alice')).refresh;

    const statuses = [
      (await call('POST', REFRESH, { body: { refresh: alice } })).status,
      (await call('POST', REFRESH, { body: { refresh: revoked } })).status,
    ];
    await time.advance(10_000);
    statuses.push((await call('POST', REFRESH, { body: { refresh: expired } })).status);

    expect(statuses).toEqual([401, 401, 401]);
  });
});

describe('the data file', () => {
  test('keeps accounts, sessions and events across a restart, is private, and holds no password', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'contract-server-'));
    onTestFinished(() => {
      rmSync(directory, { recursive: true });
    });
    const data = join(directory, 'server.db');
    const first = await startServer({ data });
    await first.server.close();

    const again = await createContractServer({ data });
    onTestFinished(() => again.close());
    const url = await again.listen();
    const health = await fetch(`${url}${HEALTH}`, { headers: { authorization: `Bearer ${first.alice}` } });

    expect(health.status).toBe(200);
    expect(await again.accounts.verify('alice', 'correct horse')).toEqual({ username: 'alice', teams: ['acme'] });
    expect(statSync(data).mode & 0o777).toBe(0o600);
    expect(readFileSync(data).includes('correct horse')).toBe(false);
  });

  test('refuses a second user of the same name', async () => {
    const { server } = await startServer();

    const attempt = server.accounts.addUser({ username: 'alice', password: 'other', team: 'globex' });

    await expect(attempt).rejects.toThrow('already exists');
    expect(server.accounts.find('alice')).toEqual({ username: 'alice', teams: ['acme'] });
  });

  test('says what to install when the token package is missing', async () => {
    const attempt = importJose(() => Promise.reject(new Error('Cannot find package')));

    await expect(attempt).rejects.toThrow('npm install jose');
  });
});
