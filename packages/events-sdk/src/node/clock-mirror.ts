/**
 * Keeps clock.json near the clock: written at most four times a second while events are emitted, and at
 * close. Never per event: that would halve the rate (DESIGN §4.2).
 *
 * It is written inside a transaction of the store, so that of all processes one at a time compares and replaces
 * the file: the value in it is the store's own and never goes down, also when many commands end together.
 */
import { isEventsSdkError } from '../errors.ts';
import type { Logger } from '../internal/logger.ts';
import type { Time } from '../internal/time.ts';
import { writeClockMirror } from './clock-file.ts';
import type { HomeStore } from './home-store.ts';

const SHORTEST_PAUSE_MS = 250;

export interface ClockMirrorWriter {
  /** The clock is moving: someone emits. */
  moves(): void;
  /** Brings the file up to the clock, if anything was emitted. Never rejects; a file that cannot be written is a warning. */
  flush(): Promise<void>;
}

export interface ClockMirrorDeps {
  readonly path: string;
  /** The home's store, open already. */
  readonly open: () => Promise<Pick<HomeStore, 'store' | 'nodeId'>>;
  readonly time: Time;
  readonly logger: Logger;
}

export function createClockMirror(deps: ClockMirrorDeps): ClockMirrorWriter {
  let hasMoved = false;
  let writtenAt: number | null = null;
  let writing = Promise.resolve();

  async function write(): Promise<void> {
    writtenAt = deps.time.now();
    try {
      const { store, nodeId } = await deps.open();
      await store.transact((tx) => {
        const value = tx.clock();
        if (value > 0) writeClockMirror(deps.path, { value, nodeId, now: deps.time.now() });
      });
    } catch (cause) {
      // A store that fails is the emission's to tell; here only the mirror is late.
      if (isEventsSdkError(cause, 'FILE_UNUSABLE')) deps.logger.warn('clock-file-unwritable', cause.message);
      else deps.logger.debug('clock-file-late', String(cause));
    }
  }

  return {
    moves() {
      hasMoved = true;
      // The first write waits for close: a short command writes once.
      writtenAt ??= deps.time.now();
      if (Math.abs(deps.time.now() - writtenAt) < SHORTEST_PAUSE_MS) return;
      writtenAt = deps.time.now();
      writing = writing.then(write);
    },
    async flush() {
      await writing;
      if (!hasMoved) return;
      hasMoved = false;
      await write();
    },
  };
}
