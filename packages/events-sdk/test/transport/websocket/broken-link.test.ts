/** What a client sees of links that go wrong. Time stands still unless moved. */
import { describe, expect, test } from 'vitest';

import { anEvent, testUlid } from '../../../src/testing/an-event.ts';
import type { LinkFault } from '../../../src/testing/contract-server/index.ts';
import { until } from '../local-server.ts';
import { aBatch, countingWebSocket, linkOf, makeWorld } from './setup.ts';

const verdictsOn = (...clocks: number[]) => ({
  kind: 'ok',
  verdicts: clocks.map((clock) => ({ eventId: testUlid(clock), verdict: 'success' })),
});

describe('a link without a snapshot', () => {
  test('counts as connected after 5 s, with a note', async () => {
    const { counts, implementation } = countingWebSocket();
    const { attempt, server, time, notes } = await makeWorld({ implementation });
    server.breakNextLink({ kind: 'no-snapshot' });
    const answer = attempt();
    await until(() => counts.opened === 1);

    await time.advance(4_999);
    expect(notes).toEqual([]);
    await time.advance(1);

    linkOf(await answer);
    expect(notes).toEqual(['realtime-no-snapshot']);
  });

  test('counts as connected at whatever comes first, which is handled', async () => {
    const { attempt, server, push, events, notes } = await makeWorld();
    server.breakNextLink({ kind: 'no-snapshot' });
    const answer = attempt();
    await until(() => server.links === 1);

    await push([anEvent()]);

    const link = linkOf(await answer);
    expect(events).toEqual([anEvent()]);
    expect(notes).toEqual(['realtime-no-snapshot']);
    expect(await link.push(aBatch(1, 2))).toEqual(verdictsOn(2));
  });
});

describe('a link that goes silent', () => {
  test('is cut and said to be lost after 45 s without a frame, though it looks open', async () => {
    const { open, server, time, losses, url } = await makeWorld();
    const link = await open();
    server.freezeLinks();

    await time.advance(44_999);
    expect(losses).toEqual([]);
    await time.advance(1);

    expect(losses).toEqual([{ reason: 'silent', message: `${url} has been silent for 45 s on the realtime link.` }]);
    expect(await link.push(aBatch(1))).toMatchObject({ kind: 'retryable', reason: 'timeout' });
    expect(time.pending).toBe(0);
    await until(() => server.links === 0);
  });

  test('lives on while anything arrives', async () => {
    const { open, push, time, losses, events } = await makeWorld();
    await open();

    for (const clock of [1, 2, 3]) {
      await time.advance(40_000);
      await push([anEvent({ lamport_clock: clock })]);
      await until(() => events.length === clock);
    }

    expect(losses).toEqual([]);
  });

  test('half-open in the middle of a push: what was answered counts, the rest as never sent', async () => {
    const { counts, implementation } = countingWebSocket();
    const { open, server, time } = await makeWorld({ implementation });
    server.breakNextLink({ kind: 'half-open', afterEvents: 2 });
    const link = await open();
    const answer = link.push(aBatch(5));
    await until(() => counts.received === 3);

    await time.advance(5_000);

    expect(await answer).toEqual(verdictsOn(1, 2));
    expect(server.events()).toHaveLength(2);
  });

  test('a push nobody answers is to be tried again after 5 s', async () => {
    const { counts, implementation } = countingWebSocket();
    const { attempt, server, time, url } = await makeWorld({ implementation });
    server.breakNextLink({ kind: 'silent' });
    const connecting = attempt();
    await until(() => counts.opened === 1);
    await time.advance(5_000);
    const link = linkOf(await connecting);
    const answer = link.push(aBatch(2));
    await until(() => server.events().length === 2);

    await time.advance(5_000);

    expect(await answer).toEqual({
      kind: 'retryable',
      reason: 'timeout',
      message: `${url} did not answer within 5 s over the realtime link.`,
    });
  });
});

describe('answers gone wrong', () => {
  test('a lost answer costs only its own event, which is a duplicate the next time', async () => {
    const { counts, implementation } = countingWebSocket();
    const { open, server, time } = await makeWorld({ implementation });
    server.breakNextLink({ kind: 'ack-lost', atEvent: 2 });
    const link = await open();
    const answer = link.push(aBatch(3));
    await until(() => counts.received === 3);
    await time.advance(5_000);

    expect(await answer).toEqual(verdictsOn(1, 3));
    expect(await link.push(aBatch(1, 2))).toEqual({
      kind: 'ok',
      verdicts: [{ eventId: testUlid(2), verdict: 'duplicate' }],
    });
  });

  test('a second answer to an event changes nothing', async () => {
    const { open, server } = await makeWorld();
    server.breakNextLink({ kind: 'ack-twice' });
    const link = await open();

    expect(await link.push(aBatch(2))).toEqual(verdictsOn(1, 2));
    expect(await link.push(aBatch(2, 3))).toEqual(verdictsOn(3, 4));
  });

  test('answers about events nobody sent are none', async () => {
    const { counts, implementation } = countingWebSocket();
    const { open, server, time } = await makeWorld({ implementation });
    server.breakNextLink({ kind: 'ack-foreign' });
    const link = await open();
    const answer = link.push(aBatch(2));
    await until(() => counts.received === 3);

    await time.advance(5_000);

    expect(await answer).toMatchObject({ kind: 'retryable', reason: 'timeout' });
  });
});

describe('a link that ends', () => {
  const closings: [string, LinkFault, object, object][] = [
    [
      'cut in the middle of a push',
      { kind: 'close', atEvent: 3, isStored: true },
      verdictsOn(1, 2),
      { reason: 'closed', message: expect.stringMatching(/closed the realtime link \(1006\)|cut/) },
    ],
    [
      'closed before the first answer, the event stored or not',
      { kind: 'close', atEvent: 1, isStored: true, code: 1001 },
      { kind: 'retryable', reason: 'unreachable' },
      { reason: 'closed' },
    ],
    [
      'a server that restarts',
      { kind: 'close', atEvent: 1, isStored: false, code: 1012 },
      { kind: 'retryable', reason: 'server-error' },
      { reason: 'closed' },
    ],
    [
      'a token that ran out',
      { kind: 'close', atEvent: 1, isStored: false, code: 4401 },
      { kind: 'unauthorized' },
      { reason: 'unauthorized' },
    ],
    [
      'a server that takes our frame for none',
      { kind: 'close', atEvent: 1, isStored: false, code: 1009 },
      { kind: 'retryable', reason: 'unreachable' },
      { reason: 'protocol' },
    ],
  ];
  test.each(closings)('%s: the push is answered, and the loss told once', async (_name, fault, answer, loss) => {
    const { open, server, losses, time } = await makeWorld();
    server.breakNextLink(fault);
    const link = await open();

    expect(await link.push(aBatch(5))).toMatchObject(answer);
    expect(losses).toEqual([expect.objectContaining(loss)]);
    expect(await link.push(aBatch(5))).not.toMatchObject({ kind: 'ok' });
    expect(time.pending).toBe(0);
  });

  test('between pushes is told at once', async () => {
    const { open, server, losses } = await makeWorld();
    await open();

    server.endLinks();
    await until(() => losses.length > 0);

    expect(losses).toMatchObject([{ reason: 'closed' }]);
  });
});

describe('a server that talks nonsense', () => {
  const nonsense: [string, string][] = [
    ['no JSON', 'hello'],
    ['a frame that is too long', `"${'x'.repeat(5 * 1024 * 1024)}"`],
  ];
  test.each(nonsense)('%s first: this server has no realtime', async (_name, text) => {
    const { attempt, server, time } = await makeWorld();
    server.breakNextLink({ kind: 'babble', text });

    expect(await attempt()).toMatchObject({
      kind: 'unsupported',
      message: expect.stringContaining('does not speak this realtime protocol'),
    });
    expect(time.pending).toBe(0);
    await until(() => server.links === 0);
  });

  test('too long a frame ends a link whose WebSocket cannot bound it itself', async () => {
    const { attempt, server } = await makeWorld({ implementation: globalThis.WebSocket });
    server.breakNextLink({ kind: 'babble', text: `"${'x'.repeat(5 * 1024 * 1024)}"` });

    expect((await attempt()).kind).toBe('unsupported');
  });
});
