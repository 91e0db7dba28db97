/** The home: where it may lie, what it remembers, what happens when it cannot be used. */
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { currentHostname, deriveNodeId } from '../../src/node/node-id.ts';
import { resolveHome } from '../../src/node/home.ts';
import { identity, makeWorld, MOVE, readQueue } from './world.ts';

test('a home on a path with blanks and letters of other scripts keeps events like any other', async () => {
  for (const driver of ['node-sqlite', 'sqljs']) {
    const world = makeWorld({ home: 'höme of Zoë 家/ .kitty', env: { SPEC_KITTY_QUEUE_DRIVER: driver } });
    const { client, warnings } = world.open();

    expect(await client.emit(MOVE)).toMatchObject({ status: 'held', reason: 'team', envelope: { lamport_clock: 1 } });
    await client.close();

    expect(readQueue(world.home).rows).toHaveLength(1);
    expect(warnings).toEqual([]);
  }
});

for (const driver of ['node-sqlite', 'sqljs'] as const) {
  test(`${driver}: with a file where the home should be, events are dropped with one warning and nothing throws (FR-029, FR-030, TECH-2)`, async () => {
    const world = makeWorld({ env: { SPEC_KITTY_QUEUE_DRIVER: driver } });
    writeFileSync(world.home, 'not a directory');
    const { client, warnings } = world.open();

    const outcomes = [await client.emit(MOVE), await client.emit(MOVE), ...(await client.emitAll([MOVE]))];

    expect(outcomes.map((outcome) => outcome.status === 'dropped' && outcome.reason)).toEqual([
      'unavailable',
      'unavailable',
      'unavailable',
    ]);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]?.message).toMatch(/^1 event not recorded: .*queue\.db/);
    expect(warnings[0]?.message).not.toContain(world.directory);
    expect(await client.nudge()).toBe('none');
    expect(await client.syncNow()).toMatchObject({ stoppedBy: 'storage', sent: 0 });
    await client.close();
  });

  test(`${driver}: emission works again once the home can be used (FR-029)`, async () => {
    const world = makeWorld({ home: 'taken/home', env: { SPEC_KITTY_QUEUE_DRIVER: driver } });
    writeFileSync(join(world.directory, 'taken'), '');
    const { client } = world.open();
    expect(await client.emit(MOVE)).toMatchObject({ status: 'dropped' });

    rmSync(join(world.directory, 'taken'));

    expect(await client.emit(MOVE)).toMatchObject({ status: 'held', envelope: { lamport_clock: 1 } });
  });
}

test('clock.json is written at close with the clock and the node id of the events (FR-005)', async () => {
  const world = makeWorld();
  const { client } = world.open();
  const outcomes = await client.emitAll([MOVE, MOVE, MOVE]);
  await client.close();

  const mirror = JSON.parse(readFileSync(world.file('clock.json'), 'utf8')) as unknown;

  const node = outcomes[0]?.status === 'held' ? outcomes[0].envelope.node_id : 'none';
  expect(mirror).toMatchObject({ value: 3, node_id: node });
});

test('clock.json that is ahead of the store raises the clock, and is never lowered (FR-005, EC-3)', async () => {
  const world = makeWorld();
  const first = world.open().client;
  await first.emit(MOVE);
  await first.close();
  copyFileSync(world.file('queue.db'), join(world.directory, 'backup.db'));
  const second = world.open().client;
  await second.emitAll([MOVE, MOVE, MOVE]);
  await second.close();

  copyFileSync(join(world.directory, 'backup.db'), world.file('queue.db'));
  const third = world.open().client;
  const outcome = await third.emit(MOVE);
  await third.close();

  expect(outcome).toMatchObject({ envelope: { lamport_clock: 5 } });
  expect(JSON.parse(readFileSync(world.file('clock.json'), 'utf8'))).toMatchObject({ value: 5 });
});

test.each([
  ['is no JSON', '{"value": 7,'],
  ['claims a value that cannot be true', JSON.stringify({ value: 2 ** 50, node_id: 'abc' })],
])('a clock.json that %s costs one warning; the clock goes on from the store (FR-005, FR-030)', async (_what, text) => {
  const world = makeWorld();
  const first = world.open().client;
  await first.emitAll([MOVE, MOVE]);
  await first.close();
  writeFileSync(world.file('clock.json'), text);

  const { client, warnings } = world.open();
  const outcomes = [await client.emit(MOVE), await client.emit(MOVE)];
  await client.close();

  expect(outcomes).toMatchObject([{ envelope: { lamport_clock: 3 } }, { envelope: { lamport_clock: 4 } }]);
  expect(warnings.map(({ code }) => code)).toEqual(['clock-file-broken']);
  expect(JSON.parse(readFileSync(world.file('clock.json'), 'utf8'))).toMatchObject({ value: 4 });
});

test('the largest clock.json value that can be true is taken over', async () => {
  const world = makeWorld();
  mkdirSync(world.home);
  writeFileSync(world.file('clock.json'), JSON.stringify({ value: 2 ** 48, node_id: 'abc' }));

  expect(await world.open().client.emit(MOVE)).toMatchObject({
    envelope: { lamport_clock: 2 ** 48 + 1, node_id: 'abc' },
  });
});

test('clock.json can fail to be written without an event being lost (FR-030)', async () => {
  const world = makeWorld();
  mkdirSync(world.file('clock.json'), { recursive: true });
  const { client, warnings } = world.open();

  expect(await client.emit(MOVE)).toMatchObject({ status: 'held' });
  await client.close();

  expect(warnings.map(({ code }) => code)).toEqual(['clock-file-broken', 'clock-file-unwritable']);
  expect(readQueue(world.home).rows).toHaveLength(1);
});

test("the default home has the contract's node id, another home one of its own that stays (FR-007)", async () => {
  const node = async (env: Record<string, string | undefined>): Promise<string> => {
    const { client } = world.open({ env });
    const outcome = await client.emit(MOVE);
    await client.close();
    return outcome.status === 'held' ? outcome.envelope.node_id : outcome.status;
  };
  const world = makeWorld();
  const other = { ...world.env, SPEC_KITTY_HOME: join(world.directory, 'other') };

  const byDefault = await node({ ...world.env, SPEC_KITTY_HOME: undefined });
  const [one, two, oneAgain] = [await node(world.env), await node(other), await node(world.env)];

  expect(byDefault).toBe(deriveNodeId({ hostname: currentHostname(), username: 'ada' }));
  expect(new Set([byDefault, one, two]).size).toBe(3);
  expect(oneAgain).toBe(one);
  expect(resolveHome({ ...world.env, SPEC_KITTY_HOME: undefined }).isDefault).toBe(true);
});

test("the node id of clock.json wins at first open, the store's ever after (FR-007)", async () => {
  const world = makeWorld();
  mkdirSync(world.home);
  writeFileSync(world.file('clock.json'), JSON.stringify({ value: 4, node_id: 'fromtheoldone' }));
  const first = world.open().client;
  expect(await first.emit(MOVE)).toMatchObject({ envelope: { node_id: 'fromtheoldone', lamport_clock: 5 } });
  await first.close();

  writeFileSync(world.file('clock.json'), JSON.stringify({ value: 9, node_id: 'someoneelse' }));
  const second = world.open().client;

  expect(await second.emit(MOVE)).toMatchObject({ envelope: { node_id: 'fromtheoldone', lamport_clock: 10 } });
});

test("two homes never see each other's events", async () => {
  const world = makeWorld();
  const here = world.open().client;
  const there = world.open({ env: { ...world.env, SPEC_KITTY_HOME: join(world.directory, 'other') } }).client;

  await Promise.all([here.emitAll([MOVE, MOVE]), there.emit(MOVE)]);

  expect([(await here.status()).held, (await there.status()).held]).toEqual([{ team: 2 }, { team: 1 }]);
  expect(readQueue(world.home).rows.map(({ id }) => id)).not.toContain(
    readQueue(join(world.directory, 'other')).rows[0]?.id,
  );
});

test('cap and overflow of config.toml are respected (FR-027, EC-4)', async () => {
  const refusing = makeWorld();
  refusing.configureHome('[sync]\nmax_queue_size = 2\n');
  const { client, warnings } = refusing.open();
  await client.emitAll([MOVE, MOVE]);
  expect(await client.emit(MOVE)).toMatchObject({ status: 'dropped', reason: 'full' });
  expect(warnings.map(({ code }) => code)).toEqual(['queue-filling', 'event-dropped-full']);
  expect(await client.status()).toMatchObject({ cap: 2, dropped: 1, held: { team: 2 } });

  const evicting = makeWorld();
  evicting.configureHome('[sync]\nmax_queue_size = 2\noverflow = "evict-oldest"\n');
  const other = evicting.open().client;
  await other.emitAll([MOVE, MOVE]);
  expect(await other.emit(MOVE)).toMatchObject({ status: 'held' });
  expect(readQueue(evicting.home).rows.map(({ clock }) => clock)).toEqual([2, 3]);
});

test('a broken config.toml costs one warning, and emission works (FR-027, FR-030)', async () => {
  const world = makeWorld();
  world.configureHome('[sync\nserver_url = ');
  const { client, warnings } = world.open();

  expect(await client.emitAll([MOVE, MOVE])).toMatchObject([{ status: 'held' }, { status: 'held' }]);
  await client.status();

  expect(warnings.map(({ code }) => code)).toEqual(['config-unusable']);
});

test('the server of config.toml is in force until somebody signs in, and can be changed (FR-027)', async () => {
  const world = makeWorld();
  world.configureHome('[sync]\nserver_url = "https://team.example/"\n');
  const { client } = world.open();
  expect(await client.serverUrl()).toBe('https://team.example');

  await client.setServerUrl('https://other.example');

  expect(await client.serverUrl()).toBe('https://other.example');
  expect(
    await world.open({ env: { ...world.env, SPEC_KITTY_SERVER: 'https://third.example' } }).client.serverUrl(),
  ).toBe('https://third.example');
});

test('emissions at once keep each its own project (FR-028c)', async () => {
  const world = makeWorld();
  const elsewhere = join(world.directory, 'elsewhere');
  mkdirSync(join(elsewhere, '.kittify'), { recursive: true });
  const otherUuid = '9b2d4c1e-0a55-4f0e-8a61-2f7a54c0d3ab';
  writeFileSync(join(elsewhere, '.kittify', 'config.yaml'), `project:\n  uuid: ${otherUuid}\n  slug: elsewhere\n`);
  const { client } = world.open();

  const [mine, theirs, again] = await Promise.all([
    client.emitAll([MOVE]),
    client.emitAll([MOVE], { projectRoot: elsewhere }),
    client.emit(MOVE),
  ]);

  expect(mine[0]).toMatchObject({ envelope: { project_slug: 'demo-repo' } });
  expect(theirs[0]).toMatchObject({ envelope: { project_uuid: otherUuid, project_slug: 'elsewhere' } });
  expect(again).toMatchObject({ envelope: { project_slug: 'demo-repo' } });
});

test('a project file that cannot be read holds the event and says so once (FR-028d, FR-030)', async () => {
  const world = makeWorld({ project: 'project: [' });
  const { client, warnings } = world.open();

  expect(await client.emit(MOVE)).toMatchObject({ status: 'held', reason: 'project' });
  await client.emit(MOVE);
  expect(warnings.map(({ code }) => code)).toEqual(['project-config-broken']);

  world.configureProject(identity());
  expect(await client.emit(MOVE)).toMatchObject({
    status: 'held',
    reason: 'team',
    envelope: { project_slug: 'demo-repo' },
  });
});

test("a change of the project's file is seen by the next emission (FR-028c)", async () => {
  const world = makeWorld({ project: '' });
  const { client } = world.open();
  expect(await client.emit(MOVE)).toMatchObject({ status: 'held', reason: 'project' });

  world.configureProject(identity());
  expect(await client.emit(MOVE)).toMatchObject({ status: 'held', reason: 'team' });
  world.configureProject(identity('enabled: false'));

  expect(await client.emit(MOVE)).toMatchObject({ status: 'held', reason: 'disabled' });
  rmSync(join(world.project, '.kittify'), { recursive: true });
  expect(await client.emit(MOVE)).toMatchObject({ status: 'held', reason: 'project' });
});
