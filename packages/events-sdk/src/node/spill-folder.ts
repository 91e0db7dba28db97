/**
 * The spill of a home: one file for each emission in `queue.spill/`, written whole and durable before it is
 * acknowledged. The folder is there only while something lies in it, so that looking for it costs one call.
 */
import { join } from 'node:path';

import { ULID_PATTERN } from '../contract/envelope.ts';
import { EventsSdkError } from '../errors.ts';
import type { Logger } from '../internal/logger.ts';
import type { Time } from '../internal/time.ts';
import type { Spill, SpilledEmission, SpilledEvent } from '../storage/spill.ts';
import { errorCodeOf, namesIn, readFile, removeFile, removeQuietly, type Disk } from './disk.ts';
import { currentOwner, lifeOf, nameToOwner, ownerToName } from './process-owner.ts';
import { replaceFile } from './replace-file.ts';
import { spillToText, textToSpill } from './spill-file.ts';

/** More than this beside the queue, and nobody has been able to use it for long: new events are refused then. */
export const MAX_SPILL_FILES = 1_000;
export const MAX_SPILL_BYTES = 16 * 1024 * 1024;

const SUFFIX = '.json';
const TEMP_SUFFIX = '.tmp';
const DAMAGED_SUFFIX = '.damaged';

export interface SpillFolderDeps {
  readonly path: string;
  /** The path as people may see it. */
  readonly shownAs: string;
  readonly disk: Disk;
  readonly time: Pick<Time, 'now'>;
  readonly newUlid: () => string;
  /** Says each warning once. */
  readonly logger: Logger;
}

/** The spill of a home, and what its status shows. */
export interface SpillFolder extends Spill {
  /** Events that wait there. Never throws. */
  count(): number;
}

/** A spill in a folder. Touches nothing before it is asked. */
export function createSpillFolder(deps: SpillFolderDeps): SpillFolder {
  const { path, disk, logger } = deps;
  const isEmpty = (): boolean => {
    try {
      return disk.look(path) === undefined;
    } catch {
      // A home that cannot be looked into: the store will say so.
      return true;
    }
  };

  const list = (): readonly SpilledEmission[] => {
    const names = namesIn(disk, path).filter(isEmission).toSorted();
    return names.flatMap((file) => {
      const events = read(deps, file);
      return events === undefined ? [] : [{ name: file.slice(0, -SUFFIX.length), events }];
    });
  };

  return {
    isEmpty,
    list,
    count: () => (isEmpty() ? 0 : list().reduce((sum, { events }) => sum + events.length, 0)),

    async keep(events) {
      const bytes = new TextEncoder().encode(spillToText(events));
      if (!hasRoom(disk, path, bytes.length)) return 'full';
      try {
        write(deps, bytes);
      } catch (cause) {
        throw new EventsSdkError('STORAGE_UNAVAILABLE', `Nor can ${deps.shownAs} be written (${errorCodeOf(cause)}).`, {
          cause,
        });
      }
      return 'kept';
    },

    remove(names) {
      for (const name of names) {
        try {
          removeFile(disk, join(path, name + SUFFIX));
        } catch (error) {
          logger.debug('spill-not-removed', errorCodeOf(error));
        }
      }
      tidy(disk, path);
    },
  };
}

function isEmission(name: string): boolean {
  return name.endsWith(SUFFIX) && ULID_PATTERN.test(name.slice(0, -SUFFIX.length));
}

/** Everything in the folder counts, also what cannot be read: the bound is one on space. */
function hasRoom(disk: Disk, path: string, bytes: number): boolean {
  const names = namesIn(disk, path);
  if (names.length >= MAX_SPILL_FILES) return false;
  const taken = names.reduce((sum, name) => sum + (disk.look(join(path, name))?.size ?? 0), 0);
  return taken + bytes <= MAX_SPILL_BYTES;
}

function write({ disk, path, time, newUlid }: SpillFolderDeps, bytes: Uint8Array): void {
  const target = join(path, newUlid() + SUFFIX);
  const temporary = join(path, ownerToName(currentOwner(time.now())) + TEMP_SUFFIX);
  for (let tries = 1; ; tries += 1) {
    try {
      replaceFile(disk, target, bytes, { temporary, isDurable: true });
      return;
    } catch (error) {
      // Told as not kept, so it must not turn up later.
      removeQuietly(disk, target);
      // Whoever has just taken in the last file removes the folder under our hands.
      if (errorCodeOf(error) !== 'ENOENT' || tries === 5) throw error;
    }
  }
}

/** Removes what killed writers left, and the folder once nothing lies in it. */
function tidy(disk: Disk, path: string): void {
  for (const name of namesIn(disk, path)) {
    const owner = name.endsWith(TEMP_SUFFIX) ? nameToOwner(name.slice(0, -TEMP_SUFFIX.length)) : undefined;
    if (owner !== undefined && lifeOf(owner) === 'dead') removeQuietly(disk, join(path, name));
  }
  try {
    disk.rmdir(path);
  } catch {
    // Not empty: another process has just put something there.
  }
}

function read(deps: SpillFolderDeps, file: string): readonly SpilledEvent[] | undefined {
  const { disk, path, shownAs, logger } = deps;
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(readFile(disk, join(path, file)));
  } catch (error) {
    if (error instanceof TypeError) return setAside(deps, file);
    const code = errorCodeOf(error);
    // Taken in and removed by another process meanwhile.
    if (code === 'ENOENT') return undefined;
    logger.warn(
      'spill-unreadable',
      `Cannot read ${shownAs}/${file} (${code}). Its events wait there; check its rights.`,
    );
    return undefined;
  }
  const content = textToSpill(text);
  if (content.kind === 'foreign') {
    logger.warn(
      'spill-newer',
      `${shownAs}/${file} was written by another version of spec-kitty, which has to take it in.`,
    );
    return undefined;
  }
  return content.kind === 'broken' ? setAside(deps, file) : content.events;
}

function setAside({ disk, path, shownAs, logger }: SpillFolderDeps, file: string): undefined {
  try {
    disk.rename(join(path, file), join(path, file + DAMAGED_SUFFIX));
  } catch (error) {
    // Another process was faster.
    if (errorCodeOf(error) === 'ENOENT') return;
  }
  logger.warn(
    'spill-damaged',
    `${shownAs}/${file} is damaged: its events cannot be taken in. It is kept as ${file}${DAMAGED_SUFFIX}.`,
  );
}
