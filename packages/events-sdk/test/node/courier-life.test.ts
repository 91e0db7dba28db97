/** How a courier leaves: the decision as a table, and each way out with real processes. */
import { existsSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { expect, onTestFinished, test } from 'vitest';

import { COURIER_LIMITS, whyLeave, type CourierFacts, type Farewell } from '../../src/node/courier-life.ts';
import { isRunning, makeWorld, MOVE, signIn, startServer, until, type World } from './world.ts';

const COURIER = { script: fileURLToPath(new URL('./fixtures/courier.child.ts', import.meta.url)) };
const NOW = 100_000_000;
const ACTIVE: CourierFacts = {
  now: NOW,
  startedAt: NOW - 1000,
  status: { phase: 'idle', lastActivityAt: NOW - 1000, isUnwanted: false },
  isSignalled: false,
  isHomeThere: true,
  isSignedIn: true,
};
const quiet = (ms: number, phase: CourierFacts['status']['phase']): Partial<CourierFacts> => ({
  status: { phase, lastActivityAt: NOW - ms, isUnwanted: false },
});

test.each<[string, Partial<CourierFacts>, Farewell | undefined]>([
  ['stays while it is used', {}, undefined],
  ['stays for the idle time', quiet(59_999, 'idle'), undefined],
  ['leaves after it', quiet(60_000, 'idle'), 'idle'],
  ['waits longer for a server that is down', quiet(60_000, 'waiting'), undefined],
  ['and for a sign-in (US7-3)', quiet(599_999, 'needs-sign-in'), undefined],
  ['but not for ever, whatever waits', quiet(600_000, 'waiting'), 'gave-up'],
  ['also when a request hangs', quiet(600_000, 'sending'), 'gave-up'],
  ['leaves at its age although it is used', { startedAt: NOW - COURIER_LIMITS.maxAgeMs }, 'age'],
  ['does not live longer for a clock that was set back', { startedAt: NOW + COURIER_LIMITS.maxAgeMs }, 'age'],
  ['makes room when it is asked', { status: { ...ACTIVE.status, isUnwanted: true } }, 'asked'],
  ['leaves with its sign-in', { isSignedIn: false }, 'signed-out'],
  ['leaves when another has the lease', { status: { ...ACTIVE.status, phase: 'ended' } }, 'lease-lost'],
  ['leaves on a signal', { isSignalled: true }, 'signal'],
  ['leaves without a word when there is no home any more', { isHomeThere: false, isSignalled: true }, 'home-gone'],
])('a courier %s', (_what, change, reason) => {
  expect(whyLeave({ ...ACTIVE, ...change }, COURIER_LIMITS)).toBe(reason);
});

interface Living {
  readonly world: World;
  readonly pid: number;
  /** Of all couriers so far. */
  pids(): readonly number[];
  readonly log: () => string;
  /** Starts another one as a command of that version does; answers the numbers of all of them so far. */
  readonly commandOf: (version: string) => Promise<readonly number[]>;
}

/** A home with a courier of version 1.0.0 that has delivered one event and would stay for a long time. */
async function withCourier(options: Readonly<Record<string, unknown>> = {}): Promise<Living> {
  const world = makeWorld();
  const notes = join(world.directory, 'couriers.txt');
  const pids = (): readonly number[] =>
    existsSync(notes) ? readFileSync(notes, 'utf8').split('\n').slice(0, -1).map(Number) : [];
  onTestFinished(() => {
    for (const pid of pids()) if (isRunning(pid)) process.kill(pid, 'SIGKILL');
  });
  const server = await startServer();
  await signIn(world, server);
  async function commandOf(version: string): Promise<readonly number[]> {
    const env = {
      ...world.env,
      SPEC_KITTY_TEST_NOTES: notes,
      SPEC_KITTY_TEST_COURIER: JSON.stringify({ idleMs: 60_000, ...options, version }),
    };
    const { client } = world.open({ courier: COURIER, version, env });
    const before = server.events().length;
    await client.emit(MOVE);
    expect(await client.nudge()).toBe('courier');
    await until('the event to arrive', () => server.events().length > before);
    await client.close();
    return pids();
  }
  const [pid = 0] = await commandOf('1.0.0');
  const log = (): string => readFileSync(world.file('courier.log'), 'utf8');
  return { world, pid, pids, log, commandOf };
}

const gone = (pid: number): Promise<void> => until('the courier to be gone', () => !isRunning(pid));

test('one courier serves the commands that follow, and is asked by none of its own version to leave', async () => {
  const { pid, commandOf } = await withCourier();

  expect(await commandOf('1.0.0')).toEqual([pid]);
  expect(await commandOf('1.0.0')).toEqual([pid]);

  expect(isRunning(pid)).toBe(true);
});

test.each(['SIGTERM', 'SIGINT'] as const)(
  'a courier told to end by %s ends in order and gives the lease up (FR-035)',
  async (signal) => {
    const { world, pid, log } = await withCourier();

    process.kill(pid, signal);

    await gone(pid);
    expect(log()).toMatch(/ left=signal delivered=1 pending=0 rejected=0\n$/);
    expect((await world.open().client.status()).courier).toBeNull();
  },
);

test('a command of another version has the courier replaced by its own, and its event arrives (FR-031)', async () => {
  const { world, pid, pids, log, commandOf } = await withCourier();

  await commandOf('1.1.0');

  // The old one may have delivered the event before it left.
  await gone(pid);
  await until('the new one to begin', () => log().includes('version=1.1.0'));
  expect(log()).toContain('left=asked');
  const { courier } = await world.open().client.status();
  expect(courier).toMatchObject({ role: 'courier', pid: pids()[1] });
});

test('a courier leaves at its age although it is used', async () => {
  const { pid, log } = await withCourier({ maxAgeMs: 1 });

  await gone(pid);
  expect(log()).toMatch(/ left=age .*\n$/);
});

test('a courier leaves when another home stands in the place of its own, and writes nothing there', async () => {
  const { world, pid } = await withCourier();

  renameSync(world.home, `${world.home}-moved`);
  const { client } = world.open();
  await client.emit(MOVE);

  await gone(pid);
  expect(existsSync(world.file('courier.log'))).toBe(false);
  expect(await client.status()).toMatchObject({ held: { team: 1 } });
});
