/**
 * Where this machine's files live: `~/.spec-kitty`, or the directory `SPEC_KITTY_HOME` names. Every path of
 * the home comes from here, so that a test or a sandbox moves all of them at once (DESIGN §4.17).
 */
import { homedir } from 'node:os';
import { isAbsolute, join, relative, resolve, sep } from 'node:path';

/** Environment variables, as `process.env` has them. */
export type Env = Readonly<Record<string, string | undefined>>;

/** The files of a home, absolute. Nothing of it need exist. */
export interface Home {
  readonly root: string;
  /** True for `~/.spec-kitty`, also when `SPEC_KITTY_HOME` names just that. */
  readonly isDefault: boolean;
  readonly queueDb: string;
  /** Folder that stands while a damaged queue.db is being put aside. */
  readonly moving: string;
  /** Folder of the events that could not get into the queue yet. */
  readonly spill: string;
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
    moving: join(root, 'queue.moving'),
    spill: join(root, 'queue.spill'),
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
