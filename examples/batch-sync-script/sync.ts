/** Sends what waits in a home, and says by its exit code what came of it: 0 delivered, 3 not yet, 1 rejected, 4 no sign-in. */
import { openNodeClient } from '@spec-kitty/events-sdk/node';

const DEADLINE_MS = 5 * 60_000;
const EXIT_CODES: Readonly<Record<string, number>> = {
  'logged-out': 4,
  unauthorized: 4,
  forbidden: 1,
  refused: 1,
  protocol: 1,
};

// SPEC_KITTY_HOME, _TOKEN, _TEAM and _SERVER are read from the environment.
const logger = { warn: (_code: string, message: string) => console.error(message), debug() {} };
const client = openNodeClient({ role: 'batch-sync-script', logger });
const report = await client.syncNow({ deadlineMs: DEADLINE_MS });
await client.close();

const { stoppedBy, sent, duplicates, rejected, remaining, held, parked } = report;
console.log(JSON.stringify({ stoppedBy, sent, duplicates, rejected: rejected.length, remaining, held, parked }));
for (const { eventId, reason } of rejected) console.error(`${eventId} rejected: ${reason}`);
const isDelivered = stoppedBy === 'drained' && remaining === 0;
process.exitCode = EXIT_CODES[stoppedBy] ?? (rejected.length > 0 ? 1 : isDelivered ? 0 : 3);
