/** The library's core composed by hand: a store in memory, a way out of one's own, nothing of Node. For tests and browsers. */
import {
  createClient,
  createUlidFactory,
  systemTime,
  type BatchItem,
  type Client,
  type ProjectFacts,
  type Session,
} from '@spec-kitty/events-sdk';
import { createMemoryStore } from '@spec-kitty/events-sdk/storage/memory';

import { cacheEvents, type CacheEvents } from './events.ts';

const project: ProjectFacts = {
  uuid: '6d0c1a8e-52f3-4f0e-9b7a-0c1d2e3f4a5b',
  slug: 'website',
  teamSlug: null,
  syncEnabled: true,
};
const session: Session = { server: 'https://cache.example', username: 'ci', teamSlug: 'web' };
const token = { kind: 'token', accessToken: 'from-ci', session } as const;

/** A client over memory; `deliver` is called with each batch that leaves. */
export function openInMemory(deliver: (batch: readonly BatchItem[]) => void): Client<CacheEvents> {
  return createClient({
    events: cacheEvents,
    openStore: async () => createMemoryStore(),
    openTransport: async () => ({
      async push(batch) {
        deliver(batch);
        return { kind: 'ok', verdicts: batch.map(({ eventId }) => ({ eventId, verdict: 'success' })) };
      },
    }),
    session: {
      current: async () => session,
      accessToken: async () => token,
      refresh: async () => token,
    },
    facts: async () => ({
      nodeId: 'ci-runner-7',
      session,
      project,
      projectRoot: null,
      gitBranch: 'main',
      headCommitSha: null,
      repoSlug: null,
    }),
    lookUpProject: async () => project,
    newUlid: createUlidFactory({ time: systemTime }),
    lease: {
      owner: { pid: 1, startedAt: '', host: 'memory', role: 'build' },
      newToken: () => globalThis.crypto.randomUUID(),
      isGone: () => false,
    },
  });
}
