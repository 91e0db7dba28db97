/** The layer check catches deliberate violations, and the real tree passes it. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { expect, test } from 'vitest';

import { importsOf } from '../imports.ts';
import { findViolations } from '../layers.ts';

const repository = join(import.meta.dirname, '..', '..');

function rulesBrokenBy(files: Readonly<Record<string, readonly string[]>>): readonly string[] {
  return findViolations(new Map(Object.entries(files))).map(({ rule }) => rule);
}

test('imports are found in every spelling, type-only ones too, and not in comments or strings', () => {
  const source = `
    import type { A } from './a.ts'; // from './comment.ts'
    import {
      b,
    } from "./b.ts";
    import './c.ts';
    export * from './d.ts';
    type E = import('./e.ts').E;
    const f = await import('./f.ts');
    /* import './block.ts' */
    const text = "import './string.ts'";
    const list = Array.from('abc');
  `;

  expect(importsOf(source)).toEqual(['./a.ts', './b.ts', './c.ts', './d.ts', './e.ts', './f.ts']);
});

const sdk = 'packages/events-sdk/src';
const cli = 'packages/cli/src';
const wrong: readonly [string, string, string][] = [
  ['an upward import', `${sdk}/contract/limits.ts`, '../engine/report.ts'],
  ['a queue that knows a transport', `${sdk}/queue/offline-queue.ts`, '../transport/port.ts'],
  ['an adapter in the engine', `${sdk}/engine/sync-engine.ts`, '../storage/memory.ts'],
  ['an adapter that knows another port’s adapter', `${sdk}/transport/http/index.ts`, '../../storage/sqljs/index.ts'],
  ['a node: module in the core', `${sdk}/queue/offline-queue.ts`, 'node:fs'],
  ['an own library in the core entry', `${sdk}/index.ts`, 'ky'],
  ['an adapter in the core entry', `${sdk}/index.ts`, './transport/http/index.ts'],
  ['a second library in the contract entry', `${sdk}/contract/index.ts`, 'ulid'],
  ['test support in production code', `${sdk}/node/open.ts`, '../testing/test-time.ts'],
  ['a file that stands in no layer', `${sdk}/misc.ts`, './errors.ts'],
  ['oclif in a workflow rule', `${cli}/workflow/rules/lanes.ts`, '@oclif/core'],
  ['oclif in a service', `${cli}/workflow/services/implement.ts`, '@oclif/core'],
  ['a rule that reads files', `${cli}/workflow/rules/lanes.ts`, '../files/frontmatter.ts'],
  ['git that knows files', `${cli}/workflow/git/commit.ts`, '../files/text-files.ts'],
  ['a folder of workflow nobody named', `${cli}/workflow/misc/lanes.ts`, '../errors.ts'],
  ['a service that renders', `${cli}/workflow/services/implement.ts`, '../../render/workflow.ts'],
  ['a private file of the SDK', `${cli}/client.ts`, '../../events-sdk/src/client.ts'],
  ['a deep import of the SDK', `${cli}/client.ts`, '@spec-kitty/events-sdk/dist/client.js'],
  ['a deep import from an example', 'examples/quickstart/src/main.ts', '../../../packages/cli/src/main.ts'],
];
test.each(wrong)('%s is refused', (_name, file, specifier) => {
  expect(rulesBrokenBy({ [file]: [specifier] })).not.toEqual([]);
});

test('a circle of imports is refused once', () => {
  const files = { [`${sdk}/engine/a.ts`]: ['./b.ts'], [`${sdk}/engine/b.ts`]: ['./a.ts'] };

  expect(rulesBrokenBy(files)).toEqual(['closes a circle of imports']);
});

test('a downward import, a public subpath and a composition of adapters pass', () => {
  const files = {
    [`${sdk}/engine/sync-engine.ts`]: ['../queue/offline-queue.ts', '../transport/port.ts', 'valibot'],
    [`${sdk}/node/open.ts`]: ['../storage/sqljs/index.ts', '../transport/http/index.ts', 'node:fs'],
    [`${cli}/client.ts`]: ['@spec-kitty/events-sdk/node'],
    [`${cli}/commands/sync/now.ts`]: ['@oclif/core', '../../session.ts'],
  };

  expect(rulesBrokenBy(files)).toEqual([]);
});

test('the script passes on this repository, and fails on a copy with one wrong import', () => {
  const copy = mkdtempSync(join(tmpdir(), 'layers-'));
  const from = join(repository, sdk);
  cpSync(from, join(copy, sdk), { recursive: true });
  const check = (root: string) =>
    spawnSync(process.execPath, [join(repository, 'scripts', 'check-layers.ts'), root], { encoding: 'utf8' });

  const clean = check(copy);
  const culprit = join(copy, sdk, 'contract', 'culprit.ts');
  mkdirSync(dirname(culprit), { recursive: true });
  writeFileSync(culprit, "import type { Transport } from '../transport/port.ts';\nexport type T = Transport;\n");
  const broken = check(copy);
  rmSync(copy, { recursive: true });

  expect(clean.stderr).toBe('');
  expect(clean.status).toBe(0);
  expect(broken.status).toBe(1);
  expect(broken.stderr).toContain('contract/culprit.ts → ../transport/port.ts: imports go down');
});
