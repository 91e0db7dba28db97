/** posthog-node: an event captured, and sent to a server on this machine at shutdown. */
import { PostHog } from 'posthog-node';

import { ENVELOPE } from '../an-envelope.ts';
import { run } from './program.ts';

await run({
  open() {
    const client = new PostHog('phc_bench', { host: process.env['BENCH_SERVER'] ?? '' });
    return {
      record: () => client.capture({ distinctId: 'bench', event: 'moved', properties: { envelope: ENVELOPE } }),
      close: () => client.shutdown(),
    };
  },
});
