/**
 * The board's pages: the HTML, a session made from an access token, the board as JSON, and live updates as
 * Server-Sent Events. Nobody sees a board of a team that is not theirs.
 */
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';

import type { Time } from '@spec-kitty/events-sdk';
import type { Account, ContractServer, RequestFilter } from '@spec-kitty/events-sdk/testing';

import { SESSION_MS, type BoardSessions } from './board-sessions.ts';
import { createLiveBoards, type BoardMessage } from './live-boards.ts';

const COOKIE = 'spec_kitty_board';

/** Pages in front of `server`; everything else stays the contract's. */
export function createBoardPages(deps: {
  readonly server: Pick<ContractServer, 'accounts' | 'authenticate' | 'board' | 'lastReceivedAt' | 'onStored'>;
  readonly sessions: BoardSessions;
  readonly time: Time;
  readonly html: string;
}): RequestFilter {
  const { server, sessions, time, html } = deps;
  const securityHeaders = securityHeadersFor(html);
  const message = (team: string, teams: readonly string[]): BoardMessage => ({
    teams,
    board: server.board(team),
    lastEventAt: server.lastReceivedAt(team),
    now: time.now(),
  });
  const live = createLiveBoards({ onStored: server.onStored, time });

  function readerOf(request: IncomingMessage): Account | undefined {
    const username = sessions.find(cookieOf(request));
    return username === undefined ? undefined : server.accounts.find(username);
  }

  /** The team asked for, or the account's first; undefined when it is none of the account's. */
  function teamFor(account: Account, request: IncomingMessage): string | undefined {
    const asked = new URL(request.url ?? '/', 'http://board.invalid').searchParams.get('team') ?? account.teams[0];
    return account.teams.find((team) => team === asked);
  }

  async function answerBoard(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const token = bearerOf(request);
    const account = token === undefined ? readerOf(request) : await server.authenticate(token);
    if (account === undefined) return sendJson(response, 401, { error: 'Sign in to see a board' });
    const team = teamFor(account, request);
    if (team === undefined) return sendJson(response, 403, { error: 'You are not a member of this team' });
    sendJson(response, 200, message(team, account.teams));
  }

  function streamBoard(request: IncomingMessage, response: ServerResponse): void {
    const account = readerOf(request);
    if (account === undefined) return sendJson(response, 401, { error: 'Sign in to see a board' });
    const team = teamFor(account, request);
    if (team === undefined) return sendJson(response, 403, { error: 'You are not a member of this team' });
    live.open(team, response, () => {
      // A stream outlives the check at its start, so the session is looked at again for every message.
      const reader = readerOf(request);
      return reader?.teams.includes(team) === true ? message(team, reader.teams) : undefined;
    });
  }

  async function openSession(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const account = await server.authenticate(bearerOf(request) ?? '');
    if (account === undefined)
      return sendJson(response, 401, { error: 'Access token is missing, expired or not valid' });
    const cookie = `${COOKIE}=${sessions.open(account.username)}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${SESSION_MS / 1000}`;
    sendJson(response, 200, { username: account.username, teams: account.teams }, { 'set-cookie': cookie });
  }

  return async (path, request, response) => {
    switch (`${request.method} ${path}`) {
      case 'GET /':
      case 'GET /board':
        response.writeHead(200, {
          'content-type': 'text/html; charset=utf-8',
          'cache-control': 'no-cache',
          ...securityHeaders,
        });
        response.end(html);
        return true;
      case 'GET /api/board':
        await answerBoard(request, response);
        return true;
      case 'GET /board/events':
        streamBoard(request, response);
        return true;
      case 'POST /board/session':
        request.resume();
        await openSession(request, response);
        return true;
      case 'DELETE /board/session':
        sessions.close(cookieOf(request));
        sendJson(response, 200, {}, { 'set-cookie': `${COOKIE}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0` });
        return true;
      default:
        return false;
    }
  };
}

/** Allows exactly the inline script and style of the page, and nothing from anywhere else. */
function securityHeadersFor(html: string): Record<string, string> {
  const hashOf = (tag: string): string => {
    const content = new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`).exec(html)?.[1] ?? '';
    return `'sha256-${createHash('sha256').update(content).digest('base64')}'`;
  };
  return {
    'content-security-policy': `default-src 'none'; script-src ${hashOf('script')}; style-src ${hashOf('style')}; img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
  };
}

function sendJson(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers });
  response.end(JSON.stringify(body));
}

function bearerOf(request: IncomingMessage): string | undefined {
  return /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
}

function cookieOf(request: IncomingMessage): string {
  const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim().split('='));
  return pairs.find(([name]) => name === COOKIE)?.[1] ?? '';
}
