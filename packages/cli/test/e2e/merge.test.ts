/** `merge` as a person runs it: real git, real home, real queue, real server. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { ADA, makeWorld, startServer, type World } from './world.ts';

/** Starts a package of 001-demo and commits a file in its workspace. */
async function work(world: World, id: string, file: string, text: string): Promise<void> {
  await world.must(['implement', id, '--feature', '001-demo']);
  const there = `.worktrees/001-demo-${id}`;
  writeFileSync(join(world.repository, there, file), text);
  world.git('-C', there, 'add', '.');
  world.git('-C', there, 'commit', '--quiet', '--message', `Work of ${id}`);
}

test('merge leaves one doing → for_review for each package in the queue, and the clock only rises (US3-3, FR-017, SC-002, SC-009)', async () => {
  const world = makeWorld();
  const server = await startServer();
  await world.makeProject();
  await world.makeFeature(['First', 'Second:1']);
  await world.login(server);
  await world.must(['agent', 'feature', 'finalize-tasks']);
  await work(world, 'WP01', 'one.txt', 'one\n');
  await work(world, 'WP02', 'two.txt', 'two\n');
  const before = world.queued().length;

  const ended = await world.must(['merge', '--json']);

  const events = world.queued().slice(before);
  const facts = events.map(({ event_type: type, payload, team_slug: team }) => ({ type, payload, team }));
  expect(facts).toMatchObject([
    { type: 'WPStatusChanged', payload: { wp_id: 'WP01', previous_status: 'doing', new_status: 'for_review' } },
    { type: 'DependencyResolved', payload: { wp_id: 'WP02', dependency_wp_id: 'WP01', resolution_type: 'merged' } },
    { type: 'WPStatusChanged', payload: { wp_id: 'WP02', previous_status: 'doing', new_status: 'for_review' } },
  ]);
  expect(new Set(facts.map(({ team }) => team))).toEqual(new Set([ADA.team]));
  const { causation_id: cause } = JSON.parse(ended.stdout) as { readonly causation_id: string };
  expect(events.map(({ causation_id: each }) => each)).toEqual([cause, cause, cause]);
  const clocks = world.queued().map(({ lamport_clock: clock }) => Number(clock));
  expect(clocks).toEqual(clocks.map((_, index) => index + 1));
  expect(world.git('status', '--porcelain')).toBe('');
});

test('merge does its work while the server cannot be reached, and says so (FR-029)', async () => {
  const world = makeWorld();
  const server = await startServer();
  await world.makeProject();
  await world.makeFeature(['First']);
  await world.login(server);
  await work(world, 'WP01', 'one.txt', 'one\n');
  await server.close();

  const ended = await world.must(['merge']);

  expect(world.git('log', '--format=%s')).toContain('Merge WP01 from 001-demo');
  expect(world.queued()).toHaveLength(2);
  expect(ended.stderr).toContain('[Offline] 2 events waiting');
});

for (const strategy of ['merge', 'squash']) {
  test(`a ${strategy} that is killed while a hook runs is carried on with --resume, and tells everything once`, async () => {
    const world = makeWorld();
    await world.makeProject();
    await world.makeFeature(['First', 'Second']);
    await work(world, 'WP01', 'one.txt', 'one\n');
    await work(world, 'WP02', 'two.txt', 'two\n');
    const hook = join(world.repository, '.git/hooks', strategy === 'merge' ? 'pre-merge-commit' : 'pre-commit');
    // The hook ends git, whose child it is, and the program, while WP02 is being merged.
    const pidFile = join(world.root, 'pid');
    const kill = `kill -9 "$(cat '${pidFile}')" $PPID`;
    writeFileSync(hook, ['#!/bin/sh', 'test -e two.txt || exit 0', 'rm "$0"', kill, ''].join('\n'), { mode: 0o755 });
    const before = world.queued().length;
    const { pid, ended } = world.start(['merge', '--strategy', strategy]);
    writeFileSync(pidFile, String(pid));
    expect(await ended).toMatchObject({ code: null });
    rmSync(join(world.repository, '.git/index.lock'), { force: true });

    await world.must(['merge', '--resume']);

    const told = world.queued().slice(before);
    expect(told.map(({ payload }) => payload['wp_id'])).toEqual(['WP01', 'WP02']);
    expect(world.git('log', '--first-parent', '-4', '--format=%s').trim().split('\n').slice(2)).toEqual([
      'Merge WP02 from 001-demo',
      'Merge WP01 from 001-demo',
    ]);
    expect(world.git('status', '--porcelain')).toBe('');
    expect(world.git('branch', '--format=%(refname:short)').trim()).toBe('main');
  });
}
