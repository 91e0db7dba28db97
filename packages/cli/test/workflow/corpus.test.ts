/** The parsers over real feature directories written by people and agents. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { appendLog, formatEntry, readLog } from '../../src/workflow/files/activity-log.ts';
import { listFeatures, openFeature, type Feature } from '../../src/workflow/project/feature.ts';
import { readText } from '../../src/workflow/files/text-files.ts';
import { parseFrontmatter } from '../../src/workflow/files/frontmatter.ts';
import { editedMeta, readMeta } from '../../src/workflow/files/meta-json.ts';
import { planTasks } from '../../src/workflow/project/task-plan.ts';
import { setBoxes } from '../../src/workflow/files/tasks-boxes.ts';
import { parseTasksMd, type WpSection } from '../../src/workflow/files/tasks-md.ts';
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
  'adds to every file of the corpus one log line, and where it has no log a section for it',
  () => {
    const entry = { at: '2026-03-02T14:30:00Z', agent: 'claude', lane: 'doing', note: 'Started' };
    const sectionsMade: string[] = [];
    for (const { name, text } of wpTexts()) {
      const { body } = parseFrontmatter(name, text);
      const after = appendLog(body, entry);

      const { removed, added } = difference(body, after);
      expect({ name, removed }).toEqual({ name, removed: [] });
      if (added.length > 1) sectionsMade.push(`${name}: ${added.filter((line) => line !== '').join(' | ')}`);
      else expect({ name, added }).toEqual({ name, added: [formatEntry(entry)] });
      expect({ name, log: readLog(after) }).toEqual({ name, log: [...readLog(body), entry] });
      expect({ name, again: difference(after, appendLog(after, entry)) }).toEqual({
        name,
        again: { removed: [], added: [formatEntry(entry)] },
      });
    }
    // The five files of the corpus without the section.
    expect(sectionsMade).toHaveLength(5);
    expect(sectionsMade.every((line) => line.endsWith(`## Activity Log | ${formatEntry(entry)}`))).toBe(true);
  },
);

test.skipIf(isCorpusAbsent)('flips every box of the corpus there and back, one line each', () => {
  let flips = 0;
  for (const feature of features()) {
    const text = readText(join(feature.dir, 'tasks.md'), 'tasks.md') ?? '';
    for (const { id: wpId, subtasks } of parseTasksMd(text).wps) {
      for (const { id, checked, line } of subtasks) {
        const there = setBoxes(text, [id], { checked: !checked });
        expect(there.flipped).toEqual([{ id, wpId, line }]);
        expect(changedLines(text, there.text)).toEqual([line]);
        // A capital X comes back as a small one.
        expect(setBoxes(there.text, [id], { checked }).text.toLowerCase()).toBe(text.toLowerCase());
        flips += 1;
      }
    }
  }
  expect(flips).toBe(659);
});

test.skipIf(isCorpusAbsent)(
  'gives every meta.json of the corpus back byte for byte, and adds one line for one key',
  () => {
    for (const feature of features()) {
      const text = readText(join(feature.dir, 'meta.json'), 'meta.json') ?? '';

      expect(editedMeta(feature.dir, feature.slug, {}).text).toBe(text);
      const { text: after } = editedMeta(feature.dir, feature.slug, { zebra: 'x' });
      const { removed, added } = difference(text, after);
      expect(added).toEqual([`${removed.join()},`, '  "zebra": "x"']);
      expect(JSON.parse(after)).toEqual({ ...readMeta(feature.dir, feature.slug), zebra: 'x' });
    }
  },
);

/** The one stretch of lines in which two texts differ. */
function difference(
  before: string,
  after: string,
): { readonly removed: readonly string[]; readonly added: readonly string[] } {
  const [old, now] = [before.split('\n'), after.split('\n')];
  let start = 0;
  while (start < old.length && old[start] === now[start]) start += 1;
  let end = 0;
  while (end < old.length - start && old.at(-1 - end) === now.at(-1 - end)) end += 1;
  return { removed: old.slice(start, old.length - end), added: now.slice(start, now.length - end) };
}

/** Numbers of the lines that differ. */
function changedLines(before: string, after: string): readonly number[] {
  const lines = after.split('\n');
  expect(lines).toHaveLength(before.split('\n').length);
  return before.split('\n').flatMap((line, index) => (line === lines[index] ? [] : [index]));
}

test.skipIf(isCorpusAbsent)('reads for all 98 packages of the corpus the dependencies written down by hand', () => {
  const table = readFileSync(join(import.meta.dirname, 'fixtures/corpus-dependencies.tsv'), 'utf8').trimEnd();
  const byHand = table
    .split('\n')
    .slice(1)
    .map((row) => row.split('\t').slice(0, 3).join(' '));

  const read = features().flatMap((feature) =>
    tasksOf(feature).wps.map((wp) => `${feature.slug} ${wp.id} ${declarationOf(wp)}`),
  );

  expect(byHand).toHaveLength(98);
  expect(read).toEqual(byHand);
});

/** As in the table: ids, `none` for "None", `unread` for a statement without ids, `undeclared` for silence. */
function declarationOf(wp: WpSection): string {
  if (!wp.depsDeclared) return wp.unreadLines.length > 0 ? 'unread' : 'undeclared';
  return wp.deps.length === 0 ? 'none' : wp.deps.join();
}

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
  expect(outcome).toEqual({ same: 63, added: 26, changed: 9, erased: 0 });
});
