/**
 * A feature's whole life by plain commands: three packages that wait for each other, from `init` to an accepted `main`,
 * with strict acceptance and no hand edits. Once with a server, once without one and a sync at the end.
 */
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { ContractServer } from '@spec-kitty/events-sdk/testing';
import { expect, test } from 'vitest';

import { ADA, makeWorld, startServer, type Envelope, type World } from './world.ts';

const SLUG = '001-invoice-export';

/** Works in a package's workspace as an agent does, and hands it over. */
async function implementPackage(world: World, wp: string, agent: string): Promise<void> {
  await world.must(['implement', wp, '--agent', agent]);
  const workspace = join(world.repository, `.worktrees/${SLUG}-${wp}`);
  const there = (...args: readonly string[]): string => world.git('-C', workspace, ...args);
  // The last digit names the file and the subtask.
  const file = `part-${wp.slice(-1)}.txt`;
  await world.must(['agent', 'tasks', 'add-history', wp, '--note', `Began ${file}`], { cwd: workspace });
  writeFileSync(join(workspace, file), `${wp}\n`);
  there('add', '.');
  there('commit', '--quiet', '--message', `Work of ${wp}`);
  await world.must(['agent', 'tasks', 'mark-status', `T00${wp.slice(-1)}`, '--status', 'done'], { cwd: workspace });
  await world.must(['agent', 'tasks', 'move-task', wp, '--to', 'for_review'], { cwd: workspace });
}

/** The story. WP01 is sent back once; WP02 is approved by hand; WP01 and WP03 are accepted from review. */
async function live(world: World): Promise<void> {
  await world.must(['agent', 'feature', 'create-feature', 'invoice-export']);
  await world.must(['agent', 'tasks', 'scaffold', '--wp', 'Writer', '--wp', 'Reader:1', '--wp', 'Docs:1,2']);
  await world.must(['agent', 'feature', 'finalize-tasks']);
  await implementPackage(world, 'WP01', 'claude');
  const feedback = join(world.root, 'feedback.md');
  writeFileSync(feedback, 'Quotes are lost.\n');
  await world.must([
    'agent',
    'tasks',
    'move-task',
    'WP01',
    '--to',
    'planned',
    '--agent',
    'codex',
    '--review-feedback-file',
    feedback,
  ]);
  await world.must(['agent', 'tasks', 'move-task', 'WP01', '--to', 'doing', '--agent', 'claude']);
  await world.must(['agent', 'tasks', 'move-task', 'WP01', '--to', 'for_review', '--agent', 'claude']);
  await implementPackage(world, 'WP02', 'codex');
  await world.must(['agent', 'tasks', 'move-task', 'WP02', '--to', 'done', '--agent', 'claude', '--note', 'Good']);
  await implementPackage(world, 'WP03', 'claude');
  await world.must([
    'agent',
    'tasks',
    'move-task',
    'WP03',
    '--to',
    'doing',
    '--agent',
    'claude',
    '--note',
    'One more thing',
  ]);
  await world.must(['merge', '--feature', SLUG]);
  await world.must(['accept', '--feature', SLUG, '--actor', 'ada']);
}

/** What the story tells, in order: type, package and what matters of the payload. */
const TOLD: readonly string[] = [
  `FeatureCreated ${SLUG} 3`,
  'WPCreated WP01 after -',
  'WPCreated WP02 after WP01',
  'WPCreated WP03 after WP01,WP02',
  ...[
    'planned>doing claude',
    'HistoryAdded Began part-1.txt',
    'HistoryAdded Subtask(s) T001 marked as done',
    'doing>for_review claude',
  ].map((what) => `WP01 ${what}`),
  'WP01 for_review>planned codex',
  'WP01 planned>doing claude',
  'WP01 doing>for_review claude',
  ...[
    'planned>doing codex',
    'HistoryAdded Began part-2.txt',
    'HistoryAdded Subtask(s) T002 marked as done',
    'doing>for_review codex',
  ].map((what) => `WP02 ${what}`),
  'WP02 for_review>done claude',
  ...[
    'planned>doing claude',
    'HistoryAdded Began part-3.txt',
    'HistoryAdded Subtask(s) T003 marked as done',
    'doing>for_review claude',
  ].map((what) => `WP03 ${what}`),
  'WP03 for_review>doing claude',
  'DependencyResolved WP02 WP01 merged',
  'DependencyResolved WP03 WP01 merged',
  'DependencyResolved WP03 WP02 merged',
  'WP03 doing>for_review user',
  'WP01 for_review>done ada',
  'WP03 for_review>done ada',
];

function inWords({ event_type: type, payload }: Envelope): string {
  const text = (key: string): string => String(payload[key]);
  switch (type) {
    case 'FeatureCreated':
      return `FeatureCreated ${text('feature_slug')} ${text('wp_count')}`;
    case 'WPCreated':
      return `WPCreated ${text('wp_id')} after ${text('dependencies') || '-'}`;
    case 'WPStatusChanged':
      return `${text('wp_id')} ${text('previous_status')}>${text('new_status')} ${text('changed_by')}`;
    case 'HistoryAdded':
      return `${text('wp_id')} HistoryAdded ${text('entry_content')}`;
    case 'DependencyResolved':
      return `DependencyResolved ${text('wp_id')} ${text('dependency_wp_id')} ${text('resolution_type')}`;
    default:
      return String(type);
  }
}

const COMMITS: readonly string[] = [
  'Add spec for feature 001-invoice-export',
  'Add work packages for feature 001-invoice-export',
  'Add tasks for feature 001-invoice-export',
  'chore: WP01 claimed for implementation',
  'chore: Add history to WP01 on spec 001',
  'chore: Mark T001 as done on spec 001',
  'chore: Move WP01 to for_review on spec 001 [claude]',
  'chore: Move WP01 to planned on spec 001 [codex]',
  'chore: Move WP01 to doing on spec 001 [claude]',
  'chore: Move WP01 to for_review on spec 001 [claude]',
  'chore: WP02 claimed for implementation',
  'chore: Add history to WP02 on spec 001',
  'chore: Mark T002 as done on spec 001',
  'chore: Move WP02 to for_review on spec 001 [codex]',
  'chore: Move WP02 to done on spec 001 [claude]',
  'chore: WP03 claimed for implementation',
  'chore: Add history to WP03 on spec 001',
  'chore: Mark T003 as done on spec 001',
  'chore: Move WP03 to for_review on spec 001 [claude]',
  'chore: Move WP03 to doing on spec 001 [claude]',
  'Merge WP01 from 001-invoice-export',
  'Merge WP02 from 001-invoice-export',
  'Merge WP03 from 001-invoice-export',
  'chore: Move WP03 to for_review on spec 001 [merge]',
  'Accept 001-invoice-export',
];

function checkRepository(world: World): void {
  expect(world.git('log', '--first-parent', '--reverse', '--format=%s', 'main').trim().split('\n').slice(2)).toEqual(
    COMMITS,
  );
  expect(['part-1.txt', 'part-2.txt', 'part-3.txt'].map((file) => existsSync(join(world.repository, file)))).toEqual([
    true,
    true,
    true,
  ]);
  expect(lanesOnDisk(world)).toEqual({ WP01: 'done', WP02: 'done', WP03: 'done' });
  expect(world.git('status', '--porcelain')).toBe('');
  expect(world.git('branch', '--format=%(refname:short)').trim()).toBe('main');
  expect(readdirSync(join(world.repository, '.worktrees'))).toEqual([]);
}

function lanesOnDisk(world: World): Readonly<Record<string, string>> {
  const files = world.git('ls-files', `kitty-specs/${SLUG}/tasks/WP*`).trim().split('\n');
  return Object.fromEntries(
    files.map((file) => [
      /WP\d\d/.exec(file)?.[0] ?? '',
      /^lane: "?(\w+)"?$/m.exec(readFileSync(join(world.repository, file), 'utf8'))?.[1] ?? '',
    ]),
  );
}

/** What the server holds, in clock order, and what its board shows. */
function checkServer(server: ContractServer, world: World): void {
  const envelopes = server
    .events()
    .map(({ envelope }) => envelope as unknown as Envelope) // the same fifteen keys
    .toSorted((a, b) => Number(a['lamport_clock']) - Number(b['lamport_clock']));
  expect(envelopes.map(inWords)).toEqual(TOLD);
  expect(envelopes.map((event) => event['lamport_clock'])).toEqual(TOLD.map((_, index) => index + 1));
  expect(new Set(envelopes.map((event) => event['team_slug']))).toEqual(new Set([ADA.team]));
  const [feature] = server.board(ADA.team).features;
  expect(Object.fromEntries(feature?.cards.map(({ wpId, lane }) => [wpId, lane]) ?? [])).toEqual(lanesOnDisk(world));
  // One cause for what one command did.
  const causes = envelopes.map((event) => event['causation_id']);
  const announced = new Set(causes.slice(0, 4));
  const merged = new Set(causes.slice(-6, -2));
  const accepted = new Set(causes.slice(-2));
  for (const cause of [announced, merged, accepted]) {
    expect(cause.size).toBe(1);
    expect([...cause][0]).toMatch(/^[0-9A-HJKMNP-TV-Z]{26}$/);
  }
}

test('online: every command is told as it happens, with the session’s team and a rising clock (US1-1, US3-1, US3-2, US3-3, US3-4, US4-1, FR-016, FR-017, FR-018, FR-019, FR-021, FR-022, SC-001, SC-002, SC-003, SC-009, SC-010)', async () => {
  const server = await startServer();
  const world = makeWorld({ delivery: 'inline' });
  await world.makeProject();
  await world.login(server);

  await live(world);
  await world.must(['sync', 'now']);

  checkRepository(world);
  checkServer(server, world);
});

test('offline: the same work leaves the same commits and the same events, and one sync at the end tells all of it (TECH-3, SC-007, SC-008, FR-029)', async () => {
  const world = makeWorld();
  const data = join(world.root, 'server.db');
  const server = await startServer(0, data);
  await world.makeProject();
  await world.login(server);
  const port = Number(new URL(server.url).port);
  await server.close();

  await live(world);
  const again = await startServer(port, data);
  expect(again.events()).toEqual([]);
  await world.must(['sync', 'now']);

  checkRepository(world);
  checkServer(again, world);
});
