/**
 * Where this machine's files live: `~/.spec-kitty`, or the directory `SPEC_KITTY_HOME` names. Every path of
 * the home comes from here, so that a test or a sandbox moves all of them at once (DESIGN §4.17).
 */
import { closeSync, fsyncSync, openSync, realpathSync, renameSync, rmSync, writeSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';

import { EventsSdkError } from '../errors.ts';
import { makeDirectory } from './make-directory.ts';

/** Environment variables, as `process.env` has them. */
export type Env = Readonly<Record<string, string | undefined>>;

/** The files of a home, absolute. Nothing of it need exist. */
export interface Home {
  readonly root: string;
  /** True for `~/.spec-kitty`, also when `SPEC_KITTY_HOME` names just that. */
  readonly isDefault: boolean;
  readonly queueDb: string;
  readonly clockJson: string;
  readonly credentials: string;
  readonly configToml: string;
  readonly courierLog: string;
  readonly lockPaths: { readonly queueDb: string; readonly credentials: string };
  /** A path as people may see it: `~/…`, or `$SPEC_KITTY_HOME/…` for a home elsewhere. */
  display(path: string): string;
}

/** Reads `SPEC_KITTY_HOME` (absolute, relative or `~/…`; empty counts as unset). Touches no file. */
export function resolveHome(env: Env = process.env): Home {
  const person = personHome(env);
  const defaultRoot = join(person, '.spec-kitty');
  const chosen = env['SPEC_KITTY_HOME'];
  const root = chosen === undefined || chosen.trim() === '' ? defaultRoot : resolve(expandTilde(chosen.trim(), person));
  return {
    root,
    isDefault: root === defaultRoot,
    queueDb: join(root, 'queue.db'),
    clockJson: join(root, 'clock.json'),
    credentials: join(root, 'credentials'),
    configToml: join(root, 'config.toml'),
    courierLog: join(root, 'courier.log'),
    lockPaths: { queueDb: join(root, 'queue.db.lock'), credentials: join(root, 'credentials.lock.d') },
    display(path) {
      return below(path, person, '~') ?? below(path, root, '$SPEC_KITTY_HOME') ?? path;
    },
  };
}

/** The person's home directory: `$HOME` first on POSIX, as the contract's files are found. */
export function personHome(env: Env = process.env): string {
  const fromEnv = process.platform === 'win32' ? undefined : env['HOME'];
  return fromEnv === undefined || fromEnv === '' ? homedir() : fromEnv;
}

/**
 * Writes a file of the home whole or not at all: temporary file (0600) beside it, then rename. Makes the home
 * (0700) if needed and follows a symbolic link to its target. `isDurable` also waits for the disk.
 *
 * @throws FILE_UNUSABLE, with the old file untouched and the temporary one gone.
 */
export function writeHomeFile(
  path: string,
  text: string,
  options: { readonly isDurable: boolean; readonly shownAs: string },
): void {
  let temporary: string | undefined;
  try {
    makeDirectory(dirname(path));
    const target = targetOf(path);
    // The name is fixed for a process, so that what a killed one left is bounded and reused.
    temporary = `${target}.${process.pid}.tmp`;
    writeAll(temporary, Buffer.from(text, 'utf8'), options.isDurable);
    renameSync(temporary, target);
    temporary = undefined;
    if (options.isDurable) syncDirectory(dirname(target));
  } catch (cause) {
    if (temporary !== undefined) rmSync(temporary, { force: true });
    throw new EventsSdkError(
      'FILE_UNUSABLE',
      `Cannot write ${options.shownAs} (${errorCodeOf(cause)}). Check its permissions and free space.`,
      {
        cause,
      },
    );
  }
}

/** The system's short code of a failed file operation, e.g. `ENOSPC`: says why without saying where. */
export function errorCodeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown error';
}

function writeAll(path: string, bytes: Buffer, isDurable: boolean): void {
  const file = openSync(path, 'w', 0o600);
  try {
    let done = 0;
    while (done < bytes.length) {
      // A full disk may take a part and report no error.
      const taken = writeSync(file, bytes, done);
      if (taken === 0) throw Object.assign(new Error('The disk took no bytes.'), { code: 'ENOSPC' });
      done += taken;
    }
    if (isDurable) fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function syncDirectory(path: string): void {
  // Windows cannot open a directory; there a rename is as durable as it gets.
  if (process.platform === 'win32') return;
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}

function targetOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

function expandTilde(path: string, person: string): string {
  if (path === '~') return person;
  return /^~[\\/]/.test(path) ? join(person, path.slice(2)) : path;
}

function below(path: string, directory: string, shownAs: string): string | null {
  const inside = relative(directory, path);
  if (inside === '') return shownAs;
  if (inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside)) return null;
  return `${shownAs}/${inside.replaceAll(sep, '/')}`;
}
