/** The port's promises, kept by the fake and by the WebSocket transport in both kinds of WebSocket. */
import { describe, test } from 'vitest';

import { createContractServer } from '../../../src/testing/contract-server/index.ts';
import { createFakeRealtime } from '../../../src/testing/fake-realtime.ts';
import { realtimeTransportCases, type RealtimeUnderTest } from '../../../src/testing/realtime-suite.ts';
import { createTestTime } from '../../../src/testing/test-time.ts';
import { createWebSocketTransport, type WebSocketTransportOptions } from '../../../src/transport/websocket/index.ts';

async function openFake(): Promise<RealtimeUnderTest> {
  const transport = createFakeRealtime();
  return {
    transport,
    server: 'https://team.example',
    accessToken: 'token',
    accepted: () => transport.accepted,
    show: transport.show,
    loseLinks: () => {
      transport.lose();
    },
    refuseNextAttempt: () => {
      transport.connectNext({ kind: 'unauthorized' });
    },
    hangNextAttempt: () => {
      transport.connectNext('hang');
    },
    muteNextLink: () => {
      transport.answerNext('hang');
    },
    cleanup: async () => {},
  };
}

async function openReal(options: Partial<WebSocketTransportOptions> = {}): Promise<RealtimeUnderTest> {
  const server = await createContractServer();
  await server.accounts.addUser({ username: 'alice', password: 'correct horse', team: 'acme' });
  const url = await server.listen();
  const { access } = await server.signIn('alice');
  const path = '/api/v1/ws-token/';
  const shown = new Set<string>();
  return {
    transport: createWebSocketTransport({ time: createTestTime(), ...options }),
    server: url,
    accessToken: access,
    accepted: () => server.events().flatMap(({ envelope: { event_id: id } }) => (shown.has(id) ? [] : [id])),
    show(event) {
      shown.add(event.event_id);
      void fetch(`${url}/api/v1/events/batch/`, {
        method: 'POST',
        headers: { authorization: `Bearer ${access}` },
        body: JSON.stringify({ events: [event] }),
      }).then((answer) => answer.text());
    },
    loseLinks: () => {
      server.endLinks();
    },
    refuseNextAttempt: () => {
      server.respondNext({ status: 401 }, { path });
    },
    hangNextAttempt: () => {
      server.hang({ path });
    },
    muteNextLink: () => {
      server.breakNextLink({ kind: 'half-open', afterEvents: 0 });
    },
    cleanup: () => server.close(),
  };
}

const transports: Record<string, () => Promise<RealtimeUnderTest>> = {
  'the fake': openFake,
  'the WebSocket transport over ws': () => openReal(),
  'the WebSocket transport over the standard WebSocket': () => openReal({ implementation: globalThis.WebSocket }),
};

for (const [name, open] of Object.entries(transports)) {
  describe(name, () => {
    for (const { title, run } of realtimeTransportCases(open)) test(title, run);
  });
}
