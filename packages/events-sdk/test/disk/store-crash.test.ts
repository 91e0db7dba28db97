import { tellStorm } from '@spec-kitty/storm';
import { expect, test } from 'vitest';
import type { Disk } from '../../src/node/disk.ts';
import type { Persister } from '../../src/storage/sqljs/index.ts';
import { PROOF_TIMEOUT_MS, proveMany, SEED } from './amount.ts';
import {
  ignoringShortWrites,
  unlinkBeforeRename,
  withoutFileSync,
  withoutFolderSync,
  type Mistake,
} from './broken-disks.ts';
import { proveStore, QUEUE } from './prove-store.ts';

test(
  'sql.js: no loss of power at any moment takes an acknowledged event, halves a transaction or keeps the next process out (FR-026, EC-5)',
  async (context) => {
    const proof = await proveMany(context, 'sql.js store', { states: 8_000, runs: 1 }, (seed, run) =>
      proveStore({ seed, ...(run % 3 === 2 ? { mostPerWrite: 9_000 } : {}) }),
    );

    expect(proof.losses).toEqual([]);
  },
  PROOF_TIMEOUT_MS,
);

test(
  'sql.js: neither does it when a process was killed at any of its calls before, and the next one went on (FR-026, EC-5)',
  async (context) => {
    // The whole life of the first process, from a home that is not there to its first acknowledged events, and on.
    const proof = await proveMany(context, 'sql.js store after a kill', { states: 8_000, runs: 90 }, (seed, run) =>
      proveStore({ seed, kills: 1 + (run % 90) }),
    );

    expect(proof.losses).toEqual([]);
  },
  PROOF_TIMEOUT_MS,
);

test.for<[string, Mistake]>([
  ['syncs no file', withoutFileSync],
  ['syncs no folder', withoutFolderSync],
  ['removes the old file first', unlinkBeforeRename],
])('the proof of the sql.js store finds a protocol that %s', async ([what, mistake], { task }) => {
  const { losses } = await proveStore({ seed: SEED, mistake, kills: 'none' });

  expect(losses).not.toEqual([]);
  tellStorm(task, { storm: 'power', caught: [`a sql.js store that ${what}`] });
});

test('the proof of the sql.js store finds a protocol that takes a short write for a whole one', async ({ task }) => {
  const { losses } = await proveStore({ seed: SEED, mistake: ignoringShortWrites, mostPerWrite: 9_000 });

  expect(losses).not.toEqual([]);
  tellStorm(task, { storm: 'power', caught: ['a sql.js store that takes a short write for a whole one'] });
});

/** Named as ours are, by an owner that is gone. */
const TEMPORARY = `${QUEUE}.owner,1,boot1.0,here,0,t.tmp`;

/** Saves in another way than ours does. */
const saving =
  (save: (disk: Disk, bytes: Uint8Array) => void) =>
  (file: Persister, disk: Disk): Persister => ({
    ...file,
    async save(bytes) {
      save(disk, bytes);
      return `generation ${bytes.length}`;
    },
  });

function fill(disk: Disk, file: number, bytes: Uint8Array): void {
  disk.write(file, bytes, 0);
  disk.fsync(file);
  disk.close(file);
}

test.for<[string, (disk: Disk, bytes: Uint8Array) => void]>([
  [
    'writes in place',
    (disk, bytes) => {
      fill(disk, disk.open(QUEUE, 'w'), bytes);
    },
  ],
  [
    'renames before it writes',
    (disk, bytes) => {
      const file = disk.open(TEMPORARY, 'wx');
      disk.rename(TEMPORARY, QUEUE);
      fill(disk, file, bytes);
    },
  ],
])('the proof of the sql.js store finds a protocol that %s', async ([what, save], { task }) => {
  const { losses } = await proveStore({ seed: SEED, persister: saving(save), kills: 'none' });

  expect(losses).not.toEqual([]);
  tellStorm(task, { storm: 'power', caught: [`a sql.js store that ${what}`] });
});
