/** What the simulated disk says a crash can leave: small cases whose answers are known. */
import { expect, test } from 'vitest';
import { syncDirectory, type Disk } from '../../src/node/disk.ts';
import { createSimulatedDisk, bootDisk, type SimulatedDisk } from '../../src/testing/simulated-disk.ts';
import type { CrashOptions } from '../../src/testing/simulated-disk-crash.ts';
import { failingDisk, mortalDisk, ProcessKilled } from '../../src/testing/simulated-disk-faults.ts';

function write(disk: Disk, path: string, text: string, isSynced: boolean): void {
  const file = disk.open(path, 'w');
  disk.write(file, new TextEncoder().encode(text), 0);
  if (isSynced) disk.fsync(file);
  disk.close(file);
}

/** What can be found at `path` if power is lost now: texts, with `-` for nothing and `0` for a zero byte. */
function findable(disk: SimulatedDisk, path: string, options: CrashOptions = { from: disk.moment() }): string[] {
  const found = new Set<string>();
  for (const { tree } of disk.crashStates(options)) {
    const bytes = tree.get(path);
    found.add(bytes === undefined ? '-' : bytes === null ? 'folder' : new TextDecoder().decode(bytes));
  }
  return [...found].map((text) => text.replaceAll('\0', '0')).toSorted();
}

test('nothing is durable without a sync: the entry may be missing, the content torn or zero', () => {
  const disk = createSimulatedDisk();

  write(disk, '/a', 'abc', false);

  expect(findable(disk, '/a')).toEqual(['', '-', '000', '0bc', '00c', 'a', 'a00', 'ab', 'ab0', 'abc'].toSorted());
});

test('a synced file may lack its entry, a synced entry its content, and both together hold', () => {
  const [content, entry, both] = [createSimulatedDisk(), createSimulatedDisk(), createSimulatedDisk()];
  write(content, '/a', 'abc', true);
  write(entry, '/a', 'abc', false);
  syncDirectory(entry, '/');
  write(both, '/a', 'abc', true);
  syncDirectory(both, '/');

  expect(findable(content, '/a')).toEqual(['-', 'abc']);
  expect(findable(entry, '/a')).toContain('');
  expect(findable(entry, '/a')).not.toContain('-');
  expect(findable(both, '/a')).toEqual(['abc']);
});

test('an unsynced rename leaves the old file or the new one, and of unsynced content anything', () => {
  const disk = createSimulatedDisk();
  disk.plant('/a', 'old');
  write(disk, '/b', 'new', true);
  disk.rename('/b', '/a');
  const torn = createSimulatedDisk();
  torn.plant('/a', 'old');
  write(torn, '/b', 'new', false);
  torn.rename('/b', '/a');

  expect(findable(disk, '/a')).toEqual(['new', 'old']);
  expect(findable(torn, '/a')).toEqual(expect.arrayContaining(['old', 'new', '', 'n', '000']));
});

test('one folder keeps the order of its changes, two folders do not wait for each other', () => {
  const disk = createSimulatedDisk();
  disk.plantFolder('/x');
  disk.plantFolder('/y');
  disk.mkdir('/x/1');
  disk.mkdir('/x/2');
  disk.mkdir('/y/3');

  const left = [...disk.crashStates({ from: disk.moment() })].map(({ tree }) =>
    [...tree.keys()].filter((path) => path.length > 2).join(' '),
  );

  expect(left.toSorted()).toEqual(['', '/x/1', '/x/1 /x/2', '/x/1 /x/2 /y/3', '/x/1 /y/3', '/y/3'].toSorted());
});

test('a rename between folders has happened in both or in neither, also when one of them is synced', () => {
  const disk = createSimulatedDisk();
  disk.plantFolder('/y');
  disk.plant('/x/a', 'a');
  disk.rename('/x/a', '/y/a');
  const places = (): string[] =>
    [...disk.crashStates({ from: disk.moment() })].map(({ tree }) =>
      [...tree.keys()].filter((path) => path.endsWith('/a')).join(' '),
    );

  expect(places().toSorted()).toEqual(['/x/a', '/y/a']);
  syncDirectory(disk, '/y');
  expect(places()).toEqual(['/y/a']);
});

test('each state is given once between two promises, and again after the next', () => {
  const disk = createSimulatedDisk();
  disk.mkdir('/a');
  const promise = disk.moment();
  syncDirectory(disk, '/');

  expect([...disk.crashStates()].map(({ tree }) => tree.size)).toEqual([0, 1]);
  expect([...disk.crashStates({ promises: [promise] })].map(({ tree }) => tree.size)).toEqual([0, 0, 1]);
});

test('what cannot be enumerated is drawn from the seed, with both ends', () => {
  const disk = createSimulatedDisk();
  for (const name of ['/a', '/b', '/c']) write(disk, name, 'x'.repeat(200), false);
  syncDirectory(disk, '/');
  const draw = (seed: number): string[] =>
    [...disk.crashStates({ from: disk.moment(), atMostPerMoment: 50, seed })].map(({ tree }) =>
      [...tree.values()].map((bytes) => bytes?.join('')).join('|'),
    );

  expect(draw(1)).toEqual(draw(1));
  expect(draw(1)).not.toEqual(draw(2));
  expect(draw(1)).toContain('||');
  expect(draw(1)).toContain(Array.from({ length: 3 }, () => '120'.repeat(200)).join('|'));
  expect(draw(1).length).toBeLessThanOrEqual(50);
});

test('a state boots as a disk of its own, with everything on it durable', () => {
  const disk = createSimulatedDisk();
  disk.plant('/home/a', 'a', { isPrivate: false });
  const [state] = disk.crashStates({ from: disk.moment() });
  if (state === undefined) throw new Error('There is no state.');

  const booted = bootDisk(state);

  expect(booted.list('/home')).toEqual(['a']);
  expect(findable(booted, '/home/a')).toEqual(['a']);
  expect([...booted.crashStates()].at(-1)?.shared).toEqual(new Set(['/home/a']));
});

test('the number of a removed file is given to the next one', () => {
  const disk = createSimulatedDisk();
  write(disk, '/a', 'a', false);
  const first = disk.look('/a')?.ino;
  disk.unlink('/a');
  write(disk, '/b', 'b', false);

  expect(disk.look('/b')?.ino).toBe(first);
});

test('a failing disk fails its n-th call once or for ever, with or without its effect', () => {
  const fresh = (): SimulatedDisk => createSimulatedDisk();
  const attempt = (disk: Disk, path: string): string => {
    try {
      disk.mkdir(path);
      return 'made';
    } catch (error) {
      return String(error);
    }
  };
  const once = failingDisk(fresh(), { call: 2, error: 'ENOSPC', times: 'once' });
  const forEver = failingDisk(fresh(), { call: 2, error: 'EIO', times: 'for ever' });
  const done = failingDisk(fresh(), { call: 1, error: 'EIO', times: 'once', effect: 'done' });

  expect(['/1', '/2', '/3'].map((path) => attempt(once, path).slice(0, 13))).toEqual(['made', 'Error: ENOSPC', 'made']);
  expect(['/1', '/2', '/3'].map((path) => attempt(forEver, path).slice(0, 10))).toEqual([
    'made',
    'Error: EIO',
    'Error: EIO',
  ]);
  expect([attempt(done, '/1').slice(0, 10), done.list('/')]).toEqual(['Error: EIO', ['1']]);
  expect([once.calls(), once.hasFailed()]).toEqual([3, true]);
});

test('a short write takes half without an error; a full disk then takes no more', () => {
  const write10 = (times: 'once' | 'for ever'): (number | string)[] => {
    const disk = failingDisk(createSimulatedDisk(), { call: 2, error: 'short', times });
    const file = disk.open('/a', 'w');
    const attempt = (from: number): number | string => {
      try {
        return disk.write(file, new Uint8Array(10), from);
      } catch (error) {
        return String(error).slice(7, 13);
      }
    };
    return [attempt(0), attempt(5)];
  };

  expect(write10('once')).toEqual([5, 5]);
  expect(write10('for ever')).toEqual([5, 'ENOSPC']);
});

test('a killed process changes nothing any more and leaves no descriptor', () => {
  const disk = createSimulatedDisk();
  const mortal = mortalDisk(disk, 3);
  const file = mortal.open('/a', 'w');
  mortal.write(file, new Uint8Array(1), 0);

  expect(() => mortal.mkdir('/b')).toThrow(ProcessKilled);
  expect(() => {
    mortal.close(file);
  }).toThrow(ProcessKilled);
  expect([disk.list('/'), disk.openFiles(), mortal.isKilled()]).toEqual([['a'], 0, true]);
});
