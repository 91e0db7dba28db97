/** What the built library exports, by name. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { expect, test } from 'vitest';

import { exportedNames } from '../../scripts/exported-names.ts';
import { exportsPage, writtenExports } from '../../scripts/exports.ts';
import { entries, packageRoot } from '../../scripts/measure.ts';

test('the names every entry exports are those written down', async () => {
  const hint = 'If the change is wanted: node packages/events-sdk/scripts/exports.ts';

  expect(exportsPage(), hint).toBe(await writtenExports());
});

test.for([...entries()])('the declarations of %s name just the values its code exports', async ([, files]) => {
  // A module of names: what an import of this specifier gives.
  const code = (await import(pathToFileURL(join(packageRoot, files.code)).href)) as Readonly<Record<string, unknown>>;

  expect(exportedNames(join(packageRoot, files.types)).values).toEqual(Object.keys(code).toSorted());
});
