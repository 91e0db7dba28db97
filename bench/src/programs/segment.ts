/** Segment's SDK: an event tracked, and sent to a server on this machine at close. */
import { Analytics } from '@segment/analytics-node';

import { ENVELOPE } from '../an-envelope.ts';
import { run } from './program.ts';

await run({
  open() {
    const client = new Analytics({ writeKey: 'bench', host: process.env['BENCH_SERVER'] ?? '' });
    return {
      record: () => client.track({ userId: 'bench', event: 'moved', properties: { envelope: ENVELOPE } }),
      close: () => client.closeAndFlush(),
    };
  },
});
