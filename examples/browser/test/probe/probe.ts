/** What the tests ask of the library inside the browser, beside the page: the store suite, a link of its own, a clock. */
import { isEventsSdkError, systemTime, type Time } from '@spec-kitty/events-sdk';
import { createIndexedDbPersister } from '@spec-kitty/events-sdk/storage/sqljs';
import { eventStoreCases } from '@spec-kitty/events-sdk/testing/suites';
import { createWebSocketTransport } from '@spec-kitty/events-sdk/transport/websocket';

import { createPageClient, openPageStore } from '../../src/page/client.ts';

const cases = eventStoreCases(async () => {
  const name = `suite-${crypto.randomUUID()}`;
  let store = await openPageStore(name);
  return {
    store,
    async reopen() {
      await store.close();
      store = await openPageStore(name);
      return store;
    },
    async cleanup() {
      await store.close();
      await deleteData(name);
    },
  };
});

const probe = {
  async runCase(title: string): Promise<void> {
    const found = cases.find((each) => each.title === title);
    if (found === undefined) throw new Error(`The suite in this page has no case "${title}".`);
    await found.run();
  },

  /** Two users of one image, the second without the lock; answers the code of the first one's refusal and what is kept. */
  async overwriteUnseen(): Promise<unknown> {
    const name = `unseen-${crypto.randomUUID()}`;
    const mine = createIndexedDbPersister({ name });
    const image = await mine.load();
    await createIndexedDbPersister({ name }).save(Uint8Array.of(1), image?.generation ?? '');
    const refusal = await codeOf(mine.save(Uint8Array.of(2), image?.generation ?? ''));
    const kept = await mine.load();
    await deleteData(name);
    return { refusal, kept: [...(kept?.bytes ?? [])] };
  },

  /** The code a wait ends with while somebody else holds the lock for good. */
  async waitForLock(): Promise<unknown> {
    const name = `lock-${crypto.randomUUID()}`;
    const release = Promise.withResolvers<void>();
    const holder = createIndexedDbPersister({ name }).exclusively(() => release.promise);
    const impatient: Time = { now: () => 0, after: (_delayMs, action) => (queueMicrotask(action), () => {}) };
    const code = await codeOf(createIndexedDbPersister({ name, time: impatient }).exclusively(async () => {}));
    release.resolve();
    await holder;
    return code;
  },

  /** Emits, has all data cleared under the open page, emits again; answers clock and node of both. */
  async emitAcrossClearing(): Promise<unknown> {
    const name = `cleared-${crypto.randomUUID()}`;
    const { client } = createPageClient(name);
    const stamps: unknown[] = [];
    for (const isCleared of [false, true]) {
      if (isCleared) await deleteData(name);
      const outcome = await client.emit({ type: 'ReadingTaken', payload: { station: 'north', celsius: 1 } });
      if (outcome.status === 'held') stamps.push([outcome.envelope.lamport_clock, outcome.envelope.node_id]);
    }
    await client.close();
    await deleteData(name);
    return stamps;
  },

  /** Opens a link with this link token; answers what became of it, and the code its socket was closed with. */
  async connectWith(token: string): Promise<unknown> {
    const closedWith: number[] = [];
    const transport = createWebSocketTransport({
      time: systemTime,
      fetch: async () => Response.json({ ws_token: token }),
      implementation: class extends WebSocket {
        constructor(...args: ConstructorParameters<typeof WebSocket>) {
          super(...args);
          this.addEventListener('close', ({ code }) => closedWith.push(code));
        }
      },
    });
    const { kind } = await transport.connect({
      server: location.origin,
      accessToken: 'unused',
      onEvent() {},
      onLost() {},
    });
    return { kind, closedWith };
  },

  /** Milliseconds from `emit` to its answer, one after the other, in a queue where so many wait already. */
  async timeEmits(count: number, waiting: number): Promise<readonly number[]> {
    const { client } = createPageClient('timing');
    const took: number[] = [];
    const draft = { type: 'ReadingTaken', payload: { station: 'north', celsius: 1 } } as const;
    if (waiting > 0) await client.emitAll(Array.from({ length: waiting }, () => draft));
    // The first one opens the store.
    for (let index = 0; index <= count; index += 1) {
      const started = performance.now();
      await client.emit({ type: 'ReadingTaken', payload: { station: 'north', celsius: index } });
      took.push(performance.now() - started);
    }
    await client.close();
    await deleteData('timing');
    return took;
  },
};

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'none',
    (error: unknown) => (isEventsSdkError(error) ? error.code : String(error)),
  );
}

function deleteData(name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(name);
    request.addEventListener('success', () => resolve());
    request.addEventListener('error', () => reject(request.error ?? new Error('Not deleted.')));
  });
}

Object.assign(globalThis, { probe });
