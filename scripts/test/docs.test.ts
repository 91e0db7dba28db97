/** Pages point at things that exist; each module the requirement names has its counterpart. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { brokenReferences, unprovenPromises } from '../doc-references.ts';

const root = join(import.meta.dirname, '..', '..');
const moduleMap = readFileSync(join(root, 'docs', 'module-map.md'), 'utf8');

const NAMED_BY_THE_REQUIREMENT = [
  'src/specify_cli/sync/events.py',
  'src/specify_cli/sync/queue.py',
  'src/specify_cli/sync/batch.py',
  'src/specify_cli/sync/client.py',
  'src/specify_cli/sync/config.py',
  'spec-kitty-events',
  'EventFactory',
  'OfflineQueue',
  'WebSocketClient',
  'BatchSyncResult',
  'SyncConfig',
  'AuthClient',
  'emit_event()',
];

test('every module the requirement names is mapped to a file, and each file not planned exists (TECH-4)', () => {
  for (const name of NAMED_BY_THE_REQUIREMENT) expect(moduleMap, name).toContain(name);

  expect(brokenReferences('docs/module-map.md', moduleMap, (path) => existsSync(join(root, path)))).toEqual([]);
});

test('a broken link and a vanished file are found; addresses, anchors and planned rows are not', () => {
  const page = [
    '[a](./gone.md#part) [b](https://example.org/x.md) [c](#here) [d](../there.md)',
    'See `scripts/gone.ts` and `packages/*/src`.',
    '| x | `packages/new.ts` | planned |',
  ].join('\n');

  const broken = brokenReferences('docs/page.md', page, (path) => path === 'there.md');

  expect(broken.map(({ reference }) => reference)).toEqual(['docs/gone.md', 'scripts/gone.ts']);
});

test('a promise without a proof, and a proof without a test, are found', () => {
  const page = [
    '## Promised by us',
    '- **Kept.** Because.',
    '  Proof: [a](../a.test.ts) · [b](../b.test.ts)',
    '- **Hoped.** Some [link](../a.test.ts).',
    '- **Claimed.**',
    '  Proof: [c](../c.test.ts) · [d](../d.test.ts)',
    '## Limits',
    '- **Not a promise.**',
  ].join('\n');
  const files = new Map([
    ['a.test.ts', "test('x', () => {})"],
    ['b.test.ts', 'for (const { title, run } of cases) test(title, run);'],
    ['c.test.ts', '// test'],
  ]);

  const unproven = unprovenPromises('docs/page.md', page, (path) => files.get(path));

  expect(unproven.map(({ reference }) => reference)).toEqual([
    'a proof of "Hoped."',
    'a test in c.test.ts',
    'a test in d.test.ts',
  ]);
});

test('the manual explains every error code, and no other', () => {
  const source = readFileSync(join(root, 'packages', 'events-sdk', 'src', 'errors.ts'), 'utf8');
  const manual = readFileSync(join(root, 'packages', 'events-sdk', 'README.md'), 'utf8');
  const thrown = [...source.matchAll(/^ {2}\| '(\w+)'/gm)].map(([, code]) => code);

  const section = /^## Errors$([\s\S]*?)^## /m.exec(manual)?.[1] ?? '';
  const explained = [...section.matchAll(/^\| `(\w+)` \|/gm)].map(([, code]) => code);

  expect(thrown.length).toBeGreaterThan(0);
  expect(explained).toEqual(thrown);
});

test('the manual names every entry of the package, and no other', () => {
  const text = readFileSync(join(root, 'packages', 'events-sdk', 'package.json'), 'utf8');
  const { exports }: { readonly exports: Readonly<Record<string, unknown>> } = JSON.parse(text);
  const manual = readFileSync(join(root, 'packages', 'events-sdk', 'README.md'), 'utf8');

  const section = /^## Entries$([\s\S]*?)^## /m.exec(manual)?.[1] ?? '';
  const named = [...section.matchAll(/^\| `(?:@spec-kitty\/events-sdk|…\/([\w/-]+))` \|/gm)].map(([, entry]) =>
    entry === undefined ? '.' : `./${entry}`,
  );

  expect(named.toSorted()).toEqual(
    Object.keys(exports)
      .filter((entry) => entry !== './package.json')
      .toSorted(),
  );
});

test('the first program of the manual is an example that is compiled with the others', () => {
  const example = readFileSync(join(root, 'examples', 'quickstart', 'src', 'first.ts'), 'utf8');
  const manual = readFileSync(join(root, 'packages', 'events-sdk', 'README.md'), 'utf8');

  expect(example.slice(example.indexOf('\n') + 1)).toBe(/^```ts\n([\s\S]*?)^```$/m.exec(manual)?.[1]);
});

test('both packages carry the license into their tarballs', () => {
  const license = readFileSync(join(root, 'LICENSE'), 'utf8');

  for (const name of ['events-sdk', 'cli'])
    expect(readFileSync(join(root, 'packages', name, 'LICENSE'), 'utf8'), name).toBe(license);
});
