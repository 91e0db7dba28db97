/** A server that takes any event map: it is given the JSON Schema and judges by that, without valibot or our types. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';

import { Ajv2020 } from 'ajv/dist/2020.js';

export interface CollectingServer {
  readonly url: string;
  /** Events taken, in order of arrival, each once. */
  readonly events: readonly Record<string, unknown>[];
  close(): Promise<void>;
}

/** Listens on loopback and answers each event of a batch. */
export async function startServer(schema: object): Promise<CollectingServer> {
  const isValid = new Ajv2020().compile(schema);
  const events = new Map<string, Record<string, unknown>>();

  function judge(event: Record<string, unknown>) {
    const id = String(event['event_id']);
    if (!isValid(event)) return { event_id: id, status: 'rejected', error: 'does not fit the schema' };
    const status = events.has(id) ? 'duplicate' : 'success';
    events.set(id, event);
    return { event_id: id, status };
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // What the library sends: a gzipped batch of envelopes.
    const body = JSON.parse(gunzipSync(await buffer(request)).toString()) as { events: Record<string, unknown>[] };
    response.setHeader('Content-Type', 'application/json');
    response.end(JSON.stringify({ results: body.events.map(judge) }));
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    // A TCP server's address is never text.
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get events() {
      return [...events.values()];
    },
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
