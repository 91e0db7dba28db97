/** A server that takes every event and keeps nothing, in a thread of its own: what is left is the client's own time. */
import { createServer } from 'node:http';
import { parentPort } from 'node:worker_threads';
import { gunzipSync } from 'node:zlib';

const server = createServer((request, response) => {
  const parts: Buffer[] = [];
  request.on('data', (part: Buffer) => parts.push(part));
  request.on('end', () => {
    const body = JSON.parse(gunzipSync(Buffer.concat(parts)).toString()) as { events: { event_id: string }[] };
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ results: body.events.map(({ event_id }) => ({ event_id, status: 'success' })) }));
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  // The port of a worker: it has no origin, as a window has.
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  parentPort?.postMessage(typeof address === 'object' ? address?.port : undefined);
});
