/** The port's promises, kept by the fake and by the HTTP transport against the contract server. */
import { describe, expect, test } from 'vitest';

import { systemTime } from '../../src/internal/time.ts';
import { createContractServer, faults, SERVER_PATHS } from '../../src/testing/contract-server/index.ts';
import { createFakeTransport, type ScriptedAnswer } from '../../src/testing/fake-transport.ts';
import { transportCases, type TransportUnderTest } from '../../src/testing/transport-suite.ts';
import { createHttpTransport } from '../../src/transport/http/index.ts';
import type { Transport } from '../../src/transport/port.ts';

async function openFake(): Promise<TransportUnderTest> {
  const transport = createFakeTransport();
  const unreachable: ScriptedAnswer = { kind: 'retryable', reason: 'unreachable', message: 'Gone.' };
  /** The fake accepts what no script answers, so each of these decides by first accepting. */
  const accept = (batch: Parameters<typeof transport.push>[0], context: Parameters<typeof transport.push>[1]) =>
    transport.push(batch, context);
  return {
    transport,
    server: 'https://team.example',
    accessToken: 'token',
    accepted: () => transport.accepted,
    reject: (eventId) => {
      transport.answerNext(async (batch, context) => {
        const answer = await accept(
          batch.filter((item) => item.eventId !== eventId),
          context,
        );
        if (answer.kind !== 'ok') return answer;
        const said = new Map(answer.verdicts.map((verdict) => [verdict.eventId, verdict]));
        return {
          kind: 'ok',
          verdicts: batch.map((item) => said.get(item.eventId) ?? { eventId: item.eventId, verdict: 'rejected' }),
        };
      });
    },
    refuseNextPush: () => {
      transport.answerNext({ kind: 'unauthorized' });
    },
    failNextPush: () => {
      transport.answerNext({ kind: 'retryable', reason: 'server-error', message: 'In trouble.' });
    },
    loseNextAnswer: () => {
      transport.answerNext(async (batch, context) => {
        await accept(batch, context);
        return unreachable;
      });
    },
    hangNextPush: () => {
      transport.answerNext(
        (_batch, { signal }) =>
          new Promise((resolve) => {
            signal?.addEventListener('abort', () => {
              resolve({ kind: 'retryable', reason: 'aborted', message: 'Sending was stopped.' });
            });
          }),
      );
    },
    vanish: async () => {
      transport.answerNext(unreachable, unreachable);
    },
    cleanup: async () => {},
  };
}

async function openHttp(): Promise<TransportUnderTest> {
  const server = await createContractServer();
  await server.accounts.addUser({ username: 'alice', password: 'correct horse', team: 'acme' });
  const url = await server.listen();
  const { access } = await server.signIn('alice');
  const scope = { path: SERVER_PATHS.batch };
  return {
    transport: createHttpTransport({ time: systemTime }),
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
    vanish: () => server.close(),
    cleanup: () => server.close(),
  };
}

const transports = { 'the fake': openFake, 'the HTTP transport': openHttp };

for (const [name, open] of Object.entries(transports)) {
  describe(name, () => {
    for (const { title, run } of transportCases(open)) test(title, run);
  });
}

/** How a transport breaks one promise, and the case that has to notice. */
const BROKEN: Readonly<Record<string, readonly [(real: Transport) => Transport['push'], string]>> = {
  'rejects instead of answering': [
    (real) => async (batch, context) => {
      const answer = await real.push(batch, context);
      if (answer.kind === 'retryable') throw new Error(answer.message);
      return answer;
    },
    'answers when the other side cannot be reached, again and again',
  ],
  'tries again by itself': [
    (real) => async (batch, context) => {
      const answer = await real.push(batch, context);
      return answer.kind === 'retryable' ? await real.push(batch, context) : answer;
    },
    'does not send again by itself',
  ],
  'takes sent for accepted': [
    (real) => async (batch, context) => {
      const answer = await real.push(batch, context);
      if (answer.kind !== 'retryable') return answer;
      return { kind: 'ok', verdicts: batch.map(({ eventId }) => ({ eventId, verdict: 'success' })) };
    },
    'claims no verdict when the answer is lost, and finds the events there the next time',
  ],
  'does not listen to its signal': [
    (real) =>
      (batch, { signal: _signal, ...context }) =>
        real.push(batch, context),
    'ends a push that is stopped, before and while it runs',
  ],
  'quotes the token': [
    (real) => async (batch, context) => {
      const answer = await real.push(batch, context);
      return answer.kind === 'retryable' ? { ...answer, message: `Sent with ${context.accessToken}.` } : answer;
    },
    'says that it may be tried again when the other side is in trouble',
  ],
  'sends in another order': [
    (real) => (batch, context) => real.push(batch.toReversed(), context),
    'takes events in order and says of each what became of it',
  ],
};

test.each(Object.entries(BROKEN))('the suite finds a transport that %s', async (_name, [broken, title]) => {
  const cases = transportCases(async () => {
    const opened = await openHttp();
    return { ...opened, transport: { push: broken(opened.transport) } };
  });

  await expect(cases.find((each) => each.title === title)?.run()).rejects.toBeInstanceOf(Error);
});
