/** `sync reconcile` with a real home and a real server: the team's board says what the files say. */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { ADA, makeWorld, startServer, type World } from './world.ts';

/** Changes a lane as an editor does. */
function setLane(world: World, feature: string, wpId: string, lane: string): void {
  const path = fileOf(world, feature, wpId);
  writeFileSync(path, readFileSync(path, 'utf8').replace(/^lane: .*$/m, `lane: ${lane}`));
}

function fileOf(world: World, feature: string, wpId: string): string {
  const dir = join(world.repository, 'kitty-specs', feature, 'tasks');
  return join(dir, readdirSync(dir).find((name) => name.startsWith(wpId)) ?? '');
}

/** Feature → package → lane, as the files have it. */
function lanesOnDisk(world: World, features: readonly string[]): unknown {
  return features.map((feature) => [
    feature,
    ['WP01', 'WP02'].map((id) => [
      id,
      /^lane: "?(\w+)"?$/m.exec(readFileSync(fileOf(world, feature, id), 'utf8'))?.[1],
    ]),
  ]);
}

/** The same, as the team sees it. */
function lanesOnBoard(server: Awaited<ReturnType<typeof startServer>>): unknown {
  const { features } = server.board(ADA.team);
  return features
    .toSorted((a, b) => ((a.featureSlug ?? '') < (b.featureSlug ?? '') ? -1 : 1))
    .map(({ featureSlug, cards }) => [featureSlug, cards.map(({ wpId, lane }) => [wpId, lane])]);
}

test('a repository from before the first sync, then edits and a revert: the board follows the files', async () => {
  const world = makeWorld();
  const server = await startServer();
  const features = ['001-old', '002-demo'];
  await world.makeProject();
  await world.makeFeature(['One', 'Two:WP01'], 'old');
  await world.must(['agent', 'feature', 'create-feature', 'demo']);
  await world.must(['agent', 'tasks', 'scaffold', '--wp', 'One', '--wp', 'Two', '--feature', '002-demo']);
  setLane(world, '001-old', 'WP01', 'done');
  setLane(world, '001-old', 'WP02', 'for_review');
  setLane(world, '002-demo', 'WP02', 'doing');
  world.git('commit', '-qam', 'Worked before there was a server');
  await world.login(server);

  await world.must(['sync', 'reconcile']);
  await world.must(['sync', 'now']);
  expect(lanesOnBoard(server)).toEqual(lanesOnDisk(world, features));
  expect(
    server
      .board(ADA.team)
      .features.flatMap(({ cards }) => cards)
      .filter((card) => card.isUncreated),
  ).toEqual([]);

  setLane(world, '002-demo', 'WP01', 'done');
  world.git('commit', '-qam', 'Done by hand');
  await world.must(['sync', 'reconcile']);
  world.git('revert', '--no-edit', 'HEAD');
  setLane(world, '001-old', 'WP02', 'planned');
  await world.must(['sync', 'reconcile']);
  await world.must(['sync', 'now']);
  const stored = server.events().length;
  expect(lanesOnBoard(server)).toEqual(lanesOnDisk(world, features));

  await world.must(['sync', 'reconcile']);
  await world.must(['sync', 'now']);
  expect(server.events()).toHaveLength(stored);
});

test('what did not fit into the queue is told when there is room, by whichever command comes first', async () => {
  const world = makeWorld();
  const server = await startServer();
  await world.makeProject();
  await world.makeFeature(['One', 'Two']);
  await world.login(server);
  const config = world.homeFile('config.toml');
  writeFileSync(join(world.home, 'config.toml'), `${config}[sync]\nmax_queue_size = 2\n`);
  setLane(world, '001-demo', 'WP02', 'for_review');

  const full = await world.must(['sync', 'reconcile', '--json']);
  const again = await world.must(['sync', 'reconcile', '--json']);
  writeFileSync(join(world.home, 'config.toml'), config);
  await world.must(['implement', 'WP01', '--agent', 'claude']);
  const last = await world.must(['sync', 'reconcile', '--json']);
  await world.must(['sync', 'now']);

  for (const ended of [full, again])
    expect(JSON.parse(ended.stdout)).toMatchObject({ events_emitted: 0, events_dropped: 4 });
  expect(full.stderr).not.toBe('');
  expect(JSON.parse(last.stdout)).toMatchObject({ events_emitted: 0, events_dropped: 0 });
  expect(lanesOnBoard(server)).toEqual(lanesOnDisk(world, ['001-demo']));
  expect(server.events().map(({ envelope }) => envelope.event_type)).toEqual([
    'FeatureCreated',
    'WPCreated',
    'WPCreated',
    'WPStatusChanged',
    'WPStatusChanged',
  ]);
});

test('another server is told everything by --all', async () => {
  const world = makeWorld();
  const [first, second] = [await startServer(), await startServer()];
  await world.makeProject();
  await world.makeFeature(['One', 'Two']);
  await world.login(first);
  await world.must(['agent', 'feature', 'finalize-tasks']);
  await world.must(['implement', 'WP01']);
  await world.must(['sync', 'now']);

  await world.must(['auth', 'logout']);
  await world.login(second);
  await world.must(['sync', 'reconcile', '--all']);
  await world.must(['sync', 'now']);

  expect(lanesOnBoard(second)).toEqual(lanesOnDisk(world, ['001-demo']));
  expect(lanesOnBoard(first)).toEqual(lanesOnBoard(second));
});
