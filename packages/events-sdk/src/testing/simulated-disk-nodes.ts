/** What a simulated disk is made of, and its errors: those of `node:fs`, as far as anybody looks at them. */

/** The number of the root folder. */
export const ROOT = 0;

export interface FileNode {
  readonly kind: 'file';
  /** Never used twice; what `DiskEntry.ino` shows may be. */
  readonly id: number;
  readonly ino: bigint;
  bytes: Uint8Array;
  changedAtNs: bigint;
  /** Only its owner may read it. Files the code under test makes are; a test may plant one that is not. */
  readonly isPrivate: boolean;
  isLinked: boolean;
  opens: number;
}

export interface FolderNode {
  readonly kind: 'folder';
  readonly id: number;
  readonly ino: bigint;
  readonly entries: Map<string, Node>;
  changedAtNs: bigint;
}

export type Node = FileNode | FolderNode;

/** An error as `node:fs` throws it. */
export function diskError(code: string, call: string): Error {
  return Object.assign(new Error(`${code}: simulated, ${call}`), { code, syscall: call });
}

/** The names in a path. */
export function partsOf(path: string): readonly string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.');
}

/** The nodes of one disk: how they are found, made and given up. */
export interface Nodes {
  readonly root: FolderNode;
  /** Throws ENOENT or ENOTDIR. */
  find(path: string, call: string): Node;
  /** The folder a path is in, and its name there; the name need not exist. */
  placeOf(path: string, call: string): { readonly folder: FolderNode; readonly name: string };
  newFile(isPrivate: boolean): FileNode;
  newFolder(): FolderNode;
  /** The node has lost its name. */
  dropped(node: Node): void;
  /** Gives the inode number away once nothing needs the node any more. */
  freeWhenUnused(node: Node): void;
}

/** A root folder and nothing in it. The lowest free inode number is always the next. */
export function createNodes(nowNs: () => bigint): Nodes {
  const usedInos = new Set<bigint>();
  let lastNode = ROOT;
  const takeIno = (): bigint => {
    let ino = 1n;
    while (usedInos.has(ino)) ino += 1n;
    usedInos.add(ino);
    return ino;
  };
  const root: FolderNode = { kind: 'folder', id: ROOT, ino: takeIno(), entries: new Map(), changedAtNs: nowNs() };
  const find = (path: string, call: string): Node => {
    let node: Node = root;
    for (const part of partsOf(path)) {
      if (node.kind !== 'folder') throw diskError('ENOTDIR', call);
      const next = node.entries.get(part);
      if (next === undefined) throw diskError('ENOENT', call);
      node = next;
    }
    return node;
  };
  const placeOf = (path: string, call: string): { readonly folder: FolderNode; readonly name: string } => {
    const parts = partsOf(path);
    const name = parts.at(-1);
    if (name === undefined) throw diskError('EBUSY', call);
    const folder = find(`/${parts.slice(0, -1).join('/')}`, call);
    if (folder.kind !== 'folder') throw diskError('ENOTDIR', call);
    return { folder, name };
  };
  const newFile = (isPrivate: boolean): FileNode => ({
    kind: 'file',
    id: (lastNode += 1),
    ino: takeIno(),
    bytes: new Uint8Array(),
    changedAtNs: nowNs(),
    isPrivate,
    isLinked: true,
    opens: 0,
  });
  const newFolder = (): FolderNode => ({
    kind: 'folder',
    id: (lastNode += 1),
    ino: takeIno(),
    entries: new Map(),
    changedAtNs: nowNs(),
  });
  const freeWhenUnused = (node: Node): void => {
    if (node.kind === 'folder' || (!node.isLinked && node.opens === 0)) usedInos.delete(node.ino);
  };
  const dropped = (node: Node): void => {
    if (node.kind === 'file') node.isLinked = false;
    freeWhenUnused(node);
  };
  return { root, find, placeOf, newFile, newFolder, dropped, freeWhenUnused };
}

/** The rules of `rename` for what it finds at its target. */
export function refuseReplacing(node: Node, replaced: Node): void {
  if (node.kind === 'file' && replaced.kind === 'folder') throw diskError('EISDIR', 'rename');
  if (node.kind === 'folder' && replaced.kind === 'file') throw diskError('ENOTDIR', 'rename');
  if (replaced.kind === 'folder' && replaced.entries.size > 0) throw diskError('ENOTEMPTY', 'rename');
}
