/** Why a link is as it is, in words for people. */
import type { LinkReason } from './link.ts';

const WORDS: Readonly<Record<LinkReason, string | undefined>> = {
  'not-started': undefined,
  connecting: 'a realtime link is being opened',
  open: 'a realtime link is open',
  lost: 'the realtime link was lost and is opened again',
  failed: 'the realtime link could not be opened and is tried again',
  'gave-up': 'the realtime link was given up after ten attempts; events leave in batches',
  'no-realtime': 'this program has no realtime link; events leave in batches',
  unsupported: 'this server has no realtime link; events leave in batches',
  forbidden: 'the server refuses this account a realtime link; events leave in batches',
  unreachable: 'the server cannot be reached',
  'signed-out': 'delivery waits for a sign-in',
  stopped: undefined,
};

/** The words; undefined where there is no link to speak of, and for a reason of a later version. */
export function describeLinkReason(reason: string): string | undefined {
  return Object.entries(WORDS).find(([known]) => known === reason)?.[1];
}
