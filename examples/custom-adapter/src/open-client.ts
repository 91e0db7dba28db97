/** The composition: the one place that knows which adapters there are. Everything else is the SDK's. */
import { hostname } from 'node:os';
import { randomUUID } from 'node:crypto';

import {
  createClient,
  createUlidFactory,
  specKittyEvents,
  systemTime,
  type Client,
  type ProjectFacts,
  type SessionProvider,
  type SpecKittyEvents,
} from '@spec-kitty/events-sdk';
import { currentHostname, currentUsername, deriveNodeId } from '@spec-kitty/events-sdk/node';

import { openJsonlStore } from './jsonl-store.ts';
import { createSocketTransport } from './socket-transport.ts';

/** What this program is told. */
export interface OpenClientOptions {
  readonly journal: string;
  /** Where the gateway listens. */
  readonly socketPath: string;
  readonly session: SessionProvider;
  /** What its events are about; an event without a project never leaves the machine. */
  readonly project: ProjectFacts;
}

/** A client over the journal and the socket. Nothing is opened before it is needed. */
export function openClient({ journal, socketPath, session, project }: OpenClientOptions): Client<SpecKittyEvents> {
  const nodeId = deriveNodeId({ hostname: currentHostname(), username: currentUsername() });
  return createClient({
    events: specKittyEvents,
    openStore: () => openJsonlStore({ path: journal }),
    openTransport: async () => createSocketTransport({ socketPath, time: systemTime }),
    session,
    facts: async () => ({
      nodeId,
      session: await session.current(),
      project,
      projectRoot: null,
      gitBranch: null,
      headCommitSha: null,
      repoSlug: null,
    }),
    lookUpProject: async () => project,
    newUlid: createUlidFactory({ time: systemTime }),
    lease: {
      owner: { pid: process.pid, startedAt: '', host: hostname(), role: 'custom-adapter' },
      newToken: randomUUID,
      // Not known here; a lease whose owner died runs out by itself.
      isGone: () => false,
    },
  });
}
