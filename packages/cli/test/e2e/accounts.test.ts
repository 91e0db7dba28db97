/** Changing accounts with events waiting: nothing goes to the wrong place, and the person is told what stays. */
import { expect, test } from 'vitest';

import { ADA, makeWorld, startServer } from './world.ts';

test('a sign-in elsewhere lists the events that stay for the other account, and the command it names delivers them (SEC-1)', async () => {
  const [world, first, second] = [makeWorld(), await startServer(), await startServer()];
  const bob = { username: 'bob@example.com', password: 'battery staple', team: 'umbrella' };
  await second.accounts.addUser(bob);
  await world.makeProject();
  await world.login(first);
  await world.makeFeature(['Alpha']);
  await world.must(['agent', 'feature', 'finalize-tasks']);
  expect(world.queued()).toHaveLength(2);

  const login = await world.must(
    ['auth', 'login', '--force', '--server', second.url, '--username', bob.username, '--password-stdin'],
    { input: bob.password },
  );

  expect(login.stderr).toContain('2 events of another account stay on this machine until it signs in again:');
  const remedy = /spec-kitty (auth login --force --server \S+)/.exec(login.stderr)?.[1] ?? '';
  expect(login.stderr).toContain(`2 for team acme on ${first.url}: spec-kitty ${remedy}`);
  await world.specKitty(['sync', 'now']);
  expect(second.events()).toEqual([]);

  await world.must([...remedy.split(' '), '--username', ADA.username, '--password-stdin'], { input: ADA.password });
  await world.must(['sync', 'now']);
  expect(first.events()).toHaveLength(2);
  expect(world.queued()).toEqual([]);
}, 60_000);
