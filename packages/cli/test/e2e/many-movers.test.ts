/** Many commands on one feature at once, as real processes: no write is lost, no file left dirty, no event too many. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { makeWorld, type Envelope, type World } from './world.ts';

const EIGHT = [1, 2, 3, 4, 5, 6, 7, 8];

/** A finalized feature of eight packages, and nothing in the queue but what follows. */
async function eightPackages(): Promise<World> {
  const world = makeWorld();
  await world.makeProject();
  await world.makeFeature(EIGHT.map((n) => `Package ${n}`));
  await world.must(['agent', 'feature', 'finalize-tasks']);
  return world;
}

function moves(world: World): readonly Envelope[] {
  return world.queued().filter((event) => event['event_type'] === 'WPStatusChanged');
}

function laneOf(world: World, n: number): string | undefined {
  const file = `kitty-specs/001-demo/tasks/WP0${n}-package-${n}.md`;
  return /^lane: "?(\w+)"?$/m.exec(readFileSync(join(world.repository, file), 'utf8'))?.[1];
}

test('eight processes moving eight packages of one feature lose no write and tell each move once (EC-5, US3-4)', async () => {
  const world = await eightPackages();
  const before = Number(world.git('rev-list', '--count', 'HEAD'));

  const ended = await Promise.all(
    EIGHT.map((n) =>
      world.specKitty(['agent', 'tasks', 'move-task', `WP0${n}`, '--to', 'doing', '--agent', `agent${n}`]),
    ),
  );

  expect(ended.map(({ code, stderr }) => (code === 0 ? 0 : stderr))).toEqual(EIGHT.map(() => 0));
  expect(EIGHT.map((n) => laneOf(world, n))).toEqual(EIGHT.map(() => 'doing'));
  expect(world.git('status', '--porcelain')).toBe('');
  expect(Number(world.git('rev-list', '--count', 'HEAD'))).toBe(before + EIGHT.length);
  const told = moves(world);
  expect(told.map(({ payload }) => `${String(payload['wp_id'])} ${String(payload['changed_by'])}`).toSorted()).toEqual(
    EIGHT.map((n) => `WP0${n} agent${n}`),
  );
  expect(
    told.every(({ payload }) => payload['previous_status'] === 'planned' && payload['new_status'] === 'doing'),
  ).toBe(true);
  const clocks = world.queued().map((event) => Number(event['lamport_clock']));
  expect(new Set(clocks).size).toBe(clocks.length);
});

test('eight processes moving one package to and fro tell every real transition once, each from where the last one ended (FR-019)', async () => {
  const world = await eightPackages();

  const ended = await Promise.all(
    EIGHT.map((n) =>
      world.specKitty(['agent', 'tasks', 'move-task', 'WP01', '--to', n % 2 === 0 ? 'doing' : 'planned', '--json']),
    ),
  );

  const answers = ended.map(
    ({ stdout }) => JSON.parse(stdout) as { readonly changed?: boolean; readonly code?: string },
  );
  expect(ended.map(({ code }) => code)).toEqual(EIGHT.map(() => 0));
  const told = moves(world).map(({ payload }) => [payload['previous_status'], payload['new_status']]);
  expect(told).toHaveLength(answers.filter(({ changed }) => changed === true).length);
  // A chain from planned to what stands on disk: nobody told a lane that was not there.
  const lanes = ['planned', ...told.map(([, next]) => next)];
  expect(told.map(([previous]) => previous)).toEqual(lanes.slice(0, -1));
  expect(lanes.at(-1)).toBe(laneOf(world, 1));
  const log = readFileSync(join(world.repository, 'kitty-specs/001-demo/tasks/WP01-package-1.md'), 'utf8');
  expect(log.match(/ – Moved to /g)).toHaveLength(EIGHT.length);
  expect(world.git('status', '--porcelain')).toBe('');
});

test('an editor and a commit of the user in between cost no move: index.lock is waited for', async () => {
  const world = await eightPackages();
  const commitOwn = async (n: number): Promise<void> => {
    world.git('commit', '--quiet', '--allow-empty', '--message', `Mine ${n}`);
  };

  const [ended] = await Promise.all([
    Promise.all(EIGHT.map((n) => world.specKitty(['agent', 'tasks', 'add-history', `WP0${n}`, '--note', `Note ${n}`]))),
    (async () => {
      for (const n of EIGHT) {
        await commitOwn(n).catch(() => {});
        await new Promise((resolve) => setImmediate(resolve));
      }
    })(),
  ]);

  expect(ended.map(({ code, stderr }) => (code === 0 ? 0 : stderr))).toEqual(EIGHT.map(() => 0));
  expect(world.git('status', '--porcelain')).toBe('');
  expect(world.queued().filter((event) => event['event_type'] === 'HistoryAdded')).toHaveLength(EIGHT.length);
});
