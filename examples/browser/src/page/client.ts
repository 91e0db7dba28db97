/** The composition of this page: the core's client over sql.js in IndexedDB, batches over HTTP and the realtime link. */
import { createClient, createUlidFactory, systemTime, type Client, type EventStore } from '@spec-kitty/events-sdk';
import type { TokenManager } from '@spec-kitty/events-sdk/auth';
import { createIndexedDbPersister, openSqlJsStore } from '@spec-kitty/events-sdk/storage/sqljs';
import { createHttpTransport } from '@spec-kitty/events-sdk/transport/http';
import { createWebSocketTransport } from '@spec-kitty/events-sdk/transport/websocket';

import { fieldEvents, type FieldEvents } from '../events.ts';
import { createSignIn } from './sign-in.ts';

/** What a page has of this library. */
export interface PageClient {
  readonly name: string;
  readonly client: Client<FieldEvents>;
  readonly signIn: TokenManager;
  /** To be told while this tab is the one that delivers. */
  setDelivering(isDelivering: boolean): void;
}

/** All readings of this page belong to one project; a server gives it to the team that first sends one. */
const PROJECT = {
  uuid: '5c0f6f5e-6b0e-4b43-9a55-2f1f0c2f7a10',
  slug: 'field-readings',
  teamSlug: null,
  syncEnabled: true,
};

/** Opens nothing yet. Tabs that say the same name share one queue. */
export function createPageClient(name: string): PageClient {
  const signIn = createSignIn(name);
  const tab = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
  let isDelivering = false;

  const client = createClient({
    events: fieldEvents,
    openStore: () => openPageStore(name),
    openTransport: async () => createHttpTransport({ time: systemTime }),
    openRealtime: async () => createWebSocketTransport({ time: systemTime }),
    session: signIn,
    facts: async (store) => ({
      nodeId: store === null ? '' : await nodeIdOf(store),
      session: await signIn.current(),
      project: PROJECT,
      projectRoot: null,
      gitBranch: null,
      headCommitSha: null,
      repoSlug: null,
    }),
    lookUpProject: async () => PROJECT,
    newUlid: createUlidFactory({ time: systemTime }),
    lease: {
      owner: { pid: tab, startedAt: '', host: location.host, role: 'page' },
      newToken: () => crypto.randomUUID(),
      // The browser gives the delivery lock to one living tab: whoever else holds the lease has been closed.
      isGone: ({ pid }) => isDelivering && pid !== tab,
    },
    logger: { debug() {}, warn: (code, message) => console.warn(code, message) },
  });
  return { name, client, signIn, setDelivering: (now) => void (isDelivering = now) };
}

/** The store of that name. sql.js is told where its wasm file is: a bundle does not know. */
export function openPageStore(name: string): Promise<EventStore> {
  return openSqlJsStore({
    persister: createIndexedDbPersister({ name }),
    async loadSqlJs() {
      const { default: initSqlJs } = await import('sql.js');
      return initSqlJs({ locateFile: (file) => new URL(`/${file}`, location.origin).href });
    },
  });
}

/** Random, and kept beside the events: when a browser throws the clock away, the id goes with it. */
async function nodeIdOf(store: EventStore): Promise<string> {
  return (
    (await store.read((reader) => reader.value('node_id'))) ??
    store.transact((tx) => {
      const nodeId = tx.value('node_id') ?? crypto.randomUUID().slice(-12);
      tx.setValue('node_id', nodeId);
      return nodeId;
    })
  );
}
