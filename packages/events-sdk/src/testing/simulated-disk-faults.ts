/** Wrappers that make any {@link Disk} misbehave: calls that fail, writes that are short, a process killed at a call. */
import type { Disk } from '../node/disk.ts';
import { diskError } from './simulated-disk-nodes.ts';

/** Which call goes wrong, and how. */
export interface DiskFault {
  /** Counted from 1 over all calls of the port. */
  readonly call: number;
  /**
   * The error's code. `short`: a write takes only half of its bytes and says so; for ever: none at all after the
   * first, as on a disk that is full. Other calls are left alone.
   */
  readonly error: 'EIO' | 'ENOSPC' | 'EACCES' | 'EROFS' | 'short';
  readonly times: 'once' | 'for ever';
  /** What the first failing call did before it failed. Default: nothing. A `close` always closes, an `open` leaves nothing open. */
  readonly effect?: 'none' | 'done';
}

/** A disk that fails as told; it goes on counting. */
export interface FailingDisk extends Disk {
  calls(): number;
  /** Whether anything has gone wrong yet. */
  hasFailed(): boolean;
}

/** Makes the n-th call of `disk` fail. */
export function failingDisk(disk: Disk, fault: DiskFault): FailingDisk {
  let calls = 0;
  let failures = 0;
  const isDue = (): boolean => {
    calls += 1;
    return fault.times === 'once' ? calls === fault.call : calls >= fault.call;
  };
  const watched = everyCall(disk, (name, make) => {
    if (!isDue() || fault.error === 'short') return make();
    failures += 1;
    const answer = name === 'close' || (fault.effect === 'done' && failures === 1) ? make() : undefined;
    if (name === 'open' && typeof answer === 'number') disk.close(answer);
    throw diskError(fault.error, name);
  });
  return {
    ...watched,
    write(file, bytes, from) {
      if (fault.error !== 'short') return watched.write(file, bytes, from);
      if (!isDue()) return disk.write(file, bytes, from);
      failures += 1;
      if (failures > 1) throw diskError('ENOSPC', 'write');
      return disk.write(file, bytes.subarray(0, from + Math.floor((bytes.length - from) / 2)), from);
    },
    calls: () => calls,
    hasFailed: () => failures > 0,
  };
}

/** Thrown by the calls of a process that is no longer there. No code of ours may do anything useful with it. */
export class ProcessKilled extends Error {
  override readonly name = 'ProcessKilled';
}

/** The disk as one process sees it, until it is killed. */
export interface MortalDisk extends Disk {
  /** Calls made so far. */
  calls(): number;
  /** From now on no call reaches the disk, and what was open is closed. */
  kill(): void;
  isKilled(): boolean;
}

/** A process's view of `disk`; with `killAt` it is killed in place of that call, counted from 1. */
export function mortalDisk(disk: Disk, killAt = Number.POSITIVE_INFINITY): MortalDisk {
  const open = new Set<number>();
  let calls = 0;
  let isKilled = false;
  const kill = (): void => {
    isKilled = true;
    for (const file of open) disk.close(file);
    open.clear();
  };
  const watched = everyCall(disk, (_name, make) => {
    calls += 1;
    if (calls >= killAt && !isKilled) kill();
    if (isKilled) throw new ProcessKilled('This process was killed.');
    return make();
  });
  return {
    ...watched,
    open(path, mode) {
      const file = watched.open(path, mode);
      open.add(file);
      return file;
    },
    close(file) {
      watched.close(file);
      open.delete(file);
    },
    calls: () => calls,
    kill,
    isKilled: () => isKilled,
  };
}

/** Puts `around` between every call of the port and the disk. */
export function everyCall(disk: Disk, around: <T>(name: keyof Disk, make: () => T) => T): Disk {
  return {
    open: (path, mode) => around('open', () => disk.open(path, mode)),
    read: (file, bytes, at) => around('read', () => disk.read(file, bytes, at)),
    write: (file, bytes, from) => around('write', () => disk.write(file, bytes, from)),
    fsync: (file) => around('fsync', () => disk.fsync(file)),
    close: (file) => around('close', () => disk.close(file)),
    look: (path) => around('look', () => disk.look(path)),
    lookAt: (file) => around('lookAt', () => disk.lookAt(file)),
    list: (path) => around('list', () => disk.list(path)),
    rename: (from, to) => around('rename', () => disk.rename(from, to)),
    unlink: (path) => around('unlink', () => disk.unlink(path)),
    mkdir: (path) => around('mkdir', () => disk.mkdir(path)),
    rmdir: (path) => around('rmdir', () => disk.rmdir(path)),
    realpath: (path) => around('realpath', () => disk.realpath(path)),
  };
}
