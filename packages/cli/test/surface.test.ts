/** What can be typed. */
import { expect, test } from 'vitest';

import { surfacePage, writtenSurface } from '../scripts/surface.ts';

test('commands, arguments and flags are those written down', async () => {
  const hint = 'If the change is wanted: node packages/cli/scripts/surface.ts';

  expect(await surfacePage(), hint).toBe(await writtenSurface());
});

test('every command has --json and --debug', async () => {
  const sections = (await surfacePage()).split('\n\n');

  const without = sections.filter((section) => !/^ {2}--debug$/m.test(section) || !/^ {2}--json$/m.test(section));
  expect(without).toEqual([]);
});
