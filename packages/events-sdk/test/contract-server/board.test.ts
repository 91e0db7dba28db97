/** The board is a pure function of a team's events. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { anEvent, testUlid } from '../../src/testing/an-event.ts';
import { projectBoard, type BoardCard } from '../../src/testing/contract-server/index.ts';
import { startServer } from './setup.ts';

const at = (minute: number): string => `2026-02-07T18:${String(minute).padStart(2, '0')}:00.000Z`;

type Overrides = Parameters<typeof anEvent>[0];

function event(type: string, clock: number, payload: Record<string, unknown>, overrides: Overrides = {}) {
  const about = payload['wp_id'] ?? payload['feature_slug'];
  const aggregate_id = typeof about === 'string' ? about : 'error';
  return anEvent({ event_type: type, aggregate_id, lamport_clock: clock, timestamp: at(clock), payload, ...overrides });
}
const created = (clock: number, wp_id: string, dependencies: string[] = [], feature_slug = '001-demo') =>
  event('WPCreated', clock, { wp_id, title: `Title of ${wp_id}`, dependencies, feature_slug });
const moved = (
  clock: number,
  wp_id: string,
  new_status: string,
  changed_by = 'user',
  feature_slug: string | null = '001-demo',
  overrides: Overrides = {},
) =>
  event(
    'WPStatusChanged',
    clock,
    { wp_id, previous_status: 'planned', new_status, changed_by, feature_slug },
    overrides,
  );
const note = (clock: number, wp_id: string, overrides: Overrides = {}) =>
  event('HistoryAdded', clock, { wp_id, entry_type: 'note', entry_content: 'x', author: 'user' }, overrides);

function cards(events: ReturnType<typeof anEvent>[], feature = '001-demo'): readonly BoardCard[] {
  return projectBoard('acme', events).features.find((each) => each.featureSlug === feature)?.cards ?? [];
}

describe('the board', () => {
  test('shows a feature with its packages, lanes, agents, dependencies and times', () => {
    const board = projectBoard('acme', [
      event('FeatureCreated', 1, {
        feature_slug: '001-demo',
        feature_number: '001',
        target_branch: 'main',
        wp_count: 2,
      }),
      created(2, 'WP01'),
      created(3, 'WP02', ['WP01']),
      event('WPAssigned', 4, { wp_id: 'WP01', agent_id: 'claude', phase: 'implementation', retry_count: 0 }),
      moved(5, 'WP01', 'doing', 'claude'),
      note(6, 'WP01'),
    ]);

    expect(board).toEqual({
      team: 'acme',
      eventCount: 6,
      unattached: 0,
      features: [
        {
          projectUuid: '3f1c9a52-7f0e-4c55-9d0b-2a6c1b7e4d10',
          projectSlug: 'demo-repo',
          featureSlug: '001-demo',
          wpCount: 2,
          completedAt: null,
          cards: [
            {
              wpId: 'WP01',
              lane: 'doing',
              title: 'Title of WP01',
              dependencies: [],
              agent: 'claude',
              since: at(5),
              lastChange: { type: 'HistoryAdded', at: at(6), eventId: testUlid(6) },
              notes: 1,
              errors: 0,
              isUncreated: false,
            },
            {
              wpId: 'WP02',
              lane: 'planned',
              title: 'Title of WP02',
              dependencies: [{ wpId: 'WP01', resolved: false }],
              agent: null,
              since: at(3),
              lastChange: { type: 'WPCreated', at: at(3), eventId: testUlid(3) },
              notes: 0,
              errors: 0,
              isUncreated: false,
            },
          ],
        },
      ],
    });
  });

  test('is the same however the events arrived', () => {
    const events = [
      created(1, 'WP01'),
      moved(2, 'WP01', 'doing', 'claude'),
      moved(3, 'WP01', 'for_review'),
      moved(3, 'WP01', 'done', 'user', '001-demo', { node_id: 'ffffffffffff', event_id: testUlid(99) }),
      note(4, 'WP01'),
      created(5, 'WP02', ['WP01']),
    ];
    const expected = projectBoard('acme', events);

    fc.assert(
      fc.property(fc.shuffledSubarray(events, { minLength: events.length }), (shuffled) => {
        expect(projectBoard('acme', shuffled)).toEqual(expected);
      }),
    );
    expect(expected.features[0]?.cards[0]?.lane).toBe('done');
  });

  test('orders by clock, never by wall time', () => {
    const events = [
      created(1, 'WP01'),
      moved(2, 'WP01', 'doing', 'user', '001-demo', { timestamp: at(50) }),
      moved(3, 'WP01', 'for_review'),
    ];

    expect(cards(events)[0]).toMatchObject({ lane: 'for_review', since: at(3) });
  });

  test('keeps a card where it is when its package is announced again', () => {
    const [card] = cards([created(1, 'WP01'), moved(2, 'WP01', 'done'), created(3, 'WP01', ['WP02'])]);

    expect(card).toMatchObject({ lane: 'done', dependencies: [{ wpId: 'WP02', resolved: false }] });
  });

  test('marks a dependency resolved when the event says so or the package is done', () => {
    const events = [created(1, 'WP01'), created(2, 'WP02'), created(3, 'WP03', ['WP01', 'WP02', 'WP04'])];
    const resolved = event('DependencyResolved', 4, {
      wp_id: 'WP03',
      dependency_wp_id: 'WP01',
      resolution_type: 'merged',
    });

    const card = cards([...events, resolved, moved(5, 'WP02', 'done')])[2];

    expect(card?.dependencies).toEqual([
      { wpId: 'WP01', resolved: true },
      { wpId: 'WP02', resolved: true },
      { wpId: 'WP04', resolved: false },
    ]);
  });

  test('attaches an event without a feature to the one that last named its package on that branch, else in that project', () => {
    const events = [
      moved(1, 'WP01', 'doing', 'user', '001-demo', { git_branch: 'one' }),
      moved(2, 'WP01', 'doing', 'user', '002-other', { git_branch: 'two' }),
      note(3, 'WP01', { git_branch: 'one' }),
      note(4, 'WP01', { git_branch: 'three' }),
      note(5, 'WP01', { git_branch: null }),
    ];

    expect(cards(events, '001-demo')[0]?.notes).toBe(1);
    expect(cards(events, '002-other')[0]?.notes).toBe(2);
  });

  test('never attaches an event to a package of another project', () => {
    const board = projectBoard('acme', [
      created(1, 'WP01'),
      note(2, 'WP01', { project_uuid: '9b2f6c1e-0d44-4f0a-8a51-5f6f0a7c9d20' }),
    ]);

    expect(board.unattached).toBe(1);
    expect(board.features[0]?.cards[0]?.notes).toBe(0);
  });

  test('shows a lane whose package was never announced, marked, and under no feature if none was named', () => {
    const board = projectBoard('acme', [moved(1, 'WP07', 'doing', 'user', null), moved(2, 'WP01', 'done')]);

    expect(board.features.map((feature) => feature.featureSlug)).toEqual([null, '001-demo']);
    expect(board.features[0]?.cards[0]).toMatchObject({ wpId: 'WP07', lane: 'doing', title: null, isUncreated: true });
  });

  test('counts errors, and marks a feature completed', () => {
    const board = projectBoard('acme', [
      created(1, 'WP01'),
      event('ErrorLogged', 2, { error_type: 'runtime', error_message: 'x', wp_id: 'WP01' }),
      event('ErrorLogged', 3, { error_type: 'runtime', error_message: 'x' }),
      event('FeatureCompleted', 4, { feature_slug: '001-demo', total_wps: 1 }),
    ]);

    expect(board.features[0]).toMatchObject({ completedAt: at(4), cards: [{ wpId: 'WP01', errors: 1 }] });
    expect(board.unattached).toBe(1);
  });
});

describe('the server’s board', () => {
  test('is the same whether asked after every event or once, in whatever order they arrive', async () => {
    const events = [
      created(1, 'WP01'),
      moved(2, 'WP01', 'doing'),
      moved(4, 'WP01', 'done'),
      moved(3, 'WP01', 'for_review'),
      created(5, 'WP02', ['WP01']),
    ];
    const { server, push } = await startServer();
    const lanes: unknown[] = [];

    for (const each of events) {
      await push([each]);
      lanes.push(server.board('acme').features[0]?.cards[0]?.lane);
    }

    expect(lanes).toEqual(['planned', 'doing', 'done', 'done', 'done']);
    expect(server.board('acme')).toEqual(projectBoard('acme', events));
    expect(server.board('acme').eventCount).toBe(5);
  });

  test('shows a team only its own events, and the newest ones (SEC-1)', async () => {
    const { server, push, bob } = await startServer();
    await push([created(1, 'WP01')]);
    const before = server.board('acme');

    await push([moved(2, 'WP01', 'done')]);
    await push(
      [{ ...created(1, 'WP09'), team_slug: 'globex', project_uuid: '9b2f6c1e-0d44-4f0a-8a51-5f6f0a7c9d20' }],
      bob,
    );

    expect(before.features[0]?.cards[0]?.lane).toBe('planned');
    expect(
      server.board('acme').features.flatMap((feature) => feature.cards.map((card) => [card.wpId, card.lane])),
    ).toEqual([['WP01', 'done']]);
    expect(server.board('globex').features.flatMap((feature) => feature.cards.map((card) => card.wpId))).toEqual([
      'WP09',
    ]);
    expect(server.board('nowhere').features).toEqual([]);
  });
});
