/**
 * `fill FOLDER DRIVER COUNT`: puts events for the server of the environment into the home below FOLDER. `drain FOLDER
 * DRIVER`: delivers them all, and prints the seconds it took and the most memory this process used, as JSON.
 */
import { join } from 'node:path';

import { wpStatusChanged } from '@spec-kitty/events-sdk';
import { openNodeClient } from '@spec-kitty/events-sdk/node';

const [mode, folder = '', driver = '', count = '0'] = process.argv.slice(2);
const MIB = 1024 * 1024;

const client = openNodeClient({
  cwd: folder,
  env: { ...process.env, SPEC_KITTY_HOME: join(folder, 'home'), SPEC_KITTY_QUEUE_DRIVER: driver },
});
if (mode === 'fill') await fill(Number(count));
else process.stdout.write(JSON.stringify(await drain()));
await client.close();

async function fill(events: number): Promise<void> {
  const move = wpStatusChanged({
    wpId: 'WP01',
    previousStatus: 'planned',
    newStatus: 'doing',
    featureSlug: '001-demo',
  });
  const many = Array.from({ length: Math.min(events, 10_000) }, () => move);
  for (let done = 0; done < events; done += many.length) await client.emitAll(many);
}

async function drain(): Promise<object> {
  let heap = 0;
  const startedAt = performance.now();
  const report = await client.syncNow({
    onProgress() {
      heap = Math.max(heap, process.memoryUsage().heapUsed);
    },
  });
  const seconds = (performance.now() - startedAt) / 1000;
  // The system tells it in KiB.
  const rssMiB = process.resourceUsage().maxRSS / 1024;
  return { sent: report.sent, stoppedBy: report.stoppedBy, seconds, rssMiB, heapMiB: heap / MIB };
}
