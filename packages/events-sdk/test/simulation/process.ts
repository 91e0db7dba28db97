/**
 * A simulated process. It touches the world through `call` alone, which is where it waits, where things fail, and where it
 * dies: from then on nothing it began ever ends, and what it asks for is never done.
 */
import { EventsSdkError } from '../../src/errors.ts';
import type { Time } from '../../src/internal/time.ts';
import type { Disk } from '../../src/node/disk.ts';
import { diskError } from '../../src/testing/simulated-disk-nodes.ts';
import { everyCall } from '../../src/testing/simulated-disk-faults.ts';
import { START_MS, type World } from './world.ts';

export interface SimulatedProcess {
  readonly pid: number;
  readonly isDead: boolean;
  readonly time: Time;
  /** Virtual milliseconds its disk has kept it waiting so far, at most. */
  readonly diskMs: number;
  /** Resolves when it has died. */
  readonly died: Promise<void>;
  kill(): void;
  /** It dies at that call from now on, of a port or of the disk. */
  killAtCall(count: number): void;
  /** Does `work` in the world, unless this process is dead by then; a dead one never hears of it. */
  call<T>(what: string, work: () => T | Promise<T>): Promise<T>;
  /** As `call`, slow and failing as disks are. */
  diskCall<T>(what: string, work: () => T | Promise<T>): Promise<T>;
  /** `disk` as this process has it. */
  useDisk(disk: Disk): Disk;
}

/** How badly the disk behaves. */
export interface DiskManners {
  /** Every so manieth call fails; 0: none. */
  readonly failsEvery: number;
  /** Longest wait of a slow call, in milliseconds. */
  readonly slowMs: number;
}

/** One for each use: whoever waits for a shared one would be kept in memory for ever. */
const never = (): Promise<never> => new Promise(() => {});

export function createProcess(world: World, pid: number, manners: DiskManners): SimulatedProcess {
  const { chance, time, note, sometimes } = world;
  const { promise: died, resolve: tellDeath } = Promise.withResolvers<void>();
  const timers = new Set<() => void>();
  let isDead = false;
  let killIn = 0;
  let diskMs = 0;
  let calls = 0;

  function kill(): void {
    if (isDead) return;
    isDead = true;
    note(`p${pid} killed`);
    for (const cancel of timers) cancel();
    tellDeath();
  }

  const isLastCall = (): boolean => killIn > 0 && (killIn -= 1) === 0;

  async function call<T>(what: string, work: () => T | Promise<T>): Promise<T> {
    if (isDead) return never();
    if (world.isSpinning()) {
      // Nothing that waits for time would ever be heard of again.
      world.breach('spin', `p${pid} does not let time go on, at last with ${what}`);
      kill();
      return never();
    }
    const isLast = isLastCall();
    if (isLast && chance.once(2)) {
      sometimes('killed before a call');
      kill();
      return never();
    }
    try {
      const result = await work();
      if (isLast) {
        sometimes('killed after a call');
        kill();
      }
      return isDead ? await never() : result;
    } catch (cause) {
      if (isDead) return never();
      note(`p${pid} ${what} failed`);
      throw cause;
    }
  }

  async function wait(): Promise<void> {
    if (world.isClear || manners.slowMs === 0 || !chance.once(3)) return;
    const delayMs = chance.between(1, chance.once(8) ? manners.slowMs : 10);
    if (delayMs > 10) sometimes('slow disk');
    diskMs += delayMs;
    await time.sleep(delayMs);
  }

  const isFailing = (): boolean => !world.isClear && manners.failsEvery > 0 && (calls += 1) % manners.failsEvery === 0;

  const failed = (what: string): EventsSdkError => {
    sometimes(`storage failed ${what}`);
    const code = chance.oneOf(['STORAGE_BUSY', 'STORAGE_UNAVAILABLE'] as const);
    return new EventsSdkError(code, `The simulated disk failed ${what}.`);
  };

  return {
    pid,
    get isDead() {
      return isDead;
    },
    get diskMs() {
      return diskMs;
    },
    died,
    kill,
    killAtCall(count) {
      killIn = count;
    },
    call,
    diskCall: (what, work) =>
      call(what, async () => {
        await wait();
        if (isDead) return never();
        const fails = isFailing();
        if (fails && !chance.once(4)) throw failed('before its work');
        const result = await work();
        await wait();
        if (fails) throw failed('after its work');
        return result;
      }),
    useDisk: (disk) =>
      everyCall(disk, (name, make) => {
        if (isDead) throw new Error('This process was killed.');
        if (isLastCall()) {
          if (chance.once(2)) make();
          sometimes('killed at a call of the disk');
          kill();
          throw new Error('This process was killed.');
        }
        // A descriptor that is not closed would be the simulation's own leak.
        if (name !== 'close' && isFailing()) {
          sometimes('disk call failed');
          throw diskError(chance.oneOf(['EIO', 'ENOSPC']), name);
        }
        return make();
      }),
    time: {
      now: () => START_MS + Math.floor(time.now()) + world.skewMs,
      after(delayMs, action) {
        if (isDead) return () => {};
        const cancel = time.after(delayMs, () => {
          timers.delete(cancel);
          action();
        });
        timers.add(cancel);
        return () => {
          timers.delete(cancel);
          cancel();
        };
      },
    },
  };
}
