/** What of a disk is durable and what is only pending, followed along its log. */
import { applyContent, type Content, type ContentEffect } from './simulated-disk-content.ts';
import { ROOT } from './simulated-disk-nodes.ts';

interface Place {
  readonly folder: number;
  readonly name: string;
}

type EntryEffect =
  | (Place & { readonly kind: 'make'; readonly node: number; readonly isFolder: boolean; readonly isPrivate: boolean })
  | { readonly kind: 'move'; readonly from: Place; readonly to: Place; readonly node: number }
  | (Place & { readonly kind: 'remove' });

/** One line of a disk's log. */
export type Effect = EntryEffect | ContentEffect | { readonly kind: 'sync'; readonly node: number };

/** A file: what is durable of its content, and the changes since. */
export interface FileState {
  durable: Uint8Array;
  pending: ContentEffect[];
  isPrivate: boolean;
  /** Worked out when first asked for, until the file changes. */
  contents: readonly Content[] | undefined;
}

interface FolderState {
  readonly durable: Map<string, number>;
  pending: EntryEffect[];
}

/** Every file and folder that was ever made, by number. */
export interface Pending {
  readonly files: Map<number, FileState>;
  readonly folders: Map<number, FolderState>;
}

/** An empty disk. */
export function createPending(): Pending {
  return { files: new Map(), folders: new Map([[ROOT, { durable: new Map(), pending: [] }]]) };
}

/** Takes note of one line of a log. */
export function logged(disk: Pending, effect: Effect): void {
  switch (effect.kind) {
    case 'make':
      if (effect.isFolder) disk.folders.set(effect.node, { durable: new Map(), pending: [] });
      else {
        const { isPrivate } = effect;
        disk.files.set(effect.node, { durable: new Uint8Array(), pending: [], isPrivate, contents: undefined });
      }
      folderOf(disk, effect.folder).pending.push(effect);
      return;
    case 'remove':
      folderOf(disk, effect.folder).pending.push(effect);
      return;
    case 'move':
      for (const folder of new Set([effect.from.folder, effect.to.folder])) folderOf(disk, folder).pending.push(effect);
      return;
    case 'write':
    case 'empty': {
      const file = disk.files.get(effect.node);
      file?.pending.push(effect);
      if (file !== undefined) file.contents = undefined;
      return;
    }
    case 'sync':
      sync(disk, effect.node);
      return;
    default:
      effect satisfies never;
  }
}

/** The folder of this number. */
export function folderOf(disk: Pending, id: number): FolderState {
  const folder = disk.folders.get(id);
  if (folder === undefined) throw new Error(`The log names folder ${id} before it was made.`);
  return folder;
}

function sync(disk: Pending, node: number): void {
  const file = disk.files.get(node);
  if (file !== undefined) {
    file.durable = file.pending.reduce(applyContent, file.durable);
    file.pending = [];
    file.contents = undefined;
  }
  const folder = disk.folders.get(node);
  if (folder !== undefined) syncEntries(disk, node, folder.pending.length);
}

/** Makes the first `count` pending changes of a folder durable, and with them the other half of every move. */
function syncEntries(disk: Pending, id: number, count: number): void {
  const folder = folderOf(disk, id);
  const now = folder.pending.splice(0, count);
  for (const effect of now) applyEntry(folder.durable, id, effect);
  for (const effect of now) {
    if (effect.kind !== 'move') continue;
    for (const other of [effect.from.folder, effect.to.folder]) {
      const at = other === id ? -1 : folderOf(disk, other).pending.indexOf(effect);
      if (at >= 0) syncEntries(disk, other, at + 1);
    }
  }
}

/** Makes a change in a folder's entries. */
export function applyEntry(entries: Map<string, number>, folder: number, effect: EntryEffect): void {
  if (effect.kind === 'make') entries.set(effect.name, effect.node);
  else if (effect.kind === 'remove') entries.delete(effect.name);
  else {
    if (effect.from.folder === folder) entries.delete(effect.from.name);
    if (effect.to.folder === folder) entries.set(effect.to.name, effect.node);
  }
}
