/** `sync explain`, `adopt`, `retarget` and `doctor` on real homes: each reason, and the command it names, carried out. */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { typeInShell } from './shell.ts';
import { ADA, makeWorld, startServer, type World } from './world.ts';

interface Explained {
  readonly groups: readonly { readonly gate: string; readonly count: number; readonly command: string | null }[];
  readonly events: readonly { readonly event_id: string; readonly gate: string; readonly command: string | null }[];
}

const explain = async (world: World): Promise<Explained> =>
  JSON.parse((await world.must(['sync', 'explain', '--json'])).stdout) as Explained;

const wordsOf = (command: string | null | undefined): string[] => (command ?? '').replace('spec-kitty ', '').split(' ');

async function aFeature(world: World): Promise<void> {
  await world.makeProject();
  await world.makeFeature(['Alpha']);
  await world.must(['agent', 'feature', 'finalize-tasks']);
}

test('from recorded to delivered, each gate is named with the command that opens it (FR-028b, FR-037)', async () => {
  const [world, server] = [makeWorld(), await startServer()];
  await aFeature(world);

  const loggedOut = await explain(world);
  expect(loggedOut.groups).toMatchObject([{ gate: 'logged-out', count: 2 }]);
  expect(loggedOut.groups[0]?.command).toBe('spec-kitty auth login --server URL');
  await world.must(
    [...wordsOf(loggedOut.groups[0]?.command?.replace('URL', server.url)), '-u', ADA.username, '--password-stdin'],
    { input: ADA.password },
  );

  const free = await explain(world);
  expect(free.groups).toMatchObject([{ gate: 'delivery-off', count: 2, command: 'spec-kitty sync now' }]);
  server.respondNext({ status: 503, headers: { 'retry-after': '3600' } }, { path: '/api/v1/events/batch/' });
  expect((await world.specKitty(wordsOf(free.groups[0]?.command))).code).toBe(3);

  const id = String(free.events[0]?.event_id);
  const paused = await world.must(['sync', 'explain', id]);
  expect(paused.stdout).toContain('the server asked to be left alone for a while');
  expect(paused.stdout).toMatch(/Until: .* UTC \(in [\d,]+ s\)/);
  const unknown = await world.specKitty(['sync', 'explain', '01KGVZ3Q8M5T2N7RJ4W6XA9BCF', '--json']);
  expect([unknown.code, JSON.parse(unknown.stdout)]).toMatchObject([1, { code: 'no-such-event' }]);
}, 60_000);

test('a project that changes its team holds its events until a person adopts them (SEC-1)', async () => {
  const [world, first, second] = [makeWorld(), await startServer(), await startServer()];
  const bob = { username: 'bob@example.com', password: 'battery staple', team: 'umbrella' };
  await second.accounts.addUser(bob);
  await aFeature(world);
  await world.login(first);
  await world.must(['sync', 'now']);
  await world.must(['auth', 'login', '--force', '--server', second.url, '-u', bob.username, '--password-stdin'], {
    input: bob.password,
  });
  await world.must(['implement', 'WP01']);

  const held = await explain(world);
  expect(held.groups).toMatchObject([{ gate: 'team-changed', count: 1, command: 'spec-kitty sync adopt' }]);
  const adopted = await world.must(wordsOf(held.groups[0]?.command));
  expect(adopted.stdout).toContain('belongs to team umbrella now. 1 event released.');
  await world.must(['sync', 'now']);

  expect(second.events({ team: 'umbrella' }).map(({ envelope }) => envelope.event_type)).toEqual(['WPStatusChanged']);
}, 60_000);

test('events of a server that has moved wait for the old address until they are moved', async () => {
  const [world, old] = [makeWorld(), await startServer()];
  await aFeature(world);
  await world.login(old);
  await world.must(['implement', 'WP01']);
  const moved = await startServer();
  await world.must(['auth', 'login', '--force', '--server', moved.url, '-u', ADA.username, '--password-stdin'], {
    input: ADA.password,
  });
  expect((await explain(world)).events.map(({ gate }) => gate)).toContain('other-account');

  const answer = await world.must(['sync', 'retarget', old.url, moved.url, '--json']);
  await world.must(['sync', 'now']);

  expect(JSON.parse(answer.stdout)).toMatchObject({ moved: 1 });
  expect(moved.events()).toHaveLength(3);
  expect(world.queued()).toEqual([]);
  const bad = await world.specKitty(['sync', 'retarget', old.url, 'ftp://elsewhere', '--json']);
  expect([bad.code, JSON.parse(bad.stdout)]).toMatchObject([1, { code: 'invalid-server-url' }]);
}, 60_000);

interface Examined {
  readonly healthy: boolean;
  readonly findings: readonly { readonly check: string; readonly state: string; readonly command: string | null }[];
}

test('the doctor finds nothing in a good home, and names what helps in a bad one (FR-037)', async () => {
  const [world, server] = [makeWorld({ delivery: 'courier' }), await startServer()];
  const examine = async (): Promise<Examined & { readonly code: number | null }> => {
    const ended = await world.specKitty(['sync', 'doctor', '--json']);
    return { code: ended.code, ...(JSON.parse(ended.stdout) as Examined) };
  };
  const stateOf = (found: Examined, check: string) => found.findings.find((finding) => finding.check === check);
  await world.makeProject();
  await world.login(server);

  expect(await examine()).toMatchObject({ code: 0, healthy: true });

  chmodSync(world.home, 0o755);
  const open = stateOf(await examine(), 'home');
  expect(open).toMatchObject({ state: 'attention' });
  expect(typeInShell(world, String(open?.command)).code).toBe(0);
  expect(stateOf(await examine(), 'home')).toMatchObject({ state: 'good' });

  server.revokeTokens('all');
  expect(stateOf(await examine(), 'sign-in')).toMatchObject({ state: 'bad', command: 'spec-kitty auth login --force' });
  await world.must(['auth', 'login', '--force', '--username', ADA.username, '--password-stdin'], {
    input: `${ADA.password}\n`,
  });
  expect(await examine()).toMatchObject({ code: 0, healthy: true });

  writeFileSync(join(world.home, 'config.toml'), '[sync\n');
  await server.close();
  const bad = await examine();
  expect(bad).toMatchObject({ code: 1, healthy: false });
  expect(stateOf(bad, 'config')).toMatchObject({ state: 'bad' });
  expect(stateOf(bad, 'server')).toMatchObject({ state: 'bad', command: 'spec-kitty sync server' });
  for (const { command } of bad.findings)
    if (command !== null) expect(typeInShell(world, command)).toMatchObject({ code: 0 });
  expect((await world.specKitty(['sync', 'doctor'])).stdout).toMatch(/^1\. {2}/m);
}, 60_000);

test("a project whose file is broken is no project without one: status and doctor name the file's line and what helps (FR-030, FR-037)", async () => {
  const world = makeWorld();
  await world.makeProject();
  const config = join(world.repository, '.kittify/config.yaml');
  const examine = async () => {
    const ended = await world.specKitty(['sync', 'doctor', '--json']);
    return { code: ended.code, ...(JSON.parse(ended.stdout) as Examined) };
  };
  writeFileSync(config, 'a: [1\n  b: }\n');

  const status = (await world.must(['sync', 'status'])).stdout;
  const found = await examine();

  expect(status).toMatch(/^Project +\.kittify\/config\.yaml, line 1: is not valid YAML\. Correct it, or take it back/m);
  expect(status).not.toContain('spec-kitty init');
  expect(found).toMatchObject({ code: 1, healthy: false });
  expect(found.findings.map(({ check }) => check)).not.toContain('project');
  const broken = found.findings.find(({ check }) => check === 'project-file');
  expect(broken).toMatchObject({ state: 'bad' });
  const shown = typeInShell(world, String(broken?.command), '.kittify');
  expect(shown.code).toBe(0);
  expect(shown.output).toContain('+a: [1');

  world.git('checkout', '--', '.kittify/config.yaml');
  expect((await examine()).findings).toContainEqual(expect.objectContaining({ check: 'project', state: 'good' }));
});
