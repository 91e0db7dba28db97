/** Commands that emit, as a person runs them: real git, real home, real server or none. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { describe, expect, test } from 'vitest';

import { ADA, DRIVERS, makeWorld, startServer } from './world.ts';

describe.each(DRIVERS)('with the %s store', (driver) => {
  test('implement, signed in, leaves one WPStatusChanged planned → doing (US1-1, SC-001, SC-006, SC-010, FR-016, FR-028, FR-005)', async () => {
    const world = makeWorld({ driver });
    const server = await startServer();
    await world.makeProject();
    await world.makeFeature(['First']);
    await world.login(server);

    const ended = await world.must(['implement', 'WP01', '--agent', 'claude']);

    const events = world.queued();
    expect(events).toMatchObject([
      {
        event_type: 'WPStatusChanged',
        aggregate_id: 'WP01',
        aggregate_type: 'WorkPackage',
        payload: {
          wp_id: 'WP01',
          previous_status: 'planned',
          new_status: 'doing',
          changed_by: 'claude',
          feature_slug: '001-demo',
        },
        lamport_clock: 1,
        team_slug: ADA.team,
        git_branch: 'main',
        head_commit_sha: world.git('rev-parse', 'HEAD').trim(),
      },
    ]);
    // The file as the original wrote it: anyone can see where the clock stands.
    expect(JSON.parse(world.homeFile('clock.json'))).toMatchObject({ value: 1, node_id: events[0]?.['node_id'] });
    expect(ended.stderr).toContain('[Offline] 1 event waiting');
  });

  test('implement without a network does its work, queues the event and says [Offline] (US1-2, TECH-3, FR-026)', async () => {
    const world = makeWorld({ driver });
    const server = await startServer();
    await world.makeProject();
    await world.makeFeature(['First']);
    await world.login(server);
    await server.close();

    const ended = await world.must(['implement', 'WP01']);

    expect(existsSync(join(world.repository, '.worktrees/001-demo-WP01/README.md'))).toBe(true);
    expect(ended.stderr).toContain('[Offline]');
    expect(world.queued()).toHaveLength(1);
  });

  test('commands one after the other carry one clock upwards (SC-009, FR-006)', async () => {
    const world = makeWorld({ driver });
    await world.makeProject();
    await world.makeFeature(['First', 'Second', 'Third']);

    for (const wp of ['WP01', 'WP02', 'WP03']) await world.must(['implement', wp]);

    expect(world.queued().map((event) => event['lamport_clock'])).toEqual([1, 2, 3]);
  });
});

test('an event that cannot be made leaves a warning, and the workspace stands (US1-4, SC-008, EC-2, FR-029, FR-030)', async () => {
  const world = makeWorld();
  await world.makeProject();
  await world.makeFeature(['First', 'Second']);
  await world.must(['implement', 'WP01']);
  // A damaged clock: the next value is not a whole number JSON can carry, so no event can conform to the schema.
  const db = new DatabaseSync(join(world.home, 'queue.db'));
  db.prepare("UPDATE meta SET value = '9007199254740991' WHERE key = 'clock'").run();
  db.close();

  const ended = await world.must(['implement', 'WP02']);

  expect(existsSync(join(world.repository, '.worktrees/001-demo-WP02'))).toBe(true);
  expect(ended.stderr).toContain('not recorded: lamport_clock');
  expect(world.queued()).toHaveLength(1);
});

test('seven packages make one FeatureCreated and seven WPCreated of one action, with dependencies (US4-1, US4-2, US4-3, US4-4, SC-004, FR-022)', async () => {
  const world = makeWorld();
  const server = await startServer();
  await world.makeProject();
  await world.makeFeature(['One', 'Two:WP01', 'Three:WP01,WP02', 'Four', 'Five', 'Six:WP05', 'Seven']);
  await world.login(server);

  await world.must(['agent', 'feature', 'finalize-tasks']);

  const events = world.queued();
  const meta = JSON.parse(readFileSync(join(world.repository, 'kitty-specs/001-demo/meta.json'), 'utf8')) as Record<
    string,
    unknown
  >;
  expect(events.map((event) => event['event_type'])).toEqual([
    'FeatureCreated',
    ...Array.from({ length: 7 }, () => 'WPCreated'),
  ]);
  expect(events[0]?.payload).toEqual({
    feature_slug: '001-demo',
    feature_number: '001',
    target_branch: 'main',
    wp_count: 7,
    created_at: meta['created_at'],
  });
  expect(events[3]?.payload).toEqual({
    wp_id: 'WP03',
    title: 'Three',
    dependencies: ['WP01', 'WP02'],
    feature_slug: '001-demo',
  });
  expect(new Set(events.map((event) => event['causation_id'])).size).toBe(1);
  expect(events[0]?.['causation_id']).toMatch(/^[0-9A-HJKMNP-TV-Z]{26}$/);

  await world.must(['agent', 'feature', 'finalize-tasks']);
  expect(world.queued(), 'a second run with nothing changed says nothing').toHaveLength(8);
});

test('logged out, events are held without a team and leave after the login (FR-025, FR-028b)', async () => {
  const world = makeWorld();
  const server = await startServer();
  await world.makeProject();
  await world.makeFeature(['First']);

  const ended = await world.must(['implement', 'WP01']);
  expect(ended.stderr).toContain('spec-kitty auth login');
  expect(world.queued()).toMatchObject([{ team_slug: null }]);

  await world.login(server);
  await world.must(['sync', 'now']);

  expect(server.events({}).map(({ envelope }) => envelope.team_slug)).toEqual([ADA.team]);
  expect(world.queued()).toEqual([]);
});

test('outside a project with an identity events are held, and leave once init has made one (FR-028c, FR-028d)', async () => {
  const world = makeWorld();
  const server = await startServer();
  await world.makeProject();
  await world.makeFeature(['First']);
  await world.login(server);
  const config = readFileSync(join(world.repository, '.kittify/config.yaml'), 'utf8');
  world.git('rm', '--quiet', '.kittify/config.yaml');
  world.git('commit', '--quiet', '--message', 'No identity');

  await world.must(['implement', 'WP01']);
  await world.specKitty(['sync', 'now']);
  expect(world.queued()).toMatchObject([{ project_uuid: null }]);
  expect(server.events({})).toEqual([]);

  world.git('revert', '--no-edit', 'HEAD~1');
  await world.must(['sync', 'now']);

  const uuid = /uuid: (\S+)/.exec(config)?.[1];
  expect(server.events({}).map(({ envelope }) => envelope.project_uuid)).toEqual([uuid]);
});
