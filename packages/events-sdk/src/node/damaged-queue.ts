/**
 * What happens to a `queue.db` that is damaged or not ours (DESIGN §4.15): it is put aside with everything beside it,
 * never deleted; a new one is made, and every event SQLite can still read goes into it.
 *
 * All of it happens under `queue.db.lock`, and can be broken off anywhere: the folder `queue.moving` stands from the
 * first step to the last, every program looks for it before it uses the queue, and what is in it says how far it got.
 *
 *     queue.moving/                      nothing moved yet: look again
 *     queue.moving/queue.db              moved; what was beside it follows while there is no new queue.db
 *     … and a new queue.db               being filled: one transaction, which notes whose events it holds
 *     queue.damaged-<UTC>/queue.db       done
 */
import { join } from 'node:path';

import { EventsSdkError, isEventsSdkError } from '../errors.ts';
import type { Logger } from '../internal/logger.ts';
import type { Time } from '../internal/time.ts';
import type { StoreTransaction } from '../storage/port.ts';
import { withKnownFormat } from '../storage/sql/file-header.ts';
import { isSound, salvage, type Salvage } from '../storage/sql/salvage.ts';
import { VALUE } from '../storage/values.ts';
import { readClockFile } from './clock-file.ts';
import { withDirectoryLock } from './directory-lock.ts';
import { errorCodeOf, namesIn, readFile, removeFile, syncDirectory, systemDisk, type Disk } from './disk.ts';
import { openDriver, openForReading, type HomeDriverDeps } from './home-driver.ts';
import type { Home } from './home.ts';
import { makeDirectory } from './make-directory.ts';
import { replaceFile } from './replace-file.ts';

/**
 * Added to the highest clock value that is still known. Values may have been given out that nothing remembers: their
 * events were delivered and gone, or their pages are. The mirror is at most a quarter of a second behind, in which a
 * program records some hundred events; gaps cost nothing, a value that comes twice breaks the order.
 */
export const CLOCK_SAFETY_STEP = 10_000;

const BESIDE = ['-wal', '-shm', '-journal'] as const;

export interface DamagedQueueDeps extends Omit<HomeDriverDeps, 'isLocked'> {
  readonly time: Time;
  /** Says each warning once. */
  readonly logger: Logger;
}

export interface DamagedQueue {
  /** True while a queue is being put aside, by a process at work or by one that was killed. Cheap. */
  isUnderWay(): boolean;
  /** Ends what another process began. Rejects with STORAGE_*. */
  resume(): Promise<void>;
  /**
   * Puts the queue aside if it is damaged: another look decides, unless `isCertain`. `clock` is the highest value this
   * process knows. Rejects with STORAGE_*.
   */
  recover(options: { readonly isCertain: boolean; readonly clock: number }): Promise<void>;
}

export function createDamagedQueue(deps: DamagedQueueDeps): DamagedQueue {
  const { home, disk, patience } = deps;
  const { moving } = home;
  const isThere = (path: string): boolean => disk.look(path) !== undefined;
  const isUnderWay = (): boolean => isThere(moving);

  async function alone(work: () => Promise<void>): Promise<void> {
    try {
      await withDirectoryLock(home.lockPaths.queueDb, { waitMs: patience.leftMs(), disk }, work);
    } catch (cause) {
      if (isEventsSdkError(cause)) throw cause;
      throw new EventsSdkError(
        'STORAGE_CORRUPT',
        `queue.db is damaged and cannot be put aside (${errorCodeOf(cause)}). Check the rights and the free space of its folder.`,
        { cause },
      );
    }
  }

  async function isDamaged(): Promise<boolean> {
    if (!isThere(home.queueDb)) return false;
    const db = await openForReading(deps, home.queueDb).catch(() => undefined);
    if (db === undefined) return true;
    try {
      return !isSound(db);
    } finally {
      closeQuietly(db);
    }
  }

  function moveAside(): void {
    makeDirectory(disk, moving);
    syncDirectory(disk, home.root);
    disk.rename(home.queueDb, join(moving, 'queue.db'));
    syncDirectory(disk, moving);
    syncDirectory(disk, home.root);
  }

  /** Everything from the moved queue.db on. */
  async function finish(clock: number): Promise<void> {
    const old = join(moving, 'queue.db');
    if (!isThere(old)) {
      disk.rmdir(moving);
      return;
    }
    // With a new queue.db in place, what lies beside it belongs to that.
    if (!isThere(home.queueDb)) moveBeside(disk, home, moving);
    const token = String(disk.look(old)?.ino);
    const saved = await readMoved(deps, moving);
    const store = await openDriver({ ...deps, isLocked: true });
    try {
      await store.transact((tx) => {
        // Filled already by a process that did not get to the end; some may be delivered since.
        if (tx.value(VALUE.salvaged) === token) return;
        fill(tx, saved);
        const mirror = readClockFile(home.clockJson, disk);
        const seen = Math.max(tx.clock(), saved.clock, clock, mirror?.kind === 'clock' ? mirror.value : 0);
        tx.raiseClock(seen + CLOCK_SAFETY_STEP);
        tx.setValue(VALUE.salvaged, token);
      });
    } finally {
      await store.close();
    }
    const kept = freeName(disk, home, deps.time.now());
    disk.rename(moving, kept);
    syncDirectory(disk, home.root);
    const count = saved.events.length;
    deps.logger.warn(
      'queue-damaged',
      `queue.db was damaged or not an event queue. ${count} ${count === 1 ? 'event was' : 'events were'} saved into a new one; the old file is kept in ${home.display(kept)}.`,
    );
  }

  return {
    isUnderWay,
    resume: () =>
      alone(async () => {
        if (isUnderWay()) await finish(0);
      }),
    recover: ({ isCertain, clock }) =>
      alone(async () => {
        // Begun by another process: its damage is the one we have met.
        if (isUnderWay() && isThere(join(moving, 'queue.db'))) return finish(clock);
        if (!isThere(home.queueDb) || !(isCertain || (await isDamaged()))) return;
        moveAside();
        await finish(clock);
      }),
  };
}

/** Folders of queues that were put aside, oldest first, as they are on disk. */
export function listDamagedQueues(
  home: Home,
  disk: Disk = systemDisk,
): readonly { readonly path: string; readonly bytes: number }[] {
  const names = namesIn(disk, home.root).filter((name) => name.startsWith(DAMAGED_PREFIX));
  return names.toSorted().map((name) => {
    const path = join(home.root, name);
    return {
      path,
      bytes: namesIn(disk, path).reduce((sum, file) => sum + (disk.look(join(path, file))?.size ?? 0), 0),
    };
  });
}

const DAMAGED_PREFIX = 'queue.damaged-';

function freeName(disk: Disk, home: Home, nowMs: number): string {
  const stamp = new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d+/g, '');
  for (let number = 1; ; number += 1) {
    const path = join(home.root, `${DAMAGED_PREFIX}${stamp}${number === 1 ? '' : `-${number}`}`);
    if (disk.look(path) === undefined) return path;
  }
}

function moveBeside(disk: Disk, home: Home, moving: string): void {
  for (const suffix of BESIDE) {
    if (disk.look(home.queueDb + suffix) !== undefined)
      disk.rename(home.queueDb + suffix, join(moving, `queue.db${suffix}`));
  }
  syncDirectory(disk, moving);
  syncDirectory(disk, home.root);
}

/** Reads copies: SQLite finishes journals when it opens a file, and the old bytes are to stay as they are. */
async function readMoved(deps: DamagedQueueDeps, moving: string): Promise<Salvage> {
  const { disk } = deps;
  const folder = join(moving, 'reading');
  const copy = join(folder, 'queue.db');
  const parts: Salvage[] = [];
  try {
    const hasMore = ['-wal', '-journal'].some(
      (suffix) => (disk.look(join(moving, `queue.db${suffix}`))?.size ?? 0) > 0,
    );
    // With its log or journal first; alone where that is what is damaged.
    for (const suffixes of hasMore ? [['', '-wal', '-journal'], ['']] : [['']]) {
      // What a killed process left here is nobody's.
      removeFolder(disk, folder);
      makeDirectory(disk, folder);
      for (const suffix of suffixes) copyFile(disk, join(moving, `queue.db${suffix}`), copy + suffix);
      const db = await openForReading(deps, copy, { mayWrite: true }).catch(() => undefined);
      if (db !== undefined) {
        parts.push(salvage(db));
        closeQuietly(db);
      }
    }
  } finally {
    removeFolder(disk, folder);
  }
  return merge(parts);
}

/** What was read later adds only what was not there before. */
function merge(parts: readonly Salvage[]): Salvage {
  const events = new Map(parts.toReversed().flatMap((part) => part.events.map((event) => [event.eventId, event])));
  const values = new Map(parts.toReversed().flatMap((part) => [...part.values]));
  return { events: [...events.values()], values, clock: Math.max(0, ...parts.map((part) => part.clock)) };
}

function fill(tx: StoreTransaction, { events, values }: Salvage): void {
  for (const { retryCount, ...event } of events) {
    if (tx.insert(event) && retryCount > 0) tx.update(event.eventId, { retryCount });
  }
  for (const [key, value] of values) if (tx.value(key) === undefined) tx.setValue(key, value);
}

function copyFile(disk: Disk, from: string, to: string): void {
  if (disk.look(from) === undefined) return;
  replaceFile(disk, to, withKnownFormat(readFile(disk, from)), { temporary: `${to}.tmp`, isDurable: false });
}

function removeFolder(disk: Disk, path: string): void {
  for (const name of namesIn(disk, path)) removeFile(disk, join(path, name));
  if (disk.look(path) !== undefined) disk.rmdir(path);
}

function closeQuietly(db: { close(): void }): void {
  try {
    db.close();
  } catch {
    // It was only read.
  }
}
