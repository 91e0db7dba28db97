/**
 * What SQLite's failures mean to a caller: which promise is broken, and what to do about it.
 */

import { EventsSdkError, isEventsSdkError } from '../../errors.ts';
import type { EventsSdkErrorCode } from '../../errors.ts';
import type { FileHeader } from './file-header.ts';

/** Primary result codes of SQLite, as far as they are told apart here. */
const BUSY = 5;
const LOCKED = 6;
const CORRUPT = 11;
const FULL = 13;
const NOT_A_DATABASE = 26;

/** What SQLite says of a statement that does not fit the file. */
const MISSING =
  /^(?:no such (?:table|column|index|collation sequence)|unknown function|no query solution|table \w+ has no column|malformed database schema)/;

/**
 * Turns a failure of SQLite into ours. `resultCode` may be an extended one. Without it (sql.js tells only a text)
 * the text decides. Errors that are ours already pass unchanged.
 */
export function toStorageError(cause: unknown, resultCode?: number): EventsSdkError {
  if (isEventsSdkError(cause)) return cause;
  const text = cause instanceof Error ? cause.message : String(cause);
  // Our statements are right for our schema: what they miss, somebody else has taken out, or never put in.
  const code = MISSING.test(text) ? CORRUPT : resultCode === undefined ? codeOfText(text) : resultCode & 0xff;
  switch (code) {
    case BUSY:
    case LOCKED:
      return failure('STORAGE_BUSY', 'Another process is writing queue.db. Try again.', cause);
    case CORRUPT:
    case NOT_A_DATABASE:
      return failure(
        'STORAGE_CORRUPT',
        `queue.db is damaged or not a database (${text}). Move it aside to start a new one.`,
        cause,
      );
    case FULL:
      return failure(
        'STORAGE_UNAVAILABLE',
        'Cannot write queue.db: the disk is full. Free some space and try again.',
        cause,
      );
    default:
      return failure(
        'STORAGE_UNAVAILABLE',
        // Also a full disk: where SQLite could not even make its shared memory, it only speaks of an I/O error.
        `Cannot use queue.db (${text}). Check its folder, its rights and the free space.`,
        cause,
      );
  }
}

/** Refuses a file whose header lets SQLite read it but not write it, before it says so in words that sound like missing rights. */
export function refuseReadOnlyFormat(header: FileHeader | undefined): void {
  if (header?.isWritable === false)
    throw toStorageError(new Error('its header names no format that is written'), CORRUPT);
}

function failure(code: EventsSdkErrorCode, message: string, cause: unknown): EventsSdkError {
  return new EventsSdkError(code, message, { cause });
}

function codeOfText(text: string): number | undefined {
  if (/malformed/.test(text)) return CORRUPT;
  if (/not a database/.test(text)) return NOT_A_DATABASE;
  if (/database or disk is full|out of memory/.test(text)) return FULL;
  if (/is locked/.test(text)) return LOCKED;
  return undefined;
}
