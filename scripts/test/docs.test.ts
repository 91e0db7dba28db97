/** Pages point at things that exist; each module the requirement names has its counterpart. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { brokenReferences } from '../doc-references.ts';

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
