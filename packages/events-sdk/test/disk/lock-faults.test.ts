import { join } from 'node:path';
import { expect, test } from 'vitest';
import { withDirectoryLock, type DirectoryLockOptions } from '../../src/node/directory-lock.ts';
import { ownerToName } from '../../src/node/process-owner.ts';
import { createSimulatedDisk } from '../../src/testing/simulated-disk.ts';
import { createSimulatedMachine } from '../../src/testing/simulated-disk-processes.ts';
import { createTestTime } from '../../src/testing/test-time.ts';
import { failureOf, forEveryFault } from './every-fault.ts';

const LOCK = '/home/user/.spec-kitty/queue.db.lock';

test.each([
  ['made in a folder that is not there', false],
  ['taken over from a dead process', true],
])(
  'a lock %s: whichever call fails, the answer is ours, and the next try of this process and of others gets in',
  async (_how, isStale) => {
    const { faults, wrong } = await forEveryFault(async (wrap, isForEver) => {
      const time = createTestTime();
      const disk = createSimulatedDisk({ now: time.now });
      const machine = createSimulatedMachine();
      disk.plantFolder('/home/user');
      const dead = { pid: 1, started: 'boot1.0', host: 'here', takenAtMs: time.now(), token: 't' };
      if (isStale) disk.plant(join(LOCK, ownerToName(dead)), '');
      const process = machine.start();
      const enter = (options: Partial<DirectoryLockOptions>): ReturnType<typeof failureOf> =>
        failureOf(() =>
          withDirectoryLock(LOCK, { disk, time, processes: process, waitMs: 0, ...options }, async () => {}),
        );

      const failure = await enter({ disk: wrap(disk) });

      if (failure?.isOurs === false) return `raw: ${failure.text}`;
      if (disk.openFiles() > 0) return 'a file was left open';
      const isHeld = [...disk.tree().keys()].some((path) => path.startsWith(`${LOCK}/owner,${process.pid},`));
      if (isHeld && failure !== undefined && !isForEver) return `refused, yet held: ${failure.text}`;
      const again = await enter({});
      if (again !== undefined) return `this process does not get in again: ${again.text}`;
      process.die();
      await time.advance(120_000);
      for (const turn of ['next', 'one after']) {
        const other = await enter({ processes: machine.start() });
        if (other !== undefined) return `the ${turn} does not get in: ${other.text}`;
      }
      const left = [...disk.tree().keys()].filter((path) => path.startsWith(LOCK));
      return left.length === 0 ? undefined : `left for ever: ${left.join()}`;
    });

    expect(wrong).toEqual([]);
    expect(faults).toBeGreaterThan(50);
  },
);

test('a lock whose holder cannot let go gives back what the work answered', async () => {
  const { wrong } = await forEveryFault(async (wrap) => {
    const disk = createSimulatedDisk();
    const options = { time: createTestTime(), processes: createSimulatedMachine().start(), waitMs: 0 };
    const answer = await withDirectoryLock('/lock', { ...options, disk: wrap(disk) }, async () => 'done').catch(
      () => 'no lock',
    );
    return answer === 'done' || !disk.tree().has('/lock') || answer === 'no lock' ? undefined : answer;
  });

  expect(wrong).toEqual([]);
});
