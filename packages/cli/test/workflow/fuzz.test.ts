/**
 * Files as nobody would write them: random and mutated texts through every reader and editor. Each answers with a right
 * result or a `WorkflowError` that says what is wrong; none crashes, hangs or loses a byte it was not asked to change.
 * `SPEC_KITTY_STORM_SEED` replays a run, `SPEC_KITTY_STORM_TEXTS` sets how many texts there are.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { tellStorm } from '@spec-kitty/storm';
import { expect, onTestFinished, test } from 'vitest';

import { WorkflowError } from '../../src/workflow/errors.ts';
import { appendLog, readLog } from '../../src/workflow/files/activity-log.ts';
import { parseFrontmatter } from '../../src/workflow/files/frontmatter.ts';
import { editedMeta, readMeta } from '../../src/workflow/files/meta-json.ts';
import { completeConfig, hasIdentity } from '../../src/workflow/files/project-config.ts';
import { replaceSection } from '../../src/workflow/files/sections.ts';
import { setBoxes } from '../../src/workflow/files/tasks-boxes.ts';
import { parseTasksMd } from '../../src/workflow/files/tasks-md.ts';
import { tasksMdText, wpFileText } from '../../src/workflow/files/templates.ts';
import { readOrchestratorConfig } from '../../src/workflow/orchestrate/agents/orchestrator-config.ts';
import { readState } from '../../src/workflow/orchestrate/state-file.ts';
import { readMergeState } from '../../src/workflow/project/merge-state.ts';
import { chanceFrom } from '../support/chance.ts';

const COUNT = Number(process.env['SPEC_KITTY_STORM_TEXTS'] ?? 1_500);
const SEED = Number(process.env['SPEC_KITTY_STORM_SEED'] ?? Date.now() % 100_000);

/** Pieces that mean something to one reader or another. */
const PIECES = [
  '---\n', '\r\n', '\n', '\t', ' ', ':', '- ', '# ', '## ', '### ', '```\n', '~~~', '\uFEFF', '\u2028', '\u0000', '"', "'", '`', '**',
  '[ ]', '[x]', '- [ ] T001 ', 'WP01', 'WP99', 'WP100', '## Work Package WP02: ', 'Depends on WP01–WP03', '### Dependencies\n', 'lane: done\n',
  'lane: [\n', 'dependencies:\n- WP01\n', '## Activity Log\n', '- 2026-03-01T09:00:00Z – claude – lane=doing – x\n', '&a', '*a', '!!js', '|',
  '>', '{', '}', '[', ']', ',', '🎉', 'é', '‑', '{"a":', 'null', '1e999', 'agents:\n', '  available: [claude]\n', '  custom: 7\n', '__proto__', '<<: *a\n',
]; // prettier-ignore

const plan = [
  { id: 'WP01', title: 'Writer', dependencies: [], subtasks: [{ id: 'T001', text: 'Module', checked: false }] },
  { id: 'WP02', title: 'Reader', dependencies: ['WP01'], subtasks: [{ id: 'T002', text: 'Parse', checked: true }] },
];

/** What mutations start from. */
const GOOD = {
  wp: wpFileText(plan[0] as (typeof plan)[number], '2026-03-01T09:00:00Z'), // there is one
  tasks: tasksMdText('Demo', plan),
  meta: '{\n  "feature_number": "001",\n  "slug": "001-demo",\n  "target_branch": "main"\n}\n',
  config:
    'vcs:\n  type: git\nagents:\n  available: [claude, codex]\n  orchestrator:\n    max_retries: 2\nproject:\n  uuid: x\n',
  merge:
    '{"feature_slug":"001-demo","target_branch":"main","wp_order":["WP01"],"completed_wps":[],"strategy":"merge"}\n',
  run: '{"version":1,"run_id":"x","feature_slug":"001-demo","status":"running","work_packages":{}}\n',
};

function mutated(text: string, random: () => number): string {
  const at = (length: number): number => Math.floor(random() * (length + 1));
  const piece = (): string => PIECES[Math.floor(random() * PIECES.length)] ?? '';
  if (random() < 0.1) return Array.from({ length: at(60) }, piece).join('');
  let next = text;
  for (let count = 1 + at(4); count > 0; count -= 1) {
    const from = at(next.length);
    const to = Math.min(next.length, from + at(30));
    const way = random();
    if (way < 0.35) next = next.slice(0, from) + piece() + next.slice(from);
    else if (way < 0.6) next = next.slice(0, from) + next.slice(to);
    else if (way < 0.75) next = next.slice(0, to) + next.slice(from);
    else if (way < 0.9) next = next.slice(0, from) + piece() + next.slice(to);
    else next = next.replaceAll('\n', '\r\n');
  }
  return next;
}

/** The result, or undefined for a refusal in our own words. Anything else is a crash. */
function tried<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof WorkflowError && cause.message.length > 10) return undefined;
    throw cause;
  }
}

function checkWp(text: string, parse = parseFrontmatter): void {
  const file = tried(() => parse('x.md', text));
  if (file === undefined) return;
  expect(file.text).toBe(text);
  const moved = tried(() =>
    file.set('lane', 'doing').set('dependencies', ['WP03', 'WP04']).set('agent', "o'claude: #1"),
  );
  if (moved !== undefined) {
    expect([moved.get('lane'), moved.get('dependencies'), moved.get('agent')]).toEqual([
      'doing',
      ['WP03', 'WP04'],
      "o'claude: #1",
    ]);
    expect(moved.body).toBe(file.body);
    expect([moved.get('title'), moved.get('subtasks'), moved.get('history')]).toEqual([
      file.get('title'),
      file.get('subtasks'),
      file.get('history'),
    ]);
  }
  const entry = { at: '2026-03-02T14:30:00Z', agent: 'claude', lane: 'doing', note: 'Fuzzed' };
  const logged = appendLog(file.body, entry);
  expect(readLog(logged).filter(({ note }) => note === 'Fuzzed')).toHaveLength(1);
  const fed = replaceSection(file.body, { heading: 'Review Feedback', before: 'Activity Log', body: 'No.' });
  expect(fed).toContain('No.');
}

function checkTasks(text: string, set = setBoxes): void {
  const { wps } = parseTasksMd(text);
  for (const wp of wps) expect(wp.start).toBeLessThan(wp.end);
  const after = set(text, ['T001', 'T002', 'T777'], { checked: true });
  const [before, now] = [text, after.text].map((each) => each.replace(/^\uFEFF/, '').split('\n'));
  const flipped = new Set(after.flipped.map(({ line }) => line));
  expect(now?.map((line, at) => (flipped.has(at) ? line.replace('[x]', '[]') : line))).toEqual(
    before?.map((line, at) => (flipped.has(at) ? line.replace(/\[\s*\]/, '[]') : line)),
  );
  expect(
    setBoxes(
      after.text,
      after.flipped.map(({ id }) => id),
      { checked: true },
    ).flipped,
  ).toEqual([]);
}

test(
  `mutated package files, plans and settings are read right or refused in words (${COUNT} texts, seed ${SEED})`,
  { timeout: 60_000 },
  async ({ task }) => {
    const random = chanceFrom(SEED);
    const root = mkdtempSync(join(tmpdir(), 'spec-kitty-fuzz-'));
    onTestFinished(() => {
      rmSync(root, { recursive: true, force: true });
    });
    const feature = join(root, 'kitty-specs/001-demo');
    mkdirSync(feature, { recursive: true });
    mkdirSync(join(root, '.kittify'));
    const identity = { uuid: 'u', slug: 's', nodeId: 'n' };

    for (let count = 0; count < COUNT; count += 1) {
      const texts = Object.fromEntries(
        Object.entries(GOOD).map(([name, text]) => [name, mutated(text, random)]),
      ) as typeof GOOD; // same keys
      try {
        checkWp(texts.wp);
        checkTasks(texts.tasks);
        tried(() => hasIdentity(texts.config));
        // As `init --agents claude` does; a second one changes nothing.
        const completed = (source: string) =>
          tried(() => completeConfig(source, hasIdentity(source) ? undefined : identity, ['claude']));
        const config = completed(texts.config);
        if (config !== undefined) expect(completed(config)).toBe(config);
        writeFileSync(join(feature, 'meta.json'), texts.meta);
        const meta = tried(() => readMeta(feature, '001-demo'));
        if (meta !== undefined) {
          const edited = tried(() => editedMeta(feature, '001-demo', { vcs: 'git' }));
          if (edited !== undefined)
            expect(JSON.parse(edited.text.replace(/^\uFEFF/, ''))).toMatchObject({ vcs: 'git' });
        }
        writeFileSync(join(root, '.kittify/config.yaml'), texts.config);
        tried(() => readOrchestratorConfig(root));
        writeFileSync(join(root, '.kittify/merge-state.json'), texts.merge);
        tried(() => readMergeState(root));
        writeFileSync(join(root, '.kittify/orchestration-state.json'), texts.run);
        await readState(root).catch((cause: unknown) => {
          if (!(cause instanceof WorkflowError)) throw cause;
        });
      } catch (cause) {
        throw new Error(`SPEC_KITTY_STORM_SEED=${SEED}, text ${count}: ${JSON.stringify(texts)}`, { cause });
      }
    }
    tellStorm(task, { storm: 'texts', seed: SEED, counts: { texts: COUNT * Object.keys(GOOD).length } });
  },
);

/** Readers and editors with one mistake each. */
const BROKEN: readonly (readonly [mistake: string, check: (texts: typeof GOOD) => void])[] = [
  [
    'gives every line the end it likes best',
    ({ wp }) => {
      checkWp(wp, (path, text) => parseFrontmatter(path, text.replaceAll('\r\n', '\n')));
    },
  ],
  [
    'lets the errors of a parser through',
    ({ meta }) => {
      tried(() => JSON.parse(meta) as unknown);
    },
  ],
  [
    'ticks boxes in a text it has tidied',
    ({ tasks }) => {
      checkTasks(tasks, (text, ...rest) => setBoxes(text.replaceAll('\t', ' '), ...rest));
    },
  ],
  [
    'says that it ticked what it left alone',
    ({ tasks }) => {
      checkTasks(tasks, (text, ...rest) => ({ ...setBoxes(text, ...rest), text }));
    },
  ],
];

test.for(BROKEN)('the same texts find a reader out that %s', ([mistake, check], { task }) => {
  const random = chanceFrom(SEED);
  const isFound = Array.from({ length: 1_000 }).some(() => {
    const texts = Object.fromEntries(
      Object.entries(GOOD).map(([name, text]) => [name, mutated(text, random)]),
    ) as typeof GOOD; // same keys
    try {
      check(texts);
      return false;
    } catch {
      return true;
    }
  });

  expect(isFound).toBe(true);
  tellStorm(task, { storm: 'texts', caught: [`a reader that ${mistake}`] });
});
