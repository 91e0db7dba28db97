/** Delivery by one tab at a time: a Web Lock passes the job on when that tab is closed, reloaded or crashes. */
import type { SyncReport } from '@spec-kitty/events-sdk';

import type { PageClient } from './client.ts';

/** Delivers as soon as no other tab does, for as long as the page lives. Safe to call twice. */
export function createDelivery(
  { name, client, setDelivering }: PageClient,
  told: { readonly onReport: (report: SyncReport) => void; readonly onFailure: (error: unknown) => void },
): () => void {
  let isStarted = false;

  async function deliver(): Promise<void> {
    setDelivering(true);
    const background = await client.background({ onReport: told.onReport });
    const { kind } = await background.start();
    if (kind === 'busy') throw new Error('Something else delivers from this store. Reload the page to try again.');
    addEventListener('online', () => background.wake('online'));
    // Never: the browser takes the lock back when the page ends.
    await new Promise(() => {});
  }

  return () => {
    if (isStarted) return;
    isStarted = true;
    navigator.locks.request(`${name} delivery`, deliver).catch(told.onFailure);
  };
}
