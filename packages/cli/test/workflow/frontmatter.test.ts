/** What editing frontmatter promises: the touched key, and not a byte more. */
import { describe, expect, test } from 'vitest';

import { parseFrontmatter } from '../../src/workflow/files/frontmatter.ts';

const FILE = `---
work_package_id: WP02
title: 'It''s a title: with colon'
lane: "planned" # a note
dependencies:
- WP01
# a comment in between
subtasks: [T003, "T004"]
assignee:
agent: claude
shell_pid: ''
review_status:   # nothing yet
history:
- timestamp: '2026-03-01T09:00:00Z'
  action: |
    Line one
    Line two
---

# Body --- with dashes
`;

function set(text: string, key: string, value: string | readonly string[]): string {
  return parseFrontmatter('WP02.md', text).set(key, value).text;
}

test('returns the text it was given until something is set', () => {
  for (const text of [FILE, `\uFEFF${FILE}`, FILE.replaceAll('\n', '\r\n')])
    expect(parseFrontmatter('f', text).text).toBe(text);
});

test('changes the value of one key and keeps its quoting and its comment', () => {
  expect(set(FILE, 'lane', 'doing')).toBe(FILE.replace('"planned" # a note', '"doing" # a note'));
  expect(set(FILE, 'shell_pid', '4711')).toBe(FILE.replace("shell_pid: ''", "shell_pid: '4711'"));
  expect(set(FILE, 'agent', 'codex')).toBe(FILE.replace('agent: claude', 'agent: codex'));
});

test('sets a bare key without eating the next one', () => {
  const file = parseFrontmatter('f', FILE).set('assignee', 'Ada');

  expect(file.text).toBe(FILE.replace('assignee:\n', 'assignee: Ada\n'));
  expect(file.get('agent')).toBe('claude');
});

test('sets a bare key that carries a comment', () => {
  expect(set(FILE, 'review_status', 'approved')).toBe(
    FILE.replace('review_status:   # nothing yet', 'review_status: approved   # nothing yet'),
  );
});

test('escapes what would break the YAML', () => {
  const nasty = [
    'say "hi"',
    'a: b # c',
    "it's",
    '- x',
    '{x}',
    'true',
    '0123',
    'line\nbreak',
    ' blanks ',
    '',
    '@at',
    'ünï → ✓',
  ];

  for (const key of ['lane', 'agent', 'title', 'assignee', 'phase', 'subtasks', 'dependencies']) {
    for (const value of nasty) expect(parseFrontmatter('f', set(FILE, key, value)).get(key)).toBe(value);
  }
});

test('replaces a block list in place and keeps the key below it', () => {
  const file = parseFrontmatter('f', FILE).set('dependencies', ['WP01', 'WP03']);

  expect(file.text).toBe(FILE.replace('- WP01\n', '- WP01\n- WP03\n'));
  expect(file.get('subtasks')).toEqual(['T003', 'T004']);
});

test('empties a block list and keeps the comment after it', () => {
  expect(set(FILE, 'dependencies', [])).toBe(FILE.replace('dependencies:\n- WP01\n', 'dependencies: []\n'));
});

test('keeps the indent and the quotes of an indented block list', () => {
  const text = '---\ndependencies:\n  - "WP01"\n  - "WP02" # why\nlane: doing\n---\n';

  expect(set(text, 'dependencies', ['WP01', 'WP03', 'WP04'])).toBe(
    '---\ndependencies:\n  - "WP01"\n  - "WP03"\n  - "WP04" # why\nlane: doing\n---\n',
  );
});

test('keeps a flow list a flow list', () => {
  expect(set(FILE, 'subtasks', ['T003'])).toBe(FILE.replace('[T003, "T004"]', '[T003]'));
});

test('replaces a block text by a one-line value', () => {
  expect(set('---\nnote: |\n  one\n  two\nlane: doing\n---\n', 'note', 'three')).toBe(
    '---\nnote: three\nlane: doing\n---\n',
  );
});

test('puts a new key behind the nearest one that comes before it in canonical order', () => {
  expect(set(FILE, 'base_branch', 'main')).toBe(
    FILE.replace('# a comment in between\n', 'base_branch: main\n# a comment in between\n'),
  );
  expect(set(FILE, 'reviewed_by', 'Bo')).toBe(FILE.replace('# nothing yet\n', '# nothing yet\nreviewed_by: Bo\n'));
  expect(set(FILE, 'zebra', 'x')).toBe(FILE.replace('    Line two\n', '    Line two\nzebra: x\n'));
});

test('writes a new list key in the canonical form', () => {
  const text = '---\nwork_package_id: WP02\nagent: x\n---\n';

  expect(set(text, 'dependencies', ['WP01'])).toBe(
    '---\nwork_package_id: WP02\ndependencies:\n- WP01\nagent: x\n---\n',
  );
  expect(set(text, 'dependencies', [])).toBe('---\nwork_package_id: WP02\ndependencies: []\nagent: x\n---\n');
});

test('keeps CRLF in a CRLF file, also in what it inserts', () => {
  const crlf = FILE.replaceAll('\n', '\r\n');
  const edits: readonly (readonly [string, string | readonly string[]])[] = [
    ['lane', 'doing'],
    ['assignee', 'Ada'],
    ['dependencies', ['WP01', 'WP03']],
    ['dependencies', []],
    ['base_branch', 'main'],
    ['zebra', ['a', 'b']],
  ];

  for (const [key, value] of edits) expect(set(crlf, key, value)).toBe(set(FILE, key, value).replaceAll('\n', '\r\n'));
});

test('reads a file with a byte order mark and writes it without', () => {
  expect(set(`\uFEFF${FILE}`, 'lane', 'doing')).toBe(set(FILE, 'lane', 'doing'));
});

test('keeps dates as text', () => {
  expect(parseFrontmatter('f', '---\ncreated_at: 2026-03-01T09:00:00Z\n---\n').get('created_at')).toBe(
    '2026-03-01T09:00:00Z',
  );
});

describe('refuses, naming file and line,', () => {
  test.each([
    ['broken YAML', '---\na: 1\nb: [x\nc: 2\n---\n', /WP02\.md, line [34]:/],
    ['a repeated key', '---\nlane: doing\nlane: done\n---\n', /WP02\.md, line 3:/],
    ['a missing fence', '# no frontmatter\n', /WP02\.md, line 1:/],
    ['an open fence', '---\nlane: doing\n', /WP02\.md, line 1:/],
    ['a list instead of keys', '---\n- a\n---\n', /WP02\.md, line 2:/],
  ])('%s', (_what, text, message) => {
    expect(() => parseFrontmatter('WP02.md', text)).toThrow(
      expect.objectContaining({ code: 'frontmatter-invalid', message: expect.stringMatching(message) }),
    );
  });

  test('an edit that would change another key through an anchor', () => {
    expect(() => set('---\nlane: &x planned\nother: *x\n---\n', 'lane', 'doing')).toThrow(
      /cannot be changed without touching others/,
    );
  });
});

test('names the line of a value that YAML takes for an alias, and of aliases that multiply', () => {
  expect(() => parseFrontmatter('x.md', '---\nlane: planned\ntitle: *Writer\n---\n')).toThrow(
    expect.objectContaining({
      code: 'frontmatter-invalid',
      message:
        'x.md, line 3: *Writer stands for nothing; a value that begins with * needs quotes. The file was not changed.',
    }),
  );
  const bomb = [
    'a: &a [x, x, x, x, x, x, x, x, x]',
    ...'bcdefghi'.split('').map(
      (key, at) =>
        `${key}: &${key} [${Array(9)
          .fill(`*${'abcdefgh'[at] ?? ''}`)
          .join(', ')}]`,
    ),
  ];
  expect(() => parseFrontmatter('x.md', `---\n${bomb.join('\n')}\n---\n`)).toThrow(
    expect.objectContaining({ message: expect.stringContaining('its aliases multiply') }),
  );
});
