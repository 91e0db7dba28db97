/** Composition: the SDK's contract server with the board in front of it. */
import { readFile } from 'node:fs/promises';

import { systemTime } from '@spec-kitty/events-sdk';
import { createContractServer, type ContractServer, type RequestFilter } from '@spec-kitty/events-sdk/testing';

import { createBoardPages } from './board-pages.ts';
import { createBoardSessions } from './board-sessions.ts';

/** Opens the data file and prepares the server; `listen(port)` starts it. */
export async function createTeamServer(options: {
  readonly data: string;
  readonly host: string;
}): Promise<ContractServer> {
  const html = await readFile(new URL('../public/board.html', import.meta.url), 'utf8');
  // The pages need the server and the server needs the pages; nobody asks for one before both are there.
  const filter: RequestFilter = (...request) => pages(...request);
  const server = await createContractServer({ ...options, filter });
  const pages = createBoardPages({ server, sessions: createBoardSessions(systemTime.now), time: systemTime, html });
  return server;
}
