/** Puts events into a home's queue, fast. */
import { createOfflineQueue, silentLogger, systemTime } from '@spec-kitty/events-sdk';
import { openHomeStore, resolveHome } from '@spec-kitty/events-sdk/node';
import { anEvent } from '@spec-kitty/events-sdk/testing';

import type { Driver } from './drivers.ts';

/** Adds `rows` events of about 600 bytes to the home of `env`, in one transaction. */
export async function fillQueue(env: NodeJS.ProcessEnv, driver: Driver, rows: number): Promise<void> {
  const { store } = await openHomeStore({ home: resolveHome(env), env, driver, logger: silentLogger });
  const queue = createOfflineQueue({ store, time: systemTime, cap: 10 * (rows + 1) });
  const events = Array.from({ length: rows }, (_, index) => anEvent({ lamport_clock: index + 100 }));
  if (rows > 0)
    await queue.enqueue(events, { state: 'queued', reason: null, server: 'https://team.example', projectRoot: null });
  await store.close();
}
