import { describe, expect, test } from 'vitest';

import { adoptProject, retargetEvents } from '../../src/queue/release.ts';
import { anEvent, testUlid } from '../../src/testing/an-event.ts';
import { TEST_SESSION } from '../../src/testing/fake-session.ts';
import { setupEngine } from '../engine/setup.ts';

const PROJECT = { uuid: '3f1c9a52-7f0e-4c55-9d0b-2a6c1b7e4d10', slug: 'demo', teamSlug: null, syncEnabled: true };
const OTHER_PROJECT = '8c1f9a52-7f0e-4c55-9d0b-2a6c1b7e4d10';
const TIGERS = { ...TEST_SESSION, teamSlug: 'tigers' };

/** A project known to be of team acme, with an event recorded while tigers are signed in. */
async function setupChangedTeam() {
  const made = await setupEngine({
    lookUpProject: () => Promise.resolve({ uuid: OTHER_PROJECT, slug: null, teamSlug: null, syncEnabled: false }),
  });
  await made.put([anEvent({ lamport_clock: 1 })]);
  await made.engine.syncNow();
  made.session.signIn(TIGERS);
  await made.put([anEvent({ lamport_clock: 2, team_slug: null })], {
    state: 'held',
    reason: 'team-changed',
    server: null,
  });
  await made.put([anEvent({ lamport_clock: 3, team_slug: null, project_uuid: OTHER_PROJECT })], {
    state: 'held',
    reason: 'disabled',
    projectRoot: '/srv/other',
  });
  await made.put([anEvent({ lamport_clock: 4, aggregate_id: 'WP04' })]);
  return made;
}

describe('adopting a project', () => {
  test('releases its held events to the team signed in, and only those (SEC-1)', async () => {
    const { store, engine, transport } = await setupChangedTeam();
    await engine.syncNow();
    expect(transport.accepted).toEqual([testUlid(1)]);

    expect(await adoptProject(store, { project: PROJECT, session: TIGERS })).toEqual({
      kind: 'adopted',
      teamSlug: 'tigers',
      events: 1,
    });
    await engine.syncNow();

    expect(transport.accepted).toEqual([testUlid(1), testUlid(2)]);
    expect(JSON.parse(transport.pushes[1]?.batch[0]?.data ?? '')).toMatchObject({ team_slug: 'tigers' });
    const left = await store.read((reader) =>
      reader.events().map(({ eventId, state, teamSlug }) => [eventId, state, teamSlug]),
    );
    expect(left, 'bound to acme, it stays with acme').toContainEqual([testUlid(4), 'queued', 'acme']);
  });

  test('is the team of the project from then on, and fills it into the events, whose server is that of the session', async () => {
    const { store } = await setupChangedTeam();

    await adoptProject(store, { project: { ...PROJECT, teamSlug: 'tigers' }, session: TIGERS });

    expect(await store.read((reader) => reader.value(`project_team:${PROJECT.uuid}`))).toBe('tigers');
    expect(await store.read((reader) => reader.event(testUlid(2)))).toMatchObject({
      state: 'queued',
      reason: null,
      server: TIGERS.server,
      teamSlug: 'tigers',
    });
    expect(await store.read((reader) => reader.event(testUlid(3)))).toMatchObject({
      state: 'held',
      reason: 'disabled',
    });
  });

  test('needs a team, and gives way to the project that names one itself', async () => {
    const { store } = await setupChangedTeam();

    expect(await adoptProject(store, { project: PROJECT, session: null })).toEqual({ kind: 'no-team' });
    expect(await adoptProject(store, { project: PROJECT, session: { ...TIGERS, teamSlug: null } })).toEqual({
      kind: 'no-team',
    });
    expect(await adoptProject(store, { project: { ...PROJECT, teamSlug: 'acme' }, session: TIGERS })).toEqual({
      kind: 'named-otherwise',
      teamSlug: 'acme',
    });
    expect(await store.read((reader) => reader.count({ states: ['held'], reason: 'team-changed' }))).toBe(1);
  });
});

describe('retargeting', () => {
  test('moves the events of one address to another one, parked ones too, and no others', async () => {
    const { store, queue, put } = await setupEngine();
    await put([anEvent({ lamport_clock: 1 }), anEvent({ lamport_clock: 2 })], { server: 'https://old.example' });
    await queue.park([testUlid(2)], 'refused');
    await put([anEvent({ lamport_clock: 3 })], { server: 'https://other.example' });
    await put([anEvent({ lamport_clock: 4, team_slug: null })], { state: 'held', reason: 'team', server: null });

    expect(await retargetEvents(store, { from: 'https://OLD.example/', to: 'https://new.example/' })).toBe(2);

    expect(await store.read((reader) => reader.events().map(({ server }) => server))).toEqual([
      'https://new.example',
      'https://new.example',
      'https://other.example',
      null,
    ]);
  });

  test('to the address it has moves nothing, however it is written', async () => {
    const { store, put } = await setupEngine();
    await put([anEvent({ lamport_clock: 1 })], { server: 'https://old.example' });

    expect(await retargetEvents(store, { from: 'https://old.example', to: 'https://OLD.example/' })).toBe(0);
  });

  test('refuses an address that may not receive a token (SEC-3)', async () => {
    const { store } = await setupEngine();

    await expect(
      retargetEvents(store, { from: 'https://old.example', to: 'http://new.example' }),
    ).rejects.toMatchObject({ code: 'INVALID_SERVER_URL' });
  });
});
