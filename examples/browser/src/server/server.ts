/** A contract server that knows this page's events and serves the page. */
import { join } from 'node:path';

import { createContractServer, type ContractServer } from '@spec-kitty/events-sdk/testing';

import { fieldEvents } from '../events.ts';
import { pagesFrom } from './pages.ts';

/** Where the built page is. */
export const DIST = join(import.meta.dirname, '..', '..', 'dist');

/** Not listening yet. `folders` are searched before the page's own. */
export function createFieldServer(options: {
  readonly data?: string;
  readonly folders?: readonly string[];
}): Promise<ContractServer> {
  const { data, folders = [] } = options;
  return createContractServer({
    ...(data === undefined ? {} : { data }),
    events: fieldEvents,
    filter: pagesFrom(...folders, DIST),
  });
}
