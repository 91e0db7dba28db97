/** A client over a memory store and fakes of its ports, with everything around it visible. */
import { createClient, type ClientDeps } from '../../src/client.ts';
import { specKittyEvents, type SpecKittyEvents } from '../../src/contract/spec-kitty-events.ts';
import type { EmissionFacts } from '../../src/emitter.ts';
import { wpStatusChanged } from '../../src/events/builders.ts';
import { createMemoryStore } from '../../src/storage/memory.ts';
import type { EventStore } from '../../src/storage/port.ts';
import { testUlid } from '../../src/testing/an-event.ts';
import { createFakeSession, TEST_SESSION } from '../../src/testing/fake-session.ts';
import { createFakeTransport } from '../../src/testing/fake-transport.ts';
import { createTestTime } from '../../src/testing/test-time.ts';
import { PROJECT } from './setup.ts';

export const MOVE = wpStatusChanged({ wpId: 'WP01', previousStatus: 'planned', newStatus: 'doing' });

export function setupClient(overrides: Partial<ClientDeps<SpecKittyEvents>> = {}) {
  const store = createMemoryStore();
  const transport = createFakeTransport();
  const time = createTestTime();
  const opened = { stores: 0, transports: 0, facts: 0, closed: 0 };
  const warnings: string[] = [];
  let ids = 0;
  const watched: EventStore = {
    ...store,
    close: () => {
      opened.closed += 1;
      return store.close();
    },
  };
  const facts: EmissionFacts = {
    nodeId: '9417b43226d4',
    session: TEST_SESSION,
    project: PROJECT,
    projectRoot: '/srv/demo',
    gitBranch: 'main',
    headCommitSha: null,
    repoSlug: null,
  };
  const client = createClient({
    events: specKittyEvents,
    openStore: () => {
      opened.stores += 1;
      return Promise.resolve(watched);
    },
    openTransport: () => {
      opened.transports += 1;
      return Promise.resolve(transport);
    },
    session: createFakeSession(),
    facts: (_store, projectRoot) => {
      opened.facts += 1;
      return Promise.resolve(
        projectRoot === undefined ? facts : { ...facts, projectRoot, project: { ...PROJECT, slug: projectRoot } },
      );
    },
    lookUpProject: () => Promise.resolve(null),
    newUlid: () => testUlid((ids += 1)),
    lease: {
      owner: { pid: 1, startedAt: 'a', host: 'here', role: 'test' },
      newToken: () => `lease-${(ids += 1)}`,
      isGone: () => false,
    },
    logger: { warn: (code) => void warnings.push(code), debug() {} },
    time,
    ...overrides,
  });
  return { client, store, transport, time, opened, warnings };
}

/** A promise and the way to resolve it. */
export function gate(): { readonly passed: Promise<void>; open(): void } {
  let open = (): void => {};
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open: () => open() };
}
