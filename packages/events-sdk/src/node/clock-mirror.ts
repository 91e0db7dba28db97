/**
 * Keeps clock.json near the clock: written at most four times a second while events are emitted, and at
 * close. Never per event: that would halve the rate (DESIGN §4.2).
 */
import type { Logger } from '../internal/logger.ts';
import type { Time } from '../internal/time.ts';
import { writeClockMirror } from './clock-file.ts';

const SHORTEST_PAUSE_MS = 250;

export interface ClockMirrorWriter {
  /** An event was given this clock value. */
  saw(value: number, nodeId: string): void;
  /** Writes what is not written yet. */
  flush(): void;
}

export function createClockMirror(deps: { readonly path: string; readonly time: Time; readonly logger: Logger }): ClockMirrorWriter {
  let latest: { readonly value: number; readonly nodeId: string } | null = null;
  let writtenAt: number | null = null;

  function flush(): void {
    if (latest === null) return;
    try {
      writeClockMirror(deps.path, { ...latest, now: deps.time.now() });
    } catch (cause) {
      deps.logger.warn('clock-file-unwritable', cause instanceof Error ? cause.message : 'Cannot write clock.json.');
    }
    latest = null;
    writtenAt = deps.time.now();
  }

  return {
    saw(value, nodeId) {
      latest = { value, nodeId };
      // The first write waits for close: a short command writes once.
      writtenAt ??= deps.time.now();
      if (deps.time.now() - writtenAt >= SHORTEST_PAUSE_MS) flush();
    },
    flush,
  };
}
