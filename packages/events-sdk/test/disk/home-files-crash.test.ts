import { describe, expect, test } from 'vitest';
import { makeDirectory } from '../../src/node/make-directory.ts';
import { createSimulatedDisk } from '../../src/testing/simulated-disk.ts';
import { PROOF_TIMEOUT_MS, proveMany, type Proof } from './amount.ts';
import {
  ignoringShortWrites,
  renameBeforeWrite,
  unlinkBeforeRename,
  withoutFileSync,
  withoutFolderSync,
  writeInPlace,
  type Mistake,
} from './broken-disks.ts';
import { clockProtocol, configProtocol, credentialsProtocol } from './home-files.ts';
import { proveFile, type FileProtocol } from './prove-file.ts';

/** Killed at any of the calls of its first change, and at none. */
const KILLS = 50;

const proveEach = (title: string, states: number, protocols: readonly FileProtocol[]): Promise<Proof> =>
  proveMany(title, { states, runs: KILLS * protocols.length }, (seed) => {
    const protocol = protocols[seed % protocols.length];
    if (protocol === undefined) throw new Error('There is no protocol to prove.');
    const killAt = Math.floor((seed - 1) / protocols.length) % KILLS;
    // Beyond these, the size of what a disk takes at once makes the difference.
    const round = Math.floor((seed - 1) / (protocols.length * KILLS));
    return proveFile(protocol, {
      seed,
      ...(killAt === 0 ? {} : { killAt }),
      ...(round === 0 ? {} : { mostPerWrite: 40 + 7 * round }),
    });
  });

test(
  'credentials: no loss of power and no kill leaves a half sign-in, one that was replaced or given up, a readable token or a stray one',
  async () => {
    const proof = await proveEach('credentials', 8_000, [
      credentialsProtocol(),
      credentialsProtocol('left = "by another"\n'),
    ]);

    expect(proof.losses).toEqual([]);
  },
  PROOF_TIMEOUT_MS,
);

test(
  'config.toml: no loss of power and no kill leaves anything but the old settings or the new',
  async () => {
    const proof = await proveEach('config.toml', 2_000, [configProtocol]);

    expect(proof.losses).toEqual([]);
  },
  PROOF_TIMEOUT_MS,
);

test(
  'clock.json: a kill leaves the old mirror or the new, a loss of power at worst one that is written anew, never one ahead of the store',
  async () => {
    const proof = await proveEach('clock.json', 2_000, [clockProtocol]);

    expect(proof.losses).toEqual([]);
  },
  PROOF_TIMEOUT_MS,
);

const MISTAKES: readonly (readonly [string, Mistake])[] = [
  ['syncs no file', withoutFileSync],
  ['syncs no folder', withoutFolderSync],
  ['removes the old file first', unlinkBeforeRename],
  ['renames before it writes', renameBeforeWrite],
  ['writes in place', writeInPlace],
];

describe.each([
  ['credentials', credentialsProtocol('left = "by another"\n')],
  ['config.toml', configProtocol],
])('the proof of %s', (_name, protocol) => {
  test.each(MISTAKES)('finds a protocol that %s', async (_mistake, mistake) => {
    const { losses } = await proveFile(protocol, { mistake });

    expect(losses.join()).toMatch(/whole|gone|lost|others may read/);
  });

  test('finds a protocol that takes a short write for a whole one', async () => {
    const { losses } = await proveFile(protocol, { mistake: ignoringShortWrites, mostPerWrite: 20 });

    expect(losses.join()).toMatch(/whole/);
  });
});

test.each([
  ['renames before it writes', renameBeforeWrite],
  ['writes in place', writeInPlace],
  ['removes the old file first', unlinkBeforeRename],
])('the proof of clock.json finds a protocol that %s', async (_mistake, mistake) => {
  const settled = { ...clockProtocol, contents: clockProtocol.contents.slice(1), change: laterStep };
  const losses = new Set<string>();
  for (let killAt = 1; killAt < 20; killAt += 1) {
    for (const loss of (await proveFile(settled, { mistake, killAt })).losses) losses.add(loss);
  }

  expect([...losses].join()).toMatch(/after a kill: the file is (gone|not whole)/);
});

/** The same changes to a mirror that is there already. */
function laterStep(world: Parameters<FileProtocol['change']>[0], step: number): Promise<void> | void {
  return clockProtocol.change(world, step + 1);
}

test('a folder that was made is there after a loss of power, at any depth', () => {
  const disk = createSimulatedDisk();
  disk.plantFolder('/home');
  makeDirectory(disk, '/home/user/.config/spec-kitty');
  const made = disk.moment();

  const trees = [...disk.crashStates({ from: made })].map(({ tree }) => [...tree.keys()].at(-1));

  expect(trees).toEqual(['/home/user/.config/spec-kitty']);
});
