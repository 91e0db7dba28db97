/**
 * What the processes of a simulation share: the store, the spill beside it, and the sign-in. The store is the library's own:
 * the one in memory, or sql.js over its file protocol (image, lock, take-over) on the simulated disk.
 */
import initSqlJs from 'sql.js';

import type { CredentialChange, Credentials, CredentialStore } from '../../src/auth/credential-store.ts';
import { EventsSdkError } from '../../src/errors.ts';
import { createUlidFactory } from '../../src/id/ulid.ts';
import { silentLogger } from '../../src/internal/logger.ts';
import { createSpillFolder, type SpillFolder } from '../../src/node/spill-folder.ts';
import { createSqlJsFile } from '../../src/node/sqljs-file.ts';
import { createMemoryStore } from '../../src/storage/memory.ts';
import type { EventStore } from '../../src/storage/port.ts';
import { openSqlJsStore, type Persister } from '../../src/storage/sqljs/index.ts';
import { takingIn } from '../../src/storage/take-in.ts';
import { createSimulatedDisk } from '../../src/testing/simulated-disk.ts';
import { createSimulatedMachine } from '../../src/testing/simulated-disk-processes.ts';
import type { Mistakes } from './mistakes.ts';
import type { SimulatedProcess } from './process.ts';
import type { World } from './world.ts';

export const NODE_ID = '9417b43226d4';
/** The longest wait for the store's lock and for that of the sign-in, in milliseconds. */
export const LOCK_WAIT_MS = 1_000;
const CREDENTIALS_WAIT_MS = 15_000;
const FOLDER = '/home/queue';

export type StoreKind = 'memory' | 'sqljs';

/** A home as one process has it. */
export interface HomeOfProcess {
  openStore(): Promise<EventStore>;
  readonly spill: SpillFolder;
  readonly credentials: CredentialStore;
  isGone(owner: { readonly pid: number }): boolean;
  /** Ends the process for those who look it up. */
  leave(): void;
}

export interface SimulatedHome {
  enter(process: SimulatedProcess): HomeOfProcess;
  /** Somebody has signed in before. */
  plantSignIn(credentials: Credentials): void;
}

const sqlJs = await initSqlJs();

export function createHome(world: World, kind: StoreKind, mistakes: Mistakes): SimulatedHome {
  const disk = createSimulatedDisk();
  disk.plantFolder(FOLDER);
  const machine = createSimulatedMachine();
  const memory = createMemoryStore();
  const living = new Set<number>();
  const sign: SignIn = { record: null, holder: null };

  function openImage(process: SimulatedProcess, persister: Persister): Promise<EventStore> {
    return openSqlJsStore({ persister: throughProcess(process, persister), loadSqlJs: async () => sqlJs });
  }

  return {
    plantSignIn(credentials) {
      sign.record = credentials;
    },
    enter(process) {
      living.add(process.pid);
      const { pid, time } = process;
      const own = machine.start(pid);
      const ownDisk = process.useDisk(disk);
      const folder = createSpillFolder({
        path: `${FOLDER}/queue.spill`,
        shownAs: '~/queue.spill',
        disk: ownDisk,
        time,
        newUlid: createUlidFactory({ time, random: world.chance.random }),
        logger: silentLogger,
      });
      const spill: SpillFolder = {
        ...folder,
        async keep(events) {
          const answer = await process.call('spill', () => folder.keep(events));
          world.sometimes(`spill ${answer}`);
          return answer;
        },
        remove(names) {
          world.sometimes('spill taken in');
          folder.remove(names);
        },
      };
      const file = createSqlJsFile({
        path: `${FOLDER}/queue.db`,
        busyTimeoutMs: LOCK_WAIT_MS,
        time,
        disk: ownDisk,
        processes: own,
      });
      return {
        spill,
        credentials: credentialsOf({ world, process, sign, isAlive: (other) => living.has(other), mistakes }),
        isGone: (owner) => !living.has(owner.pid),
        leave() {
          living.delete(pid);
          own.die();
        },
        async openStore() {
          const opened =
            kind === 'memory' ? memory : await process.call('open', () => openImage(process, mistakes.file(file)));
          const store: EventStore = {
            transact: (work) =>
              kind === 'memory'
                ? process.diskCall('transact', () => opened.transact(work))
                : process.call('transact', () => opened.transact(work)),
            read: (work) =>
              kind === 'memory'
                ? process.diskCall('read', () => opened.read(work))
                : process.call('read', () => opened.read(work)),
            close: () => (kind === 'memory' ? Promise.resolve() : opened.close()),
          };
          return takingIn(mistakes.store(store, process), { spill, nodeId: NODE_ID });
        },
      };
    },
  };
}

/** Between the steps of the file protocol other processes have their turns, and this one may die. */
function throughProcess(process: SimulatedProcess, file: Persister): Persister {
  return {
    load: (known) => process.diskCall('load', () => file.load(known)),
    exclusively: (work) => file.exclusively(work),
    save: (bytes, replaced) => process.diskCall('save', () => file.save(bytes, replaced)),
  };
}

interface SignIn {
  record: Credentials | null;
  holder: { readonly pid: number; readonly released: Promise<void> } | null;
}

interface CredentialsOptions {
  readonly world: World;
  readonly process: SimulatedProcess;
  readonly sign: SignIn;
  readonly isAlive: (pid: number) => boolean;
  readonly mistakes: Mistakes;
}

/** One record for all processes; changes are made under a lock that a dead process loses. */
function credentialsOf({ world, process, sign, isAlive, mistakes }: CredentialsOptions): CredentialStore {
  async function acquire(): Promise<() => void> {
    for (let waitedMs = 0; sign.holder !== null && isAlive(sign.holder.pid); waitedMs += 50) {
      if (waitedMs >= CREDENTIALS_WAIT_MS) throw new EventsSdkError('STORAGE_BUSY', 'The sign-in is held.');
      world.sometimes('waited for the sign-in');
      if (mistakes.waitsForAWakeup) await sign.holder.released;
      else await world.time.sleep(50);
    }
    const { promise: released, resolve } = Promise.withResolvers<void>();
    const mine = { pid: process.pid, released };
    sign.holder = mine;
    return () => {
      if (process.isDead || sign.holder !== mine) return;
      sign.holder = null;
      resolve();
    };
  }

  async function update<T>(work: (current: Credentials | null) => Promise<CredentialChange<T>>): Promise<T> {
    const release = await process.call('lock sign-in', acquire);
    if (!world.isClear && world.chance.once(8)) {
      world.sometimes('killed with the sign-in locked');
      world.time.after(world.chance.between(0, 8_000), process.kill);
    }
    try {
      const change = await work(sign.record);
      return await process.call('save sign-in', () => {
        if (change.next !== undefined) sign.record = change.next;
        return change.answer;
      });
    } finally {
      release();
    }
  }

  return { load: () => process.call('load sign-in', () => sign.record), update };
}
