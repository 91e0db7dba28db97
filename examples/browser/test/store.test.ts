/** The portable store where it is at home: in a browser, its image in IndexedDB. */
import { eventStoreCases } from '@spec-kitty/events-sdk/testing/suites';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { chromiumPath } from './support/chromium.ts';
import { makeWorld, type World } from './support/world.ts';

const titles = eventStoreCases(() => Promise.reject(new Error('Runs in the browser.'))).map(({ title }) => title);

describe.skipIf(chromiumPath === undefined)('the sqljs store in a browser', () => {
  let world: World;
  let context: BrowserContext;
  let page: Page;
  beforeAll(async () => {
    world = await makeWorld();
    context = await world.newContext();
    page = await world.open(context, '/probe.html');
  });
  afterAll(() => world.close());

  // In the order of the suite; each opens a database of its own name.
  for (const title of titles) test(title, () => page.evaluate(`probe.runCase(${JSON.stringify(title)})`));

  test('refuses to replace an image that somebody changed meanwhile, and keeps theirs (EC-5)', async () => {
    const outcome = await page.evaluate('probe.overwriteUnseen()');

    expect(outcome).toEqual({ refusal: 'STORAGE_BUSY', kept: [1] });
  });

  test('waits a bounded time for other tabs', async () => {
    const code = await page.evaluate('probe.waitForLock()');

    expect(code).toBe('STORAGE_BUSY');
  });

  test('goes on with a new node id when its data was cleared under it, so that no clock is given out twice', async () => {
    // The probe answers [clock, node] of an emission before and one after.
    const stamps = await page.evaluate<[number, string][]>('probe.emitAcrossClearing()');

    expect(stamps.map(([clock]) => clock)).toEqual([1, 1]);
    expect(new Set(stamps.map(([, node]) => node)).size).toBe(2);
  });

  test.each([0, 1_000])('records fifty events with %i waiting, and tells how long each took', async (waiting) => {
    const took = await page.evaluate<number[]>(`probe.timeEmits(50, ${waiting})`);

    // Printed, not judged: it says more about the machine than about the code.
    const [first = 0, ...rest] = took;
    const sorted = rest.toSorted((a, b) => a - b);
    const show = (index: number): string => (sorted[index] ?? 0).toFixed(1);
    console.log(
      `emit to durable, ${waiting} waiting: first ${first.toFixed(0)} ms, median ${show(25)} ms, p95 ${show(47)} ms`,
    );
    expect(took).toHaveLength(51);
  });
});
