import type { ProjectFacts } from '@spec-kitty/events-sdk';

/** What the events of these tests are about. */
export const PROJECT: ProjectFacts = {
  uuid: '3f1c9a52-7f0e-4c55-9d0b-2a6c1b7e4d10',
  slug: 'demo-repo',
  teamSlug: null,
  syncEnabled: true,
};
