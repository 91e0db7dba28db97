/** The two ways to open a home's `queue.db`, chosen here and nowhere else (DESIGN §4.1). */
import type { EventStore } from '../storage/port.ts';
import type { DriverChoice, QueueDriver } from './config-file.ts';
import { withDirectoryLock } from './directory-lock.ts';
import { readFile, type Disk } from './disk.ts';
import type { Home } from './home.ts';
import type { SqlDatabase } from '../storage/sql/database.ts';
import type { Persister } from '../storage/sqljs/persister.ts';
import type { StorePatience } from './store-patience.ts';

/** The driver to take: the one asked for, else the native one where the runtime has it. */
export async function chooseDriver(wanted: DriverChoice): Promise<QueueDriver> {
  if (wanted !== 'auto') return wanted;
  const { isNodeSqliteAvailable } = await import('../storage/node-sqlite/index.ts');
  return isNodeSqliteAvailable() ? 'node-sqlite' : 'sqljs';
}

/** What opening takes. */
export interface HomeDriverDeps {
  readonly driver: QueueDriver;
  readonly home: Home;
  readonly disk: Disk;
  readonly patience: StorePatience;
  /** True where this process holds `queue.db.lock` already. Default false. */
  readonly isLocked?: boolean;
}

/** Opens `queue.db`. Rejects with STORAGE_*. */
export function openDriver(deps: HomeDriverDeps): Promise<EventStore> {
  return deps.driver === 'node-sqlite' ? openNative(deps) : openPortable(deps);
}

async function openNative({ home, disk, patience, isLocked }: HomeDriverDeps): Promise<EventStore> {
  const { openNodeSqliteStore } = await import('../storage/node-sqlite/index.ts');
  return openNodeSqliteStore({
    path: home.queueDb,
    busyTimeoutMs: () => patience.leftMs(),
    exclusively: (work) =>
      isLocked === true ? work() : withDirectoryLock(home.lockPaths.queueDb, { waitMs: patience.leftMs(), disk }, work),
  });
}

async function openPortable({ home, disk, patience, isLocked }: HomeDriverDeps): Promise<EventStore> {
  const [{ openSqlJsStore }, { createSqlJsFile }, { loadSqlJs }] = await Promise.all([
    import('../storage/sqljs/index.ts'),
    import('./sqljs-file.ts'),
    import('./load-sqljs.ts'),
  ]);
  // One for each length of wait: there are two or three.
  const files = new Map<number, Persister>();
  const fileWith = (busyTimeoutMs: number): Persister => {
    let file = files.get(busyTimeoutMs);
    if (file === undefined)
      files.set(busyTimeoutMs, (file = createSqlJsFile({ path: home.queueDb, busyTimeoutMs, disk })));
    return file;
  };
  const persister: Persister = {
    // Only waiting for the lock depends on the wait.
    ...fileWith(0),
    exclusively: (work) => (isLocked === true ? work() : fileWith(patience.leftMs()).exclusively(work)),
  };
  return openSqlJsStore({ persister, loadSqlJs });
}

/**
 * The file as a database to read from, whatever state it is in. `mayWrite`: it is a copy, and what a journal beside it
 * holds may be carried out. Rejects with STORAGE_*.
 */
export async function openForReading(
  { driver, disk }: Pick<HomeDriverDeps, 'driver' | 'disk'>,
  path: string,
  { mayWrite = false } = {},
): Promise<SqlDatabase> {
  if (driver === 'node-sqlite') {
    const { openToRead } = await import('../storage/node-sqlite/index.ts');
    return openToRead(path, { mayWrite });
  }
  const [{ openBytesToRead }, { loadSqlJs }] = await Promise.all([
    import('../storage/sqljs/index.ts'),
    import('./load-sqljs.ts'),
  ]);
  return openBytesToRead(readFile(disk, path), loadSqlJs);
}
