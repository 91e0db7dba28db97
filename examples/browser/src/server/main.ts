/** Starts the page and its server on loopback: `node src/server/main.ts [--port 8790] [--data field.db]`. */
import { parseArgs } from 'node:util';

import { createFieldServer } from './server.ts';

const { values } = parseArgs({ options: { port: { type: 'string', default: '8790' }, data: { type: 'string' } } });
const server = await createFieldServer(values.data === undefined ? {} : { data: values.data });
if (server.accounts.find('ada') === undefined)
  await server.accounts.addUser({ username: 'ada', password: 'analytical', team: 'field' });

console.log(`Open ${await server.listen(Number(values.port))}/ and sign in as ada, password analytical.`);
console.log('Stop with Ctrl-C.');
server.onStored((team) => console.log(`${server.events({ team }).length} readings of team ${team}`));
process.once('SIGINT', () => void server.close());
