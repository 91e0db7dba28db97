/** A watch's entries as lines for people and for programs. Pure. */
import { describeLinkReason } from '@spec-kitty/events-sdk';

import type { WatchEntry } from '../watch.ts';
import { CONNECTION_LABELS } from './indicator.ts';
import { renderSyncReport, syncReportDocument } from './sync-report.ts';
import { duration, events, iso } from './words.ts';

/** The entry in one line, with the local time of day in front. */
export function watchLine(entry: WatchEntry, now: number): string {
  return `${new Date(now).toTimeString().slice(0, 8)} ${words(entry, now)}`;
}

/** The entry as a document. */
export function watchDocument(entry: WatchEntry, now: number): Record<string, unknown> {
  const { kind } = entry;
  const head = { time: iso(now), kind };
  switch (kind) {
    case 'taking-over':
      return { ...head, role: entry.role, pid: entry.pid };
    case 'started':
      return head;
    case 'link':
      return {
        ...head,
        state: entry.state,
        label: CONNECTION_LABELS[entry.state],
        reason: entry.reason,
        evidence: describeLinkReason(entry.reason) ?? null,
      };
    case 'delivery':
      return { ...head, ...syncReportDocument(entry.report) };
    case 'waiting':
      return { ...head, queued: entry.queued, until: iso(entry.until) };
    case 'needs-sign-in':
      return { ...head, queued: entry.queued };
    case 'ended':
      return { ...head, delivered: entry.delivered, pending: entry.pending, rejected: entry.rejected };
    default:
      return kind satisfies never;
  }
}

function words(entry: WatchEntry, now: number): string {
  switch (entry.kind) {
    case 'taking-over':
      return `The ${entry.role} (process ${entry.pid}) is asked to make room.`;
    case 'started':
      return 'Delivering for this home. Ctrl-C ends it.';
    case 'link':
      return `${CONNECTION_LABELS[entry.state]} ${describeLinkReason(entry.reason) ?? entry.reason}`;
    case 'delivery':
      return renderSyncReport(entry.report, null).trimEnd().replaceAll(/\n\s*/g, ' ');
    case 'waiting':
      return `${events(entry.queued)} waiting; next try in ${duration(entry.until - now)}`;
    case 'needs-sign-in':
      return `${events(entry.queued)} waiting for a sign-in: spec-kitty auth login`;
    case 'ended':
      return `Ended: ${events(entry.delivered)} delivered, ${entry.rejected} refused, ${entry.pending} still to send.`;
    default:
      return entry satisfies never;
  }
}
