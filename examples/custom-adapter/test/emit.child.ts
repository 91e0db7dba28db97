/** Emits `count` events into a journal and prints the id of each once it is recorded. */
import { wpStatusChanged } from '@spec-kitty/events-sdk';
import { createFakeSession } from '@spec-kitty/events-sdk/testing';

import { openClient } from '../src/open-client.ts';
import { PROJECT } from './project.ts';

const [journal = '', count = '0'] = process.argv.slice(2);
const client = openClient({ journal, socketPath: '', session: createFakeSession(), project: PROJECT });
for (let number = 1; number <= Number(count); number += 1) {
  const outcome = await client.emit(wpStatusChanged({ wpId: 'WP01', previousStatus: 'planned', newStatus: 'doing' }));
  if (outcome.status === 'dropped') throw new Error(outcome.message);
  process.stdout.write(`${outcome.envelope.event_id}\n`);
}
await client.close();
