/**
 * Other programs on our files, and we on theirs: `sqlite3`, Python's own readers, and a home as the Python original
 * left it. Real programs; where one is missing, the test is skipped loudly, and fails under CI.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { describe, expect, test } from 'vitest';

import { ADA, makeWorld, MOVE, signIn, startServer, type World } from './world.ts';

const script = fileURLToPath(new URL('./fixtures/original.py', import.meta.url));

/** The original's node id and the clock its home stands at. */
const ORIGINAL = { node: '0f1e2d3c4b5a', clock: 7 };

const READER = `SELECT id, event_id, json_extract(data, '$.lamport_clock') AS clock, retry_count FROM queue ORDER BY timestamp, id;`;

/** What the original's readers find in a home. */
interface Read {
  readonly rows: readonly (readonly [id: number, eventId: string, clock: number, retryCount: number])[];
  readonly events: readonly { readonly payload: unknown; readonly team_slug: string }[];
  readonly clock: unknown;
  readonly credentials: unknown;
  readonly config: unknown;
}

const python = (...args: readonly string[]): Read =>
  // The script prints one document of this shape.
  JSON.parse(execFileSync('python3', [script, ...args], { encoding: 'utf8' })) as Read;

const sqlite3 = (world: World, sql: string): string =>
  execFileSync('sqlite3', ['-cmd', '.timeout 5000', world.file('queue.db'), sql], { encoding: 'utf8' }).trim();

const missing = [
  ...(spawnSync('sqlite3', ['--version']).status === 0 ? [] : ['sqlite3']),
  ...(spawnSync('python3', ['-c', 'import sqlite3, tomllib']).status === 0 ? [] : ['python3 (3.11, with sqlite3)']),
];
const isSkipped = missing.length > 0 && process.env['CI'] === undefined;
if (isSkipped) console.warn(`SKIPPED: interop with other programs is not tested: ${missing.join(', ')} missing.`);

describe.skipIf(isSkipped).each(['node-sqlite', 'sqljs'] as const)('with the %s store', (driver) => {
  test('sqlite3 and Python read the queue and put events in; they are delivered, and the clock goes on above them (SC-006, FR-006)', async () => {
    const world = makeWorld({ env: { SPEC_KITTY_QUEUE_DRIVER: driver } });
    world.configureHome('');
    const server = await startServer();
    await signIn(world, server);
    let { client } = world.open();
    /** The sql.js store allows other programs only between its runs. */
    const pause = async (): Promise<void> => {
      if (driver === 'node-sqlite') return;
      await client.close();
      ({ client } = world.open());
    };
    const [first] = await client.emitAll([MOVE, MOVE]);
    const firstId = first?.status === 'queued' ? first.envelope.event_id : '';
    await pause();

    const byShell = sqlite3(world, READER);
    const data = sqlite3(world, 'SELECT data FROM queue LIMIT 1').replace(firstId, '01KGVZ3Q8M5T2N7RJ4W6XA9BCS');
    const foreign = data.replace('"lamport_clock":1', '"lamport_clock":20').replaceAll("'", "''");
    sqlite3(
      world,
      `INSERT INTO queue (event_id, event_type, data, timestamp) VALUES ('01KGVZ3Q8M5T2N7RJ4W6XA9BCS', 'WPStatusChanged', '${foreign}', 1770000000)`,
    );
    const afterShell = await client.emit(MOVE);
    await client.close();
    ({ client } = world.open());
    const byPython = python('insert', world.home, '40', '01KGVZ3Q8M5T2N7RJ4W6XA9BCP');
    const afterPython = await client.emit(MOVE);

    expect(byShell.split('\n')).toEqual([`1|${firstId}|1|0`, expect.stringMatching(/^2\|\w{26}\|2\|0$/)]);
    expect(afterShell).toMatchObject({ status: 'queued', envelope: { lamport_clock: 21 } });
    expect(byPython.rows.map(([, , clock]) => clock).toSorted((a, b) => a - b)).toEqual([1, 2, 20, 21, 40]);
    expect(byPython.events.at(-1)?.payload).toMatchObject({ changed_by: 'zoë 🐈' });
    expect(afterPython).toMatchObject({ status: 'queued', envelope: { lamport_clock: 41 } });
    expect(await client.syncNow()).toMatchObject({ stoppedBy: 'drained', sent: 6, remaining: 0, held: 0, parked: 0 });
    const received = server.events().map(({ envelope }) => envelope);
    expect(received.map((event) => event.lamport_clock)).toEqual([1, 2, 20, 21, 40, 41]);
    expect(received[4]).toMatchObject({ team_slug: ADA.team, payload: { changed_by: 'zoë 🐈' } });
  });

  test('a home of the Python original is taken over as it is, goes on, and stays readable to it (SC-006, FR-005, FR-006, FR-007, FR-028b)', async () => {
    const world = makeWorld({ env: { SPEC_KITTY_QUEUE_DRIVER: driver } });
    const server = await startServer();
    const { access, refresh } = await server.signIn(ADA.username);
    python('create', world.home, server.url, access, refresh);
    const credentials = readFileSync(world.file('credentials'), 'utf8');
    const { client, warnings } = world.open();

    const ours = await client.emit(MOVE);
    await client.close();
    const before = python('read', world.home);
    const second = world.open();
    const report = await second.client.syncNow();
    await second.client.close();

    expect(ours).toMatchObject({
      status: 'queued',
      envelope: { lamport_clock: ORIGINAL.clock + 1, node_id: ORIGINAL.node, team_slug: ADA.team },
    });
    expect([...warnings, ...second.warnings]).toEqual([]);
    expect(before.rows.map(([id, , clock, retries]) => [id, clock, retries])).toEqual([
      [1, 5, 0],
      [2, 6, 0],
      [3, 7, 0],
      [4, 8, 0],
    ]);
    // Until they are sent, the original's rows are as it wrote them: it knew no team.
    expect(before.events.map((event) => event.team_slug)).toEqual(['local', 'local', 'local', ADA.team]);
    expect(report).toMatchObject({ stoppedBy: 'drained', sent: 4, remaining: 0, held: 0, parked: 0 });
    expect(
      server.events().map(({ envelope }) => [envelope.lamport_clock, envelope.node_id, envelope.team_slug]),
    ).toEqual([5, 6, 7, 8].map((clock) => [clock, ORIGINAL.node, ADA.team]));
    const after = python('read', world.home);
    expect(after).toMatchObject({
      rows: [],
      clock: { value: ORIGINAL.clock + 1, node_id: ORIGINAL.node },
      config: { sync: { server_url: server.url } },
      credentials: { user: { username: ADA.username, team_slug: ADA.team }, server: { url: server.url } },
    });
    expect(readFileSync(world.file('credentials'), 'utf8')).toBe(credentials);
  });

  test('after a renewal and a command of the original the two share one home (FR-005, FR-006)', async () => {
    const world = makeWorld({ env: { SPEC_KITTY_QUEUE_DRIVER: driver } });
    const server = await startServer();
    const { access, refresh } = await server.signIn(ADA.username);
    python('create', world.home, server.url, access, refresh);
    server.revokeTokens('access');
    const { client } = world.open();
    await client.emit(MOVE);
    expect(await client.syncNow()).toMatchObject({ stoppedBy: 'drained', sent: 4 });
    await client.close();

    const read = python('insert', world.home, '9', '01KGVZ3Q8M5T2N7RJ4W6XA9BC9');

    expect(read.rows).toHaveLength(1);
    expect(read.credentials).toMatchObject({
      tokens: {
        access: expect.not.stringMatching(`^${access}$`) as string,
        access_expires_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}$/) as string,
      },
    });
    const again = world.open().client;
    expect(await again.emit(MOVE)).toMatchObject({ envelope: { lamport_clock: 10, node_id: ORIGINAL.node } });
    expect(await again.syncNow()).toMatchObject({ stoppedBy: 'drained', sent: 2, remaining: 0, parked: 0 });
  });
});
