/** What a courier did, in a file of bounded length beside the queue: counts and codes, never payloads or addresses. */
import { appendFileSync, statSync, writeFileSync } from 'node:fs';

import type { Link } from '../engine/link.ts';
import type { SyncReport } from '../engine/report.ts';
import type { Logger } from '../internal/logger.ts';
import type { Time } from '../internal/time.ts';

/** The log starts anew beyond this size. */
const MAX_LOG_BYTES = 64 * 1024;

export interface CourierLog {
  /** A line of `key=value` words. A log that cannot be written is no reason to stop. */
  say(words: string): void;
  /** A pass that tried something. The same failure again is not said again. */
  report(report: SyncReport): void;
  /** The link, when it has changed. */
  link(link: Pick<Link, 'state' | 'reason'>): void;
  /** Warnings by their code alone: their words are for people. */
  readonly logger: Logger;
}

export function createCourierLog(path: string, time: Pick<Time, 'now'>): CourierLog {
  let lastReport = '';
  let lastLink = '';

  function say(words: string): void {
    const line = `${new Date(time.now()).toISOString()} ${words}\n`;
    try {
      const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
      if (size > MAX_LOG_BYTES) writeFileSync(path, line, { mode: 0o600 });
      else appendFileSync(path, line, { mode: 0o600 });
    } catch {
      // Nobody is there to be told.
    }
  }

  return {
    say,
    report(report) {
      const { sent, duplicates, pending, rejected, remaining, stoppedBy } = report;
      const words = `sent=${sent} duplicates=${duplicates} pending=${pending} rejected=${rejected.length} remaining=${remaining} stopped=${stoppedBy}`;
      if (words === lastReport && report.batches === 0) return;
      lastReport = words;
      say(words);
    },
    link({ state, reason }) {
      const words = `link=${state} reason=${reason}`;
      if (words === lastLink) return;
      lastLink = words;
      say(words);
    },
    logger: {
      warn(code) {
        say(`warning=${code}`);
      },
      debug() {},
    },
  };
}
