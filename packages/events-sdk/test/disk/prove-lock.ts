/**
 * The directory lock on a disk that loses power: taken and let go by one process after the other, some of them killed
 * at a call, in between or while they hold it. From every state a crash could have left the next process gets in, at
 * the latest a minute after, and leaves nothing.
 */
import type { Disk } from '../../src/node/disk.ts';
import { withDirectoryLock } from '../../src/node/directory-lock.ts';
import { createRandom } from '../../src/testing/seeded-random.ts';
import { bootDisk, createSimulatedDisk } from '../../src/testing/simulated-disk.ts';
import type { CrashState } from '../../src/testing/simulated-disk-crash.ts';
import { mortalDisk } from '../../src/testing/simulated-disk-faults.ts';
import { createSimulatedMachine } from '../../src/testing/simulated-disk-processes.ts';
import { createTestTime } from '../../src/testing/test-time.ts';
import type { Proof } from './amount.ts';

const FOLDER = '/home/user';
export const LOCK = `${FOLDER}/queue.db.lock`;
const MINUTE_MS = 60_000;

/** Runs once and checks every state. */
export async function proveLock(seed: number, mistake: (disk: Disk) => Disk = (disk) => disk): Promise<Proof> {
  const random = createRandom(seed);
  const time = createTestTime();
  const disk = createSimulatedDisk({ now: time.now });
  disk.plantFolder(FOLDER);
  const machine = createSimulatedMachine();
  for (let turn = 0; turn < 4; turn += 1) {
    const process = machine.start();
    const own = mortalDisk(disk, random() < 0.6 ? 1 + Math.floor(random() * 14) : undefined);
    try {
      await withDirectoryLock(LOCK, { disk: mistake(own), time, processes: process, waitMs: 0 }, async () => {
        if (random() < 0.2) own.kill();
      });
    } catch (error) {
      if (!own.isKilled()) return { states: 0, losses: [`a turn failed: ${String(error)}`] };
    }
    process.die();
  }
  const losses: string[] = [];
  let states = 0;
  for (const state of disk.crashStates()) {
    states += 1;
    const trouble = await troubleAfter(state, time.now());
    if (trouble !== undefined) losses.push(`after ${state.moment} changes: ${trouble}`);
    if (losses.length > 0) break;
  }
  return { states, losses };
}

async function troubleAfter(state: CrashState, crashedAt: number): Promise<string | undefined> {
  const disk = bootDisk(state, { now: () => crashedAt });
  const machine = createSimulatedMachine({ boot: 'boot2' });
  const enterAfter = async (waitedMs: number): Promise<string> => {
    const time = createTestTime(crashedAt + waitedMs);
    const options = { disk, time, processes: machine.start(), waitMs: 0 };
    return withDirectoryLock(LOCK, options, async () => 'in').catch(String);
  };
  const isOwned = [...state.tree.keys()].some((path) => path.startsWith(`${LOCK}/`));
  // A lock that names its owner is judged at once; an empty one may be SQLite's, and is given its time.
  const atOnce = await enterAfter(0);
  if (atOnce !== 'in' && (isOwned || !state.tree.has(LOCK))) return `the lock is not given: ${atOnce}`;
  for (const turn of ['first', 'second']) {
    const later = await enterAfter(2 * MINUTE_MS);
    if (later !== 'in') return `the lock is not given a minute later, ${turn} time: ${later}`;
  }
  const left = [...disk.tree().keys()].filter((path) => path.startsWith(LOCK));
  if (left.length > 0) return `left for ever: ${left.join()}`;
  return disk.openFiles() === 0 ? undefined : 'a file was left open';
}
