/** An event leaves only for the one team and server it belongs to; what it lacks is filled in, nothing else is touched. */
import { describe, expect, test } from 'vitest';

import { bindRow, decideGate, knownTeam, rewriteIdentity, type ProjectFacts } from '../../src/queue/binding.ts';
import type { StoredEvent } from '../../src/storage/port.ts';
import { anEvent } from '../../src/testing/an-event.ts';
import { TEST_SESSION } from '../../src/testing/fake-session.ts';

const UUID = '3f1c9a52-7f0e-4c55-9d0b-2a6c1b7e4d10';
const PROJECT: ProjectFacts = { uuid: UUID, slug: 'demo', teamSlug: null, syncEnabled: true };
const TIGERS = { server: 'https://tigers.example', username: 'tom', teamSlug: 'tigers' };

/** A row of team acme that is ready to leave for the server of {@link TEST_SESSION}. */
function aRow(changes: Partial<StoredEvent> = {}, envelope: Parameters<typeof anEvent>[0] = {}): StoredEvent {
  const event = anEvent(envelope);
  return {
    eventId: event.event_id,
    eventType: event.event_type,
    aggregateId: event.aggregate_id,
    lamportClock: event.lamport_clock,
    seq: 1,
    teamSlug: event.team_slug,
    projectUuid: event.project_uuid,
    data: JSON.stringify(event),
    state: 'queued',
    reason: null,
    server: TEST_SESSION.server,
    projectRoot: '/srv/demo',
    enqueuedAt: 1,
    retryCount: 0,
    ...changes,
  };
}

const unbound = (changes: Partial<StoredEvent> = {}): StoredEvent =>
  aRow({ state: 'held', reason: 'team', server: null, ...changes }, { team_slug: null });

describe('the gates', () => {
  test.each([
    ['no project', null, TEST_SESSION, { held: 'project' }],
    ['neither project nor session', null, null, { held: 'project' }],
    ['a project that keeps its events', { ...PROJECT, syncEnabled: false }, TEST_SESSION, { held: 'disabled' }],
    ['the same, signed out', { ...PROJECT, syncEnabled: false }, null, { held: 'disabled' }],
    ['nobody signed in', PROJECT, null, { held: 'team' }],
    ['a session without a team', PROJECT, { ...TEST_SESSION, teamSlug: null }, { held: 'team' }],
    ['no team on either side', { ...PROJECT, teamSlug: 'acme' }, { ...TEST_SESSION, teamSlug: null }, { held: 'team' }],
    ['a project of another team', { ...PROJECT, teamSlug: 'lions' }, TEST_SESSION, { held: 'team-changed' }],
    ['a project of this team', { ...PROJECT, teamSlug: 'acme' }, TEST_SESSION, { teamSlug: 'acme' }],
    ['a project of no team yet', PROJECT, TEST_SESSION, { teamSlug: 'acme' }],
  ])('with %s (FR-028b, FR-028d, SEC-1)', (_what, project, session, gate) => {
    expect(decideGate(project, session)).toEqual(gate);
  });

  test("the original's word for no team is no team", () => {
    expect([knownTeam('local'), knownTeam(null), knownTeam('acme')]).toEqual([null, null, 'acme']);
  });
});

describe('a waiting row', () => {
  test('that is ready stays as it is', () => {
    expect(bindRow(aRow(), PROJECT, TEST_SESSION)).toBeUndefined();
    expect(bindRow(aRow({ reason: 'refused once' }), PROJECT, TEST_SESSION)).toBeUndefined();
  });

  test('that no gate lets through is held with the reason, once', () => {
    const project = { ...PROJECT, syncEnabled: false };

    expect(bindRow(aRow(), project, TEST_SESSION)).toEqual({ state: 'held', reason: 'disabled' });
    expect(bindRow(aRow({ state: 'held', reason: 'team' }), project, TEST_SESSION)).toEqual({
      state: 'held',
      reason: 'disabled',
    });
    expect(bindRow(aRow({ state: 'held', reason: 'disabled' }), project, TEST_SESSION)).toBeUndefined();
    expect(bindRow(aRow({ reason: 'disabled' }), project, TEST_SESSION)).toEqual({ state: 'held', reason: 'disabled' });
  });

  test('without a team gets the team and server of the session, and the same in its text (FR-028b)', () => {
    const patch = bindRow(unbound(), PROJECT, TEST_SESSION);

    expect(patch).toEqual({
      state: 'queued',
      reason: null,
      server: TEST_SESSION.server,
      teamSlug: 'acme',
      projectUuid: UUID,
      data: JSON.stringify(anEvent({ team_slug: 'acme' })),
    });
    expect(bindRow(unbound({ teamSlug: 'local' }), PROJECT, TEST_SESSION)).toMatchObject({ teamSlug: 'acme' });
  });

  test('of another team stays for its own session (SEC-1)', () => {
    expect(bindRow(aRow(), PROJECT, TIGERS)).toBeUndefined();
    expect(bindRow(aRow({ server: null }), PROJECT, TIGERS)).toBeUndefined();
    expect(bindRow(aRow({ projectUuid: null }), PROJECT, TIGERS), 'not even its project').toBeUndefined();
  });

  test('of another team that was held is let go to that team, and to no server of this session (SEC-1)', () => {
    expect(bindRow(aRow({ state: 'held', reason: 'disabled', server: null }), PROJECT, TIGERS)).toEqual({
      state: 'queued',
      reason: null,
      server: null,
    });
  });

  test('that has a server keeps it; one of this team without a server gets that of the session', () => {
    expect(bindRow(aRow({ server: null, reason: 'refused once' }), PROJECT, TEST_SESSION)).toEqual({
      state: 'queued',
      reason: 'refused once',
      server: TEST_SESSION.server,
    });
    expect(bindRow(aRow({ state: 'held', server: 'https://old.example' }), PROJECT, TEST_SESSION)).toMatchObject({
      server: 'https://old.example',
    });
    expect(bindRow(aRow({ server: 'https://old.example' }), PROJECT, TEST_SESSION)).toBeUndefined();
  });

  test("that wears the original's word for no team, or names no project, is not ready although it is queued", () => {
    expect(bindRow(aRow({ teamSlug: 'local' }, { team_slug: 'local' }), PROJECT, TEST_SESSION)).toMatchObject({
      teamSlug: 'acme',
      data: expect.stringContaining('"team_slug":"acme"'),
    });
    expect(bindRow(aRow({ projectUuid: null }, { project_uuid: null }), PROJECT, TEST_SESSION)).toMatchObject({
      projectUuid: UUID,
      data: expect.stringContaining(`"project_uuid":"${UUID}"`),
    });
  });
});

describe('filling in', () => {
  test('changes nothing where team and project stand there already', () => {
    expect(rewriteIdentity(aRow(), 'acme', PROJECT)).toEqual({});
  });

  test('keeps the order of keys, what the event says itself, and its own project', () => {
    const event = { ...anEvent({ project_uuid: '8c1f9a52-7f0e-4c55-9d0b-2a6c1b7e4d10' }), later: 'unknown' };
    const row = aRow({ projectUuid: event.project_uuid, data: JSON.stringify(event) });

    expect(rewriteIdentity(row, 'tigers', PROJECT)).toEqual({
      data: JSON.stringify({ ...event, team_slug: 'tigers' }),
      teamSlug: 'tigers',
      projectUuid: event.project_uuid,
    });
  });

  test('writes what the oldest rows lack: the name of the project, and null for branch, commit and repository', () => {
    const { project_slug: _s, git_branch: _b, head_commit_sha: _c, repo_slug: _r, ...old } = anEvent();

    const { data = '' } = rewriteIdentity(aRow({ teamSlug: null, data: JSON.stringify(old) }), 'acme', PROJECT);

    expect(JSON.parse(data)).toEqual({
      ...old,
      project_slug: 'demo',
      git_branch: null,
      head_commit_sha: null,
      repo_slug: null,
    });
  });

  test('keeps branch, commit and repository where they are known', () => {
    const event = anEvent({ team_slug: null, head_commit_sha: 'a'.repeat(40) });

    const { data = '' } = rewriteIdentity(aRow({ teamSlug: null, data: JSON.stringify(event) }), 'acme', {
      uuid: UUID,
      slug: 'other',
    });

    expect(JSON.parse(data)).toEqual({ ...event, team_slug: 'acme' });
  });
});
