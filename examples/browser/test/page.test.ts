/** The page in a real Chromium, against a real server on loopback: what a person sees, and what the server holds. */
import type { BrowserContext } from 'playwright-core';
import { beforeEach, describe, expect, test } from 'vitest';

import { chromiumPath } from './support/chromium.ts';
import { isKept, says, signIn, takeReadings } from './support/field-page.ts';
import { ADA, makeWorld, type World } from './support/world.ts';

describe.skipIf(chromiumPath === undefined)('the page', () => {
  let world: World;
  let context: BrowserContext;
  beforeEach(async () => {
    world = await makeWorld();
    context = await world.newContext();
    return () => world.close();
  });

  /** Clocks of all readings the server holds, in causal order. */
  const clocks = (): readonly number[] => world.server.events().map(({ envelope }) => envelope.lamport_clock);

  test('delivers its own events over a realtime link that its first frame has signed in (FR-036, US6-1)', async () => {
    const page = await world.open(context);
    await signIn(page);
    await says(page, 'link', '[Connected]');

    await takeReadings(page, 3);

    await says(page, 'delivered', '3');
    await says(page, 'waiting', '0');
    expect(world.server.events().map(({ envelope }) => envelope.event_type)).toEqual(Array(3).fill('ReadingTaken'));
    expect(clocks()).toEqual([1, 2, 3]);
    const frames = world.server.frames.filter(({ direction }) => direction === 'in').map(({ type }) => type);
    expect(frames.filter((type) => type !== 'pong')).toEqual(['auth', 'event', 'event', 'event']);
    expect(page.url()).not.toContain('token');
  });

  test('keeps what it records while the server is away, opens without it, and delivers when it is back (FR-026, FR-031)', async () => {
    const page = await world.open(context);
    await signIn(page);
    await says(page, 'link', '[Connected]');
    await isKept(page);
    await world.stopServer();

    await takeReadings(page, 3);
    await says(page, 'waiting', '3');
    await page.reload();
    await says(page, 'waiting', '3');
    await says(page, 'who', ADA.username);
    await world.startServer();

    await says(page, 'waiting', '0');
    await says(page, 'link', '[Connected]');
    expect(clocks()).toEqual([1, 2, 3]);
  });

  test('keeps what was recorded before anybody signed in, and delivers it afterwards (FR-028b)', async () => {
    const page = await world.open(context);
    await takeReadings(page, 2);
    await says(page, 'waiting', '2');

    await signIn(page);

    await says(page, 'delivered', '2');
    expect(world.server.events().map(({ envelope }) => envelope.team_slug)).toEqual([ADA.team, ADA.team]);
  });

  test('loses none of what two tabs record at once, and gives each its own clock (EC-5, FR-006)', async () => {
    const tabs = [await world.open(context), await world.open(context)] as const;

    await Promise.all(tabs.map((tab) => takeReadings(tab, 200)));
    await Promise.all(tabs.map((tab) => says(tab, 'taken', '200')));
    await says(tabs[0], 'waiting', '400');
    await signIn(tabs[0]);

    await Promise.all(tabs.map((tab) => says(tab, 'waiting', '0')));
    expect(clocks()).toEqual(Array.from({ length: 400 }, (_, index) => index + 1));
    expect(new Set(world.server.events().map(({ envelope }) => envelope.node_id)).size).toBe(1);
  });

  test('goes on delivering when the tab that delivered is closed', async () => {
    const first = await world.open(context);
    await signIn(first);
    await takeReadings(first, 1);
    await says(first, 'delivered', '1');
    const second = await world.open(context);
    await says(second, 'link', '[Connected]');

    await first.close();
    await takeReadings(second, 1);

    await says(second, 'delivered', '1');
    expect(clocks()).toEqual([1, 2]);
  });

  test('stamps again what the server refuses for its clock, and delivers it (EC-3)', async () => {
    world.server.rejectClocksUpTo(5);
    const page = await world.open(context);
    await takeReadings(page, 1);
    await says(page, 'waiting', '1');

    await signIn(page);

    await says(page, 'delivered', '1');
    expect(clocks()).toEqual([expect.toSatisfy((clock: number) => clock > 5)]);
  });

  test('is told that a link token is wrong: the server closes with 4401 after the first frame', async () => {
    const page = await world.open(context, '/probe.html');

    const answer = await page.evaluate('probe.connectWith("wrong")');

    expect(answer).toEqual({ kind: 'unauthorized', closedWith: [4401] });
    expect(world.server.frames.map(({ direction, type }) => [direction, type])).toEqual([['in', 'auth']]);
  });
});
