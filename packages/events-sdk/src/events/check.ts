/**
 * Checks a draft before it costs a clock number, and says what is wrong without saying the value:
 * payloads may hold what must not reach a log (SEC-2).
 */
import * as v from 'valibot';

import type { Draft, EventDefinition, EventMap, EventType } from '../contract/event-map.ts';
import { describeIssues } from '../contract/issues.ts';

export type DraftCheck =
  | { readonly ok: true; readonly definition: EventDefinition; readonly payload: object }
  | { readonly ok: false; readonly message: string };

/** Looks the draft's type up in the map and its payload against the schema. */
export function checkDraft<M extends EventMap>(map: M, draft: Draft<M, EventType<M>>): DraftCheck {
  const definition = Object.hasOwn(map, draft.type) ? map[draft.type] : undefined;
  if (definition === undefined) return { ok: false, message: `unknown event type ${JSON.stringify(draft.type)}` };
  const result = v.safeParse(definition.payload, draft.payload, { abortPipeEarly: true });
  if (!result.success) return { ok: false, message: describeIssues(result.issues) };
  return { ok: true, definition, payload: result.output };
}
