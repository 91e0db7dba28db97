/**
 * The sql.js store on a disk that loses power. Some simulated processes, each with a store of its own on one file,
 * record events in turns; some are killed at a call chosen by the seed, and what they were recording is recorded again
 * by the next. Then every state a crash at any moment could have left is looked at: the file is one whole image that
 * was saved, opens, holds all that had been acknowledged by then and nothing by halves, and the next process gets
 * the lock, works, and leaves nothing of its dead predecessors behind.
 */
import { createHash } from 'node:crypto';
import initSqlJs from 'sql.js';
import type { Disk } from '../../src/node/disk.ts';
import { createSqlJsFile } from '../../src/node/sqljs-file.ts';
import { openSqlJsStore, type Persister } from '../../src/storage/sqljs/index.ts';
import type { EventStore } from '../../src/storage/port.ts';
import { withChangeCounter } from '../../src/storage/sql/file-header.ts';
import { createRandom } from '../../src/testing/seeded-random.ts';
import { bootDisk, createSimulatedDisk } from '../../src/testing/simulated-disk.ts';
import type { CrashState } from '../../src/testing/simulated-disk-crash.ts';
import { mortalDisk } from '../../src/testing/simulated-disk-faults.ts';
import { createSimulatedMachine, type SimulatedProcess } from '../../src/testing/simulated-disk-processes.ts';
import { aStoredEvent } from '../../src/testing/store-suite.ts';
import { createTestTime } from '../../src/testing/test-time.ts';
import type { Proof } from './amount.ts';

export const sqlJs = await initSqlJs();
export const loadSqlJs = async (): Promise<typeof sqlJs> => sqlJs;

export const HOME = '/home/user/.spec-kitty';
export const QUEUE = `${HOME}/queue.db`;
/** Long enough that what a power cut left of a lock may be taken. */
const LATER_MS = 120_000;

/** How the store under proof is put together. */
export interface StoreProofOptions {
  readonly seed: number;
  /** Between the protocol and the disk. */
  readonly mistake?: (disk: Disk) => Disk;
  /** Between the store and the protocol. */
  readonly persister?: (file: Persister, disk: Disk) => Persister;
  /** The longest write the disk takes at once, in bytes. Default: any. */
  readonly mostPerWrite?: number;
  /** Which processes get killed: some, by the seed (default); none; or the first one, at this call. */
  readonly kills?: 'some' | 'none' | number;
}

interface Promised {
  readonly moment: number;
  readonly groups: number;
}

/** Events are recorded in groups, each group in one transaction: `g3-0`, `g3-1`, … */
export const inGroup = (group: number, size: number): ReturnType<typeof aStoredEvent>[] =>
  Array.from({ length: size }, (_, index) =>
    aStoredEvent({ eventId: `g${group}-${index}`, lamportClock: group * 10 + index }),
  );

/** Runs once and checks every state. */
export async function proveStore(options: StoreProofOptions): Promise<Proof> {
  const random = createRandom(options.seed);
  const time = createTestTime();
  const disk = createSimulatedDisk({ now: time.now });
  disk.plantFolder('/home/user');
  const machine = createSimulatedMachine();
  const saved = new Set<string>();
  const promises: Promised[] = [];
  const sizes = Array.from({ length: typeof options.kills === 'number' ? 2 : 4 }, () => 1 + Math.floor(random() * 3));

  const start = (
    killAt: number,
  ): { process: SimulatedProcess; open: () => Promise<EventStore>; isKilled(): boolean } => {
    const process = machine.start();
    const own = mortalDisk(chunked(disk, options.mostPerWrite), killAt);
    const seen = options.mistake?.(own) ?? own;
    const file = createSqlJsFile({ path: QUEUE, disk: seen, time, processes: process, busyTimeoutMs: 0 });
    const persister = options.persister?.(file, seen) ?? file;
    return {
      process,
      isKilled: own.isKilled,
      open: () =>
        openSqlJsStore({
          loadSqlJs,
          persister: {
            ...persister,
            save(bytes, replaced) {
              saved.add(hashOf(bytes));
              return persister.save(bytes, replaced);
            },
          },
        }),
    };
  };

  const { kills = 'some' } = options;
  let starts = 0;
  const killAt = (): number => {
    starts += 1;
    if (typeof kills === 'number' && starts === 1) return kills;
    return kills === 'some' && random() < 0.4 ? 1 + Math.floor(random() * 60) : Number.POSITIVE_INFINITY;
  };
  let from = 0;
  for (let group = 1; group <= sizes.length;) {
    const { process, open, isKilled } = start(killAt());
    try {
      const store = await open();
      // One process records one group or two, so that a store also meets its own image again.
      for (let turns = 1 + Math.floor(random() * 2); turns > 0 && group <= sizes.length; turns -= 1) {
        const events = inGroup(group, sizes[group - 1] ?? 1);
        await store.transact((tx) => {
          for (const event of events) tx.insert(event);
        });
        promises.push({ moment: disk.moment(), groups: group });
        group += 1;
      }
      await store.close();
    } catch (error) {
      if (!isKilled()) return { states: 0, losses: [`a turn failed: ${String(error)}`] };
    }
    process.die();
    // Up to the kill, the run is the one that was killed later.
    if (typeof kills === 'number' && starts === 1) from = disk.moment();
  }
  return checkStates(disk, { saved, promises, sizes, from, seed: options.seed });
}

interface Expected {
  readonly saved: ReadonlySet<string>;
  readonly promises: readonly Promised[];
  readonly sizes: readonly number[];
  readonly from: number;
  readonly seed: number;
}

async function checkStates(disk: ReturnType<typeof createSimulatedDisk>, expected: Expected): Promise<Proof> {
  const losses: string[] = [];
  let states = 0;
  const { from, seed } = expected;
  const promises = expected.promises.map(({ moment }) => moment);
  for (const state of disk.crashStates({ from, promises, seed, atMostPerMoment: 400 })) {
    states += 1;
    const loss = lossIn(state, expected) ?? (await troubleAfter(state, states % 50 === 0));
    if (loss !== undefined) losses.push(`after ${state.moment} changes: ${loss}`);
    // One is enough to know; a broken protocol has thousands.
    if (losses.length > 0) break;
  }
  return { states, losses };
}

function lossIn(state: CrashState, { saved, promises, sizes }: Expected): string | undefined {
  const promised = promises.filter(({ moment }) => moment <= state.moment).at(-1)?.groups ?? 0;
  const bytes = state.tree.get(QUEUE);
  if (bytes === undefined || bytes === null) return promised > 0 ? 'the store is gone' : undefined;
  const image = inspect(bytes);
  if (!saved.has(image.hash)) return 'the file is not an image that was saved';
  if (image.events === undefined) return 'the file does not open';
  for (const [index, size] of sizes.entries()) {
    const group = index + 1;
    const there = inGroup(group, size).filter(({ eventId }) => image.events?.has(eventId)).length;
    if (there !== 0 && there !== size) return `half of group ${group} is there`;
    if (there === 0 && group <= promised) return `acknowledged group ${group} is missing`;
    if (group <= promised && image.clock < group * 10 + size - 1) return `the clock went back to ${image.clock}`;
  }
  return undefined;
}

interface Image {
  readonly hash: string;
  /** Undefined: SQLite does not take it, or finds it damaged. */
  readonly events: ReadonlySet<string> | undefined;
  readonly clock: number;
}

const inspected = new WeakMap<Uint8Array, Image>();
const byHash = new Map<string, Image>();

/** What SQLite finds in these bytes. The same bytes are opened only once. */
export function inspect(bytes: Uint8Array): Image {
  const known = inspected.get(bytes);
  if (known !== undefined) return known;
  const hash = hashOf(bytes);
  let image = byHash.get(hash);
  if (image === undefined) byHash.set(hash, (image = { hash, ...read(bytes) }));
  inspected.set(bytes, image);
  return image;
}

function read(bytes: Uint8Array): Omit<Image, 'hash'> {
  const db = new sqlJs.Database(bytes);
  try {
    const column = (sql: string): unknown[] => db.exec(sql)[0]?.values.map(([value]) => value) ?? [];
    if (column('PRAGMA integrity_check').join('') !== 'ok') return { events: undefined, clock: 0 };
    const clock = Number(column('SELECT max(lamport_clock) FROM queue')[0] ?? 0);
    return { events: new Set(column('SELECT event_id FROM queue').map(String)), clock };
  } catch {
    return { events: undefined, clock: 0 };
  } finally {
    db.close();
  }
}

/** What the next process meets; `isThorough`: it records an event with sql.js, not only the bare image. */
async function troubleAfter(state: CrashState, isThorough: boolean): Promise<string | undefined> {
  const time = createTestTime(createTestTime().now() + LATER_MS);
  const disk = bootDisk(state, { now: () => time.now() - LATER_MS });
  const next = createSimulatedMachine({ boot: 'boot2' });
  const file = createSqlJsFile({ path: QUEUE, disk, time, processes: next.start(), busyTimeoutMs: 0 });
  try {
    if (isThorough) {
      const store = await openSqlJsStore({ loadSqlJs, persister: file });
      await store.transact((tx) => tx.insert(aStoredEvent({ eventId: 'next', lamportClock: 99 })));
      await store.close();
      if (inspect(disk.tree().get(QUEUE) ?? new Uint8Array()).events?.has('next') !== true)
        return 'the next process recorded nothing';
    } else {
      await file.exclusively(async () => file.load());
    }
    // A lock that was taken over is left; what lies beside it is swept by the first that is made.
    await file.exclusively(async () => {});
  } catch (error) {
    return `the next process cannot work: ${String(error)}`;
  }
  const left = [...disk.tree().keys()].filter((path) => path.startsWith(`${HOME}/`) && path !== QUEUE);
  if (left.length > 0) return `left for ever: ${left.join()}`;
  return disk.openFiles() === 0 ? undefined : 'a file was left open';
}

/** Of everything but the change counter, which is raised when an image is saved. */
function hashOf(bytes: Uint8Array): string {
  return createHash('sha1').update(withChangeCounter(bytes, 0)).digest('base64');
}

function chunked(disk: Disk, most = Number.POSITIVE_INFINITY): Disk {
  return { ...disk, write: (file, bytes, from) => disk.write(file, bytes.subarray(0, from + most), from) };
}
