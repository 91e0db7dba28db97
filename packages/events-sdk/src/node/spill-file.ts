/** The text of one spill: JSON with a version, and the events of one emission as the port has them. Pure. */
import * as v from 'valibot';

import { isEventsSdkError } from '../errors.ts';
import { addClock } from '../events/stamp.ts';
import type { SpilledEvent } from '../storage/spill.ts';

/** Written into every file; a file of another version is left to whoever wrote it. */
const SPILL_VERSION = 1;

/** The text to keep. */
export function spillToText(events: readonly SpilledEvent[]): string {
  return JSON.stringify({ version: SPILL_VERSION, events });
}

const textOrNull = v.nullable(v.string());

const fileSchema = v.object({
  version: v.literal(SPILL_VERSION),
  events: v.array(
    v.object({
      // Its shape is the stamp's to check.
      envelope: v.record(v.string(), v.unknown()),
      state: v.picklist(['queued', 'held']),
      reason: textOrNull,
      server: textOrNull,
      projectRoot: textOrNull,
      enqueuedAt: v.pipe(v.number(), v.safeInteger()),
      projectTeam: textOrNull,
    }),
  ),
});

/** What a spill's text turned out to be: events, something of a later version, or nothing we wrote. */
export type SpillContent =
  | { readonly kind: 'events'; readonly events: readonly SpilledEvent[] }
  | { readonly kind: 'foreign' }
  | { readonly kind: 'broken' };

/** Reads a spill's text; every envelope in it is whole but for clock and node. Never throws. */
export function textToSpill(text: string): SpillContent {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    return { kind: 'broken' };
  }
  const version = typeof content === 'object' && content !== null && 'version' in content ? content.version : undefined;
  if (typeof version === 'number' && version > SPILL_VERSION) return { kind: 'foreign' };
  const checked = v.safeParse(fileSchema, content);
  if (!checked.success) return { kind: 'broken' };
  // The envelope is checked right below.
  const events = checked.output.events as unknown as readonly SpilledEvent[];
  try {
    for (const { envelope } of events) addClock(envelope, { nodeId: 'unknown', lamportClock: 1 });
  } catch (error) {
    if (!isEventsSdkError(error)) throw error;
    return { kind: 'broken' };
  }
  return { kind: 'events', events };
}
