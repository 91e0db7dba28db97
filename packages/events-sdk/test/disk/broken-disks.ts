/** Mistakes a file protocol can make, put between it and a good disk: a proof that lets one pass proves nothing. */
import type { Disk } from '../../src/node/disk.ts';

export type Mistake = (disk: Disk) => Disk;

/** The file a temporary one is meant for; undefined for any other. */
const targetOf = (path: string): string | undefined => /^(.+)\.owner,[^/]*\.tmp$/.exec(path)?.[1];

function syncingOnly(disk: Disk, wanted: 'files' | 'folders'): Disk {
  const written = new Set<number>();
  return {
    ...disk,
    open(path, mode) {
      const file = disk.open(path, mode);
      if (mode === 'r') written.delete(file);
      else written.add(file);
      return file;
    },
    fsync(file) {
      if (written.has(file) === (wanted === 'files')) disk.fsync(file);
    },
  };
}

/** The content is not synced before the rename. */
export const withoutFileSync: Mistake = (disk) => syncingOnly(disk, 'folders');

/** The folder is not synced after the rename. */
export const withoutFolderSync: Mistake = (disk) => syncingOnly(disk, 'files');

/** The old file is removed before the new one takes its name. */
export const unlinkBeforeRename: Mistake = (disk) => ({
  ...disk,
  rename(from, to) {
    if (targetOf(from) !== undefined && disk.look(to) !== undefined) disk.unlink(to);
    disk.rename(from, to);
  },
});

/** The new file takes the name first and is filled then. */
export const renameBeforeWrite: Mistake = (disk) => ({
  ...disk,
  open(path, mode) {
    const file = disk.open(path, mode);
    const target = targetOf(path);
    if (target !== undefined) disk.rename(path, target);
    return file;
  },
  rename(from, to) {
    if (targetOf(from) === undefined) disk.rename(from, to);
  },
});

/** The old file itself is emptied and written. */
export const writeInPlace: Mistake = (disk) => ({
  ...disk,
  open: (path, mode) => disk.open(targetOf(path) ?? path, mode === 'wx' && targetOf(path) !== undefined ? 'w' : mode),
  rename(from, to) {
    if (targetOf(from) === undefined) disk.rename(from, to);
  },
});

/** Whatever a write took, it is taken to be all. */
export const ignoringShortWrites: Mistake = (disk) => ({
  ...disk,
  write(file, bytes, from) {
    disk.write(file, bytes, from);
    return bytes.length - from;
  },
});
