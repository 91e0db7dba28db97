/** `accept` with a real home: what stands in the queue afterwards, refused, done, or killed half-way. */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { ADA, makeWorld, startServer, type World } from './world.ts';

/** A feature of two packages in review, by commands alone. */
async function makeReviewed(world: World): Promise<void> {
  await world.makeProject();
  await world.makeFeature(['One', 'Two']);
  for (const id of ['WP01', 'WP02']) {
    await world.must(['implement', id, '--agent', 'claude']);
    const workspace = join(world.repository, `.worktrees/001-demo-${id}`);
    writeFileSync(join(workspace, `${id}.txt`), id);
    world.git('-C', workspace, 'add', '.');
    world.git('-C', workspace, 'commit', '--quiet', '--message', id);
    await world.must(['agent', 'tasks', 'mark-status', id.replace('WP', 'T0'), '--status', 'done']);
    await world.must(['agent', 'tasks', 'move-task', id, '--to', 'for_review']);
  }
}

test('a story told by commands alone passes the strict gates and leaves one done event for each (FR-018, SC-003)', async () => {
  const world = makeWorld();
  const server = await startServer();
  await makeReviewed(world);
  await world.login(server);
  const before = world.queued().length;

  await world.must(['accept', '--actor', 'Grace']);

  const events = world.queued().slice(before);
  expect(events).toMatchObject(
    ['WP01', 'WP02'].map((wp_id) => ({
      event_type: 'WPStatusChanged',
      aggregate_id: wp_id,
      team_slug: ADA.team,
      payload: {
        wp_id,
        previous_status: 'for_review',
        new_status: 'done',
        changed_by: 'Grace',
        feature_slug: '001-demo',
      },
    })),
  );
  expect(events[0]?.['causation_id']).toMatch(/^[0-9A-HJKMNP-TV-Z]{26}$/);
  expect(events[1]?.['causation_id']).toBe(events[0]?.['causation_id']);
  expect(world.git('status', '--porcelain')).toBe('');
});

test('a refusal leaves one ErrorLogged with its message; checklist and --allow-fail leave none (FR-014, SC-011)', async () => {
  const world = makeWorld();
  await makeReviewed(world);
  writeFileSync(join(world.repository, 'forgotten.txt'), 'x');
  const before = world.queued().length;

  const quiet = [
    await world.specKitty(['accept', '--mode', 'checklist']),
    await world.specKitty(['accept', '--allow-fail']),
  ];
  const refused = await world.specKitty(['accept', '--json']);

  expect([...quiet, refused].map((ended) => ended.code)).toEqual([1, 1, 1]);
  const { error } = JSON.parse(refused.stdout) as { readonly error: string };
  expect(error).toBe('001-demo cannot be accepted yet: git dirty (1).');
  expect(world.queued().slice(before)).toMatchObject([
    { event_type: 'ErrorLogged', payload: { error_type: 'validation', error_message: error } },
  ]);
});

test('an acceptance killed right after its commit is told by the next command, once (FR-018)', async () => {
  const world = makeWorld();
  await makeReviewed(world);
  const before = world.queued().length;
  const hook = join(world.repository, '.git/hooks/post-commit');
  // The parent of git is the command.
  writeFileSync(hook, '#!/bin/sh\nkill -9 "$(ps -o ppid= -p "$PPID" | tr -d " ")"\n', { mode: 0o755 });

  const killed = await world.specKitty(['accept']);
  rmSync(hook);
  expect(killed.code).toBeNull();
  expect(world.git('log', '-1', '--format=%s').trim()).toBe('Accept 001-demo');
  expect(world.queued()).toHaveLength(before);
  const again = await world.must(['accept', '--json']);
  await world.must(['accept']);

  expect(JSON.parse(again.stdout)).toMatchObject({ already_accepted: true, commit_created: false });
  expect(world.queued().slice(before)).toMatchObject(
    ['WP01', 'WP02'].map((wp_id) => ({ payload: { wp_id, previous_status: 'for_review', new_status: 'done' } })),
  );
});
