import { expect, test } from 'vitest';
import type { Disk } from '../../src/node/disk.ts';
import type { Persister } from '../../src/storage/sqljs/index.ts';
import { PROOF_TIMEOUT_MS, proveMany } from './amount.ts';
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
  async () => {
    const proof = await proveMany('sql.js store', { states: 8_000, runs: 1 }, (seed) =>
      proveStore({ seed, ...(seed % 3 === 0 ? { mostPerWrite: 9_000 } : {}) }),
    );

    expect(proof.losses).toEqual([]);
  },
  PROOF_TIMEOUT_MS,
);

test(
  'sql.js: neither does it when a process was killed at any of its calls before, and the next one went on (FR-026, EC-5)',
  async () => {
    // The whole life of the first process, from a home that is not there to its first acknowledged events, and on.
    const proof = await proveMany('sql.js store after a kill', { states: 8_000, runs: 90 }, (seed) =>
      proveStore({ seed, kills: 1 + ((seed - 1) % 90) }),
    );

    expect(proof.losses).toEqual([]);
  },
  PROOF_TIMEOUT_MS,
);

test.each<[string, Mistake]>([
  ['syncs no file', withoutFileSync],
  ['syncs no folder', withoutFolderSync],
  ['removes the old file first', unlinkBeforeRename],
])('the proof of the sql.js store finds a protocol that %s', async (_mistake, mistake) => {
  const { losses } = await proveStore({ seed: 1, mistake, kills: 'none' });

  expect(losses).not.toEqual([]);
});

test('the proof of the sql.js store finds a protocol that takes a short write for a whole one', async () => {
  const { losses } = await proveStore({ seed: 1, mistake: ignoringShortWrites, mostPerWrite: 9_000 });

  expect(losses).not.toEqual([]);
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

test.each<[string, (disk: Disk, bytes: Uint8Array) => void]>([
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
])('the proof of the sql.js store finds a protocol that %s', async (_mistake, save) => {
  const { losses } = await proveStore({ seed: 1, persister: saving(save), kills: 'none' });

  expect(losses).not.toEqual([]);
});
