import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { createSimulatedDisk } from '../../src/testing/simulated-disk.ts';
import { createSimulatedMachine } from '../../src/testing/simulated-disk-processes.ts';
import { createTestTime } from '../../src/testing/test-time.ts';
import { failureOf, forEveryFault } from './every-fault.ts';
import { CLOCK, clockProtocol, configProtocol, credentialsProtocol } from './home-files.ts';
import type { FileProtocol } from './prove-file.ts';

/** The first change has been made; the second fails at some call; then it is made again, and the next by another process. */
async function faultsOf(protocol: FileProtocol, step: number): ReturnType<typeof forEveryFault> {
  const { path, contents, change } = protocol;
  const isDurable = path !== CLOCK;
  return forEveryFault(async (wrap) => {
    const time = createTestTime();
    const disk = createSimulatedDisk({ now: time.now });
    const machine = createSimulatedMachine();
    const present = (): string | null => {
      const bytes = disk.tree().get(path);
      return bytes === undefined || bytes === null ? null : new TextDecoder().decode(bytes);
    };
    disk.plantFolder('/home/user');
    const before = contents[step - 1];
    if (before !== null && before !== undefined) disk.plant(path, before);
    const process = machine.start();

    const failure = await failureOf(() => change({ disk: wrap(disk), time, processes: process }, step));

    if (failure?.isOurs === false) return `raw: ${failure.text}`;
    if (disk.openFiles() > 0) return 'a file was left open';
    const text = present();
    if (text !== contents[step] && (failure === undefined || text !== before)) return 'neither old nor new';
    if (failure === undefined && isDurable) {
      for (const { tree } of disk.crashStates({ from: disk.moment() })) {
        const left = tree.get(path);
        if ((left === undefined ? null : new TextDecoder().decode(left ?? undefined)) !== contents[step])
          return 'promised and not durable';
      }
    }
    const again = await failureOf(() => change({ disk, time, processes: process }, step));
    if (again !== undefined || present() !== contents[step]) return `it cannot be done again: ${again?.text}`;
    process.die();
    await time.advance(120_000);
    for (const next of [step, step + 1]) {
      const other = await failureOf(() => change({ disk, time, processes: machine.start() }, next));
      if (other !== undefined) return `the next process cannot change it: ${other.text}`;
    }
    const left = [...disk.tree().keys()].filter(
      (each) => each.startsWith(dirname(path)) && each !== path && each !== dirname(path),
    );
    return left.length === 0 ? undefined : `left for ever: ${left.join()}`;
  });
}

test.each([
  ['a first sign-in', credentialsProtocol(), 1],
  ['a renewal of the sign-in', credentialsProtocol(), 2],
  ['a sign-out', credentialsProtocol(), 3],
  ['a change of config.toml', configProtocol, 1],
  ['the first mirror of the clock', clockProtocol, 1],
  ['the next mirror of the clock', clockProtocol, 2],
])(
  '%s: whichever call fails, the answer is ours, the file is the old one or the new, and it can be done again',
  async (_what, protocol, step) => {
    const { faults, wrong } = await faultsOf(protocol, step);

    expect(wrong).toEqual([]);
    expect(faults).toBeGreaterThan(50);
  },
);
