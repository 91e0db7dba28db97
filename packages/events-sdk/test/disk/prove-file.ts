/**
 * A small file of the home on a disk that loses power: changed step by step by one process after the other, one of
 * them killed at a call, its step done again by the next. Every state a crash could have left reads as the last
 * content that was promised or the one being written, is readable by its owner only, and the next change succeeds and
 * leaves that one file.
 */
import { dirname } from 'node:path';
import type { Disk } from '../../src/node/disk.ts';
import type { Processes } from '../../src/node/process-owner.ts';
import { bootDisk, createSimulatedDisk } from '../../src/testing/simulated-disk.ts';
import type { CrashState } from '../../src/testing/simulated-disk-crash.ts';
import { mortalDisk } from '../../src/testing/simulated-disk-faults.ts';
import { createSimulatedMachine } from '../../src/testing/simulated-disk-processes.ts';
import { createTestTime, type TestTime } from '../../src/testing/test-time.ts';
import type { Proof } from './amount.ts';
import type { Mistake } from './broken-disks.ts';

const LATER_MS = 120_000;

/** What a process works with. */
export interface World {
  readonly disk: Disk;
  readonly time: TestTime;
  readonly processes: Processes;
}

/** A file and the changes made to it. */
export interface FileProtocol {
  readonly path: string;
  /** Text of the file before and after each change; null: no file. The first may be planted. */
  readonly contents: readonly (string | null)[];
  /** Brings the file from `contents[step - 1]` to `contents[step]`. */
  change(world: World, step: number): Promise<void> | void;
  /** What must never stand in a file that others may read. */
  readonly secret?: string;
  /** For a file that is not durable by design: says what is wrong with a state, instead of the comparison. */
  judge?(text: string | null, attempted: number): string | undefined;
}

/** How it is proved. */
export interface FileProofOptions {
  /** The call at which the process that makes the first change is killed. Default: none is. */
  readonly killAt?: number;
  readonly mistake?: Mistake;
  /** The longest write the disk takes at once, in bytes. Default: any. */
  readonly mostPerWrite?: number;
  /** For states that are drawn. Default 1. */
  readonly seed?: number;
}

/** Runs the changes once and checks every state. */
export async function proveFile(protocol: FileProtocol, options: FileProofOptions = {}): Promise<Proof> {
  const { path, contents } = protocol;
  const time = createTestTime();
  const disk = createSimulatedDisk({ now: time.now });
  const machine = createSimulatedMachine();
  disk.plantFolder('/home/user');
  const [first = null] = contents;
  if (first !== null) disk.plant(path, first, { isPrivate: false });
  const promises: { readonly moment: number; readonly step: number }[] = [];
  let from = disk.moment();

  for (let step = 1, starts = 1; step < contents.length; starts += 1) {
    const processes = machine.start();
    const own = mortalDisk(chunked(disk, options.mostPerWrite), starts === 1 ? options.killAt : undefined);
    const world = { disk: options.mistake?.(own) ?? own, time, processes };
    try {
      await protocol.change(world, step);
      promises.push({ moment: disk.moment(), step });
      if (textIn(disk.tree(), path) !== contents[step]) return { states: 0, losses: ['the file is not whole'] };
      step += 1;
    } catch (error) {
      if (!own.isKilled()) return { states: 0, losses: [`step ${step} failed: ${String(error)}`] };
      // A killed process loses nothing that the system has taken: no power is needed for that.
      const loss = lossIn(textIn(disk.tree(), path), protocol, { done: step - 1, attempted: step });
      if (loss !== undefined) return { states: 0, losses: [`after a kill: ${loss}`] };
      from = disk.moment();
    }
    processes.die();
  }

  const losses: string[] = [];
  let states = 0;
  const moments = promises.map(({ moment }) => moment);
  const crashes = { from, promises: moments, seed: options.seed ?? 1, atMostPerMoment: 60 };
  for (const state of disk.crashStates(crashes)) {
    states += 1;
    const done = promises.filter(({ moment }) => moment <= state.moment).at(-1)?.step ?? 0;
    const text = textIn(state.tree, path);
    const attempted = Math.min(done + 1, contents.length - 1);
    const loss =
      protocol.judge === undefined ? lossIn(text, protocol, { done, attempted }) : protocol.judge(text, attempted);
    const trouble = loss ?? leakIn(state, protocol) ?? (await troubleAfter(state, protocol));
    if (trouble !== undefined) losses.push(`after ${state.moment} changes: ${trouble}`);
    if (losses.length > 0) break;
  }
  return { states, losses };
}

function lossIn(
  text: string | null,
  { contents }: FileProtocol,
  { done, attempted }: { readonly done: number; readonly attempted: number },
): string | undefined {
  if (text === contents[done] || text === contents[attempted]) return undefined;
  return text === null ? 'the file is gone' : contents.includes(text) ? 'a change was lost' : 'the file is not whole';
}

function leakIn(state: CrashState, { secret }: FileProtocol): string | undefined {
  if (secret === undefined) return undefined;
  const leaks = [...state.shared].filter((path) => textIn(state.tree, path)?.includes(secret) === true);
  return leaks.length === 0 ? undefined : `others may read ${leaks.join()}`;
}

/** The next process makes the last change once more. */
async function troubleAfter(state: CrashState, { path, contents, change }: FileProtocol): Promise<string | undefined> {
  const time = createTestTime(createTestTime().now() + LATER_MS);
  const disk = bootDisk(state, { now: () => time.now() - LATER_MS });
  const world = { disk, time, processes: createSimulatedMachine({ boot: 'boot2' }).start() };
  try {
    // Twice, to the last but one and to the last: a lock that is taken over is swept around by the one after.
    for (const step of [contents.length - 2, contents.length - 1]) if (step > 0) await change(world, step);
  } catch (error) {
    return `the next process cannot change it: ${String(error)}`;
  }
  const tree = disk.tree();
  if (textIn(tree, path) !== contents.at(-1)) return 'the next process changed nothing';
  const left = [...tree.keys()].filter((other) => dirname(other).startsWith(dirname(path)) && other !== path);
  if (left.length > 0) return `left for ever: ${left.join()}`;
  return disk.openFiles() === 0 ? undefined : 'a file was left open';
}

function textIn(tree: ReadonlyMap<string, Uint8Array | null>, path: string): string | null {
  const bytes = tree.get(path);
  return bytes === undefined || bytes === null ? null : new TextDecoder().decode(bytes);
}

function chunked(disk: Disk, most = Number.POSITIVE_INFINITY): Disk {
  return { ...disk, write: (file, bytes, from) => disk.write(file, bytes.subarray(0, from + most), from) };
}
