/** The courier's life: drain once under the lease, say what happened in its log, and be gone. */
import { existsSync, rmdirSync } from 'node:fs';

import { systemTime } from '../internal/time.ts';
import { COURIER_LIFETIME_MS, logCourier } from './courier.ts';
import { resolveHome, type Home } from './home.ts';
import { openNodeClient, SYNC_STORE_WAIT_MS, type NodeClient } from './open-node-client.ts';

export interface RunCourierOptions {
  /** Default: the home of the environment. */
  readonly home?: string;
  /** The longest it may live, in milliseconds. Default {@link COURIER_LIFETIME_MS}. */
  readonly lifetimeMs?: number;
}

/** How often it looks whether there still is something to live for, in milliseconds. */
const WATCH_MS = 500;

/**
 * Delivers what waits in a home. Resolves when nothing more can be done now, when the home disappears, when nobody
 * is signed in any more, and never later than the courier's lifetime. Never rejects.
 */
export async function runCourier(options: RunCourierOptions = {}): Promise<void> {
  const env = options.home === undefined ? process.env : { ...process.env, SPEC_KITTY_HOME: options.home };
  const home = resolveHome(env);
  // Opening the store of a home that was removed meanwhile would bring it back.
  if (!existsSync(home.queueDb)) return;
  // Its own directory: the courier belongs to the home, not to the project that woke it.
  const client = openNodeClient({
    env,
    cwd: home.root,
    role: 'courier',
    storeWaitMs: SYNC_STORE_WAIT_MS,
    mayRecreateHome: false,
  });
  const watch = watchReasons(client, home);
  try {
    const report = await client.syncNow({
      deadlineMs: options.lifetimeMs ?? COURIER_LIFETIME_MS,
      waitForOthersMs: 0,
      signal: watch.signal,
    });
    if (report.stoppedBy !== 'busy' && !watch.isHomeGone()) logCourier(home, systemTime.now(), report);
  } finally {
    watch.stop();
    // With the home gone there is nothing left to close in order.
    await client.close().catch(() => undefined);
    if (watch.isHomeGone()) removeIfEmpty(home.root);
  }
}

/** The lock of the sql.js store makes the directory anew; whoever removed the home wants it gone. */
function removeIfEmpty(directory: string): void {
  try {
    rmdirSync(directory);
  } catch {
    // Not empty: somebody lives there again.
  }
}

interface Watch {
  /** Aborts when the reasons for delivering are gone: the queue itself, or the sign-in. */
  readonly signal: AbortSignal;
  isHomeGone(): boolean;
  stop(): void;
}

function watchReasons(client: NodeClient, home: Home): Watch {
  const control = new AbortController();
  let isStopped = false;
  let isHomeGone = false;

  async function look(): Promise<void> {
    isHomeGone = !existsSync(home.queueDb);
    const hasReason = !isHomeGone && (await client.authStatus()).session !== null;
    if (isStopped) return;
    if (hasReason) lookLater();
    else control.abort();
  }

  function lookLater(): void {
    systemTime.after(WATCH_MS, () => void look().catch(lookLater));
  }

  lookLater();
  return {
    signal: control.signal,
    isHomeGone: () => isHomeGone,
    stop() {
      isStopped = true;
    },
  };
}
