/** The courier with real processes: started when there is something to do, once, and gone when it is done. */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { expect, onTestFinished, test } from 'vitest';

import { startCourier } from '../../src/node/courier.ts';
import { COURIER_START_MS } from '../../src/node/dispatch.ts';
import { resolveHome } from '../../src/node/home.ts';
import { createTestTime } from '../../src/testing/test-time.ts';
import {
  identity,
  isRunning,
  makeWorld,
  MOVE,
  readQueue,
  signIn,
  startServer,
  until,
  type Env,
  type World,
} from './world.ts';

const COURIER = { script: fileURLToPath(new URL('./fixtures/courier.child.ts', import.meta.url)) };
const BATCH = { path: '/api/v1/events/batch/' };

interface CourierWorld extends World {
  /** Numbers of the couriers started so far. */
  couriers(): readonly number[];
  allGone(): Promise<void>;
}

function makeCourierWorld(env: Env = {}): CourierWorld {
  const notes: { path: string } = { path: '' };
  const world = makeWorld();
  notes.path = join(world.directory, 'couriers.txt');
  Object.assign(world.env, { SPEC_KITTY_TEST_NOTES: notes.path, SPEC_KITTY_TEST_COURIER: '{"idleMs":300}', ...env });
  const couriers = (): readonly number[] =>
    existsSync(notes.path) ? readFileSync(notes.path, 'utf8').split('\n').slice(0, -1).map(Number) : [];
  onTestFinished(() => {
    for (const pid of couriers()) if (isRunning(pid)) process.kill(pid, 'SIGKILL');
  });
  const allGone = (): Promise<void> =>
    until('every courier to be gone', () => couriers().length > 0 && !couriers().some(isRunning));
  return { ...world, couriers, allGone };
}

test('a command leaves at once, a courier delivers its event and is gone (FR-029, US1-3)', async () => {
  const world = makeCourierWorld();
  const server = await startServer();
  await signIn(world, server);

  const command = world.start('command');

  expect(await command.ended).toEqual({ code: 0, signal: null, stderr: '' });
  expect(command.lines()).toEqual(['courier']);
  await world.allGone();
  expect(server.events()).toHaveLength(1);
  expect(readQueue(world.home).rows).toEqual([]);
  expect(readFileSync(world.file('courier.log'), 'utf8')).toMatch(
    /^\S+ started .*\n(?:\S+ link=.*\n)*\S+ sent=1 .* stopped=drained\n(?:\S+ link=.*\n)*\S+ left=idle delivered=1 pending=0 rejected=0\n$/,
  );
});

test('of eight commands at once one starts the courier, and it delivers all their events', async () => {
  const world = makeCourierWorld();
  const server = await startServer();
  await signIn(world, server);
  const clients = Array.from({ length: 8 }, () => world.open({ courier: COURIER }).client);
  await Promise.all(clients.map((client) => client.emit(MOVE)));

  const answers = await Promise.all(clients.map((client) => client.nudge()));

  expect(new Set(answers)).toEqual(new Set(['courier']));
  await world.allGone();
  expect(world.couriers()).toHaveLength(1);
  expect(server.events()).toHaveLength(8);
});

test('events of eight commands running as processes of their own are all delivered, and nobody is left running', async () => {
  const world = makeCourierWorld();
  const server = await startServer();
  await signIn(world, server);
  const commands = Array.from({ length: 8 }, () => world.start('command'));

  const ends = await Promise.all(commands.map((command) => command.ended));

  expect(ends.filter(({ code }) => code !== 0)).toEqual([]);
  await world.allGone();
  expect(readQueue(world.home).rows).toEqual([]);
  expect(server.events()).toHaveLength(8);
  expect((await world.open().client.status()).courier).toBeNull();
});

test('an event emitted while the courier is sending is delivered by that courier: no wake-up is lost', async () => {
  const world = makeCourierWorld();
  const server = await startServer();
  await signIn(world, server);
  const { client } = world.open({ courier: COURIER });
  let answer: () => void = () => {};
  const mayAnswer = new Promise<void>((resolve) => {
    answer = resolve;
  });
  server.respondNext(async () => {
    await mayAnswer;
    return 'continue' as const;
  }, BATCH);
  await client.emit(MOVE);
  await client.nudge();
  await until('the first batch', () => server.requests.some(({ path }) => path === BATCH.path));

  await client.emit(MOVE);
  expect(await client.nudge()).toBe('courier');
  answer();

  await world.allGone();
  expect(world.couriers()).toHaveLength(1);
  expect(server.events()).toHaveLength(2);
});

test.each([
  ['node-sqlite', 60],
  ['sqljs', 12],
])(
  '%s: whenever a command nudges, its event is delivered without another command (%i commands)',
  async (driver, commands) => {
    // A life so short that the commands meet couriers that are leaving as well.
    const world = makeCourierWorld({ SPEC_KITTY_QUEUE_DRIVER: driver, SPEC_KITTY_TEST_COURIER: '{"idleMs":1}' });
    const server = await startServer();
    await signIn(world, server);
    const { client } = world.open({ courier: COURIER });

    // Each command starts a little later after the courier has been answered than the one before, so that together
    // they meet it in every phase: settling, at its last look, giving up the lease, leaving.
    for (let sent = 1; sent <= commands; sent += 1) {
      await client.emit(MOVE);
      expect(await client.nudge()).toBe('courier');
      await until(`event ${sent} to arrive`, () => server.events().length === sent, { everyMs: 1 });
      spin(sent * 0.1);
    }

    await world.allGone();
    expect(readQueue(world.home).rows).toEqual([]);
  },
);

/** Lets less than a timer's shortest time pass. */
function spin(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

test.each<[string, { env?: Env; project?: string; signedIn?: boolean; emits?: boolean; expired?: boolean }]>([
  ['nobody is signed in', { signedIn: false }],
  ['the sign-in has expired (US7-3)', { expired: true }],
  ['delivery is off', { env: { SPEC_KITTY_DELIVERY: 'off' } }],
  ['it runs in CI', { env: { CI: 'true' } }],
  ['the queue is empty', { emits: false }],
  ['the project says sync.auto_start: false', { project: identity('auto_start: false') }],
  ['the project withholds its events', { project: identity('enabled: false') }],
])(
  'nothing is started when %s',
  async (_when, { env = {}, project, signedIn = true, emits = true, expired = false }) => {
    const world = makeCourierWorld(env);
    const server = await startServer();
    if (project !== undefined) world.configureProject(project);
    if (signedIn) await signIn(world, server);
    const { client } = world.open({ courier: COURIER });
    if (emits) await client.emit(MOVE);
    if (expired) {
      server.revokeTokens('all');
      await client.syncNow();
    }

    expect(await client.nudge()).toBe('none');

    // A started courier would stand in the store before it runs.
    expect(await client.status()).toMatchObject({ courier: null });
    expect(world.couriers()).toEqual([]);
  },
);

test('sync now works while delivery is off or auto_start is false (US7-4)', async () => {
  const world = makeCourierWorld({ SPEC_KITTY_DELIVERY: 'off' });
  world.configureProject(identity('auto_start: false'));
  const server = await startServer();
  await signIn(world, server);
  const { client } = world.open({ courier: COURIER });
  await client.emit(MOVE);

  expect(await client.syncNow()).toMatchObject({ stoppedBy: 'drained', sent: 1 });
});

test("events held for want of a team are delivered after the login by the next command's courier (FR-028b)", async () => {
  const world = makeCourierWorld();
  const server = await startServer();
  const { client } = world.open({ courier: COURIER });
  expect(await client.emit(MOVE)).toMatchObject({ status: 'held', reason: 'team' });
  await signIn(world, server);

  expect(await client.nudge()).toBe('courier');

  await world.allGone();
  expect(server.events()).toHaveLength(1);
});

test('a courier that never took the lease is replaced after a while', async () => {
  const world = makeCourierWorld();
  const server = await startServer();
  await signIn(world, server);
  const time = createTestTime(Date.now());
  const broken = join(world.directory, 'broken.mjs');
  writeFileSync(broken, 'process.exit(1);\n');
  const first = world.open({ courier: { script: broken }, time }).client;
  await first.emit(MOVE);
  await first.nudge();
  const { client } = world.open({ courier: COURIER, time });
  expect(await client.nudge()).toBe('courier');
  expect(world.couriers()).toEqual([]);

  await time.advance(COURIER_START_MS);

  expect(await client.nudge()).toBe('courier');
  await world.allGone();
  expect(server.events()).toHaveLength(1);
});

/** A home whose events go to a server that takes connections and never says a word. */
async function intoBlackHole(
  env: Env = {},
): Promise<{ readonly world: CourierWorld; readonly connections: () => number }> {
  let connections = 0;
  const hole = createServer((socket) => {
    connections += 1;
    socket.on('error', () => {});
    onTestFinished(() => void socket.destroy());
  });
  onTestFinished(() => void hole.close());
  await new Promise<void>((resolve) => {
    hole.listen(0, '127.0.0.1', resolve);
  });
  // A TCP server's address is never text.
  const server = `http://127.0.0.1:${(hole.address() as AddressInfo).port}`;
  const world = makeCourierWorld({
    SPEC_KITTY_TOKEN: 'a-token',
    SPEC_KITTY_TEAM: 'acme',
    SPEC_KITTY_SERVER: server,
    ...env,
  });
  const { client } = world.open({ courier: COURIER });
  await client.emit(MOVE);
  await client.nudge();
  await client.close();
  return { world, connections: () => connections };
}

test('against a server that never answers the courier gives up after its patience, and the event stays (FR-029)', async () => {
  const { world, connections } = await intoBlackHole({ SPEC_KITTY_TEST_COURIER: '{"patienceMs":700}' });
  await until('the courier to reach the server', () => connections() > 0);

  await world.allGone();

  expect(readQueue(world.home).rows).toMatchObject([{ state: 'queued' }]);
  expect(readFileSync(world.file('courier.log'), 'utf8')).toContain('left=gave-up delivered=0 pending=1');
  expect((await world.open().client.status()).courier).toBeNull();
});

test.each(['node-sqlite', 'sqljs'])(
  '%s: a courier whose home disappears ends and does not bring it back',
  async (driver) => {
    const { world, connections } = await intoBlackHole({ SPEC_KITTY_QUEUE_DRIVER: driver });
    await until('the courier to reach the server', () => connections() > 0);
    expect(world.couriers().some(isRunning)).toBe(true);

    rmSync(world.home, { recursive: true });

    await world.allGone();
    expect(existsSync(world.home)).toBe(false);
  },
);

test('a courier ends when its person signs out', async () => {
  const world = makeCourierWorld();
  const server = await startServer();
  await signIn(world, server);
  const { client } = world.open({ courier: COURIER });
  server.hang(BATCH);
  await client.emit(MOVE);
  await client.nudge();
  await until('the courier to send', () => server.requests.some(({ path }) => path === BATCH.path));

  await client.logout();

  await world.allGone();
  expect(readQueue(world.home).rows).toHaveLength(1);
});

test('a killed courier does not keep the next one out', async () => {
  const { world, connections } = await intoBlackHole();
  await until('the courier to reach the server', () => connections() > 0);
  const [first] = world.couriers();
  process.kill(Number(first), 'SIGKILL');
  await until('the courier to be gone', () => !isRunning(Number(first)));

  expect(await world.open({ courier: COURIER }).client.nudge()).toBe('courier');

  await until('the next courier', () => world.couriers().length === 2);
  const before = connections();
  await until('the next courier to reach the server', () => connections() > before);
});

test('sync now reports busy when the one who delivers does not end, and does not fall asleep over it (US7-4)', async () => {
  const { world, connections } = await intoBlackHole();
  await until('the courier to reach the server', () => connections() > 0);

  const sync = world.start('sync', ['400']);

  expect(await sync.ended).toEqual({ code: 0, signal: null, stderr: '' });
  expect(sync.lines()).toEqual(['busy 0']);
});

test('a command under a debugger leaves no courier that waits for one', async () => {
  const world = makeCourierWorld({ NODE_OPTIONS: '--inspect-brk=127.0.0.1:0' });
  const server = await startServer();
  await signIn(world, server);
  const { client } = world.open({ courier: COURIER });
  await client.emit(MOVE);

  await client.nudge();

  await world.allGone();
  expect(server.events()).toHaveLength(1);
});

test('starting a courier fails quietly where it cannot be started', async () => {
  const world = makeWorld();
  const home = resolveHome(world.env);

  expect(await startCourier(home, COURIER, world.env)).toBe(false);
  expect(existsSync(world.home)).toBe(false);
});
