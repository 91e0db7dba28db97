/** The batch endpoint over real HTTP. */
import { once } from 'node:events';
import { createGzip, gzipSync } from 'node:zlib';

import { describe, expect, test } from 'vitest';

import { anEvent, testUlid } from '../../src/testing/an-event.ts';
import { startServer } from './setup.ts';

const BATCH = '/api/v1/events/batch/';
const OTHER_PROJECT = '9b2f6c1e-0d44-4f0a-8a51-5f6f0a7c9d20';

function created(clock: number, wpId = 'WP01', feature = '001-demo') {
  const payload = { wp_id: wpId, title: `Package ${wpId}`, dependencies: [], feature_slug: feature };
  return anEvent({ event_type: 'WPCreated', lamport_clock: clock, aggregate_id: wpId, payload });
}

/** Made piece by piece, so that this process never held the whole either. */
async function zerosGzipped(megabytes: number): Promise<Buffer> {
  const gzip = createGzip();
  const chunks: Buffer[] = [];
  gzip.on('data', (chunk: Buffer) => chunks.push(chunk));
  const megabyte = Buffer.alloc(1_000_000);
  for (let index = 0; index < megabytes; index += 1) if (!gzip.write(megabyte)) await once(gzip, 'drain');
  gzip.end();
  await once(gzip, 'end');
  return Buffer.concat(chunks);
}

const statusesOf = (body: { results: { status: string }[] }): string[] => body.results.map((result) => result.status);

describe('a batch', () => {
  test('takes 50 gzipped events under a bearer token and answers for each in request order (US2-1, SEC-3)', async () => {
    const { push, server } = await startServer();
    const events = Array.from({ length: 50 }, (_, index) => created(50 - index));

    const answer = await push(events);

    expect(answer.status).toBe(200);
    expect(answer.body.results).toEqual(events.map((event) => ({ event_id: event.event_id, status: 'success' })));
    expect(server.events({ team: 'acme' }).map((event) => event.envelope)).toEqual(events.toReversed());
    expect(server.requests.at(-1)).toMatchObject({ method: 'POST', path: BATCH, status: 200, events: 50 });
  });

  test('takes an uncompressed body too', async () => {
    const { call, alice } = await startServer();

    const answer = await call('POST', BATCH, { token: alice, body: { events: [created(1)] } });

    expect(statusesOf(answer.body)).toEqual(['success']);
  });

  test('answers duplicate for an event it has, also within one batch, and keeps the first', async () => {
    const { push, server } = await startServer();
    await push([created(1)]);

    const answer = await push([created(1), created(2), created(2)]);

    expect(statusesOf(answer.body)).toEqual(['duplicate', 'success', 'duplicate']);
    expect(server.events()).toHaveLength(2);
  });

  test('refuses an empty, an oversize and a shapeless batch as a whole', async () => {
    const { push, call, alice, server } = await startServer();
    const many = Array.from({ length: 1001 }, (_, index) => created(index + 1));

    expect(await push([])).toMatchObject({ status: 400, body: { error: 'No events provided' } });
    expect(await push(many)).toMatchObject({ status: 400, body: { error: 'Max 1000 events per batch' } });
    expect((await push(many.slice(1))).status).toBe(200);
    expect(await call('POST', BATCH, { token: alice, body: {} })).toMatchObject({
      status: 400,
      body: { error: 'No events provided' },
    });
    expect((await call('POST', BATCH, { token: alice, body: { events: 'x' } })).status).toBe(400);
    expect((await call('POST', BATCH, { token: alice, body: [] })).status).toBe(400);
    expect(server.events()).toHaveLength(1000);
  });

  const whole = gzipSync(JSON.stringify({ events: [created(1)] }));
  const broken: [string, Uint8Array, string][] = [
    ['bytes that are no gzip', Buffer.from('not gzip at all'), 'gzip'],
    ['a gzip body that ends early', whole.subarray(0, whole.length - 12), 'gzip'],
    ['gzip of something that is no JSON', gzipSync('{"events": ['), 'gzip'],
    ['JSON that is not UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), 'identity'],
  ];
  test.each(broken)('answers 400 to %s', async (_name, body, encoding) => {
    const { call, alice } = await startServer();

    const answer = await call('POST', BATCH, { token: alice, body, headers: { 'content-encoding': encoding } });

    expect(answer.status).toBe(400);
    expect(answer.body.error).toMatch(/^Body is not readable (gzip|JSON)$/);
  });

  test('stops inflating at its byte limit and answers 413 with the limits', async () => {
    const { call, alice, server } = await startServer({ maxBytes: 100_000 });
    // 300 MB of zeros in 300 kB: inflated whole, it would show in the memory of this process.
    const bomb = await zerosGzipped(300);
    const before = process.memoryUsage().rss;

    const answer = await call('POST', BATCH, { token: alice, body: bomb, headers: { 'content-encoding': 'gzip' } });

    expect(answer).toMatchObject({
      status: 413,
      body: {
        error: 'Batch payload exceeds decompressed byte limit',
        limits: { max_events_per_batch: 1000, max_decompressed_bytes_per_batch: 100_000 },
      },
    });
    expect(process.memoryUsage().rss - before).toBeLessThan(100_000_000);
    expect(server.requests.at(-1)?.bytes).toBe(bomb.length);
    expect((await call('GET', '/api/v1/sync/health/', { token: alice })).status).toBe(200);
  });

  test('answers 415 to an encoding outside the contract', async () => {
    const { call, alice } = await startServer();

    const answer = await call('POST', BATCH, { token: alice, body: 'x', headers: { 'content-encoding': 'br' } });

    expect(answer.status).toBe(415);
  });

  test('answers 413 to a plain body above the limit', async () => {
    const { call, alice } = await startServer({ maxBytes: 1000 });

    const answer = await call('POST', BATCH, { token: alice, body: 'x'.repeat(5000) });

    expect(answer.status).toBe(413);
  });
});

describe('validation', () => {
  const secret = 'hunter2-secret';
  const cases: [string, unknown, string][] = [
    ['a missing key', { ...anEvent(), node_id: undefined }, 'node_id: is missing'],
    ['a key outside the contract', { ...anEvent(), build_id: secret }, 'build_id: is not part of the contract'],
    ['a bad id', anEvent({ event_id: secret }), 'event_id: is not a ULID'],
    ['a clock of text', { ...anEvent(), lamport_clock: secret }, 'lamport_clock: expected number'],
    [
      'a clock below one',
      anEvent({ lamport_clock: 0, event_id: testUlid(9) }),
      'lamport_clock: is not a valid min_value',
    ],
    ['no team', anEvent({ team_slug: null }), 'team_slug: expected string'],
    ['no project', anEvent({ project_uuid: null }), 'project_uuid: expected string'],
    ['an unknown event', anEvent({ event_type: secret }), 'event_type: is not an event of this contract'],
    [
      'an unknown lane',
      anEvent({ payload: { ...anEvent().payload, new_status: secret } }),
      'payload.new_status: expected',
    ],
    [
      'a payload key outside the contract',
      anEvent({ payload: { ...anEvent().payload, extra: secret } }),
      'payload.extra: is not part of the contract',
    ],
    [
      'a package id with three digits',
      anEvent({ payload: { ...anEvent().payload, wp_id: 'WP100' } }),
      'payload.wp_id: must look like WP01',
    ],
    ['a foreign aggregate id', anEvent({ aggregate_id: 'WP02' }), 'aggregate_id: does not fit the payload'],
    ['a foreign aggregate type', anEvent({ aggregate_type: 'Feature' }), 'aggregate_type: does not fit the event type'],
    ['an element that is no object', secret, 'event: expected Object'],
  ];
  test.each(cases)('rejects %s, naming the field and never the value (TECH-1, SEC-2)', async (_name, event, error) => {
    const { push, server } = await startServer();

    const { status, body } = await push([created(101), event, created(102)]);

    expect(status).toBe(200);
    expect(statusesOf(body)).toEqual(['success', 'rejected', 'success']);
    expect(body.results[1].error).toContain(error);
    expect(body.results[1].error).not.toContain(secret);
    expect(server.events()).toHaveLength(2);
  });
});

describe('teams', () => {
  test('refuses a batch with an event for a team that is not the user’s, whole (SEC-1)', async () => {
    const { push, server } = await startServer();

    const answer = await push([created(1), { ...created(2), team_slug: 'globex' }]);

    expect(answer.status).toBe(403);
    expect(answer.body.error).toBe('events[1].team_slug: you are not a member of this team');
    expect(server.events()).toEqual([]);
  });

  test('answers alike for a foreign team and one that does not exist (SEC-1)', async () => {
    const { push } = await startServer();

    const foreign = await push([{ ...created(1), team_slug: 'globex' }]);
    const absent = await push([{ ...created(1), team_slug: 'nowhere' }]);

    expect(absent).toMatchObject({ status: foreign.status, body: foreign.body });
  });

  test('gives a project to the team that sends it first and refuses it from any other (SEC-1)', async () => {
    const { push, bob, server } = await startServer();
    const mine = created(1);

    expect((await push([mine])).status).toBe(200);
    const theirs = await push([{ ...created(2), team_slug: 'globex' }], bob);
    const disguised = await push(
      [{ ...created(2), team_slug: 'globex', project_uuid: mine.project_uuid?.toUpperCase() }],
      bob,
    );

    expect(theirs).toMatchObject({ status: 403, body: { error: 'events[0].project_uuid: belongs to another team' } });
    expect(disguised.status).toBe(403);
    expect(server.events({ team: 'globex' })).toEqual([]);
  });

  test('rolls everything back when one batch claims a project for two teams of its user (SEC-1)', async () => {
    const { push, server } = await startServer();
    server.accounts.addMembership('alice', 'globex');
    const events = [created(1), { ...created(2), team_slug: 'globex' }];

    const answer = await push(events);

    expect(answer.status).toBe(403);
    expect(server.events()).toEqual([]);
    expect((await push([{ ...created(2), team_slug: 'globex' }])).status).toBe(200);
  });

  test('knows an event id only within its team (SEC-1)', async () => {
    const { push, bob } = await startServer();
    await push([created(1)]);

    const answer = await push([{ ...created(1), team_slug: 'globex', project_uuid: OTHER_PROJECT }], bob);

    expect(statusesOf(answer.body)).toEqual(['success']);
  });
});

describe('what it notices', () => {
  test('stores a status change before its package was created, and flags it', async () => {
    const { push, server } = await startServer();

    const early = await push([anEvent({ lamport_clock: 5 })]);
    await push([created(1)]);
    const later = await push([anEvent({ lamport_clock: 6 })]);

    expect(early.body.results[0]).toEqual({
      event_id: testUlid(5),
      status: 'success',
      anomaly: 'wp_status_event_without_create',
    });
    expect(later.body.results[0]).toEqual({ event_id: testUlid(6), status: 'success' });
    expect(server.events().map((event) => event.anomaly)).toEqual([null, 'wp_status_event_without_create', null]);
  });

  test('rejects clocks behind its own when told to, saying where it stands, and takes re-stamped ones', async () => {
    const { push, call, alice, server } = await startServer({ rejectClocksUpTo: 100 });

    const behind = await push([created(100)]);
    const clock = await call('GET', '/api/v1/events/clock/', { token: alice });
    const ahead = await push([{ ...created(100), lamport_clock: 101 }]);
    server.rejectClocksUpTo(null);
    const off = await push([created(7)]);

    expect(behind.body.results[0]).toEqual({
      event_id: testUlid(100),
      status: 'rejected',
      error: 'lamport_clock: behind the clock of the server',
      server_clock: 100,
    });
    expect(clock.body).toEqual({ lamport_clock: 100 });
    expect(statusesOf(ahead.body)).toEqual(['success']);
    expect(statusesOf(off.body)).toEqual(['success']);
  });

  test('tells nobody the clock of a foreign team (SEC-1)', async () => {
    const { push, call, bob } = await startServer();
    await push([created(40)]);

    const answer = await call('GET', '/api/v1/events/clock/', { token: bob });

    expect(answer.body).toEqual({ lamport_clock: 0 });
  });

  test('tells listeners which team has something new, and only then', async () => {
    const { push, server } = await startServer();
    const heard: string[] = [];
    const stop = server.onStored((team) => heard.push(team));

    await push([created(1)]);
    await push([created(1)]);
    stop();
    await push([created(2)]);

    expect(heard).toEqual(['acme']);
  });
});
