/** `emit` of `@spec-kitty/events-sdk`, as a program in the project around `folder` uses it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { wpStatusChanged } from '@spec-kitty/events-sdk';
import { openNodeClient } from '@spec-kitty/events-sdk/node';

import type { Driver } from '../drivers.ts';
import type { Program } from './program.ts';

/** Recording with one of the two stores of Node. */
export function ownStore(driver: Driver): Program {
  const envOf = (folder: string): NodeJS.ProcessEnv => ({
    ...process.env,
    SPEC_KITTY_HOME: join(folder, 'home'),
    SPEC_KITTY_QUEUE_DRIVER: driver,
  });
  return {
    open(folder) {
      const client = openNodeClient({ cwd: folder, env: envOf(folder) });
      const move = wpStatusChanged({ wpId: 'WP01', previousStatus: 'planned', newStatus: 'doing' });
      return {
        async record() {
          const outcome = await client.emit(move);
          if (outcome.status === 'dropped') throw new Error(outcome.message);
        },
        close: () => client.close(),
      };
    },
    async fill(folder, rows) {
      prepare(folder);
      const { fillQueue } = await import('../fill-queue.ts');
      await fillQueue(envOf(folder), driver, rows);
    },
  };
}

/** A project with an identity, and a home that takes any number of events and starts nothing. */
function prepare(folder: string): void {
  mkdirSync(join(folder, '.kittify'), { recursive: true });
  mkdirSync(join(folder, 'home'), { recursive: true });
  writeFileSync(
    join(folder, '.kittify', 'config.yaml'),
    'project:\n  uuid: 3f1c9a52-7f0e-4c55-9d0b-2a6c1b7e4d10\n  slug: bench\n',
  );
  writeFileSync(join(folder, 'home', 'config.toml'), '[sync]\nmax_queue_size = 100000000\ndelivery = "off"\n');
}
