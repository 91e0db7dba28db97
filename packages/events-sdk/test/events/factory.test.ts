import * as v from 'valibot';
import { describe, expect, test } from 'vitest';

import { createLamportClock } from '../../src/clock/lamport.ts';
import { ULID_PATTERN } from '../../src/contract/envelope.ts';
import { defineEvent } from '../../src/contract/event-map.ts';
import { createEnvelopeFactory, createEventFactory } from '../../src/events/factory.ts';
import { createUlidFactory } from '../../src/id/ulid.ts';
import { createMemoryStore } from '../../src/storage/memory.ts';
import { createTestTime } from '../../src/testing/test-time.ts';

function setup() {
  const store = createMemoryStore();
  const time = createTestTime();
  const deps = {
    clock: createLamportClock({ store }),
    newUlid: createUlidFactory({ time }),
    time,
    facts: () => ({
      nodeId: '9417b43226d4',
      teamSlug: 'acme',
      projectUuid: '3f1c9a52-7f0e-4c55-9d0b-2a6c1b7e4d10',
      projectSlug: 'demo-repo',
      gitBranch: 'main',
      headCommitSha: null,
      repoSlug: 'acme/demo-repo',
    }),
  };
  return { store, deps, factory: createEventFactory(deps) };
}

describe('the event factory', () => {
  test('returns the whole envelope, its 15 keys in the order of the contract (FR-001, FR-003, TECH-1)', async () => {
    const { factory } = setup();

    const envelope = await factory.wpStatusChanged({
      wpId: 'WP03',
      previousStatus: 'planned',
      newStatus: 'doing',
      changedBy: 'zoë',
    });

    expect(Object.keys(envelope)).toEqual([
      'event_id',
      'event_type',
      'aggregate_id',
      'aggregate_type',
      'payload',
      'node_id',
      'lamport_clock',
      'causation_id',
      'timestamp',
      'team_slug',
      'project_uuid',
      'project_slug',
      'git_branch',
      'head_commit_sha',
      'repo_slug',
    ]);
    expect(envelope).toMatchObject({
      event_type: 'WPStatusChanged',
      aggregate_id: 'WP03',
      aggregate_type: 'WorkPackage',
      lamport_clock: 1,
    });
  });

  test('gives every event its own time-sortable ULID (FR-004)', async () => {
    const { factory } = setup();
    const ids = [];

    for (let n = 0; n < 50; n += 1)
      ids.push((await factory.historyAdded({ wpId: 'WP01', entryType: 'note', entryContent: 'x' })).event_id);

    expect(ids.every((id) => ULID_PATTERN.test(id))).toBe(true);
    expect(new Set(ids).size).toBe(50);
    expect(ids.toSorted()).toEqual(ids);
  });

  test('ticks once an event, and not at all for one it refuses (FR-006)', async () => {
    const { factory, store } = setup();
    await factory.wpAssigned({ wpId: 'WP01', agentId: 'claude', phase: 'review' });

    await expect(factory.wpAssigned({ wpId: 'WP1', agentId: 'claude', phase: 'review' })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: 'WPAssigned: wp_id: must look like WP01',
    });

    expect(await store.read((reader) => reader.clock())).toBe(1);
  });

  test.each([
    [
      'wpStatusChanged',
      { wpId: 'WP01', previousStatus: 'planned', newStatus: 'doing' },
      { wp_id: 'WP01', previous_status: 'planned', new_status: 'doing', changed_by: 'user', feature_slug: null },
      'WorkPackage',
      'WP01',
    ],
    [
      'wpCreated',
      { wpId: 'WP02', title: 'Two', featureSlug: '001-a', dependencies: ['WP01'] },
      { wp_id: 'WP02', title: 'Two', dependencies: ['WP01'], feature_slug: '001-a' },
      'WorkPackage',
      'WP02',
    ],
    [
      'wpAssigned',
      { wpId: 'WP01', agentId: 'claude', phase: 'implementation' },
      { wp_id: 'WP01', agent_id: 'claude', phase: 'implementation', retry_count: 0 },
      'WorkPackage',
      'WP01',
    ],
    [
      'featureCreated',
      { featureSlug: '001-a', featureNumber: '001', targetBranch: 'main', wpCount: 7 },
      { feature_slug: '001-a', feature_number: '001', target_branch: 'main', wp_count: 7 },
      'Feature',
      '001-a',
    ],
    [
      'featureCompleted',
      { featureSlug: '001-a', totalWps: 7, completedAt: '2026-02-07T18:04:05Z', totalDuration: '8.0s' },
      { feature_slug: '001-a', total_wps: 7, completed_at: '2026-02-07T18:04:05Z', total_duration: '8.0s' },
      'Feature',
      '001-a',
    ],
    [
      'historyAdded',
      { wpId: 'WP01', entryType: 'note', entryContent: 'x' },
      { wp_id: 'WP01', entry_type: 'note', entry_content: 'x', author: 'user' },
      'WorkPackage',
      'WP01',
    ],
    [
      'errorLogged',
      { errorType: 'runtime', errorMessage: 'x', wpId: 'WP01', agentId: 'claude' },
      { error_type: 'runtime', error_message: 'x', wp_id: 'WP01', agent_id: 'claude' },
      'WorkPackage',
      'WP01',
    ],
    [
      'errorLogged',
      { errorType: 'runtime', errorMessage: 'x' },
      { error_type: 'runtime', error_message: 'x' },
      'Feature',
      'error',
    ],
    [
      'dependencyResolved',
      { wpId: 'WP02', dependencyWpId: 'WP01', resolutionType: 'merged' },
      { wp_id: 'WP02', dependency_wp_id: 'WP01', resolution_type: 'merged' },
      'WorkPackage',
      'WP02',
    ],
  ] as const)(
    '%s(%o) carries its fields and its aggregate (FR-001, FR-002, FR-008, FR-009, FR-010, FR-011, FR-012, FR-013, FR-014, FR-015)',
    async (method, input, payload, aggregateType, aggregateId) => {
      const { factory } = setup();

      // Method and input stand in one row of the table.
      const envelope = await factory[method](input as never);

      expect(envelope.payload).toEqual(payload);
      expect(Object.keys(envelope.payload)).toEqual(Object.keys(payload));
      expect(envelope).toMatchObject({ aggregate_type: aggregateType, aggregate_id: aggregateId });
    },
  );
});

describe('an event map of one’s own', () => {
  const jobs = {
    JobFinished: defineEvent({
      payload: v.strictObject({ job: v.string(), seconds: v.pipe(v.number(), v.minValue(0)) }),
      aggregateType: 'Job',
      aggregateId: (payload) => payload.job,
    }),
  };

  test('is checked and stamped like the built-in one', async () => {
    const create = createEnvelopeFactory({ ...setup().deps, events: jobs });

    const envelope = await create({ type: 'JobFinished', payload: { job: 'backup', seconds: 3 } });

    expect(envelope).toMatchObject({ event_type: 'JobFinished', aggregate_type: 'Job', aggregate_id: 'backup' });
  });

  test("never repeats a value, even where the schema library's own text would (SEC-2)", async () => {
    const create = createEnvelopeFactory({ ...setup().deps, events: jobs });

    await expect(create({ type: 'JobFinished', payload: { job: 'backup', seconds: -4242 } })).rejects.toThrow(
      'seconds: is not a valid min_value',
    );
  });
});
