/** The simulation sees what it is there to see: programs that are wrong on purpose are found out within a few seeds. */
import { tellStorm } from '@spec-kitty/storm';
import { expect, test } from 'vitest';

import { MISTAKES, type Mistake } from './mistakes.ts';
import { runSimulations } from './run.ts';
import type { StoreKind } from './simulate.ts';

/** More than any of them needs. */
const SEEDS = 400;

/** The promise each of them breaks, as the simulation names it. */
const BROKEN: Readonly<Record<Mistake, { readonly breaks: RegExp; readonly store?: StoreKind }>> = {
  'deletes before the answer': { breaks: /^lost/ },
  'clock in memory': { breaks: /^(?:clock-repeated|order)/ },
  'no lock': { breaks: /^(?:lost|clock-repeated)/, store: 'sqljs' },
  'new id': { breaks: /^two ids/ },
  'settles failures': { breaks: /^lost/ },
  'lost wakeup': { breaks: /^hang/ },
  'other account': { breaks: /^wrong account/ },
  'waits for delivery': { breaks: /^slow emit/ },
  'drops in silence': { breaks: /^uncounted drop/ },
};

// Object.entries forgets what its keys are.
for (const [mistake, { breaks, store }] of Object.entries(BROKEN) as [Mistake, (typeof BROKEN)[Mistake]][]) {
  test(`${MISTAKES[mistake]} is found out`, { timeout: 120_000 }, async ({ task }) => {
    const { failed } = await runSimulations(1, SEEDS, { mistake, store });

    expect(failed.flatMap(({ breaches }) => breaches).filter((breach) => breaks.test(breach))).not.toEqual([]);
    tellStorm(task, { storm: 'simulation', caught: [MISTAKES[mistake]] });
  });
}
