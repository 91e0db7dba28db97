/** The text of one event of everyday size, for those who only store text; what differs is its id. */

/** About 600 bytes, as an envelope of spec-kitty has. */
export const ENVELOPE = JSON.stringify({
  event_id: '01JA2B3C4D5E6F7G8H9JKMNPQR',
  event_type: 'WPStatusChanged',
  schema_version: '1.0.0',
  aggregate_id: 'WP01',
  payload: {
    wp_id: 'WP01',
    previous_status: 'planned',
    new_status: 'doing',
    changed_by: 'user',
    feature_slug: '001-demo',
  },
  timestamp: '2026-03-01T09:00:00.000Z',
  lamport_clock: 1,
  node_id: 'a1b2c3d4e5f6',
  causation_id: '01JA2B3C4D5E6F7G8H9JKMNPQS',
  team_slug: 'acme',
  project_uuid: '3f1c9a52-7f0e-4c55-9d0b-2a6c1b7e4d10',
  project_slug: 'bench',
  git_branch: 'main',
  head_commit_sha: '0123456789abcdef0123456789abcdef01234567',
  repo_slug: 'acme/bench',
});
