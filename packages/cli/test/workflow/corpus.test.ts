/** The parsers over real feature directories written by people and agents. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { appendLog, readLog } from '../../src/workflow/files/activity-log.ts';
import { listFeatures, openFeature, type Feature } from '../../src/workflow/project/feature.ts';
import { readText } from '../../src/workflow/files/text-files.ts';
import { parseFrontmatter } from '../../src/workflow/files/frontmatter.ts';
import { readMeta } from '../../src/workflow/files/meta-json.ts';
import { planTasks } from '../../src/workflow/project/task-plan.ts';
import { parseTasksMd } from '../../src/workflow/files/tasks-md.ts';
import { readAllWps } from '../../src/workflow/project/wp-file.ts';
import { CORPUS, isCorpusAbsent } from './support/corpus.ts';

test.runIf(process.env['SPEC_KITTY_CORPUS'] !== undefined)('the corpus is where SPEC_KITTY_CORPUS says', () => {
  expect(isCorpusAbsent).toBe(false);
});

function features(): readonly Feature[] {
  return listFeatures(CORPUS).map((slug) => openFeature(CORPUS, slug));
}

/** Raw texts of all work package files. */
function wpTexts(): readonly { readonly name: string; readonly text: string }[] {
  return features().flatMap((feature) =>
    readdirSync(feature.tasksDir)
      .filter((name) => /^WP\d/.test(name))
      .map((name) => ({ name, text: readText(join(feature.tasksDir, name), name) ?? '' })),
  );
}

function tasksOf(feature: Feature) {
  return parseTasksMd(readText(join(feature.dir, 'tasks.md'), 'tasks.md') ?? '');
}

test.skipIf(isCorpusAbsent)('opens every feature, its meta.json and every work package file of the corpus', () => {
  const wps = features().map((feature) => readAllWps(feature));

  expect(features()).toHaveLength(14);
  expect(features().map((feature) => readMeta(feature.dir, feature.slug)?.feature_number)).toEqual(
    features().map((feature) => feature.number),
  );
  expect(wps.flat()).toHaveLength(98);
  expect(wps.flat().filter((wp) => wp.title === wp.id)).toEqual([]);
});

test.skipIf(isCorpusAbsent)('finds in every tasks.md of the corpus one section for each work package file', () => {
  for (const feature of features()) {
    const sections = tasksOf(feature).wps.map((wp) => wp.id);
    expect({ slug: feature.slug, sections }).toEqual({
      slug: feature.slug,
      sections: readAllWps(feature).map((wp) => wp.id),
    });
  }
  expect(features().flatMap((feature) => tasksOf(feature).wps)).toHaveLength(98);
  expect(features().flatMap((feature) => tasksOf(feature).wps.flatMap((wp) => wp.subtasks))).toHaveLength(659);
});

test.skipIf(isCorpusAbsent)(
  'gives every work package file of the corpus back byte for byte, and changes one line for one key',
  () => {
    let edited = 0;
    for (const { name, text } of wpTexts()) {
      const file = parseFrontmatter(name, text);
      expect(file.text).toBe(text);
      expect(file.set('lane', 'doing').get('lane')).toBe('doing');

      const lines = text.split('\n');
      const after = file.set('lane', 'for_review').text.split('\n');
      const changed = lines.flatMap((line, index) => (line === after[index] ? [] : [index]));
      expect({ name, lines: after.length, changed: changed.map((index) => lines[index]?.startsWith('lane:')) }).toEqual(
        { name, lines: lines.length, changed: [true] },
      );
      edited += 1;
    }
    expect(edited).toBe(98);
  },
);

test.skipIf(isCorpusAbsent)('sets every kind of key in every file of the corpus without touching another', () => {
  for (const { name, text } of wpTexts()) {
    const file = parseFrontmatter(name, text);
    const after = file
      .set('assignee', 'Ada')
      .set('agent', 'claude')
      .set('shell_pid', '4711')
      .set('dependencies', ['WP01', 'WP02'])
      .set('base_branch', 'main');

    expect(after.body).toBe(file.body);
    for (const key of [
      'work_package_id',
      'title',
      'lane',
      'subtasks',
      'phase',
      'review_status',
      'reviewed_by',
      'history',
    ]) {
      expect({ name, key, value: after.get(key) }).toEqual({ name, key, value: file.get(key) });
    }
  }
});

test.skipIf(isCorpusAbsent)(
  'adds exactly one log entry to every file of the corpus and keeps all its other lines',
  () => {
    const entry = { at: '2026-03-02T14:30:00Z', agent: 'claude', lane: 'doing', note: 'Started' };
    for (const { name, text } of wpTexts()) {
      const { body } = parseFrontmatter(name, text);
      const after = appendLog(body, entry);

      expect({ name, count: readLog(after).length }).toEqual({ name, count: readLog(body).length + 1 });
      const kept = new Set(after.split('\n'));
      expect(body.split('\n').filter((line) => !kept.has(line))).toEqual([]);
    }
  },
);

test.skipIf(isCorpusAbsent)('finalizing the corpus erases no declared dependency (recomputed oracle)', () => {
  const outcome = { same: 0, added: 0, changed: 0, erased: 0 };
  for (const feature of features()) {
    for (const { wp, dependencies } of planTasks(tasksOf(feature), readAllWps(feature)).wps) {
      const before = wp.dependencies.toSorted().join();
      const after = dependencies.join();
      if (before === after) outcome.same += 1;
      else if (before === '') outcome.added += 1;
      else if (after === '') outcome.erased += 1;
      else outcome.changed += 1;
    }
  }
  expect(outcome).toEqual({ same: 68, added: 21, changed: 9, erased: 0 });
});
