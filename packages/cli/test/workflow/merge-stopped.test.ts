/** Merges that stop half-way: conflicts, hooks, kills; and how they are carried on or given up. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { wpStatusChanged } from '@spec-kitty/events-sdk';
import { expect, test } from 'vitest';

import { changeFeature } from '../../src/workflow/project/feature-work.ts';
import { openFeature } from '../../src/workflow/project/feature.ts';
import { findProject } from '../../src/workflow/project/project-root.ts';
import { abortMerge } from '../../src/workflow/services/abort-merge.ts';
import { merge, resumeMerge } from '../../src/workflow/services/merge.ts';
import { startedFeature, conflictingFeature, killedAt, type MergeRepo } from './support/merging.ts';

/** What a merge of WP01, and of WP02 that waits for it, tells. */
const TOLD_OF_TWO = ['WP01 doing>for_review', 'WP02 freed by WP01 (merged)', 'WP02 doing>for_review'];

/** WP01 and WP02 wrote the same file; a merge of both has stopped at WP02. */
async function stopped(strategy: 'merge' | 'squash' = 'merge'): Promise<MergeRepo & { readonly before: string }> {
  const repo = await startedFeature(['Writer', 'Reader', 'Checker'], {
    WP01: ['same.txt', 'one\n'],
    WP02: ['same.txt', 'two\n'],
    WP03: ['third.txt', 'three\n'],
  });
  const before = repo.head();
  await expect(merge(repo.deps, { cwd: repo.root, strategy })).rejects.toMatchObject({ code: 'merge-conflict' });
  return { ...repo, before };
}

function resolve(repo: MergeRepo): void {
  repo.write('same.txt', 'one and two\n');
  repo.git('add', '--update');
  repo.git('commit', '--no-edit', '-q');
}

test('stops at a conflict with files, remedy and state, and leaves the checkout to the person', async () => {
  const repo = await conflictingFeature();
  repo.setLane('WP03', 'done');
  repo.git('branch', '001-demo-WP03');

  const attempt = merge(repo.deps, { cwd: repo.root });

  await expect(attempt).rejects.toMatchObject({
    code: 'merge-conflict',
    kind: 'runtime',
    wpId: 'WP02',
    message: expect.stringMatching(/^WP02 does not fit together with main: same\.txt\.\n/),
    details: { conflicts: ['same.txt'], merged: ['WP01'] },
    remedy:
      'git add --update && git commit --no-edit && spec-kitty merge --resume   (once same.txt is resolved; or, to give it up: spec-kitty merge --abort)',
  });
  expect(repo.git('status', '--porcelain')).toBe('AA same.txt\n');
  expect(repo.state()).toMatchObject({
    feature_slug: '001-demo',
    target_branch: 'main',
    strategy: 'merge',
    wp_order: ['WP01', 'WP02', 'WP03'],
    completed_wps: ['WP01'],
    untold_wps: ['WP01'],
    current_wp: 'WP02',
    has_pending_conflicts: true,
    started_at: '2026-03-02T14:30:00.000Z',
    updated_at: '2026-03-02T14:30:00.000Z',
  });
  expect(repo.emitted).toEqual([]);
  expect(repo.lane('WP01')).toBe('doing');
});

for (const strategy of ['merge', 'squash'] as const) {
  test(`resumes after a conflict that was resolved and committed by hand, and tells everything once (${strategy}) (FR-017)`, async () => {
    const repo = await stopped(strategy);
    resolve(repo);

    const result = await resumeMerge(repo.deps, { cwd: repo.root });

    expect(result).toMatchObject({ strategy, merged: ['WP01', 'WP02', 'WP03'], warnings: [] });
    expect(repo.subjects(repo.before).slice(0, 3)).toEqual(
      ['WP01', 'WP02', 'WP03'].map((id) => `Merge ${id} from 001-demo`),
    );
    expect(repo.told()).toEqual(['WP01', 'WP02', 'WP03'].map((id) => `${id} doing>for_review`));
    expect(repo.read('same.txt')).toBe('one and two\n');
    expect(repo.branches()).toEqual(['main']);
    expect(repo.has('.kittify/merge-state.json')).toBe(false);
    expect(repo.status()).toBe('');
  });

  test(`refuses to resume while the conflict is not resolved, or resolved and not committed (${strategy})`, async () => {
    const repo = await stopped(strategy);

    await expect(resumeMerge(repo.deps, { cwd: repo.root })).rejects.toMatchObject({
      code: 'merge-unresolved',
      wpId: 'WP02',
      message: 'The merge of WP02 is not committed, and same.txt waits for you.',
      details: { conflicts: ['same.txt'] },
    });
    repo.write('same.txt', 'one and two\n');
    repo.git('add', 'same.txt');
    const before = repo.snapshot();

    await expect(resumeMerge(repo.deps, { cwd: repo.root })).rejects.toMatchObject({
      code: 'merge-unresolved',
      message: 'The merge of WP02 is not committed.',
      remedy: 'git commit --no-edit && spec-kitty merge --resume   (or, to give it up: spec-kitty merge --abort)',
    });
    expect(repo.snapshot()).toEqual(before);
  });

  test(`gives a conflict up: the checkout is clean, what was merged stays, and the printed command undoes it (${strategy})`, async () => {
    const repo = await stopped(strategy);

    const result = await abortMerge(repo.deps, { cwd: repo.root });

    expect(result).toEqual({
      result: 'aborted',
      feature: '001-demo',
      stays_merged: ['WP01'],
      undo: [`git reset --keep ${repo.before}`],
      warnings: [],
    });
    expect(repo.status()).toBe('');
    expect(repo.subjects(repo.before)).toEqual(['Merge WP01 from 001-demo']);
    expect(repo.has('.kittify/merge-state.json')).toBe(false);
    expect(repo.branches()).toHaveLength(4);
    expect(repo.emitted).toEqual([]);
    repo.git(...(result.undo[0] ?? '').split(' ').slice(1));
    expect(repo.head()).toBe(repo.before);
  });
}

test('refuses a new merge while one is unfinished, and names both ways out', async () => {
  const repo = await stopped();
  const before = repo.snapshot();

  await expect(merge(repo.deps, { cwd: repo.root })).rejects.toMatchObject({
    code: 'merge-unfinished',
    remedy: 'spec-kitty merge --resume   (or, to give it up: spec-kitty merge --abort)',
  });
  expect(repo.snapshot()).toEqual(before);
});

test('begins anew after giving up, and moves what had been merged too', async () => {
  const repo = await stopped();
  await abortMerge(repo.deps, { cwd: repo.root });
  repo.git('-C', repo.workspace('WP02'), 'merge', '-q', '--no-edit', '-X', 'ours', 'main');

  const result = await merge(repo.deps, { cwd: repo.root });

  expect(result).toMatchObject({ merged: ['WP02', 'WP03'], already_merged: ['WP01'] });
  expect(repo.told()).toEqual(['WP01', 'WP02', 'WP03'].map((id) => `${id} doing>for_review`));
});

test('offers a revert of each merge where the person has committed since', async () => {
  const repo = await stopped();
  resolve(repo);
  await expect(resumeMerge(killedAt(repo.deps, isMergeOf('WP03')), { cwd: repo.root })).rejects.toThrow('killed here');
  repo.write('own.txt', 'own\n');
  repo.git('add', '.');
  repo.git('commit', '-qm', 'Own work');

  const { undo, stays_merged: stays } = await abortMerge(repo.deps, { cwd: repo.root });

  expect(stays).toEqual(['WP01', 'WP02']);
  expect(undo).toEqual([expect.stringMatching(/^git revert --no-edit -m 1 /), expect.stringMatching(/^git revert /)]);
  for (const line of undo) repo.git(...line.split(' ').slice(1));
  expect(repo.has('same.txt')).toBe(false);
  expect(repo.has('own.txt')).toBe(true);
});

test('has nothing to give up without a merge, and leaves a merge of the person alone', async () => {
  const repo = await startedFeature(['A'], { WP01: ['a.txt', 'a\n'] });

  expect(await abortMerge(repo.deps, { cwd: repo.root })).toMatchObject({ result: 'nothing-to-abort', warnings: [] });
  repo.git('merge', '-q', '--no-ff', '--no-commit', '001-demo-WP01');

  expect(await abortMerge(repo.deps, { cwd: repo.root })).toMatchObject({
    result: 'nothing-to-abort',
    warnings: ['The merge under way is not one of spec-kitty; to give it up: git merge --abort'],
  });
  expect(repo.has('.git/MERGE_HEAD')).toBe(true);
});

test('gives up with a state file that cannot be read, its open merge included', async () => {
  const repo = await stopped();
  repo.write('.kittify/merge-state.json', 'half a fi');

  const result = await abortMerge(repo.deps, { cwd: repo.root });

  expect(result).toMatchObject({ result: 'aborted', feature: null, warnings: [expect.stringContaining('git log')] });
  expect(repo.status()).toBe('');
  expect(repo.has('.kittify/merge-state.json')).toBe(false);
});

for (const strategy of ['merge', 'squash'] as const) {
  test(`undoes a merge that a hook refuses, keeps the state, and resumes once the hook is content (${strategy})`, async () => {
    const repo = await startedFeature(['A', 'B'], { WP01: ['a.txt', 'a\n'], WP02: ['b.txt', 'b\n'] });
    const hook = strategy === 'merge' ? 'pre-merge-commit' : 'pre-commit';
    repo.hook(hook, 'test ! -e b.txt || { echo "no b on Friday" >&2; exit 1; }');

    await expect(merge(repo.deps, { cwd: repo.root, strategy })).rejects.toMatchObject({
      code: 'merge-failed',
      kind: 'runtime',
      wpId: 'WP02',
      message: expect.stringContaining('no b on Friday'),
      remedy: expect.stringContaining('spec-kitty merge --resume'),
    });
    expect(repo.status()).toBe('');
    expect(repo.state()).toMatchObject({ completed_wps: ['WP01'], has_pending_conflicts: false });
    expect(repo.emitted).toEqual([]);
    rmSync(join(repo.root, '.git/hooks', hook));

    expect(await resumeMerge(repo.deps, { cwd: repo.root })).toMatchObject({ merged: ['WP01', 'WP02'] });
    expect(repo.told()).toEqual(['WP01 doing>for_review', 'WP02 doing>for_review']);
  });
}

test('keeps a merge whose lane commit a hook refuses, and moves the lane on resume', async () => {
  const repo = await startedFeature(['A', 'B'], { WP01: ['a.txt', 'a\n'], WP02: ['b.txt', 'b\n'] });
  repo.hook('commit-msg', 'case "$(cat "$1")" in *"Move WP02"*) echo "no moves" >&2; exit 1;; esac');

  await expect(merge(repo.deps, { cwd: repo.root })).rejects.toMatchObject({
    code: 'commit-refused',
    wpId: 'WP02',
    message: expect.stringContaining('WP02 is merged, but stays in doing'),
    remedy: 'spec-kitty merge --resume',
  });
  expect(repo.status()).toBe('');
  expect([repo.lane('WP01'), repo.lane('WP02')]).toEqual(['for_review', 'doing']);
  expect(repo.told()).toEqual(['WP01 doing>for_review']);
  rmSync(join(repo.root, '.git/hooks/commit-msg'));

  expect(await resumeMerge(repo.deps, { cwd: repo.root })).toMatchObject({ moved: [{ wp_id: 'WP02' }] });
  expect(repo.told()).toEqual(['WP01 doing>for_review', 'WP02 doing>for_review']);
});

test('says which untracked file stands in the way, and the remedy keeps it', async () => {
  const repo = await startedFeature(['A'], { WP01: ['my file.txt', 'a\n'] });
  repo.write('my file.txt', 'mine\n');
  const before = repo.status();

  await expect(merge(repo.deps, { cwd: repo.root })).rejects.toMatchObject({
    code: 'untracked-in-the-way',
    details: { files: ['my file.txt'] },
    remedy: "mv 'my file.txt' 'my file.txt.mine' && spec-kitty merge --resume",
  });
  expect(repo.status()).toBe(before);
  expect(repo.read('my file.txt')).toBe('mine\n');
});

test('resumes with the flags the merge was begun with', async () => {
  const repo = await startedFeature(['A', 'B'], { WP01: ['a.txt', 'a\n'], WP02: ['b.txt', 'b\n'] });
  const killed = killedAt(repo.deps, isMergeOf('WP02'));
  const input = { cwd: repo.root, strategy: 'squash', keepWorktree: true } as const;
  await expect(merge(killed, input)).rejects.toThrow('killed here');

  const result = await resumeMerge(repo.deps, { cwd: repo.root });

  expect(result).toMatchObject({ strategy: 'squash', removed_worktrees: [], deleted_branches: [] });
  expect(repo.branches()).toHaveLength(3);
});

test('refuses to resume on another branch than the merge was begun on', async () => {
  const repo = await startedFeature(['A'], { WP01: ['a.txt', 'a\n'] });
  await expect(merge(killedAt(repo.deps, isMergeOf('WP01')), { cwd: repo.root })).rejects.toThrow('killed here');
  repo.git('switch', '-qc', 'side');

  await expect(resumeMerge(repo.deps, { cwd: repo.root })).rejects.toMatchObject({
    code: 'wrong-branch',
    remedy: 'git switch main && spec-kitty merge --resume',
  });
});

test('refuses to resume when a package that is still to be merged is gone', async () => {
  const repo = await startedFeature(['A'], { WP01: ['a.txt', 'a\n'] });
  await expect(merge(killedAt(repo.deps, isMergeOf('WP01')), { cwd: repo.root })).rejects.toThrow('killed here');
  const path = repo.wpPath('WP01');
  repo.git('mv', path, path.replace('WP01', 'WP09'));
  repo.git('commit', '-qm', 'Another number');

  await expect(resumeMerge(repo.deps, { cwd: repo.root })).rejects.toMatchObject({
    code: 'wp-not-found',
    remedy: 'spec-kitty merge --abort',
  });
});

test('counts a merge as done that git had made when the run was killed, before the state said so', async () => {
  for (const strategy of ['merge', 'squash'] as const) {
    const repo = await startedFeature(['A', 'B:1'], { WP01: ['a.txt', 'a\n'], WP02: ['b.txt', 'b\n'] });
    const before = repo.head();
    await expect(merge(killedAt(repo.deps, isMergeOf('WP02')), { cwd: repo.root, strategy })).rejects.toThrow(
      'killed here',
    );
    const state = { ...repo.state(), completed_wps: [], untold_wps: [], current_wp: 'WP01' };
    writeFileSync(join(repo.root, '.kittify/merge-state.json'), JSON.stringify(state));

    const result = await resumeMerge(repo.deps, { cwd: repo.root });

    expect(result.merged).toEqual(['WP01', 'WP02']);
    expect(repo.subjects(before).slice(0, 2)).toEqual(['Merge WP01 from 001-demo', 'Merge WP02 from 001-demo']);
    expect(repo.told()).toEqual(['WP01 doing>for_review', 'WP02 freed by WP01 (merged)', 'WP02 doing>for_review']);
  }
});

test('tells on resume, once and under one causation id, what a run killed before its events had done (FR-017)', async () => {
  const repo = await startedFeature(['A', 'B:1'], { WP01: ['a.txt', 'a\n'], WP02: ['b.txt', 'b\n'] });
  const killed = { ...repo.deps, events: { emit: () => Promise.reject(new Error('killed here')) } };
  await expect(merge(killed, { cwd: repo.root })).rejects.toThrow('killed here');

  const result = await resumeMerge(repo.deps, { cwd: repo.root });
  await merge(repo.deps, { cwd: repo.root });

  expect(repo.told()).toEqual(TOLD_OF_TWO);
  const causes = new Set(repo.emitted.flatMap(({ drafts }) => drafts.map(({ causationId }) => causationId)));
  expect([...causes]).toEqual([result.causation_id]);
});

const KILLS = [
  ['merge', 2],
  ['commit', 1],
  ['commit', 2],
  ['worktree remove', 1],
  ['branch', 1],
  ['note', 1],
  ['note', 2],
  ['note', 3],
] as const;

for (const [step, nth] of KILLS) {
  test(`tells every event once when the run is killed before ${step} number ${nth}`, async () => {
    const repo = await startedFeature(['A', 'B:1'], { WP01: ['a.txt', 'a\n'], WP02: ['b.txt', 'b\n'] });
    let count = 0;
    const isHere = (args: readonly string[]): boolean => args.join(' ').startsWith(step) && (count += 1) === nth;
    // Each note takes a ULID; the first of all is the causation id.
    const newUlid = (): string => {
      if (step === 'note' && (count += 1) === nth + 1) throw new Error('killed here');
      return repo.deps.newUlid();
    };
    const killed = { ...killedAt(repo.deps, isHere), newUlid };
    await expect(merge(killed, { cwd: repo.root })).rejects.toThrow('killed here');

    await resumeMerge(repo.deps, { cwd: repo.root });

    expect(repo.told()).toEqual(TOLD_OF_TWO);
    expect(repo.status()).toBe('');
    expect(repo.branches()).toEqual(['main']);
  });
}

/** A squash killed between what git staged and its commit. */
async function halfSquashed(): Promise<MergeRepo> {
  const repo = await startedFeature(['A', 'B'], { WP01: ['a.txt', 'a\n'], WP02: ['b.txt', 'b\n'] });
  const killed = killedAt(repo.deps, (args) => args[0] === 'commit');
  await expect(merge(killed, { cwd: repo.root, strategy: 'squash' })).rejects.toThrow('killed here');
  expect(repo.status()).toBe('A  a.txt\n');
  return repo;
}

test('takes back what a killed run had staged, and merges it again on resume', async () => {
  const repo = await halfSquashed();

  expect(await resumeMerge(repo.deps, { cwd: repo.root })).toMatchObject({ merged: ['WP01', 'WP02'], warnings: [] });
  expect(repo.git('log', '--format=%s')).not.toContain('Squashed commit of the following');
});

test('takes back what a killed run had staged when the merge is given up', async () => {
  const repo = await halfSquashed();

  expect(await abortMerge(repo.deps, { cwd: repo.root })).toMatchObject({ result: 'aborted', stays_merged: [] });
  expect(repo.status()).toBe('');
});

test('leaves what a person has staged since a run was killed, and refuses to resume over it', async () => {
  const repo = await startedFeature(['A'], { WP01: ['a.txt', 'a\n'] });
  await expect(merge(killedAt(repo.deps, isMergeOf('WP01')), { cwd: repo.root })).rejects.toThrow('killed here');
  repo.write('own.txt', 'own\n');
  repo.git('add', '.');
  const before = repo.snapshot();

  await expect(resumeMerge(repo.deps, { cwd: repo.root })).rejects.toMatchObject({
    code: 'merge-not-ready',
    details: { problems: [{ code: 'checkout-dirty' }] },
  });
  expect(repo.snapshot()).toEqual(before);
  await abortMerge(repo.deps, { cwd: repo.root });
  expect(repo.read('own.txt')).toBe('own\n');
});

test('tells a dependent once when the run dies between its note and the mark that it is told', async () => {
  const repo = await startedFeature(['A', 'B:1'], { WP01: ['a.txt', 'a\n'], WP02: ['b.txt', 'b\n'] });
  const blocked = join(repo.root, `.kittify/merge-state.json.${process.pid}.tmp`);
  let ulids = 0;
  // The third is the note's of WP02, which waits for WP01; the state cannot be written after it.
  const newUlid = (): string => {
    if ((ulids += 1) === 3) mkdirSync(blocked);
    return repo.deps.newUlid();
  };
  await expect(merge({ ...repo.deps, newUlid }, { cwd: repo.root })).rejects.toThrow(/EISDIR|directory/);
  expect(repo.told()).toEqual(['WP01 doing>for_review']);
  rmSync(blocked, { recursive: true });

  await resumeMerge(repo.deps, { cwd: repo.root });

  expect(repo.told()).toEqual(TOLD_OF_TWO);
});

test('finds a squash that the person committed with the subject alone', async () => {
  const repo = await stopped('squash');
  repo.write('same.txt', 'one and two\n');
  repo.git('commit', '-qam', 'Merge WP02 from 001-demo');

  const result = await resumeMerge(repo.deps, { cwd: repo.root });

  expect(result).toMatchObject({ merged: ['WP01', 'WP02', 'WP03'], warnings: [] });
  expect(repo.subjects(repo.before).filter((subject) => subject === 'Merge WP02 from 001-demo')).toHaveLength(1);
  expect(repo.read('same.txt')).toBe('one and two\n');
});

test('commits on resume a lane that a killed run had written only, and tells it once', async () => {
  const repo = await startedFeature(['A', 'B:1'], { WP01: ['a.txt', 'a\n'], WP02: ['b.txt', 'b\n'] });
  let written = '';
  const isLaneCommit = (args: readonly string[]): boolean => {
    if (args[0] === 'commit') written = repo.read(repo.wpPath('WP01'));
    return args[0] === 'commit';
  };
  const dead = {
    ...killedAt(repo.deps, isLaneCommit),
    events: { emit: () => Promise.reject(new Error('killed here')) },
  };
  await expect(merge(dead, { cwd: repo.root })).rejects.toThrow('killed here');
  // The note goes when the failure is survived; a killed process leaves it, and the file as written.
  const change = changeFeature(
    { ...repo.deps, events: dead.events },
    await findProject(repo.deps.git, { cwd: repo.root }),
    openFeature(repo.root, '001-demo'),
    async (work) => {
      work.willTell([
        {
          draft: wpStatusChanged({
            wpId: 'WP01',
            previousStatus: 'doing',
            newStatus: 'for_review',
            changedBy: 'user',
            featureSlug: '001-demo',
          }),
          evidence: { path: repo.wpPath('WP01'), text: '– Merged into main' },
        },
      ]);
    },
  );
  await expect(change).rejects.toThrow('killed here');
  repo.write(repo.wpPath('WP01'), written);

  const result = await resumeMerge(repo.deps, { cwd: repo.root });

  expect(result.moved.map(({ wp_id: id }) => id)).toEqual(['WP01', 'WP02']);
  expect(repo.told()).toEqual(TOLD_OF_TWO);
  expect(repo.status()).toBe('');
});

test('keeps an event that the queue had no room for, until after the merge is over', async () => {
  const repo = await startedFeature(['A', 'B:1'], { WP01: ['a.txt', 'a\n'], WP02: ['b.txt', 'b\n'] });
  const full = {
    ...repo.deps,
    events: { emit: async (drafts: readonly unknown[]) => drafts.map(() => 'untold' as const) },
  };

  expect(await merge(full, { cwd: repo.root })).toMatchObject({ events_emitted: 0, causation_id: null });
  await merge(repo.deps, { cwd: repo.root });

  expect(repo.told()).toEqual(TOLD_OF_TWO);
});

function isMergeOf(id: string) {
  return (args: readonly string[]): boolean => args[0] === 'merge' && args.at(-1) === `refs/heads/001-demo-${id}`;
}
