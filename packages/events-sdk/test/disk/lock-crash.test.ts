import { join } from 'node:path';
import { tellStorm } from '@spec-kitty/storm';
import { expect, test } from 'vitest';
import type { Disk } from '../../src/node/disk.ts';
import { withDirectoryLock } from '../../src/node/directory-lock.ts';
import { ownerToName } from '../../src/node/process-owner.ts';
import { createSimulatedDisk } from '../../src/testing/simulated-disk.ts';
import { createSimulatedMachine } from '../../src/testing/simulated-disk-processes.ts';
import { createTestTime } from '../../src/testing/test-time.ts';
import { PROOF_TIMEOUT_MS, proveMany, SEED } from './amount.ts';
import { LOCK, proveLock } from './prove-lock.ts';

test(
  'the lock: from whatever a loss of power or a kill leaves of it the next process gets in and leaves nothing (EC-5)',
  async (context) => {
    const proof = await proveMany(context, 'directory lock', { states: 6_000, runs: 100 }, (seed) => proveLock(seed));

    expect(proof.losses).toEqual([]);
  },
  PROOF_TIMEOUT_MS,
);

test('the proof of the lock finds one that is left without the name of its owner', async ({ task }) => {
  // The owner's file gets a name no version of ours can read.
  const nameless = (disk: Disk): Disk => ({
    ...disk,
    open: (path, mode) => disk.open(mode === 'wx' ? join(path, '..', 'held') : path, mode),
  });
  const losses: string[] = [];
  for (let seed = SEED; seed < SEED + 10; seed += 1) losses.push(...(await proveLock(seed, nameless)).losses);

  expect(losses.join()).toMatch(/holds queue.db.lock|the lock is not given/);
  tellStorm(task, { storm: 'power', caught: ['a lock without the name of its owner'] });
});

const DAY_MS = 86_400_000;

test.each([
  ['of a process that has ended', { pid: 4_711, started: 'boot1.7', host: 'here' }, 0, 'in'],
  ['of a process whose number was given to another', { pid: 1_000, started: 'boot0.1', host: 'here' }, 0, 'in'],
  ['of a living process, however old', { pid: 1_000, started: 'boot1.1', host: 'here' }, DAY_MS, 'STORAGE_BUSY'],
  ['of another machine, young', { pid: 1_000, started: 'boot1.1', host: 'there' }, 59_000, 'STORAGE_BUSY'],
  ['of another machine, old', { pid: 1_000, started: 'boot1.1', host: 'there' }, 61_000, 'in'],
  ['without an owner, as SQLite makes it, young', undefined, 59_000, 'STORAGE_BUSY'],
  ['without an owner, as SQLite makes it, old', undefined, 61_000, 'in'],
] as const)('a lock %s: %o after %i ms is %s', async (_what, owner, ageMs, expected) => {
  const time = createTestTime();
  const takenAt = time.now();
  const disk = createSimulatedDisk({ now: () => takenAt });
  const machine = createSimulatedMachine();
  machine.start(1_000);
  disk.plantFolder(LOCK);
  if (owner !== undefined) disk.plant(join(LOCK, ownerToName({ ...owner, takenAtMs: takenAt, token: 't' })), '');
  await time.advance(ageMs);

  const answer = await withDirectoryLock(
    LOCK,
    { disk, time, processes: machine.start(), waitMs: 0 },
    async () => 'in',
  ).catch((error: { readonly code: string }) => error.code);

  expect(answer).toBe(expected);
});

const YEAR_MS = 365 * DAY_MS;

test.each([
  ['of another machine', { pid: 1_000, started: 'boot1.1', host: 'there' }],
  ['without an owner, as SQLite makes it,', undefined],
] as const)(
  'a lock %s from before a clock was set back by years keeps nobody out for years (EC-5)',
  async (_what, owner) => {
    const time = createTestTime();
    const takenAt = time.now() + 5 * YEAR_MS;
    const disk = createSimulatedDisk({ now: () => takenAt });
    disk.plantFolder(LOCK);
    if (owner !== undefined) disk.plant(join(LOCK, ownerToName({ ...owner, takenAtMs: takenAt, token: 't' })), '');

    const answer = await withDirectoryLock(
      LOCK,
      { disk, time, processes: createSimulatedMachine().start(), waitMs: 0 },
      async () => 'in',
    ).catch((error: { readonly code: string }) => error.code);

    expect(answer).toBe('in');
  },
);
