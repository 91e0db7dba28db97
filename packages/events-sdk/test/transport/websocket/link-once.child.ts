/** Three links, ended in three ways; says how, and must then end by itself. */
import { systemTime } from '../../../src/internal/time.ts';
import { anEvent } from '../../../src/testing/an-event.ts';
import { createWebSocketTransport } from '../../../src/transport/websocket/index.ts';

const [server = '', accessToken = ''] = process.argv.slice(2);
const transport = createWebSocketTransport({ time: systemTime });
const said: string[] = [];

async function open() {
  const { promise: lost, resolve } = Promise.withResolvers<string>();
  const answer = await transport.connect({ server, accessToken, onEvent() {}, onLost: (loss) => resolve(loss.reason) });
  if (answer.kind !== 'connected') throw new Error(answer.kind);
  return { link: answer.link, lost };
}

const event = anEvent();
const first = await open();
said.push((await first.link.push([{ eventId: event.event_id, data: JSON.stringify(event) }])).kind);
first.link.close();

const second = await open();
const foreign = anEvent({ lamport_clock: 2, team_slug: 'globex' });
await second.link.push([{ eventId: foreign.event_id, data: JSON.stringify(foreign) }]);
said.push(await second.lost);

const control = new AbortController();
const third = transport.connect({ server, accessToken, signal: control.signal, onEvent() {}, onLost() {} });
control.abort();
const answer = await third;
said.push(answer.kind === 'retryable' ? answer.reason : answer.kind);
console.log(JSON.stringify(said));
