/**
 * The eight Spec Kitty events (CONTRACT §2, FR-008 … FR-015). Keys are snake_case and stand in the order
 * they are written. Where the original's schema and its code disagreed, the stricter reading is written.
 */
import * as v from 'valibot';

import { defineEvent } from './event-map.ts';

/** The four lanes a work package can be in. */
export const LANES = ['planned', 'doing', 'for_review', 'done'] as const;
export type Lane = (typeof LANES)[number];

/** Work package ids have exactly two digits: `WP01` … `WP99`. */
export const WP_ID_PATTERN = /^WP\d{2}$/;

/** Feature slugs of the contract: three digits, a hyphen, then lower-case letters, digits and hyphens. */
export const FEATURE_SLUG_PATTERN = /^\d{3}-[a-z0-9-]+$/;

const wpId = v.pipe(v.string(), v.regex(WP_ID_PATTERN, 'must look like WP01'));
const nonEmpty = v.pipe(v.string(), v.minLength(1, 'must not be empty'));
const count = v.pipe(v.number(), v.safeInteger('must be a whole number'), v.minValue(0, 'must not be negative'));
const dateTime = v.pipe(v.string(), v.isoTimestamp('must be an ISO 8601 date-time'));
const lane = v.picklist(LANES);

export const wpStatusChangedSchema = v.strictObject({
  wp_id: wpId,
  previous_status: lane,
  new_status: lane,
  changed_by: nonEmpty,
  feature_slug: v.nullable(nonEmpty),
});

export const wpCreatedSchema = v.strictObject({
  wp_id: wpId,
  title: nonEmpty,
  dependencies: v.array(wpId),
  feature_slug: nonEmpty,
});

export const wpAssignedSchema = v.strictObject({
  wp_id: wpId,
  agent_id: nonEmpty,
  phase: v.picklist(['implementation', 'review']),
  retry_count: count,
});

export const featureCreatedSchema = v.strictObject({
  feature_slug: v.pipe(v.string(), v.regex(FEATURE_SLUG_PATTERN, 'must look like 001-some-name')),
  feature_number: v.pipe(v.string(), v.regex(/^\d{3}$/, 'must be three digits')),
  target_branch: nonEmpty,
  wp_count: count,
  created_at: v.optional(dateTime),
});

export const featureCompletedSchema = v.strictObject({
  feature_slug: nonEmpty,
  total_wps: count,
  completed_at: v.optional(dateTime),
  total_duration: v.optional(v.nullable(v.string())),
});

export const historyAddedSchema = v.strictObject({
  wp_id: wpId,
  entry_type: v.picklist(['note', 'review', 'error', 'comment']),
  entry_content: nonEmpty,
  author: nonEmpty,
});

export const errorLoggedSchema = v.strictObject({
  error_type: v.picklist(['validation', 'runtime', 'network', 'auth', 'unknown']),
  error_message: nonEmpty,
  wp_id: v.optional(v.nullable(nonEmpty)),
  stack_trace: v.optional(v.nullable(v.string())),
  agent_id: v.optional(v.nullable(v.string())),
});

export const dependencyResolvedSchema = v.strictObject({
  wp_id: wpId,
  dependency_wp_id: wpId,
  resolution_type: v.picklist(['completed', 'skipped', 'merged']),
});

/** The event map of Spec Kitty: the default of everything in this library. */
export const specKittyEvents = {
  WPStatusChanged: defineEvent({
    payload: wpStatusChangedSchema,
    aggregateType: 'WorkPackage',
    aggregateId: (p) => p.wp_id,
  }),
  WPCreated: defineEvent({ payload: wpCreatedSchema, aggregateType: 'WorkPackage', aggregateId: (p) => p.wp_id }),
  WPAssigned: defineEvent({ payload: wpAssignedSchema, aggregateType: 'WorkPackage', aggregateId: (p) => p.wp_id }),
  FeatureCreated: defineEvent({
    payload: featureCreatedSchema,
    aggregateType: 'Feature',
    aggregateId: (p) => p.feature_slug,
  }),
  FeatureCompleted: defineEvent({
    payload: featureCompletedSchema,
    aggregateType: 'Feature',
    aggregateId: (p) => p.feature_slug,
  }),
  HistoryAdded: defineEvent({ payload: historyAddedSchema, aggregateType: 'WorkPackage', aggregateId: (p) => p.wp_id }),
  // CONTRACT §2: without a work package the aggregate is the literal Feature `error`.
  ErrorLogged: defineEvent({
    payload: errorLoggedSchema,
    aggregateType: (p) => (typeof p.wp_id === 'string' ? 'WorkPackage' : 'Feature'),
    aggregateId: (p) => p.wp_id ?? 'error',
  }),
  DependencyResolved: defineEvent({
    payload: dependencyResolvedSchema,
    aggregateType: 'WorkPackage',
    aggregateId: (p) => p.wp_id,
  }),
} as const;

export type SpecKittyEvents = typeof specKittyEvents;
