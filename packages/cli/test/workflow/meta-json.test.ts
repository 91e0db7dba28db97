/** What editing meta.json promises: the touched keys, and not a line more. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, onTestFinished, test } from 'vitest';

import { editedMeta, type FeatureMeta } from '../../src/workflow/files/meta-json.ts';

/** The file's text after the change. */
function edited(text: string | undefined, changes: FeatureMeta): string {
  const dir = mkdtempSync(join(tmpdir(), 'meta-'));
  onTestFinished(() => {
    rmSync(dir, { recursive: true, force: true });
  });
  if (text !== undefined) writeFileSync(join(dir, 'meta.json'), text);
  return editedMeta(dir, '001-demo', changes).text;
}

const META = `{
    "slug": "001-demo",
    "friendly_name": "D\\u00e9mo \\/ → \\"x\\"",
    "deferred": ["a",   "b"],
    "number": 1.0,
    "nested": { "vcs": "no" },
    "vcs": null
}`;

test('gives a file back byte for byte when nothing changes', () => {
  expect(edited(META, {})).toBe(META);
  expect(edited(META, { slug: '001-demo', deferred: ['a', 'b'] })).toBe(META);
});

test('changes the line of a key and adds a new key at the end, and keeps every other line', () => {
  expect(edited(META, { vcs: 'git', finalized_hash: 'abc', slug: '001-new' })).toBe(
    META.replace('"001-demo"', '"001-new"').replace('"vcs": null', '"vcs": "git",\n    "finalized_hash": "abc"'),
  );
});

test('writes a list or object in the indent of the file', () => {
  expect(edited('{\n\t"a": 1\n}\n', { history: [{ by: 'Ada' }] })).toBe(
    '{\n\t"a": 1,\n\t"history": [\n\t\t{\n\t\t\t"by": "Ada"\n\t\t}\n\t]\n}\n',
  );
});

test('keeps CRLF, a single line, and a file without a last line end', () => {
  const crlf = META.replaceAll('\n', '\r\n');

  expect(edited(crlf, { vcs: 'git', x: { y: 1 } })).toBe(
    edited(META, { vcs: 'git', x: { y: 1 } }).replaceAll('\n', '\r\n'),
  );
  expect(edited('{"a": 1, "b": [1,2]}', { a: 2, c: 3 })).toBe('{"a": 2, "b": [1,2], "c": 3}');
});

test('reads a file behind a byte order mark and writes it without', () => {
  expect(edited(`\uFEFF${META}`, { vcs: 'git' })).toBe(META.replace('null', '"git"'));
});

test('takes a key away that is set to undefined', () => {
  expect(edited('{"a": 1, "b": 2}\n', { a: undefined })).toBe('{\n  "b": 2\n}\n');
});

test('writes anew what cannot be changed in place: no file, an empty object, a repeated key', () => {
  expect(edited(undefined, { slug: 'x' })).toBe('{\n  "slug": "x"\n}\n');
  expect(edited('{}', { slug: 'x' })).toBe('{\n  "slug": "x"\n}\n');
  expect(edited('{\n  "a": 1,\n  "a": 2\n}\n', { b: 3 })).toBe('{\n  "a": 2,\n  "b": 3\n}\n');
});

test('refuses a file that is no JSON object, naming it', () => {
  for (const text of ['{"a": 1', '[]', '// no\n{}'])
    expect(() => edited(text, { b: 1 })).toThrow(
      expect.objectContaining({
        code: 'meta-invalid',
        message: expect.stringContaining('kitty-specs/001-demo/meta.json'),
      }),
    );
});
