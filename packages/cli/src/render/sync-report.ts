/** What one sync did, as text, document and exit code. Pure. */
import type { SyncReport, SyncStop } from '@spec-kitty/events-sdk';

import { signIn } from './indicator.ts';
import { amount, duration, events } from './words.ts';

/** Why a sync ended, and what a person can do; null where there is nothing to explain. */
const STOPS: Readonly<Record<SyncStop, readonly [why: string, remedy: string] | null>> = {
  drained: null,
  'logged-out': ['Not signed in.', 'Run: spec-kitty auth login'],
  unauthorized: ['The server no longer accepts this sign-in.', 'Run: spec-kitty auth login --force'],
  forbidden: ['The server refuses this account (403).', 'Ask the team who owns it for access.'],
  'no-team': ['The account has no team, so nothing may leave.', 'Ask to be added to one, then sign in again.'],
  unreachable: ['The server could not be reached.', 'The events are kept; try again later.'],
  throttled: ['The server asks to slow down.', 'The events are kept; try again later.'],
  'server-error': ['The server failed.', 'The events are kept; try again later.'],
  protocol: ['The server answered with something unexpected.', 'Check the address: spec-kitty sync server'],
  refused: ['The server refused a whole batch.', 'See: spec-kitty sync rejected list'],
  'no-progress': ['The server decided nothing about the events it was given.', 'They are kept; try again later.'],
  busy: ['Another process is delivering right now.', 'See: spec-kitty sync status'],
  aborted: ['Stopped before everything was sent.', 'The rest is kept.'],
  storage: ['The queue could not be used.', 'See: spec-kitty sync status'],
};

/** Stops that are the server's or the store's no. */
const FAILED: ReadonlySet<SyncStop> = new Set(['forbidden', 'refused', 'protocol', 'storage']);
const SIGN_IN_NEEDED: ReadonlySet<SyncStop> = new Set(['logged-out', 'unauthorized']);

/** 0 delivered or nothing to do · 1 rejected or failed · 3 not delivered yet · 4 signed out. */
export function syncExitCode(report: SyncReport): 0 | 1 | 3 | 4 {
  if (SIGN_IN_NEEDED.has(report.stoppedBy)) return 4;
  if (report.rejected.length > 0 || FAILED.has(report.stoppedBy)) return 1;
  return report.stoppedBy === 'drained' && report.remaining === 0 && report.pending === 0 ? 0 : 3;
}

/** The report, verdict by verdict, each refused event with the server's reason. */
export function renderSyncReport(report: SyncReport, server: string | null): string {
  const lines: string[] = [];
  const counts = [
    ['sent', report.sent],
    ['already known', report.duplicates],
    ['pending', report.pending],
    ['rejected', report.rejected.length],
  ] as const;
  const said = counts.filter(([, count]) => count > 0).map(([word, count]) => `${amount(count)} ${word}`);
  if (said.length > 0)
    lines.push(
      `${said.join(', ')} in ${report.batches} ${report.batches === 1 ? 'batch' : 'batches'} (${duration(report.durationMs)}).`,
    );
  else if (report.stoppedBy === 'drained') lines.push('Nothing to send.');

  if (report.restamped > 0)
    lines.push(`The server's clock was ahead: ${events(report.restamped)} got a new place in the order.`);
  for (const [reason, count] of reasons(report)) lines.push(`  rejected: ${events(count)}: ${reason}`);
  const stop = STOPS[report.stoppedBy];
  // The engine's own sentence knows more than ours; what to do follows either.
  if (stop !== null)
    lines.push(
      `${report.message ?? stop[0]} ${report.stoppedBy === 'logged-out' ? `Run: ${signIn(server)}` : stop[1]}`,
    );
  if (report.retryAfterMs !== undefined) lines.push(`The server asks to wait ${duration(report.retryAfterMs)}.`);
  if (report.remaining > 0) lines.push(`${events(report.remaining)} still to send.`);
  if (report.held > 0) lines.push(`${events(report.held)} held back: see spec-kitty sync status`);
  if (report.parked > 0)
    lines.push(`${events(report.parked)} set aside after refusals: see spec-kitty sync rejected list`);
  return lines.join('\n');
}

/** The same as a document. */
export function syncReportDocument(report: SyncReport): Record<string, unknown> {
  return {
    sent: report.sent,
    duplicates: report.duplicates,
    pending: report.pending,
    rejected: report.rejected.map((event) => ({
      event_id: event.eventId,
      event_type: event.eventType,
      reason: event.reason,
      retry_count: event.retryCount,
      parked: event.parked,
    })),
    restamped: report.restamped,
    batches: report.batches,
    remaining: report.remaining,
    held: report.held,
    parked: report.parked,
    stopped_by: report.stoppedBy,
    message: report.message ?? null,
    retry_after_ms: report.retryAfterMs ?? null,
    duration_ms: report.durationMs,
  };
}

/**
 * The report a person keeps or passes on (`sync now --report FILE`): CONTRACT §9.4's shape, with everything the
 * document says beside it.
 */
export function syncReportFile(report: SyncReport, generatedAt: number): Record<string, unknown> {
  const failures = report.rejected.map(({ eventId, reason }) => ({
    event_id: eventId,
    error: reason,
    category: categoryOf(reason),
  }));
  const categories: Record<string, number> = {};
  for (const { category } of failures) categories[category] = (categories[category] ?? 0) + 1;
  return {
    generated_at: new Date(generatedAt).toISOString(),
    summary: {
      total_events: report.sent + report.duplicates + report.pending + failures.length,
      synced: report.sent,
      duplicates: report.duplicates,
      pending: report.pending,
      failed: failures.length,
      categories,
    },
    failures,
    ...syncReportDocument(report),
  };
}

/** What a refusal is about, as far as its words tell; the words themselves stand beside it. */
function categoryOf(reason: string): string {
  if (/too large|oversized/i.test(reason)) return 'oversized_event';
  if (/lamport|clock/i.test(reason)) return 'clock';
  if (/invalid|schema|field|missing|type/i.test(reason)) return 'schema_mismatch';
  return 'unknown';
}

/** Refused events counted by reason, most frequent first. */
function reasons(report: SyncReport): readonly (readonly [string, number])[] {
  const byReason = new Map<string, number>();
  for (const { reason } of report.rejected) byReason.set(reason, (byReason.get(reason) ?? 0) + 1);
  return [...byReason].toSorted(([, a], [, b]) => b - a);
}
