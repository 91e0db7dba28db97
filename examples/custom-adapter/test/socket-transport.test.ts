/** The transport keeps every promise of its port over a real socket, a real gateway and a real server. */
import { createServer } from 'node:net';
import { join } from 'node:path';

import { systemTime } from '@spec-kitty/events-sdk';
import {
  createContractServer,
  createTestTime,
  faults,
  SERVER_PATHS,
  transportCases,
} from '@spec-kitty/events-sdk/testing';
import { createHttpTransport } from '@spec-kitty/events-sdk/transport/http';
import { describe, expect, onTestFinished, test } from 'vitest';

import { startGateway } from '../src/gateway.ts';
import { createSocketTransport } from '../src/socket-transport.ts';
import { aFolder, temporaryFolder } from './support.ts';

const socketIn = (folder: string): string =>
  process.platform === 'win32' ? `\\\\.\\pipe\\${folder.replaceAll('\\', '-')}` : join(folder, 'gateway.sock');

describe('the socket transport', () => {
  const cases = transportCases(async () => {
    const folder = aFolder();
    const server = await createContractServer();
    await server.accounts.addUser({ username: 'ada', password: 'analytical', team: 'acme' });
    const url = await server.listen();
    const { access } = await server.signIn('ada');
    const socketPath = socketIn(folder.path);
    const gateway = await startGateway({
      socketPath,
      transport: createHttpTransport({ time: systemTime }),
      servers: [url],
    });
    const scope = { path: SERVER_PATHS.batch };
    return {
      transport: createSocketTransport({ socketPath, time: systemTime }),
      server: url,
      accessToken: access,
      accepted: () => server.events().map(({ envelope }) => envelope.event_id),
      reject: (eventId) => {
        server.poison([eventId]);
      },
      refuseNextPush: () => {
        server.respondNext({ status: 401 }, scope);
      },
      failNextPush: () => {
        server.respondNext({ status: 503 }, scope);
      },
      loseNextAnswer: () => {
        server.respondNext(faults.cutUnanswered(), scope);
      },
      hangNextPush: () => {
        server.hang(scope);
      },
      vanish: () => gateway.close(),
      async cleanup() {
        await gateway.close();
        await server.close();
        folder.remove();
      },
    };
  });
  for (const { title, run } of cases) test(title, run);
});

test('an answer that is not one decides nothing', async () => {
  for (const line of ['', 'null', '{"kind":"ok"}', '{"kind":"ok","verdicts":[{"eventId":1}]}', '{"kind":"toString"}']) {
    const transport = createSocketTransport({ socketPath: await answering(`${line}\n`), time: systemTime });

    const answer = await transport.push([{ eventId: 'a', data: '{}' }], {
      server: 'https://a.example',
      accessToken: 't',
    });

    expect(answer).toMatchObject({ kind: 'failure', reason: 'protocol' });
  }
});

test('verdicts on events that were not sent are left out', async () => {
  const verdicts = ['a', 'b'].map((eventId) => ({ eventId, verdict: 'success' }));
  const socketPath = await answering(`${JSON.stringify({ kind: 'ok', verdicts })}\n`);
  const transport = createSocketTransport({ socketPath, time: systemTime });

  const answer = await transport.push([{ eventId: 'a', data: '{}' }], {
    server: 'https://a.example',
    accessToken: 't',
  });

  expect(answer).toEqual({ kind: 'ok', verdicts: [{ eventId: 'a', verdict: 'success' }] });
});

test('a gateway that does not answer is given up after the timeout', async () => {
  const time = createTestTime();
  const transport = createSocketTransport({ socketPath: await answering(''), time, timeoutMs: 2_000 });

  const answer = transport.push([{ eventId: 'a', data: '{}' }], { server: 'https://a.example', accessToken: 't' });
  await time.advance(2_000);

  expect(await answer).toMatchObject({ kind: 'retryable', reason: 'timeout' });
});

test('a token goes to no server the gateway was not made for', async () => {
  const folder = temporaryFolder();
  const pushed: string[] = [];
  const gateway = await startGateway({
    socketPath: socketIn(folder),
    servers: ['https://team.example'],
    transport: {
      push: async (_batch, { server }) => {
        pushed.push(server);
        return { kind: 'ok', verdicts: [] };
      },
    },
  });
  onTestFinished(() => gateway.close());
  const transport = createSocketTransport({ socketPath: socketIn(folder), time: systemTime });

  const answer = await transport.push([], { server: 'https://elsewhere.example', accessToken: 't' });

  expect(answer).toMatchObject({ kind: 'failure', reason: 'protocol' });
  expect(pushed).toEqual([]);
});

/** A socket that answers whatever it is asked with `text`. */
async function answering(text: string): Promise<string> {
  const path = socketIn(temporaryFolder());
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.write(text));
  });
  await new Promise<void>((resolve) => {
    server.listen(path, resolve);
  });
  onTestFinished(
    () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
      }),
  );
  return path;
}
