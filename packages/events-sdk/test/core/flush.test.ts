/** Flush and close: everything accepted before, within the time given, and a count that is true. */
import { expect, test } from 'vitest';

import { EventsSdkError } from '../../src/errors.ts';
import { createMemoryStore } from '../../src/storage/memory.ts';
import { createFakeSession } from '../../src/testing/fake-session.ts';
import type { PushAnswer } from '../../src/transport/port.ts';
import { gate, MOVE, setupClient } from './client-setup.ts';

/** A transport's answer that never comes, whatever its signal says. */
const never = (): Promise<PushAnswer> => new Promise(() => {});

const emitMany = (client: ReturnType<typeof setupClient>['client'], count: number) =>
  client.emitAll(Array.from({ length: count }, () => MOVE));

test('a flush of an empty queue answers at once, without a way out and without a token', async () => {
  const session = createFakeSession();
  let asked = 0;
  const accessToken = (): ReturnType<typeof session.accessToken> => {
    asked += 1;
    return session.accessToken();
  };
  const { client, opened, time } = setupClient({ session: { ...session, accessToken } });

  expect(await client.flush({ deadlineMs: 60_000 })).toEqual({ delivered: 0, pending: 0, rejected: 0 });

  expect(opened.transports).toBe(0);
  expect(asked).toBe(0);
  expect(time.pending).toBe(0);
});

test('a flush delivers everything that was accepted before, over as many batches as it takes', async () => {
  const { client, transport, time } = setupClient();
  await emitMany(client, 2_500);

  expect(await client.flush()).toEqual({ delivered: 2_500, pending: 0, rejected: 0 });

  expect(transport.pushes.map(({ batch }) => batch.length)).toEqual([1000, 1000, 500]);
  expect(time.pending).toBe(0);
});

test('a flush covers emissions and syncs that are still under way when it is called', async () => {
  const { client, transport } = setupClient();
  await client.emit(MOVE);
  const sync = client.syncNow();
  const emission = client.emit(MOVE);

  expect(await client.flush()).toEqual({ delivered: 2, pending: 0, rejected: 0 });

  expect(await emission).toMatchObject({ status: 'queued' });
  expect(await sync).toMatchObject({ stoppedBy: 'drained' });
  expect(transport.accepted).toHaveLength(2);
});

test('what is emitted during a flush does not keep it going', async () => {
  const { client, transport } = setupClient();
  await client.emit(MOVE);
  transport.answerNext(async (batch) => {
    await emitMany(client, 3);
    return { kind: 'ok', verdicts: batch.map(({ eventId }) => ({ eventId, verdict: 'success' })) };
  });

  expect(await client.flush()).toEqual({ delivered: 1, pending: 3, rejected: 0 });

  expect(transport.pushes).toHaveLength(1);
});

test('an event moved behind the server clock during a flush is still delivered by it', async () => {
  const { client, transport } = setupClient();
  await client.emit(MOVE);
  transport.setServerClock(500);
  transport.answerNext((batch) => ({
    kind: 'ok',
    verdicts: batch.map(({ eventId }) => ({ eventId, verdict: 'rejected', reason: 'lamport clock too low' })),
  }));

  const counts = await client.flush();

  expect(counts).toEqual({ delivered: 1, pending: 0, rejected: 0 });
});

test('ends at its deadline though the way out never answers and takes no notice', async () => {
  const { client, transport, time } = setupClient();
  await emitMany(client, 1_200);
  transport.answerNext(
    (batch) => ({
      kind: 'ok',
      verdicts: batch.map(({ eventId }) => ({ eventId, verdict: 'success' })),
    }),
    never,
  );

  const flushed = client.flush({ deadlineMs: 250 });
  await time.advance(250);

  expect(await flushed).toEqual({ delivered: 1_000, pending: 200, rejected: 0 });
  expect(time.pending).toBe(0);
});

test('ends at its deadline though the sign-in is never renewed', async () => {
  const { client, time } = setupClient({
    session: { ...createFakeSession(), accessToken: () => new Promise(() => {}) },
  });
  await client.emit(MOVE);

  const flushed = client.flush({ deadlineMs: 250 });
  await time.advance(250);

  expect(await flushed).toEqual({ delivered: 0, pending: 1, rejected: 0 });
});

test("ends with the caller's signal, also one that has aborted before", async () => {
  const { client, transport } = setupClient();
  await client.emit(MOVE);
  const control = new AbortController();
  transport.answerNext(() => {
    control.abort();
    return never();
  });

  expect(await client.flush({ signal: control.signal })).toEqual({ delivered: 0, pending: 1, rejected: 0 });
  expect(await client.flush({ signal: control.signal })).toEqual({ delivered: 0, pending: 1, rejected: 0 });

  expect(transport.pushes).toHaveLength(1);
});

test('counts each event once: delivered, refused, or still waiting', async () => {
  const { client, transport } = setupClient();
  await emitMany(client, 4);
  transport.answerNext((batch) => ({
    kind: 'ok',
    verdicts: (['success', 'duplicate', 'pending', 'rejected'] as const).map((verdict, index) => ({
      eventId: batch[index]?.eventId ?? '',
      verdict,
    })),
  }));

  expect(await client.flush()).toEqual({ delivered: 2, pending: 1, rejected: 1 });
});

test('counts events that are held as waiting', async () => {
  const { client } = setupClient({ session: createFakeSession(null) });
  await client.emit(MOVE);

  expect(await client.flush()).toEqual({ delivered: 0, pending: 1, rejected: 0 });
});

test('does not wait for a server that is away: the events stay, and that is said', async () => {
  const { client, transport, time } = setupClient();
  await client.emit(MOVE);
  transport.answerNext({ kind: 'retryable', reason: 'unreachable', message: 'No route.' });

  expect(await client.flush({ deadlineMs: 60_000 })).toEqual({ delivered: 0, pending: 1, rejected: 0 });

  expect(time.pending).toBe(0);
});

test('where this process delivers in the background, a flush asks that delivery, unpaced, and counts what it does', async () => {
  const { client, transport, time } = setupClient();
  const background = await client.background({ random: () => 0 });
  await background.start();
  await client.emit(MOVE);
  await time.advance(1_000);
  expect(transport.accepted).toHaveLength(1);
  await emitMany(client, 2);

  const flushed = client.flush({ deadlineMs: 2_000 });
  await time.advance(1_000);

  expect(await flushed).toEqual({ delivered: 2, pending: 0, rejected: 0 });
  await client.close();
});

test('where another process delivers, a flush asks that one and passes on what it reports', async () => {
  const store = createMemoryStore();
  const unclosed = { ...store, close: () => Promise.resolve() };
  const other = setupClient({ openStore: () => Promise.resolve(unclosed) });
  const background = await other.client.background({ random: () => 0 });
  await background.start();
  const { client, transport, time } = setupClient({ openStore: () => Promise.resolve(unclosed), newUlid: ulids() });
  await client.emit(MOVE);

  const flushed = client.flush({ deadlineMs: 2_000 });
  for (let step = 0; step < 10; step += 1) {
    await other.time.advance(100);
    await time.advance(100);
  }

  expect(await flushed).toEqual({ delivered: 1, pending: 0, rejected: 0 });
  expect(transport.pushes).toHaveLength(0);
  expect(other.transport.accepted).toHaveLength(1);
  await Promise.all([client.close(), other.client.close()]);
});

/** Ids that no other client of a test gives out. */
function ulids(): () => string {
  let last = 0;
  return () => `01KGVZ3Q8M5T2N7RJ4W6XA${String((last += 1)).padStart(4, '0')}`;
}

test('a store that cannot be read is told as pending -1, without an error', async () => {
  const { client } = setupClient({
    openStore: () => Promise.reject(new EventsSdkError('STORAGE_UNAVAILABLE', 'The disk is away.')),
  });

  expect(await client.flush()).toEqual({ delivered: 0, pending: -1, rejected: 0 });
  expect(await client.close()).toEqual({ delivered: 0, pending: -1, rejected: 0 });
});

test('close without time aborts the request under way; its events stay and are counted', async () => {
  const { client, store, transport } = setupClient();
  await emitMany(client, 2);
  const begun = gate();
  transport.answerNext(() => {
    begun.open();
    return never();
  });
  const sync = client.syncNow();
  await begun.passed;

  expect(await client.close()).toEqual({ delivered: 0, pending: 2, rejected: 0 });

  expect(await sync).toMatchObject({ stoppedBy: 'aborted', sent: 0 });
  await expect(store.read((reader) => reader.clock())).rejects.toMatchObject({ code: 'CLOSED' });
});

test('close with time delivers what waits, and is answered once however often it is called', async () => {
  const { client, transport, opened, time } = setupClient();
  await emitMany(client, 3);

  const [first, second] = await Promise.all([client.close({ deadlineMs: 500 }), client.close()]);

  expect(first).toEqual({ delivered: 3, pending: 0, rejected: 0 });
  expect(second).toBe(first);
  expect(transport.accepted).toHaveLength(3);
  expect(opened.closed).toBe(1);
  expect(time.pending).toBe(0);
});

test('close with time ends at its deadline, and delivery in the background with it', async () => {
  const { client, transport, time } = setupClient();
  await client.emit(MOVE);
  transport.answerNext(never);
  const background = await client.background();
  await background.start();
  await time.advance(1_000);
  expect(transport.pushes).toHaveLength(1);

  const closing = client.close({ deadlineMs: 250 });
  await time.advance(250);

  expect(await closing).toEqual({ delivered: 0, pending: 1, rejected: 0 });
  expect(background.status().phase).toBe('ended');
  expect(time.pending).toBe(0);
});

test('a flush after close is an error with the code CLOSED', async () => {
  const { client } = setupClient();
  await client.close();

  await expect(client.flush()).rejects.toMatchObject({ name: 'EventsSdkError', code: 'CLOSED' });
});

test('leaving the scope of `await using` closes the client', async () => {
  const { client, opened } = setupClient();

  {
    await using scoped = client;
    await scoped.emit(MOVE);
    expect(opened.closed).toBe(0);
  }

  expect(opened.closed).toBe(1);
  expect(await client.emit(MOVE)).toMatchObject({ status: 'dropped' });
});
