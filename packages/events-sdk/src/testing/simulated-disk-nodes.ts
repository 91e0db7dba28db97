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
