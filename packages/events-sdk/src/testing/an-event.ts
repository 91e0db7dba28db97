/** Envelopes for tests: valid, and different where the test says so. */
import type { AnyEnvelope } from '../contract/envelope.ts';

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** A valid ULID that is different for each number: for tests that need to name their ids. */
export function testUlid(number: number): string {
  let rest = number;
  let text = '';
  for (let place = 0; place < 10; place += 1) {
    text = (ALPHABET[rest % 32] ?? '0') + text;
    rest = Math.floor(rest / 32);
  }
  return `01KGVZ3Q8M000000${text}`;
}

/** A WPStatusChanged envelope of team `acme`, with clock `lamport_clock` deciding its id unless one is given. */
export function anEvent(overrides: Partial<AnyEnvelope> = {}): AnyEnvelope {
  const lamportClock = overrides.lamport_clock ?? 1;
  return {
    event_id: testUlid(lamportClock),
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
    lamport_clock: lamportClock,
    causation_id: null,
    timestamp: '2026-02-07T18:04:05.120Z',
    team_slug: 'acme',
    project_uuid: '3f1c9a52-7f0e-4c55-9d0b-2a6c1b7e4d10',
    project_slug: 'demo-repo',
    git_branch: 'main',
    head_commit_sha: null,
    repo_slug: 'acme/demo-repo',
    ...overrides,
  };
}
