/** A server that reads whatever it is sent and says that all is well, in a thread of its own. */
import { createServer } from 'node:http';
import { parentPort } from 'node:worker_threads';

const server = createServer((request, response) => {
  request.resume();
  request.on('end', () => {
    response.setHeader('content-type', 'application/json');
    response.end('{"status":"Ok","success":true}');
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  // The port of a worker: it has no origin, as a window has.
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  parentPort?.postMessage(typeof address === 'object' ? address?.port : undefined);
});
