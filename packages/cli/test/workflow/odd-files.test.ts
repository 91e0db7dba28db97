/**
 * Work package files as nobody's template writes them, moved to another lane by the path every command takes: exactly
 * the lines that had to change are changed. The files are our own.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, onTestFinished, test } from 'vitest';

import type { FrontmatterValue } from '../../src/workflow/files/frontmatter.ts';
import type { Git } from '../../src/workflow/ports.ts';
import { openFeature } from '../../src/workflow/project/feature.ts';
import { changeLanes } from '../../src/workflow/project/transition.ts';
import { findWp } from '../../src/workflow/project/wp-file.ts';

const PATH = 'kitty-specs/001-demo/tasks/WP01-x.md';
const ENTRY = '- 2026-03-02T14:30:00Z – claude – lane=doing – Started';
const LOG = '## Activity Log\n\n- 2026-03-01T09:00:00Z – system – lane=planned – Made.\n';
const PLAIN = `---\nwork_package_id: WP01\ntitle: A\nlane: planned\n---\n\n# A\n\n${LOG}`;

/** No test here commits. */
const git: Git = {
  run: async () => expect.unreachable('git was asked'),
  pause: async () => {},
};

interface Moved {
  readonly before: string;
  readonly after: string;
}

/** Moves a package with this file to doing; answers the bytes before and after, as text. */
async function move(text: string, fields: Readonly<Record<string, FrontmatterValue>> = {}): Promise<Moved> {
  const root = mkdtempSync(join(tmpdir(), 'odd-'));
  onTestFinished(() => {
    rmSync(root, { recursive: true, force: true });
  });
  mkdirSync(join(root, 'kitty-specs/001-demo/tasks'), { recursive: true });
  writeFileSync(join(root, PATH), text);
  const after = (): string => new TextDecoder('utf-8', { ignoreBOM: true }).decode(readFileSync(join(root, PATH)));
  const feature = openFeature(root, '001-demo');
  const project = { root, checkout: root, gitCommonDir: root, gitDir: root, inWorktree: false };
  try {
    await changeLanes(
      { git, time: { now: () => Date.parse('2026-03-02T14:30:00Z'), after: () => () => {} } },
      { project, feature, willTell: () => {} },
      {
        moves: [{ wp: findWp(feature, 'WP01'), to: 'doing', agent: 'claude', note: 'Started', fields }],
        message: 'x',
        commit: false,
      },
    );
  } catch (error) {
    expect(after()).toBe(text);
    throw error;
  }
  return { before: text, after: after() };
}

/** The text with each stretch replaced; every one must stand in it exactly once. */
function edited(text: string, edits: readonly (readonly [string, string])[]): string {
  return edits.reduce((so, [from, to]) => {
    expect(so.split(from), `${JSON.stringify(from)} once`).toHaveLength(2);
    return so.replace(from, () => to);
  }, text);
}

test('changes the lane and adds one log line', async () => {
  const { before, after } = await move(PLAIN);

  expect(after).toBe(
    edited(before, [
      ['lane: planned\n---', 'lane: doing\n---'],
      ['Made.\n', `Made.\n${ENTRY}\n`],
    ]),
  );
});

test('keeps CRLF, also in the line it adds', async () => {
  const { after } = await move(PLAIN.replaceAll('\n', '\r\n'));

  expect(after).toBe((await move(PLAIN)).after.replaceAll('\n', '\r\n'));
});

test('reads a file behind a byte order mark and writes it without', async () => {
  const { after } = await move(`\uFEFF${PLAIN}`);

  expect(after).toBe((await move(PLAIN)).after);
});

test('gives each line of a file with mixed ends the end it had, and the new one what most have', async () => {
  const text = `---\nlane: planned\r\ntitle: A\nphase: 1\n---\n\nOne\r\nTwo\nThree\r\n\r\n${LOG.replaceAll('\n', '\r\n')}`;

  const { after } = await move(text, { assignee: 'Ada' });

  expect(after).toBe(
    edited(text, [
      ['lane: planned\r\n', 'lane: doing\r\n'],
      ['phase: 1\n', 'phase: 1\nassignee: Ada\n'],
      ['Made.\r\n', `Made.\r\n${ENTRY}\r\n`],
    ]),
  );
});

test('sets a bare key without eating the one below it, whatever that is', async () => {
  const text = edited(PLAIN, [
    ['title: A\n', 'title: A\nassignee:\nagent:\nsubtasks:\n- T001\nshell_pid:   \nreview_status: # none\nphase: 1\n'],
  ]);

  const { after } = await move(text, {
    assignee: 'Ada',
    agent: 'claude',
    shell_pid: '4711',
    review_status: 'approved',
  });

  expect(after).toBe(
    edited(text, [
      ['assignee:\n', 'assignee: Ada\n'],
      ['agent:\n', 'agent: claude\n'],
      ['shell_pid:   \n', 'shell_pid: "4711"\n'],
      ['review_status: # none', 'review_status: approved # none'],
      ['lane: planned\n---', 'lane: doing\n---'],
      ['Made.\n', `Made.\n${ENTRY.replace('lane=', 'shell_pid=4711 – lane=')}\n`],
    ]),
  );
});

test('keeps comments, quotes and block lists around the keys it sets', async () => {
  const text = edited(PLAIN, [
    [
      'title: A\nlane: planned\n',
      `# on top\ntitle: 'It''s "A": → b' # t\nlane:   "planned"   # l\ndependencies:\n  - 'WP02' # d\n  # between\n  - WP03\nagent: 'old'\nhistory:\n- action: |\n    lane: planned\n    two\n`,
    ],
  ]);

  const { after } = await move(text, { agent: "o'neil" });

  expect(after).toBe(
    edited(text, [
      ['lane:   "planned"   # l', 'lane:   "doing"   # l'],
      ["agent: 'old'", "agent: 'o''neil'"],
      ['Made.\n', `Made.\n${ENTRY}\n`],
    ]),
  );
});

test('puts the whole of a block list in the place of the old one, and nothing else', async () => {
  const text = edited(PLAIN, [['title: A\n', 'title: A\ndependencies:\n- WP02\n- WP03\nagent: x\n']]);

  const { after } = await move(text, { dependencies: ['WP04'] });

  expect(after).toBe(
    edited(text, [
      ['- WP02\n- WP03\n', '- WP04\n'],
      ['lane: planned\n---', 'lane: doing\n---'],
      ['Made.\n', `Made.\n${ENTRY}\n`],
    ]),
  );
});

test('adds a lane to a file that has none, which counts as planned', async () => {
  const text = edited(PLAIN, [['lane: planned\n---', '---']]);

  const { after } = await move(text);

  expect(after).toBe(
    edited(text, [
      ['title: A\n', 'title: A\nlane: doing\n'],
      ['Made.\n', `Made.\n${ENTRY}\n`],
    ]),
  );
});

test('keeps every odd character', async () => {
  const odd = '→ ✓ ✅ ❌ ⚠️ “curly” ‘q’ non‑breaking │ ├── └─ 👩‍💻 é e\u0301 \u2028 \u00A0 \u200B 漢字 \t tab';
  const text = edited(PLAIN, [
    ['title: A\n', `title: "A ${odd.replace('\t', ' ')}"\n`],
    ['# A\n', `# A ${odd}\n\n| ${odd} |\n`],
    ['Made.', `Made ${odd}.`],
  ]);

  const { after } = await move(text);

  expect(after).toBe(
    edited(text, [
      ['lane: planned\n---', 'lane: doing\n---'],
      [`tab.\n`, `tab.\n${ENTRY}\n`],
    ]),
  );
});

test('makes the log in a file that has none', async () => {
  const text = edited(PLAIN, [[`\n${LOG}`, '']]);

  const { after } = await move(text);

  expect(after).toBe(`${edited(text, [['lane: planned\n---', 'lane: doing\n---']])}\n## Activity Log\n\n${ENTRY}\n`);
});

test('makes the log in a file of frontmatter only, without a last line end', async () => {
  const { after } = await move('---\nlane: planned\n---');

  expect(after).toBe(`---\nlane: doing\n---\n## Activity Log\n\n${ENTRY}\n`);
});

test('goes on with entries between hyphens, and with the last of two logs', async () => {
  const text = `${PLAIN}\n## Notes\n\n${LOG.replaceAll(' – ', ' - ')}\n## End\n\nend\n`;

  const { after } = await move(text);

  expect(after).toBe(
    edited(text, [
      ['lane: planned\n---', 'lane: doing\n---'],
      ['lane=planned - Made.\n', `lane=planned - Made.\n${ENTRY}\n`],
    ]),
  );
});

test('changes two lines of a file with thousands', async () => {
  const filler = Array.from({ length: 2000 }, (_, n) => `- [ ] T${n} line ${n} → lane: planned`).join('\n');
  const log = Array.from({ length: 2000 }, (_, n) => `- 2026-03-01T09:00:00Z – a – lane=doing – ${n}`).join('\n');
  const text = `---\nlane: planned\nnote: |\n  ${filler.replaceAll('\n', '\n  ')}\n---\n\n${filler}\n\n## Activity Log\n\n${log}\n\n## End\n\n${filler}\n`;

  const { after } = await move(text);

  expect(after).toBe(
    edited(text, [
      ['---\nlane: planned\n', '---\nlane: doing\n'],
      ['– 1999\n', `– 1999\n${ENTRY}\n`],
    ]),
  );
});

test.each([
  ['a list that is not closed', 'lane: planned\nsubtasks: [T001\ntitle: A\n', /WP01-x\.md, line [45]: /],
  ['a tab for indent', 'lane: planned\nhistory:\n\t- x\n', /WP01-x\.md, line 4: /],
  ['a repeated key', 'lane: planned\nlane: doing\n', /WP01-x\.md, line 3: /],
  ['a quote that is not closed', 'title: "A\nlane: planned\n', /WP01-x\.md, line \d+: /],
  ['a merge conflict', '<<<<<<< HEAD\nlane: planned\n=======\nlane: doing\n>>>>>>> b\n', /WP01-x\.md, line \d+: /],
])('refuses %s with file and line, and leaves the file alone', async (_what, yaml, message) => {
  await expect(move(`---\n${yaml}---\n\n${LOG}`)).rejects.toMatchObject({
    code: 'frontmatter-invalid',
    message: expect.stringMatching(message),
  });
});

test('refuses a lane nobody knows, and leaves the file alone', async () => {
  await expect(move(PLAIN.replace('lane: planned', 'lane: blocked'))).rejects.toMatchObject({ wpId: 'WP01' });
});
