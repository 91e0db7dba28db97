/**
 * The store of a home: opened with the driver the runtime has or the person chose, its clock never behind
 * clock.json, its node id settled once for all processes (DESIGN §4.1, §4.2).
 */
import { EventsSdkError } from '../errors.ts';
import type { Logger } from '../internal/logger.ts';
import type { EventStore } from '../storage/port.ts';
import { VALUE } from '../storage/values.ts';
import { readClockFile, type ClockFile } from './clock-file.ts';
import type { DriverChoice, QueueDriver } from './config-file.ts';
import { withDirectoryLock } from './directory-lock.ts';
import { errorCodeOf, systemDisk } from './disk.ts';
import type { Env, Home } from './home.ts';
import { makeDirectory } from './make-directory.ts';
import { currentHostname, currentUsername, deriveNodeId } from './node-id.ts';

/** How long creating or converting the file waits for a sql.js store at work, in milliseconds. */
const LOCK_WAIT_MS = 5_000;

export interface OpenHomeStoreOptions {
  readonly home: Home;
  readonly env: Env;
  readonly driver: DriverChoice;
  readonly logger: Logger;
}

/** A home's open store. */
export interface HomeStore {
  readonly store: EventStore;
  readonly driver: QueueDriver;
  readonly nodeId: string;
}

/** Opens the queue of a home. Rejects with STORAGE_*. */
export async function openHomeStore(options: OpenHomeStoreOptions): Promise<HomeStore> {
  makeHome(options.home);
  const driver = await chooseDriver(options.driver);
  const store = await openDriver(driver, options.home);
  try {
    return { store, driver, nodeId: await settleIdentity(store, options) };
  } catch (cause) {
    await store.close();
    throw cause;
  }
}

function makeHome(home: Home): void {
  try {
    makeDirectory(systemDisk, home.root);
  } catch (cause) {
    const shown = home.display(home.root);
    throw new EventsSdkError(
      'STORAGE_UNAVAILABLE',
      `Cannot make ${shown} (${errorCodeOf(cause)}). Check its path and permissions.`,
      { cause },
    );
  }
}

async function chooseDriver(wanted: DriverChoice): Promise<QueueDriver> {
  if (wanted !== 'auto') return wanted;
  const { isNodeSqliteAvailable } = await import('../storage/node-sqlite/index.ts');
  return isNodeSqliteAvailable() ? 'node-sqlite' : 'sqljs';
}

async function openDriver(driver: QueueDriver, home: Home): Promise<EventStore> {
  if (driver === 'node-sqlite') {
    const { openNodeSqliteStore } = await import('../storage/node-sqlite/index.ts');
    return openNodeSqliteStore({
      path: home.queueDb,
      exclusively: (work) => withDirectoryLock(home.lockPaths.queueDb, { waitMs: LOCK_WAIT_MS }, work),
    });
  }
  const [{ openSqlJsStore }, { createSqlJsFile }, { loadSqlJs }] = await Promise.all([
    import('../storage/sqljs/index.ts'),
    import('./sqljs-file.ts'),
    import('./load-sqljs.ts'),
  ]);
  return openSqlJsStore({ persister: createSqlJsFile({ path: home.queueDb }), loadSqlJs });
}

/** Node id: the store's, else clock.json's, else derived. The clock: the larger of store and clock.json. */
async function settleIdentity(store: EventStore, { home, env, logger }: OpenHomeStoreOptions): Promise<string> {
  const file = readClockFile(home.clockJson);
  if (file?.kind === 'broken') logger.warn('clock-file-broken', file.message);
  const present = await store.read((reader) => ({ nodeId: reader.value(VALUE.nodeId), clock: reader.clock() }));
  const isBehind = file?.kind === 'clock' && file.value > present.clock;
  if (present.nodeId !== undefined && !isBehind) return present.nodeId;
  return store.transact((tx) => {
    if (file?.kind === 'clock') tx.raiseClock(file.value);
    const known = tx.value(VALUE.nodeId);
    if (known !== undefined) return known;
    const homeId = home.isDefault ? undefined : (tx.value(VALUE.homeId) ?? globalThis.crypto.randomUUID());
    if (homeId !== undefined) tx.setValue(VALUE.homeId, homeId);
    const nodeId = nodeIdOf(file, env, homeId);
    tx.setValue(VALUE.nodeId, nodeId);
    return nodeId;
  });
}

function nodeIdOf(file: ClockFile, env: Env, homeId: string | undefined): string {
  if (file?.kind === 'clock' && file.nodeId !== null) return file.nodeId;
  return deriveNodeId({
    hostname: currentHostname(),
    username: currentUsername(env),
    ...(homeId === undefined ? {} : { homeId }),
  });
}
