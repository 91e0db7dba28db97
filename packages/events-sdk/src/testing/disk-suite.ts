/**
 * Every promise of the {@link Disk} port that the home's file protocols rest on, as cases a disk passes or not. The
 * machine's own disk and the simulated one pass the same, so what is proved on the second holds on the first as far as
 * these go.
 */
import { deepEqual, equal, notEqual, ok, throws } from 'node:assert/strict';

import { errorCodeOf, readFile, readTextFile, removeFile, syncDirectory, type Disk } from '../node/disk.ts';

/** An empty folder on a disk. */
export interface DiskUnderTest {
  readonly disk: Disk;
  readonly folder: string;
  cleanup(): void;
}

/** One promise. `run` throws when it is broken. */
export interface DiskCase {
  readonly title: string;
  run(): void;
}

/** The cases; each opens a fresh folder and cleans it up. */
export function diskCases(open: () => DiskUnderTest): readonly DiskCase[] {
  return Object.entries(PROMISES).map(([title, check]) => ({
    title,
    run() {
      const { disk, folder, cleanup } = open();
      try {
        check(disk, (name) => `${folder}/${name}`);
      } finally {
        cleanup();
      }
    },
  }));
}

type Check = (disk: Disk, at: (name: string) => string) => void;

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function put(disk: Disk, path: string, text: string, mode: 'w' | 'wx' | 'a' = 'w'): void {
  const file = disk.open(path, mode);
  disk.write(file, bytes(text), 0);
  disk.close(file);
}

function failsWith(code: string | readonly string[], call: () => unknown): void {
  const codes = [code].flat();
  throws(
    call,
    (error) => ok(codes.includes(errorCodeOf(error)), `expected ${codes.join()}, got ${String(error)}`) ?? true,
  );
}

const PROMISES: Readonly<Record<string, Check>> = {
  'gives back what was written, from any position and no more than there is'(disk, at) {
    put(disk, at('a'), 'hello');
    const file = disk.open(at('a'), 'r');
    const taken = new Uint8Array(10);

    equal(disk.read(file, taken, 2), 3);
    deepEqual([...taken.subarray(0, 4)], [...bytes('llo'), 0]);
    equal(disk.read(file, taken, 5), 0);
    equal(disk.read(file, taken, 99), 0);
    disk.close(file);
  },
  'writes go on where the last one ended, from the index they are told'(disk, at) {
    const file = disk.open(at('a'), 'w');

    equal(disk.write(file, bytes('hello'), 0), 5);
    equal(disk.write(file, bytes('xx world'), 2), 6);
    disk.fsync(file);
    disk.close(file);

    equal(readTextFile(disk, at('a')), 'hello world');
  },
  'opening to write empties a file, to add keeps it, only-if-new refuses it'(disk, at) {
    put(disk, at('a'), 'first and long');
    put(disk, at('a'), 'second');
    put(disk, at('a'), '+', 'a');

    equal(readTextFile(disk, at('a')), 'second+');
    failsWith('EEXIST', () => disk.open(at('a'), 'wx'));
    put(disk, at('b'), 'new', 'wx');
    equal(readTextFile(disk, at('b')), 'new');
  },
  'a file opened to read takes no writes, and a closed one nothing'(disk, at) {
    put(disk, at('a'), 'x');
    const file = disk.open(at('a'), 'r');
    failsWith('EBADF', () => disk.write(file, bytes('y'), 0));
    disk.close(file);

    failsWith('EBADF', () => disk.read(file, new Uint8Array(1), 0));
    failsWith('EBADF', () => disk.fsync(file));
    failsWith('EBADF', () => {
      disk.close(file);
    });
  },
  'what is not there is undefined to look at and ENOENT to everything else'(disk, at) {
    equal(disk.look(at('none')), undefined);
    equal(disk.look(at('none/below')), undefined);
    equal(readTextFile(disk, at('none')), undefined);
    removeFile(disk, at('none'));
    for (const call of [
      () => disk.open(at('none'), 'r'),
      () => disk.open(at('none/a'), 'w'),
      () => disk.list(at('none')),
      () => {
        disk.unlink(at('none'));
      },
      () => {
        disk.rmdir(at('none'));
      },
      () => {
        disk.mkdir(at('none/below'));
      },
      () => {
        disk.rename(at('none'), at('b'));
      },
      () => disk.realpath(at('none')),
    ]) {
      failsWith('ENOENT', call);
    }
  },
  'what stands below a file is ENOTDIR'(disk, at) {
    put(disk, at('a'), 'x');

    equal(disk.look(at('a/b')), undefined);
    equal(readTextFile(disk, at('a/b')), undefined);
    failsWith('ENOTDIR', () => disk.open(at('a/b'), 'w'));
    failsWith('ENOTDIR', () => disk.list(at('a')));
    failsWith('ENOTDIR', () => {
      disk.mkdir(at('a/b'));
    });
  },
  'tells size, kind, and a file from the one put in its place'(disk, at) {
    put(disk, at('a'), 'one');
    put(disk, at('b'), 'three');
    disk.mkdir(at('folder'));
    const before = disk.look(at('a'));
    const file = disk.open(at('a'), 'r');

    disk.rename(at('b'), at('a'));

    equal(before?.size, 3);
    equal(before.isDirectory, false);
    equal(disk.look(at('folder'))?.isDirectory, true);
    equal(disk.look(at('a'))?.size, 5);
    notEqual(disk.look(at('a'))?.ino, before.ino);
    equal(disk.lookAt(file).ino, before.ino);
    disk.close(file);
  },
  'a file that was removed or replaced while open is read to its end'(disk, at) {
    put(disk, at('a'), 'removed');
    put(disk, at('b'), 'replaced');
    put(disk, at('c'), 'new');
    const [a, b] = [disk.open(at('a'), 'r'), disk.open(at('b'), 'r')];

    disk.unlink(at('a'));
    disk.rename(at('c'), at('b'));

    const text = new Uint8Array(8);
    equal(disk.read(a, text, 0), 7);
    equal(disk.read(b, text, 0), 8);
    equal(new TextDecoder().decode(text), 'replaced');
    disk.close(a);
    disk.close(b);
    deepEqual(disk.list(at('.')), ['b']);
  },
  'makes one folder at a time and removes only an empty one'(disk, at) {
    disk.mkdir(at('a'));
    failsWith('EEXIST', () => {
      disk.mkdir(at('a'));
    });
    put(disk, at('a/file'), 'x');

    deepEqual(disk.list(at('a')), ['file']);
    failsWith('ENOTEMPTY', () => {
      disk.rmdir(at('a'));
    });
    failsWith('ENOTDIR', () => {
      disk.rmdir(at('a/file'));
    });
    failsWith(['EISDIR', 'EPERM'], () => {
      disk.unlink(at('a'));
    });
    disk.unlink(at('a/file'));
    disk.rmdir(at('a'));
    deepEqual(disk.list(at('.')), []);
  },
  'a folder takes the place of an empty folder, never of one with something in it'(disk, at) {
    for (const name of ['a', 'b', 'full']) disk.mkdir(at(name));
    put(disk, at('a/inside'), 'x');
    put(disk, at('full/inside'), 'y');

    failsWith(['ENOTEMPTY', 'EEXIST'], () => {
      disk.rename(at('a'), at('full'));
    });
    disk.rename(at('a'), at('b'));

    deepEqual([...disk.list(at('.'))].toSorted(), ['b', 'full']);
    equal(readTextFile(disk, at('b/inside')), 'x');
    equal(readTextFile(disk, at('full/inside')), 'y');
  },
  'a file never takes the place of a folder, nor a folder that of a file'(disk, at) {
    disk.mkdir(at('folder'));
    put(disk, at('file'), 'x');

    failsWith('EISDIR', () => {
      disk.rename(at('file'), at('folder'));
    });
    failsWith('ENOTDIR', () => {
      disk.rename(at('folder'), at('file'));
    });
    disk.rename(at('file'), at('folder/file'));
    equal(readTextFile(disk, at('folder/file')), 'x');
  },
  'a folder can be opened to be synced, not to be read or written'(disk, at) {
    disk.mkdir(at('a'));
    syncDirectory(disk, at('a'));

    const file = disk.open(at('a'), 'r');
    failsWith('EISDIR', () => disk.read(file, new Uint8Array(1), 0));
    disk.close(file);
    failsWith('EISDIR', () => disk.open(at('a'), 'w'));
  },
  'reads a file larger than it looked, and an empty one'(disk, at) {
    put(disk, at('empty'), '');
    put(disk, at('large'), 'x'.repeat(100_000));

    equal(readFile(disk, at('empty')).length, 0);
    equal(readFile(disk, at('large')).length, 100_000);
  },
};
