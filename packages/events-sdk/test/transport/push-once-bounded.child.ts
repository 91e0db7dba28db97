/** Pushes one event to the server named, and says what came of it and how much memory it took at most. */
import { systemTime } from '../../src/internal/time.ts';
import { createHttpTransport } from '../../src/transport/http/index.ts';

const [server = '', timeoutMs = '20000'] = process.argv.slice(2);
const transport = createHttpTransport({ time: systemTime, timeoutMs: Number(timeoutMs) });
const answer = await transport.push([{ eventId: 'e', data: '{}' }], { server, accessToken: 'token' });
// In KiB on every system.
const { maxRSS } = process.resourceUsage();
const polluted = Object.keys(Object.prototype).length + Number('polluted' in {});
console.log(JSON.stringify({ answer, maxRSS, polluted }));
