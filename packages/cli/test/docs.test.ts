/** docs/cli.md is what the built program says of itself. */
import { expect, test } from 'vitest';

import { referencePage, writtenPage } from '../scripts/docs.ts';

test('the CLI reference is what the commands say in their help', async () => {
  expect(await writtenPage()).toBe(await referencePage());
});
