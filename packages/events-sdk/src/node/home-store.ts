/**
 * The store of a home: opened with the driver the runtime has or the person chose, its clock never behind
 * clock.json, its node id settled once for all processes, what was spilled beside it taken in (DESIGN §4.1, §4.2).
 */
import { EventsSdkError, isEventsSdkError } from '../errors.ts';
import type { Logger } from '../internal/logger.ts';
import { systemTime, type Time } from '../internal/time.ts';
import { createUlidFactory } from '../id/ulid.ts';
import type { EventStore, StoreTransaction } from '../storage/port.ts';
import { takingIn } from '../storage/take-in.ts';
import { VALUE } from '../storage/values.ts';
import { readClockFile, type ClockFile } from './clock-file.ts';
import type { DriverChoice, QueueDriver } from './config-file.ts';
import { createDamagedQueue } from './damaged-queue.ts';
import { errorCodeOf, systemDisk, type Disk } from './disk.ts';
import type { Env, Home } from './home.ts';
import { chooseDriver, openDriver } from './home-driver.ts';
import { makeDirectory } from './make-directory.ts';
import { currentHostname, currentUsername, deriveNodeId } from './node-id.ts';
import { openReopeningStore } from './reopening-store.ts';
import { createSpillFolder, type SpillFolder } from './spill-folder.ts';
import { createStorePatience, type StorePatience } from './store-patience.ts';

/** How long a store that others hold is waited for where nothing else is said, in milliseconds. */
export const DEFAULT_STORE_WAIT_MS = 1_000;

export interface OpenHomeStoreOptions {
  readonly home: Home;
  readonly env: Env;
  readonly driver: DriverChoice;
  /** Says each warning once. */
  readonly logger: Logger;
  readonly time?: Time;
  /** Default: the machine's own. */
  readonly disk?: Disk;
  /** Default: waits `DEFAULT_STORE_WAIT_MS`. */
  readonly patience?: StorePatience;
  /** Default: a folder of the home. */
  readonly spill?: SpillFolder;
  /** False where a home that disappears meanwhile must stay gone. Default true. */
  readonly mayRecreate?: boolean;
}

/** A home's open store. */
export interface HomeStore {
  readonly store: EventStore;
  readonly driver: QueueDriver;
  readonly nodeId: string;
}

/** The spill of a home. Touches nothing before it is asked. */
export function openHomeSpill(options: Pick<OpenHomeStoreOptions, 'home' | 'logger' | 'time' | 'disk'>): SpillFolder {
  const { home, logger, time = systemTime, disk = systemDisk } = options;
  return createSpillFolder({
    path: home.spill,
    shownAs: home.display(home.spill),
    disk,
    time,
    newUlid: createUlidFactory({ time }),
    logger,
  });
}

/** Opens the queue of a home. Rejects with STORAGE_*. */
export async function openHomeStore(options: OpenHomeStoreOptions): Promise<HomeStore> {
  const { home, disk = systemDisk, time = systemTime, patience = createStorePatience(DEFAULT_STORE_WAIT_MS) } = options;
  const driver = await chooseDriver(options.driver);
  const damaged = createDamagedQueue({ driver, home, disk, patience, time, logger: options.logger });
  let nodeId: string | undefined;
  let isOpened = false;

  const store = await openReopeningStore({
    patience,
    open: () =>
      told(home, async () => {
        makeHome(home, disk);
        for (;;) {
          if (damaged.isUnderWay()) await damaged.resume();
          const opened = await openDriver({ driver, home, disk, patience });
          // Begun while we opened: this may be the file that is being put aside.
          if (damaged.isUnderWay()) {
            await opened.close();
            continue;
          }
          try {
            nodeId = await settleIdentity(opened, options, nodeId);
          } catch (cause) {
            await opened.close();
            throw cause;
          }
          isOpened = true;
          return opened;
        }
      }),
    recover: damaged.recover,
    settle: (tx, clock) => {
      tx.raiseClock(clock);
      nodeId = settle(tx, readClockFile(home.clockJson, disk), options, nodeId);
    },
    assertWanted() {
      if (options.mayRecreate !== false || !isOpened || disk.look(home.queueDb) !== undefined) return;
      throw new EventsSdkError('STORAGE_UNAVAILABLE', `${home.display(home.root)} has been removed.`);
    },
  });
  if (nodeId === undefined) throw new EventsSdkError('STORAGE_UNAVAILABLE', 'queue.db could not be read.');
  const spill = options.spill ?? openHomeSpill(options);
  return { store: takingIn(store, { spill, nodeId, logger: options.logger }), driver, nodeId };
}

/** What a folder answers that may not be looked into is no error of a store yet. */
async function told<T>(home: Home, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (isEventsSdkError(cause)) throw cause;
    throw new EventsSdkError(
      'STORAGE_UNAVAILABLE',
      `Cannot use ${home.display(home.root)} (${errorCodeOf(cause)}). Check its permissions.`,
      { cause },
    );
  }
}

function makeHome(home: Home, disk: Disk): void {
  try {
    makeDirectory(disk, home.root);
  } catch (cause) {
    const shown = home.display(home.root);
    throw new EventsSdkError(
      'STORAGE_UNAVAILABLE',
      `Cannot make ${shown} (${errorCodeOf(cause)}). Check its path and permissions.`,
      { cause },
    );
  }
}

/** Node id: the store's, else this process's, else clock.json's, else derived. The clock: the larger of store and clock.json. */
async function settleIdentity(
  store: EventStore,
  options: OpenHomeStoreOptions,
  known: string | undefined,
): Promise<string> {
  const file = readClockFile(options.home.clockJson, options.disk);
  if (file?.kind === 'broken') options.logger.warn('clock-file-broken', file.message);
  const present = await store.read((reader) => ({ nodeId: reader.value(VALUE.nodeId), clock: reader.clock() }));
  const isBehind = file?.kind === 'clock' && file.value > present.clock;
  if (present.nodeId !== undefined && !isBehind) return known ?? present.nodeId;
  return store.transact((tx) => settle(tx, file, options, known));
}

function settle(
  tx: StoreTransaction,
  file: ClockFile,
  { home, env }: OpenHomeStoreOptions,
  known: string | undefined,
): string {
  if (file?.kind === 'clock') tx.raiseClock(file.value);
  const present = tx.value(VALUE.nodeId);
  if (present !== undefined) return known ?? present;
  const homeId = home.isDefault ? undefined : (tx.value(VALUE.homeId) ?? globalThis.crypto.randomUUID());
  if (homeId !== undefined) tx.setValue(VALUE.homeId, homeId);
  const nodeId = known ?? nodeIdOf(file, env, homeId);
  tx.setValue(VALUE.nodeId, nodeId);
  return nodeId;
}

function nodeIdOf(file: ClockFile, env: Env, homeId: string | undefined): string {
  if (file?.kind === 'clock' && file.nodeId !== null) return file.nodeId;
  return deriveNodeId({
    hostname: currentHostname(),
    username: currentUsername(env),
    ...(homeId === undefined ? {} : { homeId }),
  });
}
