/** While a server was last found unreachable, a request has ten seconds; before and after, it has what its caller gives it (US7-1). */
import { expect, test } from 'vitest';

import { createAttempts } from '../../src/engine/attempts.ts';
import { OFFLINE_ATTEMPT_MS } from '../../src/engine/retry.ts';
import { createTestTime } from '../../src/testing/test-time.ts';
import type { PushAnswer, PushContext, Transport } from '../../src/transport/port.ts';

const CONTEXT: PushContext = { server: 'https://team.example', accessToken: 'token' };
const OK: PushAnswer = { kind: 'ok', verdicts: [] };
const ABORTED: PushAnswer = { kind: 'retryable', reason: 'aborted', message: 'Stopped.' };

/** A transport whose requests are answered by the test, or by their signal. */
function setup() {
  const time = createTestTime();
  const seen: PushContext[] = [];
  let answer: (answer: PushAnswer) => void = () => {};
  const inner: Transport = {
    push: (_batch, context) =>
      new Promise((resolve) => {
        seen.push(context);
        answer = resolve;
        const onAbort = (): void => resolve(ABORTED);
        context.signal?.addEventListener('abort', onAbort);
        if (context.signal?.aborted === true) onAbort();
      }),
  };
  const attempts = createAttempts(inner, time);
  const push = (context: PushContext = CONTEXT): Promise<PushAnswer> => attempts.transport.push([], context);
  return { time, attempts, push, seen, answer: (said: PushAnswer) => answer(said), inner };
}

test('a server that is not known to be away has all the time its caller gives it', async () => {
  const { time, attempts, push, seen, answer } = setup();
  const { signal } = new AbortController();

  const [plain, bounded] = [push(), push({ ...CONTEXT, signal })];
  await time.advance(10 * OFFLINE_ATTEMPT_MS);

  expect(seen).toStrictEqual([CONTEXT, { ...CONTEXT, signal }]);
  expect(seen[1]?.signal).toBe(signal);
  expect(time.pending).toBe(0);
  answer(OK);
  expect(await bounded).toBe(OK);
  void plain;
  expect(attempts.isOffline()).toBe(false);
});

test('one that was away gets ten seconds, and then has timed out', async () => {
  const { time, attempts, push } = setup();
  attempts.failed();
  expect(attempts.isOffline()).toBe(true);

  let isAnswered = false;
  const answered = push().finally(() => {
    isAnswered = true;
  });
  await time.advance(OFFLINE_ATTEMPT_MS - 1);
  expect(isAnswered).toBe(false);
  await time.advance(1);

  expect(await answered).toEqual({
    kind: 'retryable',
    reason: 'timeout',
    message: 'The server did not answer within 10 s.',
  });
  expect(attempts.isOffline()).toBe(true);
  expect(time.pending).toBe(0);
});

test.each<[string, PushAnswer, boolean]>([
  ['an answer', OK, false],
  ['a refusal', { kind: 'unauthorized' }, false],
  ['a failure that may pass', { kind: 'retryable', reason: 'unreachable', message: 'Gone.' }, true],
  ['a stop by somebody else', ABORTED, true],
])('within the ten seconds %s is passed on as it is', async (_what, said, isOffline) => {
  const { time, attempts, push, answer } = setup();
  attempts.failed();

  const answered = push();
  await time.advance(5);
  answer(said);

  expect(await answered).toBe(said);
  expect(attempts.isOffline()).toBe(isOffline);
  expect(time.pending).toBe(0);
});

test('an answer that comes with the last moment is an answer', async () => {
  const { time, attempts } = setup();
  const stubborn = createAttempts(
    { push: () => new Promise((resolve) => void time.after(OFFLINE_ATTEMPT_MS + 1, () => resolve(OK))) },
    time,
  );
  stubborn.failed();

  const answered = stubborn.transport.push([], CONTEXT);
  await time.advance(OFFLINE_ATTEMPT_MS + 1);

  expect(await answered).toBe(OK);
  void attempts;
});

test('a failure that comes after the ten seconds keeps its own reason', async () => {
  const { time } = setup();
  const refused: PushAnswer = { kind: 'retryable', reason: 'server-error', message: 'In trouble.' };
  const stubborn = createAttempts(
    { push: () => new Promise((resolve) => void time.after(OFFLINE_ATTEMPT_MS + 1, () => resolve(refused))) },
    time,
  );
  stubborn.failed();

  const answered = stubborn.transport.push([], CONTEXT);
  await time.advance(OFFLINE_ATTEMPT_MS + 1);

  expect(await answered).toBe(refused);
});

test('whoever asked can stop it, before it begins and while it waits, and not afterwards', async () => {
  const { time, attempts, push, seen, answer } = setup();
  attempts.failed();
  const [before, during, after] = [new AbortController(), new AbortController(), new AbortController()];

  before.abort();
  expect(await push({ ...CONTEXT, signal: before.signal })).toBe(ABORTED);
  const stopped = push({ ...CONTEXT, signal: during.signal });
  during.abort();
  expect(await stopped).toBe(ABORTED);
  const done = push({ ...CONTEXT, signal: after.signal });
  answer(OK);
  await done;
  after.abort();

  expect(seen.map(({ signal }) => signal?.aborted)).toEqual([true, true, false]);
  expect(time.pending).toBe(0);
});

test('says how long the last request of a pass took', async () => {
  const { time, attempts, push, answer } = setup();
  expect(attempts.tookMs()).toBeUndefined();

  const answered = push();
  await time.advance(1_200);
  answer(OK);
  await answered;

  expect(attempts.tookMs()).toBe(1_200);
  attempts.begin();
  expect(attempts.tookMs()).toBeUndefined();
});

test("asks for the server's clock where the transport can, and knows nothing where it cannot", async () => {
  const { time, inner, attempts } = setup();
  const asking = createAttempts({ ...inner, serverClock: async ({ server }) => server.length }, time);

  expect(await asking.transport.serverClock?.(CONTEXT)).toBe(CONTEXT.server.length);
  expect(await attempts.transport.serverClock?.(CONTEXT)).toBeUndefined();
});
