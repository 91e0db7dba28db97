/** Whole runs of the built program: agents on PATH, a real server, real signals. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { ContractServer } from '@spec-kitty/events-sdk/testing';
import { expect, test } from 'vitest';

import { installAgents, runProcesses } from './agents.ts';
import { ADA, makeWorld, startServer, until, type Envelope, type World } from './world.ts';
import { chanceFrom } from '../support/chance.ts';

const bin = fileURLToPath(new URL('../../bin/run.js', import.meta.url));
const SEED = Number(process.env['SPEC_KITTY_STORM_SEED'] ?? Date.now() % 100_000);

async function makeFeature(packages: readonly string[], delivery: 'off' | 'courier' = 'off'): Promise<World> {
  const world = makeWorld({ delivery });
  await world.makeProject();
  await world.makeFeature(packages);
  await world.must(['agent', 'feature', 'finalize-tasks']);
  return world;
}

function lanes(world: World): Readonly<Record<string, string>> {
  const files = world.git('ls-files', 'kitty-specs/001-demo/tasks/WP*').trim().split('\n');
  return Object.fromEntries(
    files.map((file) => {
      const lane = /^lane: "?(\w+)"?$/m.exec(readFileSync(join(world.repository, file), 'utf8'))?.[1] ?? '';
      return [/WP\d\d/.exec(file)?.[0] ?? '', lane];
    }),
  );
}

function ofType(events: readonly Envelope[], type: string): readonly Envelope[] {
  return events.filter((event) => event['event_type'] === type);
}

/** What the server holds, in clock order. */
function received(server: ContractServer, type?: string): readonly Envelope[] {
  const envelopes = server.events().map(({ envelope }) => envelope as unknown as Envelope); // the same fifteen keys
  const wanted = type === undefined ? envelopes : ofType(envelopes, type);
  return wanted.toSorted((a, b) => Number(a['lamport_clock']) - Number(b['lamport_clock']));
}

/** What one document of the stream says. */
type Line = Readonly<Record<string, unknown>> & { readonly kind: string };

function linesOf(stdout: string): readonly Line[] {
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line); // every line is a document: that is what is tested
}

test('says with --json what happens, one document a line, and ends with the summary and exit code 0', async () => {
  const world = await makeFeature(['One', 'Two:1']);
  installAgents(world);

  const ended = await world.specKitty(['orchestrate', '--feature', '001-demo', '--json']);

  expect(ended.code).toBe(0);
  const lines = linesOf(ended.stdout);
  expect(lines[0]).toMatchObject({ kind: 'started', feature: '001-demo' });
  expect(lines.at(-1)).toMatchObject({ kind: 'ended', status: 'completed', total: 2, completed: 2 });
  expect(lines.filter(({ kind }) => kind === 'lane')).toHaveLength(6);
  expect(world.git('status', '--porcelain')).toBe('');
});

test.runIf(process.platform === 'linux')(
  'shows a live table on a terminal, and the summary when it is over',
  async () => {
    const world = await makeFeature(['One', 'Two:1']);
    installAgents(world);
    const typed = [process.execPath, bin, 'orchestrate', '--feature', '001-demo'].map((word) => `'${word}'`).join(' ');

    // util-linux: runs a line on a terminal of its own.
    const shown = execFileSync(
      'script',
      ['--quiet', '--return', '--command', `stty rows 30 cols 100; ${typed}`, '/dev/null'],
      {
        cwd: world.repository,
        env: { ...world.env, TERM: 'xterm', NO_COLOR: '1' },
        encoding: 'utf8',
      },
    );

    expect(shown).toMatch(/WP01 {2}implementation {2}claude/);
    expect(shown).toMatch(/WP02 {2}review {10}codex/);
    expect(shown).toContain('Progress: 2/2 (100%)');
    expect(shown).toContain('Next: spec-kitty merge --feature 001-demo');
  },
);

test('ends with exit code 1 when a package failed, names its log, and the ways on lead on as printed', async () => {
  const world = await makeFeature(['One']);
  const agents = installAgents(world, ['max_retries: 0', 'fallback_strategy: fail']);
  agents.say({ implementation: ['broken'] });

  const ended = await world.specKitty(['orchestrate', '--feature', '001-demo']);

  expect(ended.code).toBe(1);
  expect(ended.stdout).toContain('Paused: WP01 failed: something broke: broken');
  expect(ended.stdout).toMatch(/log: \.kittify\/logs\/WP01-implementation-[\d-]+\.log/);
  const way = /^ {2}spec-kitty (orchestrate .* --retry WP01)$/m.exec(ended.stdout)?.[1] ?? '';
  agents.say({});
  const again = await world.specKitty(way.split(' '));

  expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('Completed.') });
  expect(lanes(world)).toEqual({ WP01: 'done' });
});

test('usage errors are told before anything is started', async () => {
  const world = await makeFeature(['One']);
  installAgents(world);

  const two = await world.specKitty(['orchestrate', '--resume', '--abort', '--json']);
  const unnamed = await world.specKitty(['orchestrate', '--json']);
  const lonely = await world.specKitty(['orchestrate', '--cleanup', '--json']);

  for (const ended of [two, unnamed, lonely]) {
    expect(ended.code).toBe(2);
    expect(JSON.parse(ended.stdout)).toMatchObject({ code: 'usage' });
  }
  expect(existsSync(join(world.repository, '.kittify/orchestration-state.json'))).toBe(false);
});

test('events reach the server while agents are still at work, and a server that is gone slows nobody (US5-1, US1-3)', async () => {
  const server = await startServer();
  const world = await makeFeature(['One', 'Two'], 'courier');
  await world.login(server);
  const agents = installAgents(world);
  agents.say({ 'WP02 implementation': ['hang'] });

  const run = world.start(['orchestrate', '--feature', '001-demo', '--json']);
  await until('the assignment of WP02 on the server', () =>
    received(server, 'WPAssigned').some(({ payload }) => payload['wp_id'] === 'WP02'),
  );
  await until('WP01 done on the server', () =>
    received(server, 'WPStatusChanged').some(
      ({ payload }) => payload['wp_id'] === 'WP01' && payload['new_status'] === 'done',
    ),
  );
  const isStillAtWork = !run.output.stdout.includes('"kind":"ended"');
  run.kill('SIGINT');
  const ended = await run.ended;

  expect(isStillAtWork).toBe(true);
  expect(ended.code).toBe(130);
  expect(linesOf(ended.stdout).at(-1)).toMatchObject({ kind: 'ended', status: 'paused' });
  await server.close();
  agents.say({});
  const offline = await world.specKitty(['orchestrate', '--resume', '--json']);
  expect(offline.code).toBe(0);
  expect(lanes(world)).toEqual({ WP01: 'done', WP02: 'done' });
});

test('a second Ctrl-C leaves at once, and no agent stays behind', async () => {
  const world = await makeFeature(['One']);
  const agents = installAgents(world);
  agents.say({ implementation: ['deaf'] });
  const run = world.start(['orchestrate', '--feature', '001-demo', '--json']);
  await until('the agent', () => agents.diary().length > 0);
  const runId = String(linesOf(run.output.stdout.trim())[0]?.['run_id']);

  run.kill('SIGINT');
  await until('the pause to be asked for', () =>
    readFileSync(join(world.repository, '.kittify/orchestration-state.json'), 'utf8').includes('"interrupted"'),
  );
  run.kill('SIGINT');
  const ended = await run.ended;

  expect(ended.code).toBe(130);
  await until('the agent to be gone', () => runProcesses(runId).length === 0);
});

test.each(['at work', 'killed'])(
  '--abort --cleanup ends a run that is %s: no process, no state, no workspace of it is left',
  async (how) => {
    const world = await makeFeature(['One', 'Mine']);
    await world.must(['implement', 'WP02']);
    const agents = installAgents(world);
    agents.say({ 'WP01 implementation': ['hang'], 'WP02 implementation': ['hang'] });
    const run = world.start(['orchestrate', '--feature', '001-demo', '--json']);
    await until('both agents', () => agents.diary().length === 2);
    const runId = String(linesOf(run.output.stdout.trim())[0]?.['run_id']);
    if (how === 'killed') {
      run.kill('SIGKILL');
      await run.ended;
      expect(runProcesses(runId).length).toBeGreaterThan(0);
    }

    const aborted = await world.must(['orchestrate', '--abort', '--cleanup', '--json']);

    expect(JSON.parse(aborted.stdout)).toMatchObject({
      run_id: runId,
      ended_process: how === 'at work',
      removed_worktrees: ['.worktrees/001-demo-WP01'],
      kept_worktrees: [],
    });
    expect((await run.ended).code).toBe(how === 'at work' ? 143 : null);
    expect(runProcesses(runId)).toEqual([]);
    expect(existsSync(join(world.repository, '.kittify/orchestration-state.json'))).toBe(false);
    expect(existsSync(join(world.repository, '.worktrees/001-demo-WP02'))).toBe(true);
    expect(world.git('status', '--porcelain')).toBe('');
    expect(lanes(world)).toEqual({ WP01: 'doing', WP02: 'doing' });
  },
);

test(
  `a run killed at any moment is resumed to its end: no package lost, no orphan left, nothing told twice (seed ${SEED})`,
  { timeout: 240_000 },
  async () => {
    const random = chanceFrom(SEED);
    const world = await makeFeature(['One', 'Two:1', 'Three:1', 'Four:2,3']);
    const agents = installAgents(world, ['global_concurrency: 2']);
    agents.say({ 'WP02 review': ['reject', 'approve'], 'WP03 implementation claude': ['auth'] });
    let runId = '';
    let kills = 0;

    for (let turn = 0; turn < 12; turn += 1) {
      const words =
        turn === 0 ? ['orchestrate', '--feature', '001-demo', '--json'] : ['orchestrate', '--resume', '--json'];
      const run = world.start(words);
      const lineCount = 1 + Math.floor(random() * 8);
      const isOver = await Promise.race([
        run.ended.then(() => true),
        until(`line ${lineCount}`, () => run.output.stdout.split('\n').length > lineCount).then(() => false),
      ]);
      runId ||= /"run_id":"(\w+)"/.exec(run.output.stdout)?.[1] ?? '';
      if (isOver) break;
      run.kill('SIGKILL');
      kills += 1;
      await run.ended;
    }
    let last = await world.specKitty(['orchestrate', '--resume', '--json']);
    // A package whose start was cut off four times is given to a person to judge.
    for (let retries = 0; last.code !== 0 && retries < 8; retries += 1) {
      const way = /"spec-kitty (orchestrate [^"]* --retry WP\d\d)"/.exec(last.stdout)?.[1] ?? '';
      last = await world.specKitty([...way.split(' '), '--json']);
    }

    expect({ kills, code: last.code, out: last.code === 0 ? '' : last.stdout + last.stderr }).toEqual({
      kills,
      code: 0,
      out: '',
    });
    expect(lanes(world)).toEqual({ WP01: 'done', WP02: 'done', WP03: 'done', WP04: 'done' });
    expect(runProcesses(runId)).toEqual([]);
    expect(world.git('status', '--porcelain')).toBe('');
    // Every transition once, each from where the last one ended.
    for (const wp of ['WP01', 'WP02', 'WP03', 'WP04']) {
      const told = ofType(world.queued(), 'WPStatusChanged').filter(({ payload }) => payload['wp_id'] === wp);
      const path = ['planned', ...told.map(({ payload }) => payload['new_status'])];
      expect({ wp, from: told.map(({ payload }) => payload['previous_status']) }).toEqual({
        wp,
        from: path.slice(0, -1),
      });
      expect({ wp, end: path.at(-1), done: path.filter((lane) => lane === 'done').length }).toEqual({
        wp,
        end: 'done',
        done: 1,
      });
    }
    expect(ofType(world.queued(), 'FeatureCompleted')).toHaveLength(1);
    expect(
      ofType(world.queued(), 'DependencyResolved')
        .map(({ payload }) => `${String(payload['wp_id'])} ${String(payload['dependency_wp_id'])}`)
        .toSorted(),
    ).toEqual(['WP02 WP01', 'WP03 WP01', 'WP04 WP02', 'WP04 WP03']);
    // Work that was finished is not done again: a commit more than once only where a start was cut off.
    for (const wp of ['WP01', 'WP04']) {
      const commits = world
        .git('log', '--format=%s', `001-demo-${wp}`)
        .split('\n')
        .filter((line) => line.startsWith(`${wp}: work`));
      expect(commits.length).toBeLessThanOrEqual(1 + kills);
    }
  },
);

/** Twelve packages: one, four upon it, four across, two, one. */
const DIAMOND = [
  'P01',
  'P02:1',
  'P03:1',
  'P04:1',
  'P05:1',
  'P06:2,3',
  'P07:3,4',
  'P08:4,5',
  'P09:5,2',
  'P10:6,7',
  'P11:8,9',
  'P12:10,11',
] as const;

test(
  `twelve packages in a diamond, four at a time, with random failures and a fallback agent: all done, all merged, and the server holds exactly that (US5-1, US5-2, US5-3, US5-4, US5-5, FR-023, SC-005, SC-012; seed ${SEED})`,
  { timeout: 240_000 },
  async () => {
    const random = chanceFrom(SEED);
    const pick = (...choices: readonly (readonly string[])[]): readonly string[] =>
      choices[Math.floor(random() * choices.length)] ?? [];
    const ids = DIAMOND.map((_, index) => `WP${String(index + 1).padStart(2, '0')}`);
    const edges = DIAMOND.flatMap((words, index) =>
      (words.split(':')[1]?.split(',') ?? []).map((dep) => `${ids[index] ?? ''} WP${dep.padStart(2, '0')}`),
    ).toSorted();
    const server = await startServer();
    const world = await makeFeature(DIAMOND, 'courier');
    await world.login(server);
    const agents = installAgents(world, ['global_concurrency: 4', 'max_retries: 1']);
    agents.say(
      Object.fromEntries(
        ids.flatMap((id) => [
          [
            `${id} implementation claude`,
            pick(['work'], ['network', 'work'], ['forget-commit', 'work'], ['auth'], ['broken']),
          ],
          [`${id} review`, pick(['approve'], ['reject', 'approve'], ['no-verdict', 'approve'])],
        ]),
      ),
    );

    const run = await world.specKitty(['orchestrate', '--feature', '001-demo', '--json']);
    const lines = linesOf(run.stdout);
    expect({ code: run.code, last: lines.at(-1)?.['pause_reason'] }).toEqual({ code: 0, last: null });
    const merged = await world.must(['merge', '--feature', '001-demo', '--json']);
    await world.must(['sync', 'now']);

    expect(lanes(world)).toEqual(Object.fromEntries(ids.map((id) => [id, 'done'])));
    expect(JSON.parse(merged.stdout)).toMatchObject({ order: ids, merged: ids });
    for (const id of ids) expect(world.git('log', '--format=%s', 'main')).toContain(`${id}: work of`);
    expect(world.git('status', '--porcelain')).toBe('');

    const events = received(server);
    expect(world.queued()).toEqual([]);
    expect(events.map((event) => event['lamport_clock'])).toEqual(events.map((_, index) => index + 1));
    const runId = String(lines[0]?.['run_id']);
    const ofRun = events.filter((event) => event['causation_id'] === runId);
    expect(ofRun.map((event) => event['event_type']).at(-1)).toBe('FeatureCompleted');
    const resolved = (type: string): readonly string[] =>
      ofType(events, 'DependencyResolved')
        .filter(({ payload }) => payload['resolution_type'] === type)
        .map(({ payload }) => `${String(payload['wp_id'])} ${String(payload['dependency_wp_id'])}`)
        .toSorted();
    expect(resolved('completed')).toEqual(edges);
    expect(resolved('merged')).toEqual(edges);
    for (const id of ids) {
      const own = ofRun.filter(({ payload }) => payload['wp_id'] === id);
      const told = ofType(own, 'WPStatusChanged').map(({ payload }) => payload);
      const path = ['planned', ...told.map((payload) => payload['new_status'])];
      expect(told.map((payload) => payload['previous_status'])).toEqual(path.slice(0, -1));
      expect([path.at(-1), path.filter((lane) => lane === 'done')]).toEqual(['done', ['done']]);
      // Every start that was said on the terminal was told, with its agent, phase and count.
      const said = lines
        .filter((line) => line.kind === 'assigned' && line['wp_id'] === id && line['is_retry'] === false)
        .map((line) => [line['agent'], line['role'], line['retry_count']]);
      const assigned = ofType(own, 'WPAssigned').map(({ payload }) => [
        payload['agent_id'],
        payload['phase'],
        payload['retry_count'],
      ]);
      expect(assigned).toEqual(said);
      for (const phase of ['implementation', 'review']) {
        const counts = assigned.filter(([, each]) => each === phase).map(([, , count]) => count);
        expect(counts).toEqual(counts.map((_, index) => index));
      }
      const failures = lines.filter((line) => line.kind === 'attempt-failed' && line['wp_id'] === id);
      expect(ofType(own, 'ErrorLogged')).toHaveLength(failures.length);
    }
    const [feature] = server.board(ADA.team).features;
    expect(Object.fromEntries(feature?.cards.map(({ wpId, lane }) => [wpId, lane]) ?? [])).toEqual(lanes(world));
    const most = Math.max(...atWorkOverTime(lines));
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(4);
  },
);

/** How many packages had an agent at work, after each line. */
function atWorkOverTime(lines: readonly Line[]): readonly number[] {
  const atWork = new Set<unknown>();
  return lines.map((line) => {
    if (line.kind === 'assigned') atWork.add(line['wp_id']);
    const isOver = line.kind === 'attempt-failed' || line.kind === 'rejected' || line.kind === 'completed';
    if (isOver || (line.kind === 'lane' && line['next'] === 'for_review')) atWork.delete(line['wp_id']);
    return atWork.size;
  });
}
