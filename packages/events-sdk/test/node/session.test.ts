/** Signing in and out against a real server, and what that means for the events of a home. */
import { expect, test } from 'vitest';

import { ADA, identity, makeWorld, MOVE, readQueue, signIn, startServer } from './world.ts';

test("after a login events are queued for the account's team, and sync now delivers them (FR-028, FR-028a, SC-010)", async () => {
  const world = makeWorld();
  const server = await startServer();
  const { client } = world.open();

  expect(await client.login({ server: `${server.url}/`, username: ADA.username, password: ADA.password })).toEqual({
    server: server.url,
    username: ADA.username,
    teamSlug: 'acme',
  });

  expect(await client.authStatus()).toMatchObject({ state: 'active', session: { teamSlug: 'acme' } });
  expect(await client.serverUrl()).toBe(server.url);
  expect(await client.emit(MOVE)).toMatchObject({ status: 'queued', envelope: { team_slug: 'acme' } });
  expect(await client.syncNow()).toMatchObject({ stoppedBy: 'drained', sent: 1, remaining: 0 });
  expect(server.events().map(({ envelope }) => envelope.team_slug)).toEqual(['acme']);
});

test('a wrong password is refused and changes nothing', async () => {
  const world = makeWorld();
  const server = await startServer();
  await signIn(world, server);
  const { client } = world.open();

  await expect(client.login({ server: server.url, username: ADA.username, password: 'wrong' })).rejects.toMatchObject({
    code: 'AUTH_REFUSED',
  });

  expect(await client.authStatus()).toMatchObject({ state: 'active' });
});

test('logout keeps the events that wait; the next login delivers them (US1-2, FR-026)', async () => {
  const world = makeWorld();
  const server = await startServer();
  await signIn(world, server);
  const { client } = world.open();
  await client.emitAll([MOVE, MOVE]);

  expect(await client.logout()).toMatchObject({ username: ADA.username });

  expect(await client.status()).toMatchObject({ queued: 2, session: null });
  expect(await client.emit(MOVE)).toMatchObject({ status: 'held', reason: 'team' });
  expect(await client.syncNow()).toMatchObject({ stoppedBy: 'logged-out' });
  expect(await client.logout()).toBeNull();
  await signIn(world, server);
  expect(await client.syncNow()).toMatchObject({ stoppedBy: 'drained', sent: 3, remaining: 0, held: 0 });
  expect(server.events().map(({ envelope }) => envelope.lamport_clock)).toEqual([1, 2, 3]);
});

test('events emitted under an expired session still carry their team, and wait for the next login (US7-3, FR-028a)', async () => {
  const world = makeWorld();
  const server = await startServer();
  await signIn(world, server);
  const { client, warnings } = world.open();
  server.revokeTokens('all');
  await client.emit(MOVE);
  expect(await client.syncNow()).toMatchObject({ stoppedBy: 'unauthorized', sent: 0, remaining: 1 });

  expect(await client.emit(MOVE)).toMatchObject({ status: 'queued', envelope: { team_slug: 'acme' } });

  expect(await client.authStatus()).toMatchObject({ state: 'expired', session: { teamSlug: 'acme' } });
  await signIn(world, server);
  expect(await client.syncNow()).toMatchObject({ stoppedBy: 'drained', sent: 2 });
  expect(warnings.filter(({ message }) => /token|eyJ/i.test(message))).toEqual([]);
});

test('SPEC_KITTY_TOKEN speaks for its own account, beside whatever sign-in is on disk', async () => {
  const world = makeWorld();
  const server = await startServer();
  await server.accounts.addUser({ username: 'ci', password: 'irrelevant', team: 'robots' });
  await signIn(world, server);
  const { access } = await server.signIn('ci');
  const env = { ...world.env, SPEC_KITTY_TOKEN: access, SPEC_KITTY_TEAM: 'robots', SPEC_KITTY_SERVER: server.url };

  const { client } = world.open({ env });

  expect(await client.emit(MOVE)).toMatchObject({ status: 'queued', envelope: { team_slug: 'robots' } });
  expect(await client.authStatus()).toEqual({
    session: { server: server.url, username: 'SPEC_KITTY_TOKEN', teamSlug: 'robots' },
    state: 'active',
    accessExpiresAt: null,
    refreshExpiresAt: null,
  });
  expect(await client.syncNow()).toMatchObject({ stoppedBy: 'drained', sent: 1 });
  expect(server.events({ team: 'robots' })).toHaveLength(1);
  expect(await world.open().client.authStatus()).toMatchObject({ session: { teamSlug: 'acme' } });
});

test('SPEC_KITTY_TOKEN takes its server from config.toml when none is named beside it (FR-027)', async () => {
  const world = makeWorld();
  const server = await startServer();
  const { access } = await server.signIn(ADA.username);
  world.configureHome(`[sync]\nserver_url = "${server.url}"\n`);
  const { client } = world.open({ env: { ...world.env, SPEC_KITTY_TOKEN: access, SPEC_KITTY_TEAM: 'acme' } });

  await client.emit(MOVE);

  expect(await client.syncNow()).toMatchObject({ stoppedBy: 'drained', sent: 1 });
});

test('an event of a project with sync switched off is held and not sent', async () => {
  const world = makeWorld({ project: identity('enabled: false') });
  const server = await startServer();
  await signIn(world, server);
  const { client } = world.open();

  expect(await client.emit(MOVE)).toMatchObject({ status: 'held', reason: 'disabled' });
  await client.syncNow();

  expect(server.events()).toEqual([]);
  expect(readQueue(world.home).rows).toMatchObject([{ state: 'held', reason: 'disabled' }]);
});

test('status says of the link only what a delivery has shown (FR-036, FR-037)', async () => {
  const world = makeWorld();
  const server = await startServer();
  await signIn(world, server);
  const { client } = world.open();
  const connection = async () => (await client.status()).connection;
  await client.syncNow();
  expect(await connection()).toEqual({ state: 'offline', evidence: 'nothing has been delivered yet', at: null });

  await client.emit(MOVE);
  await client.syncNow();
  const delivered = await connection();
  expect(delivered).toMatchObject({ state: 'offline', evidence: 'no open connection; the last delivery succeeded' });
  expect(delivered.at).toBeGreaterThan(Date.now() - 60_000);

  await client.emit(MOVE);
  server.respondNext({ status: 503 }, { path: '/api/v1/events/batch/' });
  await client.syncNow();
  expect(await connection()).toMatchObject({
    state: 'offline',
    evidence: expect.stringContaining('the last delivery stopped:') as string,
  });
});
