/**
 * Reading frontmatter without a parser is only right while it says what the parser says. The parser is the judge here: over
 * real files, and over random lines of everything that looks alike in YAML and is not. `SPEC_KITTY_STORM_SEED` replays.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';
import { parseDocument } from 'yaml';

import { parseFrontmatter } from '../../src/workflow/files/frontmatter.ts';
import { readPlainFrontmatter } from '../../src/workflow/files/plain-frontmatter.ts';
import { CORPUS, isCorpusAbsent } from './support/corpus.ts';
import { createProject } from './support/workspace.ts';
import { chanceFrom } from '../support/chance.ts';

const SEED = Number(process.env['SPEC_KITTY_STORM_SEED'] ?? Date.now() % 100_000);
const TEXTS = 60_000;

const valuesOf = (source: string): unknown => {
  const plain = readPlainFrontmatter(source);
  return plain === null ? null : Object.fromEntries([...plain].map(([key, { value }]) => [key, value]));
};

/** What the parser says; undefined where it refuses the text. */
function judged(source: string): unknown {
  const document = parseDocument(source, { schema: 'core' });
  return document.errors.length > 0 ? undefined : (document.toJS() ?? {});
}

const KEYS = ['lane', 'title', 'dependencies', 'history', 'a-b', 'x_1', 'null', 'true', 'on', '<<', '1', '"q"', '- k'];
const VALUES = [
  ['', 'planned', 'WP01', 'null', 'True', '~', 'yes', 'off', '007', '7', '-7', '1.0', '1e3', '0x1f', '0o7', '.inf'],
  ['2026-11-25', '2026-11-25T05:03:27Z', '2026-11-25 05:03', 'a: b', 'a:', 'a:b', 'a #b', 'a#b', 'a, b', 'a & b'],
  ['"x y"', '"a, b"', "'x'", "'it''s'", '"a\\n"', '""', "''", '"open', '"a" b', '"null"', '"7"', '&a x', '*a', '!t x'],
  [
    '[]',
    '[a, b]',
    '[a,b]',
    '["a b", c]',
    '["a, b"]',
    '[null]',
    '[1, 2]',
    '[a',
    '{}',
    '{a: b}',
    '|',
    '>-',
    '@x',
    '%x',
    '`x`',
  ],
  [
    "don't",
    'say "x"',
    'Grüße – 中文',
    '(a)',
    '/b/c',
    '- x',
    '? x',
    '…',
    'a\u00a0b',
    'a\u2028b',
    'a\u3000',
    'a\u200b',
    'a\u0085',
    'é b',
    '\u{1f63a} cat',
    'cat \u{1f63a}',
    '"\u3000"',
    'a\ufeff',
    'a\tb',
    '\ta',
    'a ',
    '-',
    '...',
  ],
].flat();

function randomYaml(random: () => number): string {
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T; // never empty here
  // Half of them are tidy, or hardly any would be read without the parser.
  const isTidy = random() < 0.5;
  const lines = Array.from({ length: 1 + Math.floor(random() * 7) }, () => {
    const indent = isTidy ? '' : pick(['', '', '', '  ', '  ', ' ', '    ', '\t']);
    const comment = isTidy ? '' : pick(['', '', '', ' # said', '# said', ' #é']);
    const form = random();
    if (form < 0.55) return `${indent}${pick(KEYS)}:${pick([' ', ' ', ' ', '', '  ', '\t'])}${pick(VALUES)}${comment}`;
    if (form < 0.75) return `${indent}- ${pick(VALUES)}${comment}`;
    if (form < 0.9) return `${indent}- ${pick(KEYS)}: ${pick(VALUES)}${comment}`;
    return pick(['', '  ', '# x', '  # x', '---', '...', '\t', 'x', '-']);
  });
  return lines.join(pick(['\n', '\n', '\n', '\r\n', '\r'])) + pick(['', '\n', '\n\n']);
}

test(`whatever is read without the parser is what the parser reads (seed ${SEED})`, () => {
  const random = chanceFrom(SEED);
  let read = 0;
  for (let count = 0; count < TEXTS; count += 1) {
    const source = randomYaml(random);
    const values = valuesOf(source);
    if (values === null) continue;
    read += 1;
    expect(values, `SPEC_KITTY_STORM_SEED=${SEED}: ${JSON.stringify(source)}`).toEqual(judged(source));
  }
  // Enough of them are read at all.
  expect(read).toBeGreaterThan(TEXTS / 100);
});

test(`a scalar set without the parser stands as the parser's own edit would put it (seed ${SEED})`, () => {
  const random = chanceFrom(SEED);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T; // never empty here
  let set = 0;
  for (let count = 0; count < 4_000; count += 1) {
    const lines = Array.from({ length: 4 }, (_, at) => `${'abcd'[at] ?? ''}: ${pick(VALUES)}`);
    const source = `---\n${lines.join('\n')}\n`;
    if (readPlainFrontmatter(source.slice(4)) === null) continue;
    const value = pick([
      'doing',
      'for_review',
      '',
      'true',
      '2026-11-25T05:03:27Z',
      'a b',
      'x:y',
      'WP01',
      '7',
      "it's",
      'Grüße',
    ]);
    const file = parseFrontmatter('wp.md', `${source}---\nBody\n`);
    // An anchor is nothing plain: the same edit is made by the parser.
    const slow = parseFrontmatter('wp.md', `${source}e: &e x\n---\nBody\n`);
    expect(file.set('b', value).text.replace('---\nBody', 'e: &e x\n---\nBody'), JSON.stringify([source, value])).toBe(
      slow.set('b', value).text,
    );
    set += 1;
  }
  expect(set).toBeGreaterThan(30);
});

test('what scaffold and the lanes write is read without the parser', async () => {
  const repo = await createProject(['One', 'Two: it’s "quoted", and more:1']);

  for (const id of ['WP01', 'WP02']) {
    const text = repo.read(repo.wpPath(id));
    const source = /^---\n([\s\S]*?)^---$/m.exec(text)?.[1] ?? '';
    expect(valuesOf(source), source).toEqual(judged(source));
  }
});

test.skipIf(isCorpusAbsent)('real files are read as the parser reads them', () => {
  let plain = 0;
  for (const file of readdirSync(CORPUS, { recursive: true, encoding: 'utf8' })) {
    if (!/\/tasks\/.*\.md$/.test(file)) continue;
    const source = /^\uFEFF?---\r?\n([\s\S]*?)^---\s*$/m.exec(readFileSync(join(CORPUS, file), 'utf8'))?.[1];
    const values = source === undefined ? null : valuesOf(source);
    if (source === undefined || values === null) continue;
    plain += 1;
    expect(values, file).toEqual(judged(source));
  }
  expect(plain).toBeGreaterThan(0);
});
