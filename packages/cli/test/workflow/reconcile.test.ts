/** What `sync reconcile` promises, on real git repositories. */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import type { Draft, SpecKittyEvents } from '@spec-kitty/events-sdk/contract';
import { expect, onTestFinished, test } from 'vitest';

import type { Fate, WorkflowDeps } from '../../src/workflow/ports.ts';
import { createFeature } from '../../src/workflow/services/create-feature.ts';
import { finalizeTasks } from '../../src/workflow/services/finalize-tasks.ts';
import { implement } from '../../src/workflow/services/implement.ts';
import { moveTask } from '../../src/workflow/services/move-task.ts';
import { reconcile } from '../../src/workflow/services/reconcile.ts';
import { scaffold } from '../../src/workflow/services/scaffold.ts';
import { createProject, createRepo, type TestRepo } from './support/workspace.ts';

const CORPUS = process.env['SPEC_KITTY_CORPUS'] ?? resolve(import.meta.dirname, '../../../../../shared/corpus');
const isCorpusAbsent = !existsSync(join(CORPUS, 'kitty-specs'));

/** A feature whose packages were announced; what was told so far is forgotten by the sink. */
async function createTold(wps: readonly string[]) {
  const repo = await createProject(wps);
  await finalizeTasks(repo.deps, { cwd: repo.root });
  repo.emitted.length = 0;
  return repo;
}

/** Changes a lane as an editor does. */
function setLane(repo: Pick<TestRepo, 'read' | 'write'>, path: string, lane: string): void {
  repo.write(path, repo.read(path).replace(/^lane: .*$/m, `lane: ${lane}`));
}

/** Events told since, in short: `FeatureCreated`, `WPCreated WP01`, `WP01 planned>doing`. */
function told(repo: Pick<TestRepo, 'emitted'>): readonly string[] {
  return repo.emitted.flatMap(({ drafts }) => drafts.map(short));
}

function short({ type, payload }: Draft<SpecKittyEvents>): string {
  if ('previous_status' in payload) return `${payload.wp_id} ${payload.previous_status}>${payload.new_status}`;
  return 'wp_id' in payload ? `${type} ${payload.wp_id ?? ''}` : type;
}

/** Every file below the project, git's own included, with its content. */
function everyFile(root: string): Readonly<Record<string, string>> {
  const names = readdirSync(root, { recursive: true, encoding: 'utf8' }).toSorted();
  return Object.fromEntries(
    names
      .filter((name) => statSync(join(root, name)).isFile())
      .map((name) => [name, readFileSync(join(root, name), 'latin1')]),
  );
}

/** The same dependencies with a queue that takes nothing until it is emptied. */
function withFullQueue(deps: WorkflowDeps): WorkflowDeps & { full: boolean; refused: number } {
  const state = {
    ...deps,
    full: true,
    refused: 0,
    events: {
      async emit(
        drafts: readonly Draft<SpecKittyEvents>[],
        options: { readonly projectRoot: string },
      ): Promise<readonly Fate[]> {
        if (!state.full) return deps.events.emit(drafts, options);
        state.refused += 1;
        return drafts.map(() => 'untold');
      },
    },
  };
  return state;
}

test('tells a lane changed in an editor from the lane last told, once, and commits nothing', async () => {
  const repo = await createTold(['First', 'Second']);
  setLane(repo, repo.wpPath('WP02'), 'for_review');
  const commits = repo.commits();

  const result = await reconcile(repo.deps, { cwd: repo.root });
  const again = await reconcile(repo.deps, { cwd: repo.root });

  expect(repo.emitted.flatMap(({ drafts }) => drafts)).toMatchObject([
    {
      type: 'WPStatusChanged',
      payload: {
        wp_id: 'WP02',
        previous_status: 'planned',
        new_status: 'for_review',
        changed_by: 'reconcile',
        feature_slug: '001-demo',
      },
    },
  ]);
  expect(result).toMatchObject({
    result: 'success',
    events_emitted: 1,
    events_dropped: 0,
    skipped: [],
    features: [
      {
        feature: '001-demo',
        created: false,
        packages_created: [],
        moved: [{ wp_id: 'WP02', previous: 'planned', next: 'for_review' }],
      },
    ],
  });
  expect(again).toMatchObject({ events_emitted: 0, features: [{ moved: [] }] });
  expect(repo.commits()).toBe(commits);
  expect(repo.status()).toBe(` M ${repo.wpPath('WP02')}\n`);
});

test('tells that a claim was reverted', async () => {
  const repo = await createTold(['First']);
  await implement(repo.deps, { cwd: repo.root, wpId: 'WP01', agent: 'claude' });
  repo.git('revert', '--no-edit', 'HEAD');

  await reconcile(repo.deps, { cwd: repo.root });

  expect(told(repo)).toEqual(['WP01 planned>doing', 'WP01 doing>planned']);
});

test('tells what a pull brought from another clone, and warns before the pull that the branch is behind', async () => {
  const repo = await createTold(['First', 'Second']);
  const shared = realpathSync(mkdtempSync(join(tmpdir(), 'shared-')));
  onTestFinished(() => {
    rmSync(shared, { recursive: true, force: true });
  });
  const there = (dir: string, ...args: string[]): void => {
    execFileSync('git', ['-c', 'user.name=Bo', '-c', 'user.email=bo@example.com', ...args], {
      cwd: dir,
      stdio: 'pipe',
    });
  };
  there(shared, 'clone', '-q', '--bare', repo.root, 'origin.git');
  there(shared, 'clone', '-q', 'origin.git', 'other');
  repo.git('remote', 'add', 'origin', join(shared, 'origin.git'));
  repo.git('fetch', '-q', 'origin');
  repo.git('branch', '-q', '--set-upstream-to=origin/main');
  const other = join(shared, 'other');
  const [path, file] = [repo.wpPath('WP02'), repo.read(repo.wpPath('WP02'))];
  rmSync(join(other, path));
  cpSync(join(repo.root, path), join(other, path));
  execFileSync('sed', ['-i', 's/^lane: .*/lane: done/', path], { cwd: other });
  there(other, 'commit', '-qam', 'Done elsewhere');
  there(other, 'push', '-q');
  repo.git('fetch', '-q');

  const before = await reconcile(repo.deps, { cwd: repo.root });
  repo.git('merge', '-q', '--ff-only');
  const after = await reconcile(repo.deps, { cwd: repo.root });

  expect(before).toMatchObject({
    events_emitted: 0,
    warnings: ['main is 1 commit behind its upstream: git pull first, or the team hears of older lanes.'],
  });
  expect(repo.read(path)).not.toBe(file);
  expect(after).toMatchObject({ events_emitted: 1, warnings: [] });
  expect(told(repo)).toEqual(['WP02 planned>done']);
});

test('brings a feature from before the first sync to the board: itself, its packages, their lanes, under one cause', async () => {
  const repo = await createProject(['First', 'Second:1', 'Third']);
  setLane(repo, repo.wpPath('WP01'), 'done');
  setLane(repo, repo.wpPath('WP03'), 'doing');
  repo.git('commit', '-qam', 'Worked before there was a sync');

  const result = await reconcile(repo.deps, { cwd: repo.root });
  const again = await reconcile(repo.deps, { cwd: repo.root });

  expect(told(repo)).toEqual([
    'FeatureCreated',
    'WPCreated WP01',
    'WPCreated WP02',
    'WPCreated WP03',
    'WP01 planned>done',
    'WP03 planned>doing',
  ]);
  expect(result).toMatchObject({
    events_emitted: 6,
    features: [{ created: true, packages_created: ['WP01', 'WP02', 'WP03'] }],
  });
  const causes = repo.emitted.flatMap(({ drafts }) => drafts.map(({ causationId }) => causationId));
  expect(new Set(causes).size).toBe(1);
  expect(causes[0]).toMatch(/^[0-9A-Z]{26}$/);
  expect(again.events_emitted).toBe(0);
});

test('announces with the same facts as finalize-tasks', async () => {
  const one = await createProject(['First', 'Second:1']);
  const other = await createProject(['First', 'Second:1']);

  await finalizeTasks(one.deps, { cwd: one.root });
  await reconcile(other.deps, { cwd: other.root });

  const payloads = (repo: TestRepo): unknown =>
    repo.emitted.flatMap(({ drafts }) => drafts.map((each) => each.payload));
  expect(payloads(other)).toEqual(payloads(one));
});

test('after finalize-tasks and implement there is nothing left to tell', async () => {
  const repo = await createTold(['First', 'Second']);
  await implement(repo.deps, { cwd: repo.root, wpId: 'WP01' });
  repo.emitted.length = 0;

  await reconcile(repo.deps, { cwd: repo.root });

  expect(told(repo)).toEqual([]);
});

test('a package added later is announced alone; one whose file is gone is a warning', async () => {
  const repo = await createTold(['First', 'Second']);
  const gone = repo.wpPath('WP01');
  repo.write('kitty-specs/001-demo/tasks/WP03-third.md', '---\ntitle: Third\nlane: planned\n---\n');
  rmSync(join(repo.root, gone));

  const result = await reconcile(repo.deps, { cwd: repo.root });

  expect(told(repo)).toEqual(['WPCreated WP03']);
  expect(result.features[0]?.warnings).toEqual([
    'The team was told of WP01 of 001-demo, but its file is gone; its card stays.',
  ]);
});

test('a dry run shows the same and changes nothing, not even below .git', async () => {
  const repo = await createProject(['First']);
  setLane(repo, repo.wpPath('WP01'), 'doing');
  const before = everyFile(repo.root);

  const dry = await reconcile(repo.deps, { cwd: repo.root, dryRun: true });

  expect(everyFile(repo.root)).toEqual(before);
  expect(repo.emitted).toEqual([]);
  const real = await reconcile(repo.deps, { cwd: repo.root });
  expect(dry.features).toEqual(real.features);
  expect(dry).toMatchObject({ dry_run: true, events_emitted: 0, events_dropped: 0 });
});

test('--all tells everything again, also a move back to planned', async () => {
  const repo = await createTold(['First', 'Second']);
  await implement(repo.deps, { cwd: repo.root, wpId: 'WP01' });
  setLane(repo, repo.wpPath('WP02'), 'done');
  await reconcile(repo.deps, { cwd: repo.root });
  setLane(repo, repo.wpPath('WP02'), 'planned');
  repo.emitted.length = 0;

  await reconcile(repo.deps, { cwd: repo.root, all: true });

  expect(told(repo)).toEqual([
    'FeatureCreated',
    'WPCreated WP01',
    'WPCreated WP02',
    'WP01 planned>doing',
    'WP02 done>planned',
  ]);
  expect((await reconcile(repo.deps, { cwd: repo.root })).events_emitted).toBe(0);
});

test('what a full queue refused is not taken for told: the next reconcile tells it once, in order', async () => {
  const repo = await createProject(['First']);
  setLane(repo, repo.wpPath('WP01'), 'doing');
  const deps = withFullQueue(repo.deps);

  const first = await reconcile(deps, { cwd: repo.root });
  const second = await reconcile(deps, { cwd: repo.root });
  const all = await reconcile(deps, { cwd: repo.root, all: true });
  deps.full = false;
  const third = await reconcile(deps, { cwd: repo.root });

  for (const refused of [first, second, all]) expect(refused).toMatchObject({ events_emitted: 0, events_dropped: 3 });
  expect(third).toMatchObject({ events_emitted: 3, events_dropped: 0 });
  expect(told(repo)).toEqual(['FeatureCreated', 'WPCreated WP01', 'WP01 planned>doing']);
});

test('what a full queue refused is told by the next command that works on the feature, before its own event', async () => {
  const repo = await createTold(['First', 'Second']);
  setLane(repo, repo.wpPath('WP02'), 'doing');
  const deps = withFullQueue(repo.deps);
  await reconcile(deps, { cwd: repo.root });

  await implement(repo.deps, { cwd: repo.root, wpId: 'WP01' });
  const after = await reconcile(repo.deps, { cwd: repo.root });

  expect(told(repo)).toEqual(['WP02 planned>doing', 'WP01 planned>doing']);
  expect(after.events_emitted).toBe(0);
});

test('a dry run says how much of earlier commands will go first', async () => {
  const repo = await createTold(['First']);
  setLane(repo, repo.wpPath('WP01'), 'doing');
  await reconcile(withFullQueue(repo.deps), { cwd: repo.root });

  const dry = await reconcile(repo.deps, { cwd: repo.root, dryRun: true });

  expect(dry.features).toMatchObject([
    { moved: [], warnings: ['1 event of earlier commands on 001-demo waits to be told and will go first.'] },
  ]);
  expect(told(repo)).toEqual([]);
});

test('two at once tell a change once, also when one runs in a workspace', async () => {
  const repo = await createTold(['First', 'Second']);
  await implement(repo.deps, { cwd: repo.root, wpId: 'WP01' });
  setLane(repo, repo.wpPath('WP02'), 'doing');
  repo.emitted.length = 0;

  await Promise.all([
    reconcile(repo.deps, { cwd: repo.root }),
    reconcile(repo.deps, { cwd: join(repo.root, '.worktrees/001-demo-WP01') }),
  ]);

  expect(told(repo)).toEqual(['WP02 planned>doing']);
});

test('a lane that went on while an older word waited is told as one move from what the team knows', async () => {
  const repo = await createTold(['First']);
  setLane(repo, repo.wpPath('WP01'), 'doing');
  await reconcile(withFullQueue(repo.deps), { cwd: repo.root });
  setLane(repo, repo.wpPath('WP01'), 'done');

  await reconcile(repo.deps, { cwd: repo.root });

  expect(told(repo)).toEqual(['WP01 planned>done']);
});

test.for<readonly [string, (repo: Awaited<ReturnType<typeof createTold>>) => void]>([
  ['an editor', (repo) => setLane(repo, repo.wpPath('WP01'), 'doing')],
  ['a revert, which takes the evidence with it,', (repo) => void repo.git('revert', '--no-edit', 'HEAD')],
])(
  'a lane that a command told right before it died, and %s put back, is told back: the board may have heard it',
  async ([, putBack]) => {
    const repo = await createTold(['One']);
    await implement(repo.deps, { cwd: repo.root, wpId: 'WP01' });
    // Recorded by the queue; the process did not live to remember it.
    const dying: WorkflowDeps = {
      ...repo.deps,
      events: {
        async emit(drafts, options) {
          await repo.deps.events.emit(drafts, options);
          throw new Error('died here');
        },
      },
    };
    await expect(moveTask(dying, { cwd: repo.root, wpId: 'WP01', to: 'planned' })).rejects.toThrow('died here');
    putBack(repo);

    await reconcile(repo.deps, { cwd: repo.root });
    const again = await reconcile(repo.deps, { cwd: repo.root });

    expect(told(repo)).toEqual(['WP01 planned>doing', 'WP01 doing>planned', 'WP01 planned>doing']);
    expect(again.events_emitted).toBe(0);
  },
);

test('takes features by name, and leaves those of another branch alone, by name', async () => {
  const repo = await createTold(['First']);
  await createFeature(repo.deps, { cwd: repo.root, slug: 'old' });
  await scaffold(repo.deps, { cwd: repo.root, feature: '002-old', wps: ['Old one'] });
  await createFeature(repo.deps, { cwd: repo.root, slug: 'elsewhere' });
  await scaffold(repo.deps, { cwd: repo.root, feature: '003-elsewhere', wps: ['Other'] });
  const meta = 'kitty-specs/003-elsewhere/meta.json';
  repo.write(meta, repo.read(meta).replace('"target_branch": "main"', '"target_branch": "release"'));
  setLane(repo, repo.wpPath('WP01'), 'doing');

  const result = await reconcile(repo.deps, { cwd: repo.root });

  expect(told(repo)).toEqual(['WP01 planned>doing', 'FeatureCreated', 'WPCreated WP01']);
  expect(result.features.map(({ feature }) => feature)).toEqual(['001-demo', '002-old']);
  expect(result.skipped).toEqual([{ feature: '003-elsewhere', target_branch: 'release' }]);
  await expect(reconcile(repo.deps, { cwd: repo.root, feature: '003-elsewhere' })).rejects.toMatchObject({
    code: 'wrong-branch',
    remedy: 'git switch release && spec-kitty sync reconcile',
  });
});

test('one named feature is compared alone', async () => {
  const repo = await createTold(['First']);
  await createFeature(repo.deps, { cwd: repo.root, slug: 'old' });
  await scaffold(repo.deps, { cwd: repo.root, feature: '002-old', wps: ['Old one'] });
  setLane(repo, repo.wpPath('WP01'), 'doing');

  await reconcile(repo.deps, { cwd: repo.root, feature: '001-demo' });

  expect(told(repo)).toEqual(['WP01 planned>doing']);
});

test('a file nobody can read is reported when everything else has been told', async () => {
  const repo = await createTold(['First', 'Second']);
  await createFeature(repo.deps, { cwd: repo.root, slug: 'old' });
  await scaffold(repo.deps, { cwd: repo.root, feature: '002-old', wps: ['Old one'] });
  setLane(repo, repo.wpPath('WP01'), '"unfinished');
  setLane(repo, repo.wpPath('WP02'), 'doing');

  const refusal = reconcile(repo.deps, { cwd: repo.root });

  await expect(refusal).rejects.toMatchObject({
    code: 'reconcile-incomplete',
    message: expect.stringMatching(/^001-demo could not be compared in full\.\n001-demo: .*WP01-first\.md.*line 4/),
    details: {
      result: 'incomplete',
      failed: [{ feature: '001-demo', code: 'frontmatter-invalid' }],
      features: [{ feature: '001-demo', warnings: [] }, { feature: '002-old' }],
      events_emitted: 3,
    },
  });
  expect(told(repo)).toEqual(['WP02 planned>doing', 'FeatureCreated', 'WPCreated WP01']);
});

test('a feature with a broken meta.json does not hold up the others', async () => {
  const repo = await createTold(['First']);
  await createFeature(repo.deps, { cwd: repo.root, slug: 'broken' });
  repo.write('kitty-specs/002-broken/meta.json', '{');
  setLane(repo, repo.wpPath('WP01'), 'doing');

  await expect(reconcile(repo.deps, { cwd: repo.root })).rejects.toMatchObject({
    details: { failed: [{ feature: '002-broken', code: 'meta-invalid' }] },
  });
  expect(told(repo)).toEqual(['WP01 planned>doing']);
});

test('refuses on a detached HEAD, where no file can be taken for the truth', async () => {
  const repo = await createTold(['First']);
  setLane(repo, repo.wpPath('WP01'), 'doing');
  repo.git('switch', '-q', '--detach');

  await expect(reconcile(repo.deps, { cwd: repo.root })).rejects.toMatchObject({
    code: 'detached-head',
    remedy: 'git switch main && spec-kitty sync reconcile',
  });
  expect(told(repo)).toEqual([]);
});

test('a feature named as the server takes none tells its packages, and says what it does not tell', async () => {
  const repo = await createTold(['First']);
  repo.git('mv', 'kitty-specs/001-demo', 'kitty-specs/001-Demo_X');

  const first = await reconcile(repo.deps, { cwd: repo.root });
  const second = await reconcile(repo.deps, { cwd: repo.root });

  expect(told(repo)).toEqual(['WPCreated WP01']);
  expect(first.features[0]).toMatchObject({
    created: false,
    warnings: [expect.stringContaining('001-Demo_X cannot be announced')],
  });
  expect(second.events_emitted).toBe(0);
});

test('tells ninety-nine packages in one batch, sorted by id', async () => {
  const repo = await createTold(Array.from({ length: 99 }, (_, index) => `Package ${index + 1}`));
  const ids = Array.from({ length: 99 }, (_, index) => `WP${String(index + 1).padStart(2, '0')}`);
  for (const path of repo.git('ls-files', 'kitty-specs/001-demo/tasks/WP*').trim().split('\n')) {
    setLane(repo, path, 'done');
  }

  await reconcile(repo.deps, { cwd: repo.root });

  expect(repo.emitted).toHaveLength(1);
  expect(told(repo)).toEqual(ids.map((id) => `${id} planned>done`));
});

test.skipIf(isCorpusAbsent)(
  'announces real features from before the first sync, and a second run is silent',
  async () => {
    const repo = createRepo();
    repo.write('.kittify/config.yaml', 'project:\n  slug: old\n');
    cpSync(join(CORPUS, 'kitty-specs'), join(repo.root, 'kitty-specs'), { recursive: true });
    for (const name of readdirSync(join(repo.root, 'kitty-specs'))) {
      const meta = `kitty-specs/${name}/meta.json`;
      const { target_branch: _, ...rest } = JSON.parse(repo.read(meta)) as Record<string, unknown>;
      repo.write(meta, JSON.stringify(rest));
    }

    const first = await reconcile(repo.deps, { cwd: repo.root });
    const second = await reconcile(repo.deps, { cwd: repo.root });

    const tally = (type: string): number => told(repo).filter((text) => text.startsWith(type)).length;
    expect([tally('FeatureCreated'), tally('WPCreated')]).toEqual([14, 98]);
    const lanes = first.features.flatMap(({ moved }) => moved);
    expect(lanes.every(({ previous, next }) => previous === 'planned' && next !== 'planned')).toBe(true);
    expect(first.events_emitted).toBe(14 + 98 + lanes.length);
    expect(second.events_emitted).toBe(0);
  },
);
