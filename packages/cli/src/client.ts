/**
 * What the commands expect of the library's Node client, and the one place where it is loaded. It is loaded when a
 * command first needs it, so that help, usage errors and pure git work never pay for it.
 */
import { fileURLToPath } from 'node:url';

import type { EmitOutcome, Logger } from '@spec-kitty/events-sdk';
import type { Draft, SpecKittyEvents } from '@spec-kitty/events-sdk/contract';
import type { AuthStatus } from '@spec-kitty/events-sdk/auth';
import type {
  ConnectionStatus,
  HandOff,
  HomeStatus,
  NodeClient as LibraryClient,
  NodeEmitOptions,
  QueueDriver,
  ServerProbe,
} from '@spec-kitty/events-sdk/node';

export type { AuthStatus, ConnectionStatus, HandOff, HomeStatus, QueueDriver, ServerProbe };

/** What a set of events has in common. */
export type EmitContext = NodeEmitOptions;

/** One of the eight Spec Kitty events before it is stamped. */
export type SpecKittyDraft = Draft<SpecKittyEvents>;

/** What became of one of them. */
export type SpecKittyOutcome = EmitOutcome<SpecKittyEvents>;

/** What commands use of the library's Node client; a test may stand in for it. */
export type NodeClient = Omit<LibraryClient, 'emit' | 'flush' | typeof Symbol.asyncDispose>;

/** How a client is opened. Tests pass their own. */
export type OpenClient = (options: {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly logger: Logger;
  readonly version?: string;
}) => Promise<NodeClient>;

/** Opens the library's client, with our own courier program to deliver after we are gone. */
export const openNodeClient: OpenClient = async (options) => {
  const sdk = await import('@spec-kitty/events-sdk/node');
  // Built code stands flat in dist/, whichever chunk this ends up in.
  return sdk.openNodeClient({
    ...options,
    courier: { script: fileURLToPath(new URL('./courier.js', import.meta.url)) },
  });
};

/** The file of a home's queue, without opening it: works also where the store itself refuses to. */
export interface QueueFile {
  /** The file and the configuration, as a person may see them. */
  readonly path: string;
  readonly configPath: string;
  /** Who keeps the file; null when there is none yet. */
  look(): { readonly driver: QueueDriver | null; readonly bytes: number };
  /** Damaged queues that were put aside, oldest first. */
  damaged(): readonly { readonly path: string; readonly bytes: number }[];
  /** Hands the file to another driver. Rejects with STORAGE_*, having changed nothing. */
  convert(to: QueueDriver): Promise<{ readonly from: QueueDriver | null; readonly changed: boolean }>;
}

/** The queue's file of the home that `env` names. */
export async function findQueueFile(env: NodeJS.ProcessEnv): Promise<QueueFile> {
  const { convertStore, listDamagedQueues, readStoreFile, resolveHome } = await import('@spec-kitty/events-sdk/node');
  const home = resolveHome(env);
  return {
    path: home.display(home.queueDb),
    configPath: home.display(home.configToml),
    look: () => readStoreFile(home.queueDb),
    damaged: () => listDamagedQueues(home).map(({ path, bytes }) => ({ path: home.display(path), bytes })),
    convert: (to) => convertStore({ path: home.queueDb, to }),
  };
}
