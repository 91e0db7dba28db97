/**
 * The sign-in on disk, in the file of CONTRACT §8.1. Promises that the file is whole at any moment and whatever is
 * killed, that nobody but its owner can read it from its first byte on, and that a change holds the lock from
 * reading to writing, also while it waits for the network.
 *
 * The lock is a directory with a name of its own: the Python original locks the file `credentials.lock` with
 * `flock`, which Node cannot do, and a directory of that name would break the original. The two therefore do not
 * exclude each other; a file half written by the original reads as no credentials for that moment.
 */
import { basename, dirname } from 'node:path';

import { formatCredentials, readPlainTables, tablesToCredentials, type Tables } from '../auth/credentials-format.ts';
import type { CredentialStore, Credentials } from '../auth/credential-store.ts';
import { AUTH_TIMEOUT_MS } from '../contract/limits.ts';
import { EventsSdkError } from '../errors.ts';
import { silentLogger, warnOnce, type Logger } from '../internal/logger.ts';
import { makeDirectory } from './make-directory.ts';
import type { Time } from '../internal/time.ts';
import { withDirectoryLock } from './directory-lock.ts';
import { errorCodeOf, readTextFile, systemDisk, type Disk } from './disk.ts';
import { systemProcesses } from './process-owner.ts';
import { removeHomeFile, writeHomeFile, type HomeFileOptions, type MachinePorts } from './replace-file.ts';

/** Where the file and its lock are. */
export interface CredentialsFileOptions extends Omit<MachinePorts, 'time'> {
  readonly path: string;
  /** The directory that is the lock. Default: `credentials.lock.d` beside the file; never the original's `credentials.lock`. */
  readonly lockPath?: string;
  readonly time: Time;
  /** The file's name in messages. Default: its last part. */
  readonly shownAs?: string;
  /** Told once when the file cannot be used; never its content. */
  readonly logger?: Logger;
}

/** Another process may hold the lock for one whole request to the token endpoint, and then some. */
const LOCK_WAIT_MS = AUTH_TIMEOUT_MS + 5_000;

/** Creates the store of one credentials file. Touches nothing until it is used. */
export function createCredentialsFile(options: CredentialsFileOptions): CredentialStore {
  const { path, lockPath = `${path}.lock.d`, time, shownAs = basename(path), disk = systemDisk } = options;
  const ports = { time, disk, processes: options.processes ?? systemProcesses };
  // A sign-in is worth a sync: rotated tokens that were lost, or forgotten ones that came back, would be worse. Temporary
  // files hold tokens; under the lock every one that is there was left behind.
  const change: HomeFileOptions = { ...ports, shownAs, isDurable: true, isAlone: true };
  const logger = warnOnce(options.logger ?? silentLogger);

  async function load(): Promise<Credentials | null> {
    const text = readText();
    if (text === null) return null;
    const tables = readPlainTables(text) ?? (await parseToml(text));
    const credentials = tables === null ? null : tablesToCredentials(tables);
    if (credentials === null) {
      logger.warn('CREDENTIALS_UNREADABLE', `${shownAs} holds no usable sign-in. Sign in again to replace it.`);
    }
    return credentials;
  }

  function readText(): string | null {
    try {
      // Asked for each event: opening what is not there would make an error each time.
      return disk.look(path) === undefined ? null : (readTextFile(disk, path) ?? null);
    } catch (error) {
      logger.warn(
        'CREDENTIALS_UNREADABLE',
        `${shownAs} cannot be read (${errorCodeOf(error)}). Check its permissions.`,
      );
      return null;
    }
  }

  return {
    load,
    async update(work) {
      makeFolder(disk, path, shownAs);
      return withDirectoryLock(lockPath, { ...ports, waitMs: LOCK_WAIT_MS }, async () => {
        const { answer, next } = await work(await load());
        if (next === null) removeHomeFile(path, change);
        else if (next !== undefined) writeHomeFile(path, formatCredentials(next), change);
        return answer;
      });
    },
  };
}

async function parseToml(text: string): Promise<Tables | null> {
  // Only a file we did not write gets here: see `readPlainTables`.
  const { parse } = await import('smol-toml');
  try {
    const parsed: Record<string, unknown> = parse(text);
    // Only entries that are tables; their values stay unknown and are checked one by one.
    return Object.fromEntries(Object.entries(parsed).filter(([, value]) => isTable(value))) as Tables;
  } catch {
    // The parser's error quotes the line it failed on, which may be a token: it is not kept.
    return null;
  }
}

function isTable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

function makeFolder(disk: Disk, path: string, shownAs: string): void {
  try {
    makeDirectory(disk, dirname(path));
  } catch (cause) {
    const message = `Cannot write ${shownAs} (${errorCodeOf(cause)}). Check the permissions of its folder.`;
    throw new EventsSdkError('FILE_UNUSABLE', message, { cause });
  }
}
