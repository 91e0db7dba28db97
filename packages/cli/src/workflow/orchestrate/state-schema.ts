/** The shape of the state file. Loaded only when one is read: most commands never see it. */
import * as v from 'valibot';

import { isFeatureSlug, isWpId } from '../rules/names.ts';
import type { RunState } from './run-state.ts';

const text = v.string();
const textOrNull = v.nullable(v.string());
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const time = v.pipe(
  v.string(),
  v.check((word) => !Number.isNaN(Date.parse(word)), 'no time'),
);
const timeOrNull = v.nullable(time);

// These become paths and arguments of git.
const wpId = v.pipe(text, v.check(isWpId));

// Keys we do not know are kept: a later version, or a person, may have put them there.
const wpSchema = v.looseObject({
  wp_id: wpId,
  status: v.picklist(['pending', 'implementation', 'review', 'rework', 'completed', 'failed', 'skipped']),
  implementation_agent: textOrNull,
  review_agent: textOrNull,
  implementation_started: timeOrNull,
  implementation_completed: timeOrNull,
  review_started: timeOrNull,
  review_completed: timeOrNull,
  assignments: v.looseObject({ implementation: count, review: count }),
  attempts: count,
  no_verdicts: count,
  review_cycles: count,
  review_feedback: textOrNull,
  tried: v.looseObject({ implementation: v.array(text), review: v.array(text) }),
  last_error: v.nullable(
    v.looseObject({
      class: v.picklist([
        'timeout',
        'auth',
        'rate',
        'network',
        'missing',
        'killed',
        'general',
        'no-verdict',
        'transition',
        'review-cycles',
        'restarts',
        'no-agent',
      ]),
      message: text,
    }),
  ),
  log_file: textOrNull,
  worktree_path: textOrNull,
  created_by_run: v.boolean(),
  child: v.nullable(v.looseObject({ pid: count, started_at: textOrNull })),
  restarts: count,
  waiting_since: timeOrNull,
  not_before: timeOrNull,
});

const stateSchema = v.looseObject({
  version: v.literal(1),
  run_id: text,
  feature_slug: v.pipe(text, v.check(isFeatureSlug)),
  started_at: time,
  completed_at: timeOrNull,
  status: v.picklist(['pending', 'running', 'paused', 'completed', 'failed']),
  pause_reason: v.nullable(
    v.looseObject({
      kind: v.picklist(['package-failed', 'blocked', 'interrupted', 'owner-died']),
      wp_id: textOrNull,
      message: text,
    }),
  ),
  pid: count,
  host: text,
  process_started_at: textOrNull,
  heartbeat_at: time,
  completed_event_sent: v.boolean(),
  work_packages: v.record(wpId, wpSchema),
});

/** The state, or where it first differs from one, e.g. `work_packages.WP01.status`. */
export function checkState(
  value: unknown,
): { readonly kind: 'ok'; readonly state: RunState } | { readonly kind: 'wrong'; readonly where: string } {
  const result = v.safeParse(stateSchema, value);
  if (!result.success) return { kind: 'wrong', where: v.getDotPath(result.issues[0]) ?? 'the whole file' };
  const state: RunState = result.output;
  const stray = Object.entries(state.work_packages).find(([id, wp]) => id !== wp.wp_id);
  return stray === undefined ? { kind: 'ok', state } : { kind: 'wrong', where: `work_packages.${stray[0]}.wp_id` };
}
