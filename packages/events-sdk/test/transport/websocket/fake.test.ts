/** What the fake adds to the port: a script, and a look at what happened. */
import { expect, test } from 'vitest';

import { createFakeRealtime } from '../../../src/testing/fake-realtime.ts';
import type { LinkLoss } from '../../../src/transport/realtime-port.ts';
import { aBatch, linkOf } from './setup.ts';

const server = 'https://team.example';

test('attempts come to what was prepared, then to links again', async () => {
  const fake = createFakeRealtime();
  const context = { server, accessToken: 'token', onEvent() {}, onLost() {} };
  fake.connectNext({ kind: 'unsupported', message: 'none' }, { kind: 'forbidden', message: 'no' });

  const kinds = [await fake.connect(context), await fake.connect(context), await fake.connect(context)];

  expect(kinds.map(({ kind }) => kind)).toEqual(['unsupported', 'forbidden', 'connected']);
  expect(fake.attempts).toEqual([context, context, context]);
  expect(fake.openLinks).toBe(1);
});

test('pushes are answered as prepared, then everything is accepted again', async () => {
  const fake = createFakeRealtime();
  const link = linkOf(await fake.connect({ server, accessToken: 'token', onEvent() {}, onLost() {} }));
  const [first, second] = aBatch(2);
  fake.answerNext({ kind: 'ok', verdicts: [] }, ([item]) => ({
    kind: 'ok',
    verdicts: [{ eventId: item?.eventId ?? '', verdict: 'rejected' }],
  }));

  const answers = [await link.push([first!]), await link.push([second!]), await link.push([first!])];

  expect(answers).toMatchObject([{ verdicts: [] }, { verdicts: [{ verdict: 'rejected' }] }, { verdicts: [{}] }]);
  expect(fake.pushes).toEqual([[first], [second], [first]]);
  expect(fake.accepted).toEqual([first?.eventId]);
});

test('links end as a test says, and pushes over them with that', async () => {
  const fake = createFakeRealtime();
  const losses: LinkLoss[] = [];
  const context = { server, accessToken: 'token', onEvent() {}, onLost: (loss: LinkLoss) => losses.push(loss) };
  const link = linkOf(await fake.connect(context));
  const loss: LinkLoss = { reason: 'unauthorized', message: 'signed out' };

  fake.lose(loss);

  expect(losses).toEqual([loss]);
  expect(await link.push(aBatch(1))).toEqual({ kind: 'unauthorized' });
  expect(fake.openLinks).toBe(0);
});
