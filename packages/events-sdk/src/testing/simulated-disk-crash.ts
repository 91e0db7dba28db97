/**
 * What a loss of power can leave. A file's content is durable once the file was synced, a folder's entries once the
 * folder was; of what is only pending any part may be there: of one folder's changes those up to some moment, of a
 * file's writes anything `possibleContents` allows, each folder and file on its own. So an entry may be durable before
 * the content it names, and one folder may be ahead of another. A rename from one folder to another has happened in
 * both or in neither.
 */
import { createHash } from 'node:crypto';

import { createRandom } from './seeded-random.ts';
import { possibleContents, type Content } from './simulated-disk-content.ts';
import { ROOT } from './simulated-disk-nodes.ts';
import {
  applyEntry,
  createPending,
  folderOf,
  logged,
  type Effect,
  type FileState,
  type Pending,
} from './simulated-disk-pending.ts';

/** What was found when the machine came back. */
export interface CrashState {
  /** How much of the log had been made: to be compared with `SimulatedDisk.moment()`. */
  readonly moment: number;
  /** Content by path; null: a folder. Folders come before what is in them. */
  readonly tree: ReadonlyMap<string, Uint8Array | null>;
  /** Paths of files that others may read. */
  readonly shared: ReadonlySet<string>;
}

/** Which states, and how many. */
export interface CrashOptions {
  /** Only crashes from this moment on. Default 0. */
  readonly from?: number;
  /**
   * Moments at which something was promised. A state is given once between two of them, and again after the next:
   * what may be lost before a promise may not after it.
   */
  readonly promises?: readonly number[];
  /** Where one moment allows more states than this, they are drawn by chance, the extremes always. Default 2000. */
  readonly atMostPerMoment?: number;
  /** For what is drawn by chance. Default 1. */
  readonly seed?: number;
}

/** One choice of entries: the files and folders it leads to. */
type Shape = ReadonlyMap<string, number>;

/** Every state a crash after any effect of `log` could leave, each once (see {@link CrashOptions.promises}). */
export function* crashStates(log: readonly Effect[], options: CrashOptions = {}): Generator<CrashState> {
  const { from = 0, promises = [], atMostPerMoment = 2_000 } = options;
  const random = createRandom(options.seed ?? 1);
  const pending = createPending();
  let seen = new Set<string>();
  for (let moment = 0; moment <= log.length; moment += 1) {
    const effect = log[moment - 1];
    if (effect !== undefined) logged(pending, effect);
    if (moment < from) continue;
    if (promises.includes(moment)) seen = new Set();
    for (const { tree, shared, hash } of statesOf(pending, atMostPerMoment, random)) {
      if (seen.has(hash)) continue;
      seen.add(hash);
      yield { moment, tree, shared };
    }
  }
}

interface FoundState {
  readonly tree: ReadonlyMap<string, Uint8Array | null>;
  readonly shared: ReadonlySet<string>;
  readonly hash: string;
}

function* statesOf(disk: Pending, atMost: number, random: () => number): Generator<FoundState> {
  const shapes = [...shapesOf(disk)];
  const share = Math.max(8, Math.floor(atMost / shapes.length));
  for (const shape of shapes) {
    const choices = [...shape].map(([path, node]) => ({ path, file: disk.files.get(node) }));
    const contents = choices.map(({ file }) => (file === undefined ? undefined : contentsOf(file)));
    for (const pick of picks(
      contents.map((each) => each?.length ?? 1),
      share,
      random,
    )) {
      const tree = new Map<string, Uint8Array | null>();
      const shared = new Set<string>();
      const hash = createHash('sha1');
      for (const [index, { path, file }] of choices.entries()) {
        const content = contents[index]?.[pick[index] ?? 0];
        tree.set(path, content?.bytes ?? null);
        if (file?.isPrivate === false) shared.add(path);
        hash.update(`${path}\0${content?.hash ?? '/'}\0`);
      }
      yield { tree, shared, hash: hash.digest('base64') };
    }
  }
}

function contentsOf(file: FileState): readonly Content[] {
  return (file.contents ??= possibleContents(file.durable, file.pending));
}

/** One index per file: all combinations, or, where they are too many, both ends and some drawn by chance. */
function* picks(sizes: readonly number[], atMost: number, random: () => number): Generator<readonly number[]> {
  const all = sizes.reduce((product, size) => product * size, 1);
  if (all > atMost) {
    yield sizes.map(() => 0);
    yield sizes.map((size) => size - 1);
    for (let drawn = 2; drawn < atMost; drawn += 1) yield sizes.map((size) => Math.floor(random() * size));
    return;
  }
  for (let number = 0; number < all; number += 1) {
    let rest = number;
    yield sizes.map((size) => {
      const index = rest % size;
      rest = Math.floor(rest / size);
      return index;
    });
  }
}

/** Every choice of a moment for each folder that can be reached, as the paths it leads to. */
function* shapesOf(disk: Pending): Generator<Shape> {
  const made = new Map<number, number>();
  function* expand(shape: ReadonlyMap<string, number>, open: readonly (readonly [string, number])[]): Generator<Shape> {
    const [first, ...rest] = open;
    if (first === undefined) {
      if (isWhole(disk, made)) yield shape;
      return;
    }
    const [path, id] = first;
    const folder = folderOf(disk, id);
    const entries = new Map(folder.durable);
    for (let count = 0; count <= folder.pending.length; count += 1) {
      const effect = folder.pending[count - 1];
      if (effect !== undefined) applyEntry(entries, id, effect);
      made.set(id, count);
      const found = [...entries].map(([name, node]): [string, number] => [`${path}/${name}`, node]);
      const folders = found.filter(([, node]) => disk.folders.has(node));
      yield* expand(new Map([...shape, ...found]), [...rest, ...folders]);
    }
    made.delete(id);
  }
  yield* expand(new Map(), [['', ROOT]]);
}

/** A move between folders is in both of them or in neither; one that cannot be reached does not matter. */
function isWhole(disk: Pending, made: ReadonlyMap<number, number>): boolean {
  for (const [id, count] of made) {
    for (const [at, effect] of folderOf(disk, id).pending.entries()) {
      if (effect.kind !== 'move') continue;
      for (const other of [effect.from.folder, effect.to.folder]) {
        const otherCount = other === id ? undefined : made.get(other);
        if (otherCount === undefined) continue;
        if (at < count !== folderOf(disk, other).pending.indexOf(effect) < otherCount) return false;
      }
    }
  }
  return true;
}
