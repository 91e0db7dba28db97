/** The gates over real features, copied into a scratch repository. The expected buckets were checked by hand. */
import { cpSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { listFeatures } from '../../src/workflow/project/feature.ts';
import { accept, checkAcceptance } from '../../src/workflow/services/accept.ts';
import { closedGates, type Gate } from '../../src/workflow/services/acceptance-gates.ts';
import { CORPUS, isCorpusAbsent } from './support/corpus.ts';
import { createRepo, type TestRepo } from './support/workspace.ts';

/** What strict gates find, feature number → bucket → how many. Lenient ones leave out `metadata`. */
const FOUND: Readonly<Record<string, Readonly<Partial<Record<Gate, number>>>>> = {
  '002': {},
  '003': { unchecked_tasks: 40 },
  '005': { not_done: 1 },
  '007': { activity: 6, unchecked_tasks: 35 },
  '008': { activity: 5, unchecked_tasks: 120 },
  '010': {},
  '011': { metadata: 9 },
  '013': {},
  '014': { activity: 1 },
  '016': {},
  '017': { not_done: 3, metadata: 3 },
  '021': {},
  '023': { not_done: 1 },
  '028': {},
};

function copyCorpus(): TestRepo {
  const repo = createRepo();
  cpSync(join(CORPUS, 'kitty-specs'), join(repo.root, 'kitty-specs'), { recursive: true });
  repo.write('.kittify/config.yaml', '');
  repo.git('add', '--all');
  repo.git('commit', '-qm', 'The corpus');
  return repo;
}

async function judged(repo: TestRepo, lenient: boolean): Promise<unknown> {
  const found: Record<string, unknown> = {};
  for (const feature of listFeatures(repo.root)) {
    const report = await checkAcceptance(repo.deps, { cwd: repo.root, feature, lenient });
    expect({ feature, warnings: report.warnings }).toEqual({ feature, warnings: [] });
    found[feature.slice(0, 3)] = Object.fromEntries(closedGates(report).map((gate) => [gate, report[gate].length]));
  }
  return found;
}

test.skipIf(isCorpusAbsent)(
  'finds in each feature of the corpus what stands in the way, strict and lenient',
  async () => {
    const repo = copyCorpus();
    const withoutMetadata = Object.entries(FOUND).map(([feature, buckets]) => {
      const kept = Object.entries(buckets).filter(([gate]) => gate !== 'metadata');
      return [feature, Object.fromEntries(kept)] as const;
    });

    expect(await judged(repo, false)).toEqual(FOUND);
    expect(await judged(repo, true)).toEqual(Object.fromEntries(withoutMetadata));
  },
);

test.skipIf(isCorpusAbsent)('names what the files of the corpus lack', async () => {
  const repo = copyCorpus();
  const check = (number: string) =>
    checkAcceptance(repo.deps, {
      cwd: repo.root,
      feature: listFeatures(repo.root).find((slug) => slug.startsWith(number)) ?? '',
    });

  expect((await check('005')).not_done).toEqual(['WP01']);
  expect((await check('017')).not_done).toEqual(['WP03', 'WP04', 'WP05']);
  expect((await check('023')).not_done).toEqual(['WP02']);
  // One log that ends before done, five logs without a line.
  expect((await check('007')).activity.slice(0, 2)).toEqual([
    'WP01: the activity log has no entry for done',
    'WP02: the activity log has no entries',
  ]);
  // The original wrote its later lines below a heading inside a code fence; the log itself has none for done.
  expect((await check('014')).activity).toEqual(['WP08: the activity log has no entry for done']);
  expect((await check('011')).metadata.slice(0, 2)).toEqual(['WP01: agent is missing', 'WP01: shell_pid is missing']);
});

test.skipIf(isCorpusAbsent)(
  'accepts each acceptable feature of the corpus by touching its meta.json only',
  async () => {
    const repo = copyCorpus();
    for (const feature of listFeatures(repo.root)) {
      const { ok } = await checkAcceptance(repo.deps, { cwd: repo.root, feature });
      if (!ok) continue;
      const meta = JSON.parse(repo.read(`kitty-specs/${feature}/meta.json`)) as { target_branch?: string };
      repo.git('switch', '-q', '-C', meta.target_branch ?? 'main');

      const result = await accept(repo.deps, { cwd: repo.root, feature, actor: 'Grace' });

      const files = repo.git('show', '--name-only', '--format=', 'HEAD').trim();
      expect({ feature, made: result.commit_created, files }).toEqual({
        feature,
        made: true,
        files: `kitty-specs/${feature}/meta.json`,
      });
    }
    expect(repo.emitted).toEqual([]);
    expect(repo.status()).toBe('');
  },
);
