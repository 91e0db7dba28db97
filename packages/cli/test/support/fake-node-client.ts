/**
 * Stands in for the library's Node client behind the port in src/client.ts. What it answers is read from the file
 * named by FAKE_CLIENT, and every call is appended to the file named by FAKE_CALLS, so that a test can drive it from
 * another process.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';

import type { Destination, Logger } from '@spec-kitty/events-sdk';

import type { HomeStatus, NodeClient, ServerProbe, SpecKittyOutcome } from '../../src/client.ts';

/** What the fake is told to be. */
export interface FakeScript {
  readonly status?: Partial<HomeStatus>;
  readonly report?: object;
  readonly session?: object | null;
  readonly authState?: 'active' | 'refreshable' | 'expired';
  readonly accessExpiresAt?: number | null;
  readonly refreshExpiresAt?: number | null;
  readonly server?: string | null;
  readonly probe?: ServerProbe;
  readonly destinations?: readonly Destination[];
  /** Method names that throw. */
  readonly broken?: readonly string[];
  /** Method names that never answer. */
  readonly stuck?: readonly string[];
  /** Method name → code and message of the library's error it rejects with. */
  readonly refusing?: Readonly<Record<string, readonly [code: string, message: string]>>;
  readonly warning?: string;
}

/** A status with nothing in it. */
export const quietStatus: HomeStatus = {
  queued: 0,
  held: {},
  spilled: 0,
  parked: 0,
  dropped: 0,
  cap: 10_000,
  oldestPendingAt: null,
  lastSync: null,
  lastSuccessAt: null,
  clock: 0,
  connection: { state: 'offline', evidence: 'never connected', at: null },
  courier: null,
  server: null,
  session: null,
  project: null,
  projectProblem: null,
  driver: 'node-sqlite',
  delivery: 'courier',
  home: '/home/someone/.spec-kitty',
};

export function openNodeClient(options: {
  readonly env: NodeJS.ProcessEnv;
  readonly logger: Logger;
  readonly courier: { readonly script: string };
}): NodeClient {
  const { FAKE_CLIENT: scriptFile, FAKE_CALLS: callsFile } = options.env;
  const script: FakeScript =
    scriptFile === undefined ? {} : (JSON.parse(readFileSync(scriptFile, 'utf8')) as FakeScript);
  const called = async (method: string, detail: unknown = null): Promise<void> => {
    if (callsFile !== undefined) appendFileSync(callsFile, `${JSON.stringify([method, detail])}\n`);
    if (script.broken?.includes(method) === true) throw new Error(`${method} broke`);
    if (script.stuck?.includes(method) === true) await new Promise(() => setInterval(() => {}, 1000));
    const refusal = script.refusing?.[method];
    if (refusal !== undefined) throw Object.assign(new Error(refusal[1]), { name: 'EventsSdkError', code: refusal[0] });
  };
  if (script.broken?.includes('open') === true) throw new Error('open broke');
  // The script's shapes are the test's own; the port's types are checked where the fake answers.
  const session = (script.session ?? null) as HomeStatus['session'];
  return {
    async emitAll(drafts) {
      await called('emitAll', drafts);
      if (script.warning !== undefined) {
        options.logger.warn('fake', script.warning);
        options.logger.warn('fake', script.warning);
      }
      // Whoever counts looks at the status only; a fake stamps no envelope.
      return drafts.map(() => ({ status: 'queued' }) as unknown as SpecKittyOutcome);
    },
    async syncNow({ signal, onProgress } = {}) {
      onProgress?.({ offered: 1000, total: 2400, batches: 1 });
      if (script.stuck?.includes('syncNow') === true) {
        const alive = setInterval(() => {}, 1000);
        await new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve()));
        clearInterval(alive);
      } else {
        await called('syncNow');
      }
      return { ...emptyReport, ...(signal?.aborted === true ? { stoppedBy: 'aborted' } : {}), ...script.report };
    },
    // Delivery over time is shown by the end-to-end tests, against a real server.
    background: () => Promise.reject(new Error('A fake delivers nothing in the background.')),
    async status() {
      await called('status');
      return { ...quietStatus, session, ...script.status };
    },
    async probe() {
      await called('probe');
      return script.probe ?? null;
    },
    async destinations() {
      await called('destinations');
      return script.destinations ?? [];
    },
    // Shown by the end-to-end tests, on a real home.
    explain: async () => [],
    adopt: async () => ({ kind: 'no-project' }),
    retarget: async () => 0,
    diagnose: async () => [],
    // What becomes of refused events is shown by the end-to-end tests, on a real queue.
    rejected: {
      list: async () => [],
      retry: async () => ({ done: [], unknown: [], unreadable: [] }),
      drop: async () => ({ done: [], unknown: [], unreadable: [] }),
    },
    async login({ server, username, password }) {
      await called('login', { server, username, passwordLength: password.length });
      return { server, username, teamSlug: 'acme' };
    },
    async logout() {
      await called('logout');
      return session;
    },
    async authStatus() {
      await called('authStatus');
      return {
        session,
        state: session === null ? 'logged-out' : (script.authState ?? 'active'),
        accessExpiresAt: script.accessExpiresAt ?? null,
        refreshExpiresAt: script.refreshExpiresAt ?? null,
      };
    },
    async serverUrl() {
      await called('serverUrl');
      return script.server ?? null;
    },
    async setServerUrl(url) {
      await called('setServerUrl', url);
      return url.replace(/\/$/, '');
    },
    async nudge() {
      // Whether the courier's program is where the command says it is.
      await called('nudge', { hasScript: existsSync(options.courier.script) });
      return 'courier';
    },
    async close() {
      await called('close');
      return { delivered: 0, pending: 0, rejected: 0 };
    },
  };
}

const emptyReport = {
  sent: 0,
  duplicates: 0,
  pending: 0,
  rejected: [],
  rejectedBy: {},
  restamped: 0,
  batches: 0,
  remaining: 0,
  held: 0,
  parked: 0,
  stoppedBy: 'drained',
  durationMs: 0,
} as const;

/** The courier has no part in these tests. */
export async function runCourier(): Promise<void> {}

/** The lock is the real one: it needs no home. */
export { withDirectoryLock } from '../../../events-sdk/src/node/directory-lock.ts';
export { systemRandom } from '../../../events-sdk/src/node/system-random.ts';

/** The queue's file is the real one too: it is looked at without a client. */
export { convertStore, readStoreFile } from '../../../events-sdk/src/node/convert-store.ts';
export { resolveHome } from '../../../events-sdk/src/node/home.ts';

/** An identity as the library derives it, always the same. */
export function deriveNewIdentity(): { uuid: string; slug: string; nodeId: string } {
  return { uuid: '0b6f1f4e-6c2c-4c8f-9d55-0d7f3b6f2f10', slug: 'demo', nodeId: 'aaaabbbbcccc' };
}
