/** The courier's life: drain once under the lease, say what happened in its log, and be gone. */
import { existsSync } from 'node:fs';

import { systemTime } from '../internal/time.ts';
import { COURIER_LIFETIME_MS, logCourier } from './courier.ts';
import { resolveHome } from './home.ts';
import { openNodeClient } from './open-node-client.ts';

export interface RunCourierOptions {
  /** Default: the home of the environment. */
  readonly home?: string;
}

/** Delivers what waits in a home. Resolves when nothing more can be done now; never later than the courier's lifetime. */
export async function runCourier(options: RunCourierOptions = {}): Promise<void> {
  const env = options.home === undefined ? process.env : { ...process.env, SPEC_KITTY_HOME: options.home };
  const home = resolveHome(env);
  if (!existsSync(home.root)) return;
  // Its own directory: the courier belongs to the home, not to the project that woke it.
  const client = openNodeClient({ env, cwd: home.root, role: 'courier' });
  try {
    const report = await client.syncNow({ deadlineMs: COURIER_LIFETIME_MS, waitForOthersMs: 0 });
    if (report.stoppedBy !== 'busy') logCourier(home, systemTime.now(), report);
  } finally {
    await client.close();
  }
}
