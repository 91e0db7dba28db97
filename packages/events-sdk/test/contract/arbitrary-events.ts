/** Random events of the contract for property tests, written from the contract's text, not from our schemas. */
import fc from 'fast-check';

import type { JsonObject } from './validators.ts';

const CROCKFORD = [...'0123456789ABCDEFGHJKMNPQRSTVWXYZ'];
const text = fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' });
const maybeText = fc.option(text);
const ulid = fc
  .array(fc.constantFrom(...CROCKFORD), { minLength: 26, maxLength: 26 })
  .map((letters) => letters.join(''));
const digits = (length: number): fc.Arbitrary<string> =>
  fc.nat({ max: 10 ** length - 1 }).map((number) => String(number).padStart(length, '0'));
const wpId = digits(2).map((number) => `WP${number}`);
const dateTime = fc
  .date({ min: new Date('1970-01-01T00:00:00Z'), max: new Date('2099-12-31T23:59:59Z'), noInvalidDate: true })
  .map((date) => date.toISOString());
const count = fc.nat();
const lane = fc.constantFrom('planned', 'doing', 'for_review', 'done');

/** Event type → its payloads; optional keys are sometimes absent. */
export const payloads: Readonly<Record<string, fc.Arbitrary<JsonObject>>> = {
  WPStatusChanged: fc.record({
    wp_id: wpId,
    previous_status: lane,
    new_status: lane,
    changed_by: text,
    feature_slug: maybeText,
  }),
  WPCreated: fc.record({
    wp_id: wpId,
    title: text,
    dependencies: fc.array(wpId, { maxLength: 4 }),
    feature_slug: text,
  }),
  WPAssigned: fc.record({
    wp_id: wpId,
    agent_id: text,
    phase: fc.constantFrom('implementation', 'review'),
    retry_count: count,
  }),
  FeatureCreated: fc.record(
    {
      feature_slug: fc.tuple(digits(3), fc.stringMatching(/^[a-z0-9-]{1,12}$/)).map((parts) => parts.join('-')),
      feature_number: digits(3),
      target_branch: text,
      wp_count: count,
      created_at: dateTime,
    },
    { requiredKeys: ['feature_slug', 'feature_number', 'target_branch', 'wp_count'] },
  ),
  FeatureCompleted: fc.record(
    { feature_slug: text, total_wps: count, completed_at: dateTime, total_duration: maybeText },
    { requiredKeys: ['feature_slug', 'total_wps'] },
  ),
  HistoryAdded: fc.record({
    wp_id: wpId,
    entry_type: fc.constantFrom('note', 'review', 'error', 'comment'),
    entry_content: text,
    author: text,
  }),
  ErrorLogged: fc.record(
    {
      error_type: fc.constantFrom('validation', 'runtime', 'network', 'auth', 'unknown'),
      error_message: text,
      wp_id: maybeText,
      stack_trace: maybeText,
      agent_id: maybeText,
    },
    { requiredKeys: ['error_type', 'error_message'] },
  ),
  DependencyResolved: fc.record({
    wp_id: wpId,
    dependency_wp_id: wpId,
    resolution_type: fc.constantFrom('completed', 'skipped', 'merged'),
  }),
};

/** A whole event of one type, as it would leave. */
export function eventOf(type: string): fc.Arbitrary<JsonObject> {
  return (payloads[type] ?? fc.constant<JsonObject>({})).chain((payload) =>
    fc.record({
      event_id: ulid,
      event_type: fc.constant(type),
      aggregate_id: text,
      aggregate_type: fc.constant(type.startsWith('Feature') ? 'Feature' : 'WorkPackage'),
      payload: fc.constant(payload),
      node_id: text,
      lamport_clock: fc.integer({ min: 1 }),
      causation_id: fc.option(ulid),
      timestamp: dateTime,
      team_slug: text,
      project_uuid: fc.uuid(),
      project_slug: maybeText,
      git_branch: maybeText,
      head_commit_sha: fc.option(fc.stringMatching(/^[0-9a-f]{40}$/)),
      repo_slug: maybeText,
    }),
  );
}

/** Any event of the contract. */
export const anyContractEvent = fc.constantFrom(...Object.keys(payloads)).chain(eventOf);

/** What a field may be damaged with: every JSON type, and values near the rules' edges. */
export const damage = fc.constantFrom<unknown>(
  undefined,
  null,
  '',
  'x',
  'WP1',
  'WP100',
  'WP01\n',
  'blocked',
  0,
  -1,
  1.5,
  true,
  [],
  ['x'],
  {},
  { x: 1 },
);
