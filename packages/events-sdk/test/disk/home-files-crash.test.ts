import { tellStorm } from '@spec-kitty/storm';
import { describe, expect, test, type TestContext } from 'vitest';
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

const proveEach = (
  context: Pick<TestContext, 'task'>,
  title: string,
  states: number,
  protocols: readonly FileProtocol[],
): Promise<Proof> =>
  proveMany(context, title, { states, runs: KILLS * protocols.length }, (seed, run) => {
    const protocol = protocols[run % protocols.length];
    if (protocol === undefined) throw new Error('There is no protocol to prove.');
    const killAt = Math.floor(run / protocols.length) % KILLS;
    // Beyond these, the size of what a disk takes at once makes the difference.
    const round = Math.floor(run / (protocols.length * KILLS));
    return proveFile(protocol, {
      seed,
      ...(killAt === 0 ? {} : { killAt }),
      ...(round === 0 ? {} : { mostPerWrite: 40 + 7 * round }),
    });
  });

test(
  'credentials: no loss of power and no kill leaves a half sign-in, one that was replaced or given up, a readable token or a stray one',
  async (context) => {
    const proof = await proveEach(context, 'credentials', 8_000, [
      credentialsProtocol(),
      credentialsProtocol('left = "by another"\n'),
    ]);

    expect(proof.losses).toEqual([]);
  },
  PROOF_TIMEOUT_MS,
);

test(
  'config.toml: no loss of power and no kill leaves anything but the old settings or the new',
  async (context) => {
    const proof = await proveEach(context, 'config.toml', 2_000, [configProtocol]);

    expect(proof.losses).toEqual([]);
  },
  PROOF_TIMEOUT_MS,
);

test(
  'clock.json: a kill leaves the old mirror or the new, a loss of power at worst one that is written anew, never one ahead of the store',
  async (context) => {
    const proof = await proveEach(context, 'clock.json', 2_000, [clockProtocol]);

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
])('the proof of %s', (name, protocol) => {
  test.for(MISTAKES)('finds a protocol that %s', async ([what, mistake], { task }) => {
    const { losses } = await proveFile(protocol, { mistake });

    expect(losses.join()).toMatch(/whole|gone|lost|others may read/);
    tellStorm(task, { storm: 'power', caught: [`a protocol of ${name} that ${what}`] });
  });

  test('finds a protocol that takes a short write for a whole one', async ({ task }) => {
    const { losses } = await proveFile(protocol, { mistake: ignoringShortWrites, mostPerWrite: 20 });

    expect(losses.join()).toMatch(/whole/);
    tellStorm(task, { storm: 'power', caught: [`a protocol of ${name} that takes a short write for a whole one`] });
  });
});

test.for<readonly [string, Mistake]>([
  ['renames before it writes', renameBeforeWrite],
  ['writes in place', writeInPlace],
  ['removes the old file first', unlinkBeforeRename],
])('the proof of clock.json finds a protocol that %s', async ([what, mistake], { task }) => {
  const settled = { ...clockProtocol, contents: clockProtocol.contents.slice(1), change: laterStep };
  const losses = new Set<string>();
  for (let killAt = 1; killAt < 20; killAt += 1) {
    for (const loss of (await proveFile(settled, { mistake, killAt })).losses) losses.add(loss);
  }

  expect([...losses].join()).toMatch(/after a kill: the file is (gone|not whole)/);
  tellStorm(task, { storm: 'power', caught: [`a protocol of clock.json that ${what}`] });
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
