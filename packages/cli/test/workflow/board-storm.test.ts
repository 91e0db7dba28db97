/**
 * Commands in random order on a real repository, with everything that comes between them: an editor that changes lanes, a
 * queue that is full, a hook that refuses, a process that dies before or after its events are recorded. Whatever happened:
 * after one `sync reconcile` the board's lanes are the disk's, and nothing was told that the disk did not show.
 * `SPEC_KITTY_STORM_SEED` replays a run, `SPEC_KITTY_STORM_BOARDS` sets how many there are.
 */
import { chmodSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import type { Lane } from '@spec-kitty/events-sdk/contract';
import { tellStorm } from '@spec-kitty/storm';
import { expect, test } from 'vitest';

import { parseFrontmatter } from '../../src/workflow/files/frontmatter.ts';
import type { Fate, WorkflowDeps, WorkflowEvents } from '../../src/workflow/ports.ts';
import { isWorkflowError } from '../../src/workflow/errors.ts';
import { LANES } from '../../src/workflow/rules/lanes.ts';
import { accept } from '../../src/workflow/services/accept.ts';
import { addHistory } from '../../src/workflow/services/add-history.ts';
import { finalizeTasks } from '../../src/workflow/services/finalize-tasks.ts';
import { implement } from '../../src/workflow/services/implement.ts';
import { markStatus } from '../../src/workflow/services/mark-status.ts';
import { moveTask } from '../../src/workflow/services/move-task.ts';
import { reconcile } from '../../src/workflow/services/reconcile.ts';
import { createProject } from './support/workspace.ts';
import { chanceFrom } from '../support/chance.ts';

const RUNS = Number(process.env['SPEC_KITTY_STORM_BOARDS'] ?? 3);
const FIRST_SEED = Number(process.env['SPEC_KITTY_STORM_SEED'] ?? Date.now() % 100_000);
const STEPS = 45;
const IDS = ['WP01', 'WP02', 'WP03', 'WP04'] as const;

/** `boasts`: what the queue refuses is said to be recorded. */
async function storm(seed: number, { isReconciled = true, boasts = false } = {}) {
  const random = chanceFrom(seed);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T; // never empty here
  const repo = await createProject(['One', 'Two:1', 'Three', 'Four:1,3']);
  const board = new Map<string, Lane>();
  const faults: string[] = [];
  const counts = { commands: 0, 'commands refused or killed': 0, 'events told': 0 };
  const laneOf = (id: string): Lane => parseFrontmatter(id, repo.read(repo.wpPath(id))).get('lane') as Lane; // checked by every command

  const take = (drafts: Parameters<WorkflowEvents['emit']>[0]): void => {
    for (const { type, payload } of drafts) {
      if (type === 'WPCreated') board.set(payload.wp_id, board.get(payload.wp_id) ?? 'planned');
      counts['events told'] += 1;
      if (type !== 'WPStatusChanged') continue;
      if (laneOf(payload.wp_id) !== payload.new_status)
        faults.push(`${payload.wp_id} is told to be in ${payload.new_status}`);
      board.set(payload.wp_id, payload.new_status);
    }
  };
  let trouble: 'none' | 'full' | 'dies-before' | 'dies-after' = 'none';
  const deps: WorkflowDeps = {
    ...repo.deps,
    events: {
      async emit(drafts): Promise<readonly Fate[]> {
        if (trouble === 'dies-before') throw new Error('died');
        if (trouble === 'full') return drafts.map(() => (boasts ? 'recorded' : 'untold'));
        take(drafts);
        if (trouble === 'dies-after') throw new Error('died');
        return drafts.map(() => 'recorded');
      },
    },
  };
  const hook = join(repo.root, '.git/hooks/pre-commit');
  const place = { cwd: repo.root };
  const actions: readonly (() => Promise<unknown>)[] = [
    () => finalizeTasks(deps, { ...place, emit: random() < 0.2 }),
    () => implement(deps, { ...place, wpId: pick(IDS), agent: pick(['claude', 'codex']) }),
    () => moveTask(deps, { ...place, wpId: pick(IDS), to: pick(LANES), force: random() < 0.5, note: 'Moved' }),
    () => moveTask(deps, { ...place, wpId: pick(IDS), to: pick(LANES), force: true }),
    () =>
      markStatus(deps, { ...place, ids: [pick(['T001', 'T002', 'T003', 'T004'])], status: pick(['done', 'pending']) }),
    () => markStatus(deps, { ...place, ids: [pick(IDS), pick(IDS)], status: pick(['doing', 'pending']), force: true }),
    () => addHistory(deps, { ...place, wpId: pick(IDS), note: 'Noted' }),
    () => accept(deps, { ...place, lenient: true }),
    () => reconcile(deps, place),
    async () => {
      const path = repo.wpPath(pick(IDS));
      repo.write(path, parseFrontmatter(path, repo.read(path)).set('lane', pick(LANES)).text);
      if (random() < 0.5) repo.git('commit', '-qam', 'By hand');
    },
    async () => {
      // Of a lane, not of the plan.
      if (repo.git('log', '-1', '--format=%s').startsWith('chore: Move')) repo.git('revert', '--no-edit', 'HEAD');
    },
  ];
  for (let step = 0; step < STEPS; step += 1) {
    trouble = random() < 0.75 ? 'none' : pick(['full', 'dies-before', 'dies-after'] as const);
    const isRefused = random() < 0.08;
    if (isRefused) {
      repo.write('.git/hooks/pre-commit', '#!/bin/sh\nexit 1\n');
      chmodSync(hook, 0o755);
    }
    try {
      counts.commands += 1;
      await pick(actions)();
    } catch (cause) {
      counts['commands refused or killed'] += 1;
      const isExpected =
        isWorkflowError(cause) || (cause instanceof Error && /died|Command failed: git/.test(cause.message));
      if (!isExpected) throw cause;
      if (/Command failed: git revert/.test(String(cause))) repo.git('reset', '-q', '--hard');
    }
    if (isRefused) rmSync(hook);
  }
  trouble = 'none';
  if (isReconciled) await reconcile(deps, place);
  const second = await reconcile(deps, { ...place, dryRun: true });
  return {
    counts,
    faults,
    board: Object.fromEntries([...board].toSorted()),
    disk: Object.fromEntries(IDS.map((id) => [id, laneOf(id)])),
    left: second.features.flatMap(({ moved, packages_created: created }) => [...moved, ...created]),
  };
}

test.for(Array.from({ length: RUNS }, (_, index) => FIRST_SEED + index))(
  'whatever happens between the commands, one reconcile makes the board say what the disk says (seed %i)',
  { timeout: 60_000 },
  async (seed, { task }) => {
    const after = await storm(seed);

    expect(after.faults).toEqual([]);
    expect(after.board).toEqual(after.disk);
    expect(after.left).toEqual([]);
    tellStorm(task, { storm: 'boards', seed, counts: { boards: 1, ...after.counts } });
  },
);

test.for<readonly [string, Parameters<typeof storm>[1]]>([
  ['a command line without that reconcile', { isReconciled: false }],
  ['a queue that says it has recorded what it refused', { boasts: true }],
])('the same storm finds %s out', { timeout: 120_000 }, async ([mistake, broken], { task }) => {
  let wrong = 0;
  for (let seed = FIRST_SEED; wrong === 0 && seed < FIRST_SEED + 20; seed += 1) {
    const { board, disk } = await storm(seed, broken);
    if (JSON.stringify(board) !== JSON.stringify(disk)) wrong += 1;
  }

  expect(wrong).toBe(1);
  tellStorm(task, { storm: 'boards', caught: [mistake] });
});
