/**
 * What the commands expect of the library's Node client, and the one place where it is loaded. It is loaded when a
 * command first needs it, so that help, usage errors and pure git work never pay for it.
 */
import { fileURLToPath } from 'node:url';

import type { EmitOutcome, Logger, Session, SyncProgress, SyncReport } from '@spec-kitty/events-sdk';
import type { Draft, SpecKittyEvents } from '@spec-kitty/events-sdk/contract';

/** One of the eight Spec Kitty events before it is stamped. */
export type SpecKittyDraft = Draft<SpecKittyEvents>;

/** What became of one of them. */
export type SpecKittyOutcome = EmitOutcome<SpecKittyEvents>;

/** What a set of events has in common. */
export interface EmitContext {
  /** ULID shared by all events of one action. */
  readonly causationId?: string;
  /** Root of the project the events come from. Default: found from the working directory. */
  readonly projectRoot?: string;
}

/** The link to the server, with what is known about it and since when. */
export interface ConnectionStatus {
  readonly state: 'connected' | 'reconnecting' | 'offline' | 'offline-batch';
  /** What the state is concluded from, in a few words. */
  readonly evidence: string;
  /** When that was seen, in epoch milliseconds; null when it never was. */
  readonly at: number | null;
}

/** Everything a home knows about its own queue and delivery. Times are epoch milliseconds. */
export interface HomeStatus {
  readonly queued: number;
  /** Held events by reason (`team`, `project`, `disabled`, `team-changed`). */
  readonly held: Readonly<Record<string, number>>;
  /** Set aside after repeated refusals. */
  readonly parked: number;
  /** Ever dropped because the queue was full. */
  readonly dropped: number;
  readonly cap: number;
  readonly oldestPendingAt: number | null;
  readonly lastSync: { readonly at: number; readonly sent: number; readonly stoppedBy: string } | null;
  readonly connection: ConnectionStatus;
  readonly courier: { readonly pid: number; readonly since: number } | null;
  readonly server: string | null;
  readonly session: Session | null;
  readonly project: { readonly uuid: string; readonly slug: string; readonly root: string | null } | null;
  readonly driver: string;
  readonly home: string;
}

/** The sign-in and how long its tokens last (epoch milliseconds; null when unknown). */
export interface AuthStatus {
  readonly session: Session | null;
  readonly accessExpiresAt: number | null;
  readonly refreshExpiresAt: number | null;
}

/** Who sees to waiting events after a command: a courier, the command's own try, or nobody. */
export type HandOff = 'courier' | 'tried' | 'none';

/** The library's Node client, as far as commands use it. */
export interface NodeClient {
  emitAll(drafts: readonly SpecKittyDraft[], context?: EmitContext): Promise<readonly SpecKittyOutcome[]>;
  syncNow(options?: {
    readonly signal?: AbortSignal;
    readonly onProgress?: (progress: SyncProgress) => void;
    readonly deadlineMs?: number;
  }): Promise<SyncReport>;
  status(): Promise<HomeStatus>;
  login(input: { readonly server: string; readonly username: string; readonly password: string }): Promise<Session>;
  logout(): Promise<Session | null>;
  authStatus(): Promise<AuthStatus>;
  serverUrl(): Promise<string | null>;
  setServerUrl(url: string): Promise<string>;
  /** Hands waiting events to the courier, if the configuration allows one; says who sees to them. */
  nudge(): Promise<HandOff>;
  close(): Promise<void>;
}

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

/** How a home keeps its queue. */
export type QueueDriver = 'node-sqlite' | 'sqljs';

/** The file of a home's queue, without opening it: works also where the store itself refuses to. */
export interface QueueFile {
  /** The file and the configuration, as a person may see them. */
  readonly path: string;
  readonly configPath: string;
  /** Who keeps the file; null when there is none yet. */
  look(): { readonly driver: QueueDriver | null; readonly bytes: number };
  /** Hands the file to another driver. Rejects with STORAGE_*, having changed nothing. */
  convert(to: QueueDriver): Promise<{ readonly from: QueueDriver | null; readonly changed: boolean }>;
}

/** The queue's file of the home that `env` names. */
export async function findQueueFile(env: NodeJS.ProcessEnv): Promise<QueueFile> {
  const { convertStore, readStoreFile, resolveHome } = await import('@spec-kitty/events-sdk/node');
  const home = resolveHome(env);
  return {
    path: home.display(home.queueDb),
    configPath: home.display(home.configToml),
    look: () => readStoreFile(home.queueDb),
    convert: (to) => convertStore({ path: home.queueDb, to }),
  };
}
