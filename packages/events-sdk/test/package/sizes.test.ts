/** What the built library weighs in a host's bundle, and that a host gets only what it names. */
import { expect, test } from 'vitest';

import { bundleOf, entries } from '../../scripts/measure.ts';
import { measureSizes, ONE_BUILDER, RECORDING, writtenSizes } from '../../scripts/sizes.ts';

/** For the core without adapters, gzipped. */
const CORE_BUDGET_BYTES = 10_000;

test('a program that records events loads at most 10 kB of the core before it delivers', async () => {
  const { gzippedBytes } = await bundleOf(RECORDING, { thirdParty: true, lazy: true });

  expect(gzippedBytes).toBeLessThanOrEqual(CORE_BUDGET_BYTES);
});

test('a program that takes one builder gets nothing of stores, transports, engine or schema library', async () => {
  const { code, files } = await bundleOf(ONE_BUILDER);

  expect(files.filter((file) => !/^(?:<stdin>|dist\/index\.js)$/.test(file))).toEqual([]);
  expect(code).not.toMatch(/\bimport\b/);
  expect(code.length).toBeLessThan(500);
});

test.for([...entries().keys()])('importing %s for nothing leaves nothing in a bundle', async (name) => {
  const { code } = await bundleOf(`import '${name}';`, { thirdParty: true });

  expect(code).toBe('');
});

test('docs/sizes.md says what every entry weighs, to a tenth', async () => {
  const measured = await measureSizes();
  const written = await writtenSizes();

  const hint = 'If the change is wanted, write the page again: node packages/events-sdk/scripts/sizes.ts';
  expect(
    written.map(({ what }) => what),
    hint,
  ).toEqual(measured.map(({ what }) => what));
  const off = measured.filter((size, index) =>
    (['first', 'all', 'withPackages'] as const).some(
      (column) => Math.abs(size[column] - (written[index]?.[column] ?? 0)) > size[column] / 10,
    ),
  );
  expect(off, hint).toEqual([]);
});
