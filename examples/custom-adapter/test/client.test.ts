/** Both adapters under one client: what is recorded in the journal arrives at the server through the socket. */
import { join } from 'node:path';

import { systemTime, wpStatusChanged } from '@spec-kitty/events-sdk';
import { sessionFromEnvironment } from '@spec-kitty/events-sdk/auth';
import { createContractServer } from '@spec-kitty/events-sdk/testing';
import { createHttpTransport } from '@spec-kitty/events-sdk/transport/http';
import { expect, onTestFinished, test } from 'vitest';

import { startGateway } from '../src/gateway.ts';
import { openClient } from '../src/open-client.ts';
import { PROJECT } from './project.ts';
import { temporaryFolder } from './support.ts';

test('events wait in the journal while there is no gateway, and arrive in order once there is', async () => {
  const folder = temporaryFolder();
  const server = await createContractServer();
  onTestFinished(() => server.close());
  await server.accounts.addUser({ username: 'ada', password: 'analytical', team: 'acme' });
  const url = await server.listen();
  const { access } = await server.signIn('ada');
  const session = sessionFromEnvironment({
    env: { SPEC_KITTY_TOKEN: access, SPEC_KITTY_TEAM: 'acme', SPEC_KITTY_SERVER: url },
  });
  if (session === null) throw new Error('no session');
  const socketPath = process.platform === 'win32' ? `\\\\.\\pipe\\client-${process.pid}` : join(folder, 's');
  const client = openClient({ journal: join(folder, 'journal.jsonl'), socketPath, session, project: PROJECT });
  onTestFinished(async () => void (await client.close()));

  const ids: string[] = [];
  for (const newStatus of ['doing', 'for_review', 'done'] as const) {
    const outcome = await client.emit(wpStatusChanged({ wpId: 'WP01', previousStatus: 'planned', newStatus }));
    if (outcome.status === 'queued') ids.push(outcome.envelope.event_id);
  }
  const alone = await client.syncNow();
  const gateway = await startGateway({
    socketPath,
    transport: createHttpTransport({ time: systemTime }),
    servers: [url],
  });
  onTestFinished(() => gateway.close());
  const together = await client.syncNow();

  expect(alone).toMatchObject({ stoppedBy: 'unreachable', sent: 0, remaining: 3 });
  expect(together).toMatchObject({ stoppedBy: 'drained', sent: 3, remaining: 0 });
  expect(server.events().map(({ envelope }) => envelope.event_id)).toEqual(ids);
});
