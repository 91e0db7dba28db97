/** Waiting events that the present sign-in does not speak for. Pure. */
import type { Destination } from '@spec-kitty/events-sdk';

import { amount, events } from './words.ts';

/** Whether events with this destination stay here under that sign-in. An open destination is no other one. */
export function isElsewhere(
  { teamSlug, server }: Destination,
  session: { readonly server: string; readonly teamSlug: string | null },
): boolean {
  return (server !== null && server !== session.server) || (teamSlug !== null && teamSlug !== session.teamSlug);
}

/** How many wait for whom, and what delivers them: a sign-in there, never this one. */
export function renderElsewhere(groups: readonly Destination[]): string {
  const total = groups.reduce((sum, { count }) => sum + count, 0);
  const lines = groups.map(({ teamSlug, server, count }) => {
    const team = teamSlug === null ? 'no team yet' : `team ${teamSlug}`;
    const address = server === null ? '' : ` --server ${server}`;
    return `  ${amount(count)} for ${team}${server === null ? '' : ` on ${server}`}: spec-kitty auth login --force${address}`;
  });
  return [`${events(total)} of another account stay on this machine until it signs in again:`, ...lines].join('\n');
}
