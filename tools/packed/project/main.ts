/**
 * What a stranger does with the library: every entry is imported and used. Compiled strictly against the installed
 * declarations, then run as an ES module. Says `used as ES modules` when all of it worked.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import {
  createClient,
  createUlidFactory,
  defineEvent,
  isEventsSdkError,
  specKittyEvents,
  systemTime,
  wpStatusChanged,
  type EventStore,
} from '@spec-kitty/events-sdk';
import { createMemoryCredentialStore } from '@spec-kitty/events-sdk/auth';
import { MAX_EVENTS_PER_BATCH, toJsonSchema } from '@spec-kitty/events-sdk/contract';
import { openNodeClient } from '@spec-kitty/events-sdk/node';
import { createMemoryStore } from '@spec-kitty/events-sdk/storage/memory';
import { isNodeSqliteAvailable, openNodeSqliteStore } from '@spec-kitty/events-sdk/storage/node-sqlite';
import { openSqlJsStore, type Persister } from '@spec-kitty/events-sdk/storage/sqljs';
import { createContractServer, createFakeSession } from '@spec-kitty/events-sdk/testing';
import { createHttpTokenEndpoint, createHttpTransport, probeServer } from '@spec-kitty/events-sdk/transport/http';
import { createWebSocketTransport } from '@spec-kitty/events-sdk/transport/websocket';
import * as v from 'valibot';

const MOVE = wpStatusChanged({ wpId: 'WP01', previousStatus: 'planned', newStatus: 'doing' });

/** Records one event through a whole client over `openStore`, and reads it back. */
async function emitInto(openStore: () => Promise<EventStore>): Promise<void> {
  const newUlid = createUlidFactory({ time: systemTime });
  const client = createClient({
    events: specKittyEvents,
    openStore,
    openTransport: async () => createHttpTransport({ time: systemTime }),
    session: createFakeSession(),
    facts: async () => ({
      nodeId: '9417b43226d4',
      session: null,
      project: null,
      projectRoot: null,
      gitBranch: null,
      headCommitSha: null,
      repoSlug: null,
    }),
    lookUpProject: async () => null,
    newUlid,
    lease: { owner: { pid: 1, startedAt: 'now', host: 'here', role: 'test' }, newToken: newUlid, isGone: () => false },
  });
  const outcome = await client.emit(MOVE);
  assert.equal(outcome.status, 'held');
  assert.equal((await client.status()).held, 1);
  await client.close();
}

/** Keeps the bytes of a sql.js store in a variable. */
function inMemory(): Persister {
  let image = { generation: '0', bytes: null as Uint8Array | null };
  return {
    load: async (known) => (known === image.generation ? undefined : image),
    exclusively: (work) => work(),
    async save(bytes) {
      image = { generation: String(Number(image.generation) + 1), bytes };
      return image.generation;
    },
  };
}

/** A program with events of its own, and nobody signed in. */
async function recordOwnEvents(home: string): Promise<void> {
  const events = {
    BackupFinished: defineEvent({
      payload: v.strictObject({ job: v.string(), seconds: v.number() }),
      aggregateType: 'Backup',
      aggregateId: (payload) => payload.job,
    }),
  };
  const client = openNodeClient({ events, cwd: home, env: { ...process.env, SPEC_KITTY_HOME: join(home, 'kitty') } });
  const outcome = await client.emit({ type: 'BackupFinished', payload: { job: 'nightly', seconds: 12 } });
  // @ts-expect-error -- the payload of this event has seconds as a number
  void (() => client.emit({ type: 'BackupFinished', payload: { job: 'nightly', seconds: 'twelve' } }));
  assert.equal(outcome.status, 'held');
  const report = await client.syncNow();
  assert.equal(report.sent, 0);
  await client.close();
}

/** Signs in to a real server on this machine, asks how it is, and opens a realtime link. */
async function meetServer(): Promise<void> {
  const server = await createContractServer();
  try {
    await server.accounts.addUser({ username: 'ada', password: 'analytical', team: 'acme' });
    const url = await server.listen();
    const signedIn = await createHttpTokenEndpoint({ time: systemTime }).obtain({
      server: url,
      username: 'ada',
      password: 'analytical',
    });
    assert.ok(signedIn.kind === 'tokens');
    const accessToken = signedIn.tokens.access;
    assert.equal((await probeServer({ server: url, accessToken, time: systemTime })).kind, 'healthy');
    const answer = await createWebSocketTransport({ time: systemTime }).connect({
      server: url,
      accessToken,
      onEvent: () => {},
      onLost: () => {},
    });
    assert.ok(answer.kind === 'connected');
    answer.link.close();
  } finally {
    await server.close();
  }
}

const home = mkdtempSync(join(tmpdir(), 'spec-kitty-stranger-'));
try {
  await emitInto(async () => createMemoryStore());
  await emitInto(() => openSqlJsStore({ persister: inMemory() }));
  if (isNodeSqliteAvailable()) {
    await emitInto(() => openNodeSqliteStore({ path: join(home, 'queue.db') }));
    await meetServer();
  }
  await recordOwnEvents(home);
  assert.equal(await createMemoryCredentialStore().load(), null);
  assert.equal(typeof toJsonSchema(specKittyEvents), 'object');
  assert.equal(MAX_EVENTS_PER_BATCH, 1000);
  assert.equal(isEventsSdkError(new Error('someone else’s')), false);
  console.log('used as ES modules');
} finally {
  rmSync(home, { recursive: true, force: true });
}
