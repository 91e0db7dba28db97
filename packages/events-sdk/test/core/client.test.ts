/** The client over a memory store and fakes of its ports: what it opens, when, and how it ends. */
import { expect, test } from 'vitest';

import { EventsSdkError } from '../../src/errors.ts';
import { createMemoryStore } from '../../src/storage/memory.ts';
import { TEST_SESSION } from '../../src/testing/fake-session.ts';
import { gate, MOVE, setupClient as setup } from './client-setup.ts';
import { PROJECT } from './setup.ts';

test('opens nothing before its first use, and nothing at all when it is only closed', async () => {
  const { client, opened } = setup();

  await client.close();

  expect(opened).toEqual({ stores: 0, transports: 0, facts: 0, closed: 0 });
});

test('opens the store once for everything, and the way out only for delivery', async () => {
  const { client, opened } = setup();

  await Promise.all([client.emit(MOVE), client.emit(MOVE), client.status()]);
  expect(opened).toMatchObject({ stores: 1, transports: 0 });
  expect(await client.syncNow()).toMatchObject({ stoppedBy: 'drained', sent: 2 });

  expect(opened).toMatchObject({ stores: 1, transports: 1, facts: 2 });
});

test('a sync of an empty queue does not open the way out', async () => {
  const { client, opened } = setup();

  expect(await client.syncNow()).toMatchObject({ stoppedBy: 'drained', sent: 0 });

  expect(opened.transports).toBe(0);
});

test('opens the store again after opening has failed; what was refused is told (FR-029)', async () => {
  const store = createMemoryStore();
  let tries = 0;
  const { client } = setup({
    openStore: () => {
      tries += 1;
      return tries === 1
        ? Promise.reject(new EventsSdkError('STORAGE_UNAVAILABLE', 'The disk is away.'))
        : Promise.resolve(store);
    },
  });

  expect(await client.emit(MOVE)).toEqual({
    status: 'dropped',
    reason: 'unavailable',
    message: '1 event not recorded: The disk is away.',
  });
  expect(await client.emit(MOVE)).toMatchObject({ status: 'queued', envelope: { lamport_clock: 1 } });

  expect(tries).toBe(2);
});

test('a store that cannot be opened costs one warning, an empty report, and a rejected status (FR-030)', async () => {
  const failure = new EventsSdkError('STORAGE_UNAVAILABLE', 'The disk is away.');
  const { client, warnings } = setup({ openStore: () => Promise.reject(failure) });

  await client.emit(MOVE);
  await client.emit(MOVE);

  expect(warnings).toEqual(['event-dropped-unavailable']);
  expect(await client.syncNow()).toMatchObject({ stoppedBy: 'storage', message: 'The disk is away.', sent: 0 });
  await expect(client.status()).rejects.toBe(failure);
  await client.close();
});

test('close waits for emissions in flight, also while the store is still being opened', async () => {
  const store = createMemoryStore();
  const opening = gate();
  const { client } = setup({
    openStore: () => opening.passed.then(() => ({ ...store, close: () => Promise.resolve() })),
  });
  const emission = client.emit(MOVE);
  let isClosed = false;

  const closing = client.close().then(() => {
    isClosed = true;
  });
  await Promise.resolve();
  expect(isClosed).toBe(false);
  opening.open();
  await closing;

  expect(await emission).toMatchObject({ status: 'queued' });
  expect(await store.read((reader) => reader.events())).toHaveLength(1);
});

test('a close that is given time waits for a sync that has only just been asked for', async () => {
  const { client, store, transport } = setup();
  await client.emit(MOVE);
  const answer = gate();
  transport.answerNext(async (batch) => {
    await answer.passed;
    return { kind: 'ok', verdicts: batch.map(({ eventId }) => ({ eventId, verdict: 'success' })) };
  });

  const sync = client.syncNow();
  const closing = client.close({ deadlineMs: 1000 });
  answer.open();
  await closing;

  expect(await sync).toMatchObject({ stoppedBy: 'drained', sent: 1 });
  await expect(store.read((reader) => reader.clock())).rejects.toMatchObject({ code: 'CLOSED' });
});

test('from the call of close on, new events are dropped with one warning', async () => {
  const { client, warnings } = setup();
  await client.emit(MOVE);

  const closing = client.close();
  const late = await client.emit(MOVE);
  await closing;

  expect(late).toMatchObject({ status: 'dropped', reason: 'unavailable' });
  expect(await client.emit(MOVE)).toMatchObject({ status: 'dropped' });
  expect(warnings).toEqual(['event-dropped-unavailable']);
  await expect(client.status()).rejects.toMatchObject({ code: 'CLOSED' });
  expect(await client.requestDrain().catch((cause: EventsSdkError) => cause.code)).toBe('CLOSED');
});

test('closing twice closes the store once', async () => {
  const { client, opened } = setup();
  await client.emit(MOVE);

  await Promise.all([client.close(), client.close()]);
  await client.close();

  expect(opened.closed).toBe(1);
});

test('says each warning once, and different ones each', async () => {
  const { client, warnings } = setup({ cap: 1 });

  await client.emit(MOVE);
  await client.emit(MOVE);
  await client.emit(MOVE);

  expect(warnings).toEqual(['queue-filling', 'event-dropped-full']);
});

test('emissions at once for several projects get each the facts of its own', async () => {
  const { client } = setup();

  const outcomes = await Promise.all([
    client.emit(MOVE, { projectRoot: '/a' }),
    client.emit(MOVE),
    client.emitAll([MOVE], { projectRoot: '/b' }),
  ]);

  expect(outcomes.flat().map((outcome) => outcome.status === 'queued' && outcome.envelope.project_slug)).toEqual([
    '/a',
    'demo-repo',
    '/b',
  ]);
});

test('asking for a drain is answered with false when nobody delivers', async () => {
  const { client } = setup();

  expect(await client.requestDrain()).toBe(false);
});

test('background delivery is wired to the client, and closing the client stops it', async () => {
  const { client, time, transport, opened } = setup();
  const reports: number[] = [];
  const background = await client.background({ onReport: ({ sent }) => void reports.push(sent) });
  expect(await background.start()).toEqual({ kind: 'running' });
  await time.advance(500);

  await client.emit(MOVE);
  await time.advance(500);
  await client.close();

  expect(transport.accepted).toHaveLength(1);
  expect(reports).toEqual([1]);
  expect(background.status().phase).toBe('ended');
  expect(opened).toMatchObject({ transports: 1, closed: 1 });
  expect(time.pending).toBe(0);
});

test('a realtime way out that cannot be opened leaves delivery to batches', async () => {
  const { client, time, transport } = setup({
    openRealtime: () => Promise.reject(new Error('not installed')),
  });
  const background = await client.background({ random: () => 0 });
  await background.start();

  await client.emit(MOVE);
  await time.advance(1000);

  expect(transport.accepted).toHaveLength(1);
  expect(background.status().link).toMatchObject({ state: 'offline-batch', reason: 'gave-up' });
  await client.close();
});

test('a person can move waiting events to another address, and adopt a project, through the client', async () => {
  const { client, store } = setup();
  await client.emit(MOVE);

  expect(await client.retarget({ from: TEST_SESSION.server, to: 'https://new.example' })).toBe(1);
  expect(await client.adopt(PROJECT)).toEqual({ kind: 'adopted', teamSlug: 'acme', events: 0 });

  expect(await store.read((reader) => reader.events().map(({ server }) => server))).toEqual(['https://new.example']);
  await client.close();
});
