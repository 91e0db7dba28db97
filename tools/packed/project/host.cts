/** A CommonJS host: the library by `require`, which Node has for ES modules since 22.12. */
import assert = require('node:assert/strict');

import sdk = require('@spec-kitty/events-sdk');
import memory = require('@spec-kitty/events-sdk/storage/memory');
import node = require('@spec-kitty/events-sdk/node');

async function main(): Promise<void> {
  const draft = sdk.wpStatusChanged({ wpId: 'WP01', previousStatus: 'planned', newStatus: 'doing' });
  const client = node.openNodeClient({ env: process.env });
  const outcome = await client.emit(draft);
  await client.close();
  assert.equal(outcome.status, 'held');
  await memory.createMemoryStore().close();
  console.log('used by require');
}

void main();
