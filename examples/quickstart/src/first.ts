// The first program of packages/events-sdk/README.md, word for word: scripts/test/docs.test.ts compares them.
import { wpStatusChanged } from '@spec-kitty/events-sdk';
import { openNodeClient } from '@spec-kitty/events-sdk/node';
import { createContractServer } from '@spec-kitty/events-sdk/testing';

// A real team server on loopback. It needs `jose` installed; your own server takes its place later.
const server = await createContractServer();
await server.accounts.addUser({ username: 'ada', password: 'analytical', team: 'acme' });
const url = await server.listen();

const client = openNodeClient({
  // A home of its own, so that nothing of yours is touched. Without `env` it is ~/.spec-kitty.
  env: { SPEC_KITTY_HOME: './first-home' },
  // Any UUID, the same for good: a server knows the project by it. In a repository with `.kittify/config.yaml` leave it out.
  project: { uuid: '3f1c9a52-7f0e-4c55-9d0b-2a6c1b7e4d10', slug: 'demo' },
});
await client.login({ server: url, username: 'ada', password: 'analytical' });

const outcome = await client.emit(wpStatusChanged({ wpId: 'WP01', previousStatus: 'planned', newStatus: 'doing' }));
console.log(outcome.status);

const report = await client.syncNow();
console.log(`${report.sent} sent, ${report.remaining} waiting`);
console.log(server.events().map(({ envelope }) => envelope.event_type));

await client.close();
await server.close();
