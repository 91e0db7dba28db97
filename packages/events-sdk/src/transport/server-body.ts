/** Reading the bodies of a sync server that are not verdicts: error words, details, limits. Never throws. */
import type { AdvertisedLimits, EventVerdict } from '../contract/batch.ts';
import { MAX_VERDICTS_READ } from '../internal/verdict-limit.ts';
import { cleanServerText } from './server-text.ts';

type Fields = Readonly<Record<string, unknown>>;

/** The body as JSON; undefined when it is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The fields of a JSON object; none for anything else. */
export function fieldsOf(value: unknown): Fields {
  // Narrowed to an object; its values stay unknown and are checked one by one.
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

/** The first of `names` that holds words, made safe to show. */
export function wordsOf(fields: Fields, names: readonly string[]): string | undefined {
  for (const name of names) {
    const value = fields[name];
    const words = typeof value === 'string' ? cleanServerText(value) : '';
    if (words !== '') return words;
  }
  return undefined;
}

/** True for a body a browser would show: the sign of a proxy, a sign-in portal or a wrong address. */
export function isWebPage(contentType: string | null, text: string): boolean {
  return (
    /^\s*(text\/html|application\/xhtml)/i.test(contentType ?? '') || /^\s*<(!doctype|html|head|body)\b/i.test(text)
  );
}

/**
 * The events a whole-batch refusal names (CONTRACT §9.3): `details` as a list, or as a string holding a JSON list.
 * Plain text names nobody: an id that happens to occur in a sentence is no verdict.
 */
export function readDetails(body: unknown): readonly EventVerdict[] {
  const fields = fieldsOf(body);
  const details = typeof fields['details'] === 'string' ? parseJson(fields['details']) : fields['details'];
  if (!Array.isArray(details)) return [];
  const outer = wordsOf(fields, ['error']);
  const reasons = new Map<string, Set<string>>();
  for (const entry of details.slice(0, MAX_VERDICTS_READ)) {
    const named = fieldsOf(entry);
    const eventId = named['event_id'];
    if (typeof eventId !== 'string' || eventId === '') continue;
    const reason = wordsOf(named, ['detail', 'error', 'reason']) ?? outer ?? 'refused without a reason';
    const known = reasons.get(eventId);
    if (known === undefined) reasons.set(eventId, new Set([reason]));
    else known.add(reason);
  }
  return [...reasons].map(([eventId, all]) => ({
    eventId,
    verdict: 'rejected',
    reason: cleanServerText([...all].join('; ')),
  }));
}

/** Limits in a refusal's `limits` or a health body's `sync_ingress.limits`; undefined when none is usable. */
export function readLimits(body: unknown): AdvertisedLimits | undefined {
  const fields = fieldsOf(body);
  const limits = fieldsOf(fields['limits'] ?? fieldsOf(fields['sync_ingress'])['limits']);
  const maxEvents = positiveInteger(limits['max_events_per_batch']);
  const maxBytes = positiveInteger(limits['max_decompressed_bytes_per_batch']);
  if (maxEvents === undefined && maxBytes === undefined) return undefined;
  return { ...(maxEvents === undefined ? {} : { maxEvents }), ...(maxBytes === undefined ? {} : { maxBytes }) };
}

function positiveInteger(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : undefined;
}
