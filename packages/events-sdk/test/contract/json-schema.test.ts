/** The JSON Schema export works for any event map, and refuses what it cannot express. */
import * as v from 'valibot';
import { expect, test } from 'vitest';

import { defineEvent, toJsonSchema } from '../../src/contract/index.ts';
import { isEventsSdkError } from '../../src/errors.ts';
import type { PayloadSchema } from '../../src/contract/index.ts';
import { compile } from './validators.ts';

const mapOf = (payload: PayloadSchema) => ({
  Paid: defineEvent({ payload, aggregateType: 'Invoice', aggregateId: () => 'one' }),
});

const envelope = {
  event_id: '01KGVZ3Q8M5T2N7RJ4W6XA9BCD',
  event_type: 'Paid',
  aggregate_id: 'one',
  aggregate_type: 'Invoice',
  node_id: '9417b43226d4',
  lamport_clock: 7,
  causation_id: null,
  timestamp: '2026-02-07T18:04:05.120Z',
  team_slug: 'acme',
  project_uuid: '3f1c9a52-7f0e-4c55-9d0b-2a6c1b7e4d10',
  project_slug: null,
  git_branch: null,
  head_commit_sha: null,
  repo_slug: null,
};

test('an own event map gets a schema that judges its payloads', () => {
  const payload = v.strictObject({
    cents: v.pipe(v.number(), v.minValue(1), v.safeInteger(), v.maxValue(1000)),
    tags: v.pipe(v.array(v.string()), v.minLength(1)),
    note: v.optional(v.union([v.string(), v.literal(0)])),
  });

  const isValid = compile(toJsonSchema(mapOf(payload)));

  expect(isValid({ ...envelope, payload: { cents: 5, tags: ['a'], note: 0 } })).toBe(true);
  expect(isValid({ ...envelope, payload: { cents: 5, tags: ['a'] } })).toBe(true);
  for (const wrong of [
    { cents: 0 },
    { cents: 1001 },
    { cents: 1.5 },
    { tags: [] },
    { tags: [1] },
    { note: 1 },
    { more: 1 },
  ]) {
    expect(isValid({ ...envelope, payload: { cents: 5, tags: ['a'], ...wrong } }), JSON.stringify(wrong)).toBe(false);
  }
  expect(isValid({ ...envelope, aggregate_type: 'Order', payload: { cents: 5, tags: ['a'] } })).toBe(false);
});

test('a payload rule without a JSON Schema equal is an error that names the field', () => {
  const cases: readonly [PayloadSchema, string][] = [
    [v.object({ when: v.date() }), 'Paid.when'],
    [
      v.object({
        name: v.pipe(
          v.string(),
          v.check((name) => name !== 'x'),
        ),
      }),
      'Paid.name',
    ],
    [v.object({ name: v.pipe(v.string(), v.regex(/^a$/i)) }), 'Paid.name'],
    [v.object({ name: v.pipe(v.string(), v.regex(/^a/), v.regex(/b$/)) }), 'Paid.name'],
  ];
  for (const [payload, where] of cases) {
    let error: unknown;
    try {
      toJsonSchema(mapOf(payload));
    } catch (thrown) {
      error = thrown;
    }

    expect(isEventsSdkError(error, 'INVALID_ARGUMENT'), where).toBe(true);
    expect(String(error)).toContain(where);
  }
});
