/** Delivers in the background of a long command, so that the board follows while it works. Never disturbs the command. */
import type { NodeClient } from './client.ts';
import type { CommandSession } from './session.ts';

/** Ends it, giving what is new a last chance for so many milliseconds. Never rejects. */
export type StopDelivery = (deadlineMs: number) => Promise<void>;

/**
 * Starts delivering for this home, once whoever does so now has made room; a courier is asked to, a watch is left alone.
 * Where delivery is switched off, or nobody is signed in, nothing is started. `role` is what `sync status` calls this process.
 */
export function hostDelivery(session: CommandSession, role: string): StopDelivery {
  const ended = new AbortController();
  const running = start(session, role, ended.signal).catch(() => undefined);
  return async (deadlineMs) => {
    ended.abort();
    const background = await running;
    await background?.stop({ deadlineMs }).catch(() => undefined);
  };
}

type Background = Awaited<ReturnType<NodeClient['background']>>;

async function start(session: CommandSession, role: string, ended: AbortSignal): Promise<Background | undefined> {
  const client = await session.client();
  const { delivery, session: signedIn } = await client.status();
  if (delivery === 'off' || signedIn === null || ended.aborted) return undefined;
  const background = await client.background({ role });
  // Where another process keeps the lease, that one delivers, and sees what is new by itself.
  void background
    .start({ whenBusy: ({ role: holder }) => (holder === 'courier' ? 'ask' : 'give-up') })
    .catch(() => undefined);
  return background;
}
