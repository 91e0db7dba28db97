import { describe, expect, test } from 'vitest';

import { wpCreated, wpStatusChanged } from '../../src/events/builders.ts';
import { EventsSdkError } from '../../src/errors.ts';
import { testUlid } from '../../src/testing/an-event.ts';
import { TEST_SESSION } from '../../src/testing/fake-session.ts';
import { PROJECT, setupEmitter } from './setup.ts';

const MOVE = wpStatusChanged({ wpId: 'WP01', previousStatus: 'planned', newStatus: 'doing', featureSlug: '001-demo' });
const WRONG = wpStatusChanged({ wpId: 'WP1', previousStatus: 'planned', newStatus: 'doing' });

describe('emit', () => {
  test('stores the stamped envelope before it answers queued (FR-003, FR-024, FR-026)', async () => {
    const { emitter, store } = setupEmitter();

    const outcome = await emitter.emit(MOVE);

    expect(outcome).toMatchObject({ status: 'queued' });
    const [row] = await store.read((reader) => reader.events());
    expect(JSON.parse(row?.data ?? '')).toEqual({
      event_id: testUlid(1001),
      event_type: 'WPStatusChanged',
      aggregate_id: 'WP01',
      aggregate_type: 'WorkPackage',
      payload: {
        wp_id: 'WP01',
        previous_status: 'planned',
        new_status: 'doing',
        changed_by: 'user',
        feature_slug: '001-demo',
      },
      node_id: '9417b43226d4',
      lamport_clock: 1,
      causation_id: null,
      timestamp: '2026-02-07T18:04:05.120Z',
      team_slug: 'acme',
      project_uuid: PROJECT.uuid,
      project_slug: 'demo-repo',
      git_branch: 'main',
      head_commit_sha: 'a'.repeat(40),
      repo_slug: 'acme/demo-repo',
    });
    expect(row).toMatchObject({ state: 'queued', server: 'https://team.example', teamSlug: 'acme' });
  });

  test('gives each event the next clock value (FR-006, SC-009)', async () => {
    const { emitter } = setupEmitter();

    const clocks = [];
    for (let n = 0; n < 3; n += 1) {
      const outcome = await emitter.emit(MOVE);
      clocks.push(outcome.status === 'queued' ? outcome.envelope.lamport_clock : null);
    }

    expect(clocks).toEqual([1, 2, 3]);
  });

  test('carries the team of the session, for routing to the right tenant (FR-028, FR-028a, SC-010, SEC-1)', async () => {
    const { emitter } = setupEmitter({ session: { ...TEST_SESSION, teamSlug: 'tigers' } });

    const outcome = await emitter.emit(MOVE);

    expect(outcome).toMatchObject({ status: 'queued', envelope: { team_slug: 'tigers' } });
  });

  test('drops a malformed event with a warning and burns no clock number (EC-2, FR-029, FR-030)', async () => {
    const { emitter, store, warnings } = setupEmitter();

    const outcome = await emitter.emit(WRONG);

    expect(outcome).toMatchObject({ status: 'dropped', reason: 'invalid' });
    expect(warnings).toEqual([
      { code: 'event-dropped-invalid', message: 'WPStatusChanged not recorded: wp_id: must look like WP01.' },
    ]);
    expect(await store.read((reader) => reader.clock())).toBe(0);
  });

  test('names the key that is wrong, never its value (SEC-2)', async () => {
    const { emitter, warnings } = setupEmitter();
    // A wrong program, on purpose: the compiler refuses the key's type.
    const draft = {
      ...MOVE,
      payload: { ...MOVE.payload, changed_by: { secret: 'hunter2' } },
    } as unknown as typeof MOVE;

    await emitter.emit(draft);

    expect(warnings[0]?.message).toContain('changed_by: expected string');
    expect(JSON.stringify(warnings)).not.toContain('hunter2');
  });

  test('holds an event without a session and says so (FR-025, FR-026, FR-028b)', async () => {
    const { emitter, store, warnings } = setupEmitter({ session: null });

    const outcome = await emitter.emit(MOVE);

    expect(outcome).toMatchObject({ status: 'held', reason: 'team', envelope: { team_slug: null } });
    expect(await store.read((reader) => reader.count({ states: ['held'] }))).toBe(1);
    expect(warnings).toEqual([
      { code: 'event-held-team', message: '1 event kept on this machine: no team is signed in.' },
    ]);
  });

  test('holds an event without a project identity (FR-028d)', async () => {
    const { emitter, warnings } = setupEmitter({ project: null });

    expect(await emitter.emit(MOVE)).toMatchObject({
      status: 'held',
      reason: 'project',
      envelope: { project_uuid: null, team_slug: 'acme' },
    });
    expect(warnings).toEqual([
      { code: 'event-held-project', message: '1 event kept on this machine: the project has no identity yet.' },
    ]);
  });

  test('takes the project uuid from the project it runs in (FR-028c)', async () => {
    const uuid = '9b1deb4d-3b7d-4bad-9bdd-2b0d7b3dcb6d';
    const { emitter } = setupEmitter({ project: { ...PROJECT, uuid } });

    expect(await emitter.emit(MOVE)).toMatchObject({ envelope: { project_uuid: uuid } });
  });

  test('holds the events of a project that has sync switched off', async () => {
    const { emitter } = setupEmitter({ project: { ...PROJECT, syncEnabled: false } });

    expect(await emitter.emit(MOVE)).toMatchObject({ status: 'held', reason: 'disabled' });
  });

  test('holds the events of a project that belongs to another team (SEC-1)', async () => {
    const { emitter } = setupEmitter({ project: { ...PROJECT, teamSlug: 'tigers' } });

    expect(await emitter.emit(MOVE)).toMatchObject({
      status: 'held',
      reason: 'team-changed',
      envelope: { team_slug: null },
    });
  });

  test('refuses the new event at the cap, warns, and counts the refusal durably (EC-4)', async () => {
    const { emitter, queue, warnings } = setupEmitter({ cap: 2 });
    await emitter.emitAll([MOVE, MOVE]);

    const outcome = await emitter.emit(MOVE);

    expect(outcome).toMatchObject({ status: 'dropped', reason: 'full' });
    expect(warnings.at(-1)).toEqual({
      code: 'event-dropped-full',
      message: 'Queue full: 2 of 2 events wait, 1 event not recorded. Deliver what waits first.',
    });
    expect(await queue.size()).toMatchObject({ queued: 2, dropped: 1 });
  });

  test('holds 10,000 events by default and not one more (EC-4)', async () => {
    const { emitter, queue } = setupEmitter();
    for (let n = 0; n < 10; n += 1) await emitter.emitAll(Array.from({ length: 1000 }, () => MOVE));

    expect(await emitter.emit(MOVE)).toMatchObject({ status: 'dropped', reason: 'full' });
    expect(await queue.size()).toMatchObject({ queued: 10_000, dropped: 1 });
  });

  test('warns from four fifths of the cap on', async () => {
    const { emitter, warnings } = setupEmitter({ cap: 5 });
    await emitter.emitAll([MOVE, MOVE, MOVE]);
    expect(warnings).toEqual([]);

    await emitter.emit(MOVE);

    expect(warnings).toEqual([
      { code: 'queue-filling', message: '4 of 5 events wait to be sent. New ones are refused once it is full.' },
    ]);
  });

  test('makes room by evicting the oldest where that is the policy, and counts them', async () => {
    const { emitter, queue, store } = setupEmitter({ cap: 2, overflow: 'evict-oldest' });
    await emitter.emitAll([MOVE, MOVE]);

    expect(await emitter.emit(MOVE)).toMatchObject({ status: 'queued' });
    expect(await queue.size()).toMatchObject({ queued: 2, dropped: 1 });
    expect(await store.read((reader) => reader.events().map((row) => row.lamportClock))).toEqual([2, 3]);
  });

  test('answers dropped, with a warning, when the store cannot be used (FR-029, FR-030, TECH-2)', async () => {
    const { emitter, warnings } = setupEmitter({
      openQueue: () =>
        Promise.reject(new EventsSdkError('STORAGE_UNAVAILABLE', 'Cannot write ~/.spec-kitty/queue.db.')),
    });

    expect(await emitter.emit(MOVE)).toMatchObject({ status: 'dropped', reason: 'unavailable' });
    expect(warnings).toEqual([
      { code: 'event-dropped-unavailable', message: '1 event not recorded: Cannot write ~/.spec-kitty/queue.db.' },
    ]);
  });
});

describe('emitAll', () => {
  test('gives the events of one action one causation id (US4-3)', async () => {
    const { emitter } = setupEmitter();

    const outcomes = await emitter.emitAll([MOVE, wpCreated({ wpId: 'WP02', title: 'Two', featureSlug: '001-demo' })]);

    const ids = outcomes.map((outcome) => ('envelope' in outcome ? outcome.envelope.causation_id : null));
    expect(ids[0]).toMatch(/^[0-9A-HJKMNP-TV-Z]{26}$/);
    expect(ids[1]).toBe(ids[0]);
  });

  test('stores all events or none', async () => {
    const { emitter, queue } = setupEmitter();

    const outcomes = await emitter.emitAll([MOVE, WRONG]);

    expect(outcomes.map((outcome) => outcome.status)).toEqual(['dropped', 'dropped']);
    expect(await queue.size()).toMatchObject({ queued: 0 });
  });

  test('answers an empty list at once', async () => {
    const { emitter } = setupEmitter({ openQueue: () => Promise.reject(new Error('must not be opened')) });

    expect(await emitter.emitAll([])).toEqual([]);
  });
});
