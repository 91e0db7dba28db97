/**
 * The courier's life: it takes the lease, keeps the link, delivers what commands write, and leaves by itself as soon as
 * one of the reasons of `courier-life.ts` holds.
 */
import { rmdirSync, statSync } from 'node:fs';

import type { BackgroundSync } from '../engine/background-sync.ts';
import type { LeaseOwner } from '../engine/lease.ts';
import { isEventsSdkError } from '../errors.ts';
import { sleep, systemTime } from '../internal/time.ts';
import { COURIER_LIMITS, whyLeave, type CourierLimits, type Farewell } from './courier-life.ts';
import { createCourierLog, type CourierLog } from './courier-log.ts';
import { keepAwake } from './deadline.ts';
import { resolveHome, type Env, type Home } from './home.ts';
import { COURIER_ROLE, isOtherVersion, WATCH_ROLE } from './lease-owner.ts';
import type { NodeClient } from './node-client.ts';
import { openNodeClient, SYNC_STORE_WAIT_MS } from './open-node-client.ts';

export interface RunCourierOptions extends Partial<CourierLimits> {
  /** Default: the home of the environment. */
  readonly home?: string;
  /** Version of the program it belongs to; a command of another one has it replaced. Default: none, never replaced. */
  readonly version?: string;
}

/** How often it looks whether there still is something to live for, in milliseconds. */
const WATCH_MS = 1_000;

/** How long the last delivery may take once it leaves, in milliseconds. */
const LAST_DELIVERY_MS = 5_000;

/** How long it waits for the lease of somebody who will end by himself, in milliseconds. */
const LEASE_WAIT_MS = 15_000;

/** Whoever caused these wants nothing more to be sent. */
const AT_ONCE: ReadonlySet<Farewell> = new Set(['home-gone', 'signed-out', 'lease-lost']);

/** Delivers for a home until there is a reason to leave. `SPEC_KITTY_COURIER_IDLE_S` sets the idle time. Never rejects. */
export async function runCourier(options: RunCourierOptions = {}): Promise<void> {
  const env = options.home === undefined ? process.env : { ...process.env, SPEC_KITTY_HOME: options.home };
  const home = resolveHome(env);
  const place = identityOf(home);
  // Opening the store of a home that was removed meanwhile would bring it back.
  if (place === undefined) return;
  const log = createCourierLog(home.courierLog, systemTime);
  const letSleep = keepAwake();
  // Its own directory: the courier belongs to the home, not to the project that woke it.
  const client = openNodeClient({
    env,
    cwd: home.root,
    role: COURIER_ROLE,
    storeWaitMs: SYNC_STORE_WAIT_MS,
    mayRecreateHome: false,
    logger: log.logger,
    ...(options.version === undefined ? {} : { version: options.version }),
  });
  const isHomeThere = (): boolean => identityOf(home) === place;
  try {
    await deliver({ client, log, isHomeThere, limits: limitsOf(options, env), version: options.version });
  } catch (cause) {
    if (isHomeThere()) log.say(`failed=${isEventsSdkError(cause) ? cause.code : 'unexpected'}`);
  } finally {
    // With the home gone there is nothing left to close in order.
    await client.close().catch(() => undefined);
    if (!isHomeThere()) removeIfEmpty(home.root);
    letSleep();
  }
}

interface Courier {
  readonly client: NodeClient;
  readonly log: CourierLog;
  readonly isHomeThere: () => boolean;
  readonly limits: CourierLimits;
  readonly version: string | undefined;
}

async function deliver({ client, log, isHomeThere, limits, version }: Courier): Promise<void> {
  const background = await client.background({
    onReport: (report) => {
      if (isHomeThere()) log.report(report);
    },
  });
  const started = await background.start({ whenBusy: (holder) => makeRoom(holder, version), waitMs: LEASE_WAIT_MS });
  if (started.kind === 'busy') return;
  log.say(`started version=${version ?? 'unknown'} pid=${process.pid}`);
  const quiet = background.subscribe(({ link }) => {
    if (isHomeThere()) log.link(link);
  });
  const reason = await reasonToLeave(background, { client, isHomeThere, limits });
  const { delivered, pending, rejected } = await background.stop({
    deadlineMs: AT_ONCE.has(reason) ? 0 : LAST_DELIVERY_MS,
  });
  quiet();
  if (isHomeThere()) log.say(`left=${reason} delivered=${delivered} pending=${pending} rejected=${rejected}`);
}

/** A courier of another version is asked to leave; one of ours, and a person's watch, does the work; the rest ends soon. */
function makeRoom(holder: LeaseOwner, version: string | undefined): 'ask' | 'wait' | 'give-up' {
  if (holder.role === WATCH_ROLE) return 'give-up';
  if (holder.role !== COURIER_ROLE) return 'wait';
  return isOtherVersion(holder, version) ? 'ask' : 'give-up';
}

async function reasonToLeave(
  background: BackgroundSync,
  { client, isHomeThere, limits }: Pick<Courier, 'client' | 'isHomeThere' | 'limits'>,
): Promise<Farewell> {
  const startedAt = systemTime.now();
  let isSignalled = false;
  let looking = new AbortController();
  const onSignal = (): void => {
    isSignalled = true;
    looking.abort();
  };
  const signals = ['SIGTERM', 'SIGINT', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, onSignal);
  const unsubscribe = background.subscribe(({ isUnwanted, phase }) => {
    if (isUnwanted || phase === 'ended') looking.abort();
  });
  try {
    for (;;) {
      const isSignedIn = (await client.authStatus()).session !== null;
      const facts = { now: systemTime.now(), startedAt, status: background.status(), isSignalled, isSignedIn };
      const reason = whyLeave({ ...facts, isHomeThere: isHomeThere() }, limits);
      if (reason !== undefined) return reason;
      looking = new AbortController();
      await sleep(systemTime, WATCH_MS, looking.signal);
    }
  } finally {
    unsubscribe();
    for (const signal of signals) process.off(signal, onSignal);
  }
}

function limitsOf(options: RunCourierOptions, env: Env): CourierLimits {
  const seconds = Number(env['SPEC_KITTY_COURIER_IDLE_S'] ?? Number.NaN);
  const idleMs = options.idleMs ?? (seconds > 0 ? seconds * 1000 : COURIER_LIMITS.idleMs);
  const { patienceMs = COURIER_LIMITS.patienceMs, maxAgeMs = COURIER_LIMITS.maxAgeMs } = options;
  return { idleMs, patienceMs, maxAgeMs };
}

/** Tells a home from another one in its place; undefined when there is none, or none with a queue. */
function identityOf(home: Home): string | undefined {
  try {
    const found = statSync(home.root);
    return statSync(home.queueDb, { throwIfNoEntry: false }) === undefined ? undefined : `${found.dev}.${found.ino}`;
  } catch {
    return undefined;
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
