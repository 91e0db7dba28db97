/**
 * A {@link Disk} in memory that behaves as a local disk does and keeps a log of every change, so that what a loss of
 * power could leave can be worked out afterwards: see `simulated-disk-crash.ts`. Several simulated processes may use
 * one of it. What is modelled and what is not: docs/decisions/0006-simulated-disk.md.
 *
 * Nastier than most disks on purpose: the inode number of a removed file goes to the next one made, and time stands
 * still unless the test moves it, so that neither number nor time alone tells two files apart.
 */
import type { Disk, DiskEntry, OpenMode } from '../node/disk.ts';
import { crashStates, type CrashOptions, type CrashState } from './simulated-disk-crash.ts';
import {
  createNodes,
  diskError,
  partsOf,
  refuseReplacing,
  type FileNode,
  type FolderNode,
  type Node,
} from './simulated-disk-nodes.ts';
import type { Effect } from './simulated-disk-pending.ts';

/** The disk, and what a test may ask of it. */
export interface SimulatedDisk extends Disk {
  /** Descriptors that have not been closed. */
  openFiles(): number;
  /** Changes and syncs so far: a moment in the life of this disk. */
  moment(): number;
  /** Puts a durable file there, with the folders above it. */
  plant(path: string, content: string | Uint8Array, options?: { readonly isPrivate: boolean }): void;
  /** Puts a durable folder there, with those above it. */
  plantFolder(path: string): void;
  /** Every file and folder that is there now, by path; null: a folder. */
  tree(): ReadonlyMap<string, Uint8Array | null>;
  /** What a loss of power at any moment since `options.from` could leave, each state once. */
  crashStates(options?: CrashOptions): Generator<CrashState>;
}

/** How a simulated disk begins. */
export interface SimulatedDiskOptions {
  /** For `changedAtNs`, in milliseconds since the epoch. Default: a time that stands still. */
  readonly now?: () => number;
}

interface Descriptor {
  readonly node: Node;
  readonly mode: OpenMode;
  position: number;
}

/** An empty disk: a root folder, everything durable. */
export function createSimulatedDisk(options: SimulatedDiskOptions = {}): SimulatedDisk {
  const now = options.now ?? ((): number => Date.UTC(2026, 1, 7));
  const log: Effect[] = [];
  const descriptors = new Map<number, Descriptor>();
  const nowNs = (): bigint => BigInt(Math.round(now())) * 1_000_000n;
  const { root, find, placeOf, newFile, newFolder, dropped, freeWhenUnused } = createNodes(nowNs);

  const changed = (...nodes: readonly Node[]): void => {
    for (const node of nodes) node.changedAtNs = nowNs();
  };
  const make = (folder: FolderNode, name: string, node: Node): void => {
    folder.entries.set(name, node);
    changed(folder);
    const isPrivate = node.kind === 'folder' || node.isPrivate;
    log.push({ kind: 'make', folder: folder.id, name, node: node.id, isFolder: node.kind === 'folder', isPrivate });
  };
  const put = (node: FileNode, at: number, bytes: Uint8Array): void => {
    const grown = new Uint8Array(Math.max(node.bytes.length, at + bytes.length));
    grown.set(node.bytes);
    grown.set(bytes, at);
    node.bytes = grown;
    changed(node);
    log.push({ kind: 'write', node: node.id, at, bytes });
  };
  const descriptor = (file: number, call: string): Descriptor => {
    const found = descriptors.get(file);
    if (found === undefined) throw diskError('EBADF', call);
    return found;
  };
  const openNode = (path: string, mode: OpenMode): Node => {
    if (mode === 'r') return find(path, 'open');
    const { folder, name } = placeOf(path, 'open');
    const present = folder.entries.get(name);
    if (present === undefined) {
      const made = newFile(true);
      make(folder, name, made);
      return made;
    }
    if (mode === 'wx') throw diskError('EEXIST', 'open');
    if (present.kind === 'folder') throw diskError('EISDIR', 'open');
    if (mode === 'w' && present.bytes.length > 0) {
      present.bytes = new Uint8Array();
      changed(present);
      log.push({ kind: 'empty', node: present.id });
    }
    return present;
  };
  const toEntry = (node: Node): DiskEntry => ({
    isDirectory: node.kind === 'folder',
    size: node.kind === 'file' ? node.bytes.length : 0,
    changedAtNs: node.changedAtNs,
    ino: node.ino,
  });

  const disk: Disk = {
    open(path, mode) {
      const node = openNode(path, mode);
      if (node.kind === 'file') node.opens += 1;
      let file = 3;
      while (descriptors.has(file)) file += 1;
      descriptors.set(file, { node, mode, position: 0 });
      return file;
    },
    read(file, bytes, at) {
      const { node, mode } = descriptor(file, 'read');
      if (node.kind === 'folder') throw diskError('EISDIR', 'read');
      if (mode !== 'r') throw diskError('EBADF', 'read');
      const part = node.bytes.subarray(at, at + bytes.length);
      bytes.set(part);
      return part.length;
    },
    write(file, bytes, from) {
      const open = descriptor(file, 'write');
      if (open.node.kind === 'folder' || open.mode === 'r') throw diskError('EBADF', 'write');
      const part = bytes.slice(from);
      if (open.mode === 'a') open.position = open.node.bytes.length;
      if (part.length > 0) put(open.node, open.position, part);
      open.position += part.length;
      return part.length;
    },
    fsync(file) {
      log.push({ kind: 'sync', node: descriptor(file, 'fsync').node.id });
    },
    close(file) {
      const { node } = descriptor(file, 'close');
      descriptors.delete(file);
      if (node.kind === 'folder') return;
      node.opens -= 1;
      freeWhenUnused(node);
    },
    look(path) {
      try {
        return toEntry(find(path, 'stat'));
      } catch (error) {
        // Node's `throwIfNoEntry: false` forgives both.
        if (error instanceof Error && /^(ENOENT|ENOTDIR)/.test(error.message)) return undefined;
        throw error;
      }
    },
    lookAt: (file) => toEntry(descriptor(file, 'fstat').node),
    list(path) {
      const node = find(path, 'scandir');
      if (node.kind !== 'folder') throw diskError('ENOTDIR', 'scandir');
      return [...node.entries.keys()];
    },
    rename(from, to) {
      const [source, target] = [placeOf(from, 'rename'), placeOf(to, 'rename')];
      const node = source.folder.entries.get(source.name);
      if (node === undefined) throw diskError('ENOENT', 'rename');
      const replaced = target.folder.entries.get(target.name);
      if (replaced === node) return;
      if (replaced !== undefined) refuseReplacing(node, replaced);
      source.folder.entries.delete(source.name);
      target.folder.entries.set(target.name, node);
      changed(source.folder, target.folder);
      if (replaced !== undefined) dropped(replaced);
      log.push({
        kind: 'move',
        from: { folder: source.folder.id, name: source.name },
        to: { folder: target.folder.id, name: target.name },
        node: node.id,
      });
    },
    unlink(path) {
      const { folder, name } = placeOf(path, 'unlink');
      const node = folder.entries.get(name);
      if (node === undefined) throw diskError('ENOENT', 'unlink');
      if (node.kind === 'folder') throw diskError('EISDIR', 'unlink');
      folder.entries.delete(name);
      changed(folder);
      dropped(node);
      log.push({ kind: 'remove', folder: folder.id, name });
    },
    mkdir(path) {
      if (partsOf(path).length === 0) throw diskError('EEXIST', 'mkdir');
      const { folder, name } = placeOf(path, 'mkdir');
      if (folder.entries.has(name)) throw diskError('EEXIST', 'mkdir');
      make(folder, name, newFolder());
    },
    rmdir(path) {
      const { folder, name } = placeOf(path, 'rmdir');
      const node = folder.entries.get(name);
      if (node === undefined) throw diskError('ENOENT', 'rmdir');
      if (node.kind !== 'folder') throw diskError('ENOTDIR', 'rmdir');
      if (node.entries.size > 0) throw diskError('ENOTEMPTY', 'rmdir');
      folder.entries.delete(name);
      changed(folder);
      dropped(node);
      log.push({ kind: 'remove', folder: folder.id, name });
    },
    realpath(path) {
      find(path, 'realpath');
      return `/${partsOf(path).join('/')}`;
    },
  };

  const plantFolder = (path: string): FolderNode => {
    let folder = root;
    for (const part of partsOf(path)) {
      const present = folder.entries.get(part);
      if (present?.kind === 'file') throw diskError('ENOTDIR', 'plant');
      const next = present ?? newFolder();
      if (present === undefined) {
        make(folder, part, next);
        log.push({ kind: 'sync', node: folder.id });
      }
      folder = next;
    }
    return folder;
  };
  return {
    ...disk,
    openFiles: () => descriptors.size,
    moment: () => log.length,
    plant(path, content, { isPrivate } = { isPrivate: true }) {
      const parts = partsOf(path);
      const folder = plantFolder(parts.slice(0, -1).join('/'));
      const node = newFile(isPrivate);
      make(folder, parts.at(-1) ?? '', node);
      put(node, 0, typeof content === 'string' ? new TextEncoder().encode(content) : content.slice());
      log.push({ kind: 'sync', node: node.id }, { kind: 'sync', node: folder.id });
    },
    plantFolder: (path) => void plantFolder(path),
    tree() {
      const found = new Map<string, Uint8Array | null>();
      const walk = (folder: FolderNode, path: string): void => {
        for (const [name, node] of folder.entries) {
          found.set(`${path}/${name}`, node.kind === 'file' ? node.bytes : null);
          if (node.kind === 'folder') walk(node, `${path}/${name}`);
        }
      };
      walk(root, '');
      return found;
    },
    crashStates: (crashOptions) => crashStates(log, crashOptions),
  };
}

/** A disk that holds what a crash left, all of it durable. */
export function bootDisk(state: CrashState, options: SimulatedDiskOptions = {}): SimulatedDisk {
  const disk = createSimulatedDisk(options);
  for (const [path, content] of state.tree) {
    if (content === null) disk.plantFolder(path);
    else disk.plant(path, content, { isPrivate: !state.shared.has(path) });
  }
  return disk;
}
