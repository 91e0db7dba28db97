/** Pushes one event to a server that never answers, says how that ended, and must then end by itself. */
import { systemTime } from '../../src/internal/time.ts';
import { createHttpTransport } from '../../src/transport/http/index.ts';

const transport = createHttpTransport({ time: systemTime, timeoutMs: 100 });
const answer = await transport.push([{ eventId: 'e', data: '{}' }], {
  server: process.argv[2] ?? '',
  accessToken: 'token',
});
console.log(JSON.stringify(answer));
