/**
 * `clock.json`: the clock's mirror for people and other tools (CONTRACT §3, DESIGN §4.2). The truth is in the
 * store; this file is read once at open, written now and then, and its value never goes down by our hand.
 */
import { MAX_REMOTE_CLOCK } from '../clock/lamport.ts';
import { errorCodeOf, readTextFile, systemDisk, type Disk } from './disk.ts';
import { writeHomeFile, type MachinePorts } from './replace-file.ts';

/** What the file says. Null: there is none. `broken`: carry on from the store and warn once with `message`. */
export type ClockFile =
  | { readonly kind: 'clock'; readonly value: number; readonly nodeId: string | null }
  | { readonly kind: 'broken'; readonly message: string }
  | null;

/** What to mirror. */
export interface ClockMirror {
  readonly value: number;
  readonly nodeId: string;
  /** Wall time in milliseconds, for `updated_at`. */
  readonly now: number;
}

/** Reads the file as it is; missing keys become 0 and null. Never throws. */
export function readClockFile(path: string, disk: Disk = systemDisk): ClockFile {
  let text: string | undefined;
  try {
    text = readTextFile(disk, path);
  } catch (error) {
    return broken(`it cannot be read (${errorCodeOf(error)})`);
  }
  if (text === undefined) return null;
  let content: unknown;
  try {
    content = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    return broken('it is not JSON');
  }
  if (typeof content !== 'object' || content === null || Array.isArray(content))
    return broken('it is not a JSON object');

  const value = 'value' in content ? content.value : 0;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    return broken('"value" is not a whole number');
  // Taken over, such a value would stand in every later event and use up the numbers for all who see it.
  if (value > MAX_REMOTE_CLOCK) return broken('"value" is too large to be true');
  const nodeId =
    'node_id' in content && typeof content.node_id === 'string' && content.node_id !== '' ? content.node_id : null;
  return { kind: 'clock', value, nodeId };
}

/**
 * Writes the mirror and returns the value the file now has: the larger of ours and the one already there.
 * Between reading and renaming no lock is held, so of two writers at once the later rename wins and the file
 * may show the smaller of both for a moment; the store, not this file, decides which numbers are given out.
 *
 * @throws FILE_UNUSABLE, with the old file untouched.
 */
export function writeClockMirror(path: string, mirror: ClockMirror, ports: MachinePorts = {}): number {
  const present = readClockFile(path, ports.disk);
  const value = present?.kind === 'clock' ? Math.max(present.value, mirror.value) : mirror.value;
  const isThere = present?.kind === 'clock' && present.value === value && present.nodeId === mirror.nodeId;
  if (!isThere) {
    const content = { value, node_id: mirror.nodeId, updated_at: isoWithMicroseconds(mirror.now) };
    writeHomeFile(path, JSON.stringify(content, null, 2), { ...ports, isDurable: false, shownAs: 'clock.json' });
  }
  return value;
}

/** CONTRACT §1.3: `2026-02-07T18:04:05.120000+00:00`; no fraction when it is zero. */
export function isoWithMicroseconds(nowMs: number): string {
  return new Date(nowMs).toISOString().replace('.000Z', '+00:00').replace('Z', '000+00:00');
}

function broken(why: string): ClockFile {
  return {
    kind: 'broken',
    message: `clock.json is not usable: ${why}. The clock goes on from the queue's own record, and the file is written anew.`,
  };
}
