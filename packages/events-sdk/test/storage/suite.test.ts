import { describe, test } from 'vitest';
import { createMemoryStore } from '../../src/storage/memory.ts';
import { eventStoreCases } from '../../src/testing/store-suite.ts';
import { openFresh } from './stores.ts';

const STORES = {
  memory: async () => {
    const store = createMemoryStore();
    return { store, reopen: async () => store, cleanup: () => store.close() };
  },
  'node-sqlite': () => openFresh('node-sqlite'),
  sqljs: () => openFresh('sqljs'),
};

for (const [name, open] of Object.entries(STORES)) {
  describe(`the ${name} store`, () => {
    for (const { title, run } of eventStoreCases(open)) test(title, run);
  });
}
