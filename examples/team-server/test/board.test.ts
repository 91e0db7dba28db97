/** The board as a browser gets it: signed in, live, and only of one's own teams. */
import { createHash } from 'node:crypto';

import { describe, expect, onTestFinished, test } from 'vitest';

import { createTeamServer } from '../src/team-server.ts';
import { accessToken, boardCookie } from './setup.ts';

const PROJECT = '3f1c9a52-7f0e-4c55-9d0b-2a6c1b7e4d10';
let nextClock = 1;

function wpCreated(team: string, wpId: string, title: string, projectUuid = PROJECT) {
  const clock = nextClock++;
  return {
    event_id: `01KGVZ3Q8M${String(clock).padStart(16, '0')}`,
    event_type: 'WPCreated',
    aggregate_id: wpId,
    aggregate_type: 'WorkPackage',
    payload: { wp_id: wpId, title, dependencies: [], feature_slug: '001-demo' },
    node_id: '9417b43226d4',
    lamport_clock: clock,
    causation_id: null,
    timestamp: '2026-02-07T18:04:05.120Z',
    team_slug: team,
    project_uuid: projectUuid,
    project_slug: 'demo-repo',
    git_branch: 'main',
    head_commit_sha: null,
    repo_slug: null,
  };
}

async function start() {
  const server = await createTeamServer({ data: ':memory:', host: '127.0.0.1' });
  onTestFinished(() => server.close());
  await server.accounts.addUser({ username: 'alice', password: 'correct horse', team: 'acme' });
  await server.accounts.addUser({ username: 'bob', password: 'battery staple', team: 'globex' });
  const url = await server.listen();
  const alice = await accessToken(url, 'alice', 'correct horse');
  const bob = await accessToken(url, 'bob', 'battery staple');
  const push = (events: unknown[], token = alice) =>
    fetch(`${url}/api/v1/events/batch/`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify({ events }),
    });
  return { server, url, alice, bob, push };
}

/** Opens the live stream and hands out its messages one by one. */
async function openStream(url: string, cookie: string) {
  const response = await fetch(`${url}/board/events`, { headers: { cookie } });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  return {
    response,
    async next(): Promise<Message> {
      for (;;) {
        const match = /event: board\ndata: (.*)\n\n/.exec(text);
        if (match !== null) {
          text = text.slice(match.index + match[0].length);
          return JSON.parse(match[1] ?? '');
        }
        const piece = await reader?.read();
        if (piece === undefined || piece.done) throw new Error('The stream ended.');
        text += piece.value;
      }
    },
    close: () => reader?.cancel(),
  };
}

interface Message {
  readonly lastEventAt: number | null;
  readonly board: { readonly features: readonly { readonly cards: readonly { readonly title: string | null }[] }[] };
}

async function messageOf(response: Response): Promise<Message> {
  return JSON.parse(await response.text());
}

const titles = (message: Message): (string | null)[] =>
  message.board.features.flatMap((feature) => feature.cards.map((card) => card.title));

/** What a browser computes for an inline element. */
function hashOf(html: string, tag: string): string {
  const content = html.slice(html.indexOf(`<${tag}>`) + tag.length + 2, html.lastIndexOf(`</${tag}>`));
  return createHash('sha256').update(content).digest('base64');
}

describe('the page', () => {
  test.each(['/', '/board'])(
    'is one file at %s that loads nothing from elsewhere and runs only its own script',
    async (path) => {
      const { url } = await start();

      const response = await fetch(`${url}${path}`);
      const html = await response.text();

      const policy = response.headers.get('content-security-policy') ?? '';
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain(`script-src 'sha256-${hashOf(html, 'script')}';`);
      expect(policy).toContain(`style-src 'sha256-${hashOf(html, 'style')}';`);
      expect(html).not.toMatch(/(src|href)="(?!data:)/);
      expect(html).not.toContain('innerHTML');
    },
  );
});

describe('signing in to the board', () => {
  test('turns an access token into a cookie no script can read', async () => {
    const { url, alice } = await start();

    const response = await fetch(`${url}/board/session`, {
      method: 'POST',
      headers: { authorization: `Bearer ${alice}` },
    });

    expect(await response.json()).toEqual({ username: 'alice', teams: ['acme'] });
    expect(response.headers.get('set-cookie')).toMatch(/HttpOnly; SameSite=Strict/);
    expect(response.headers.get('set-cookie')).not.toContain(alice);
  });

  test('is needed for board, stream and session (SEC-3)', async () => {
    const { url } = await start();

    const answers = await Promise.all([
      fetch(`${url}/api/board`),
      fetch(`${url}/board/events`),
      fetch(`${url}/board/session`, { method: 'POST' }),
      fetch(`${url}/api/board`, { headers: { cookie: 'spec_kitty_board=guess' } }),
      fetch(`${url}/api/board`, { headers: { authorization: 'Bearer forged' } }),
    ]);

    expect(answers.map((answer) => answer.status)).toEqual([401, 401, 401, 401, 401]);
  });

  test('ends with signing out', async () => {
    const { url, alice } = await start();
    const cookie = await boardCookie(url, alice);
    const before = await fetch(`${url}/api/board`, { headers: { cookie } });

    await fetch(`${url}/board/session`, { method: 'DELETE', headers: { cookie } });

    expect(before.status).toBe(200);
    expect((await fetch(`${url}/api/board`, { headers: { cookie } })).status).toBe(401);
  });
});

describe('the board', () => {
  test('is JSON for a client with a token', async () => {
    const { url, alice, push } = await start();
    await push([wpCreated('acme', 'WP01', 'First')]);

    const response = await fetch(`${url}/api/board`, { headers: { authorization: `Bearer ${alice}` } });
    const body = await messageOf(response);

    expect(body).toMatchObject({
      teams: ['acme'],
      lastEventAt: expect.any(Number),
      board: { team: 'acme', eventCount: 1 },
    });
    expect(titles(body)).toEqual(['First']);
  });

  test('is never another team’s (SEC-1)', async () => {
    const { url, bob, push } = await start();
    await push([wpCreated('acme', 'WP01', 'First')]);
    const headers = { authorization: `Bearer ${bob}` };

    const own = await messageOf(await fetch(`${url}/api/board`, { headers }));
    const foreign = await fetch(`${url}/api/board?team=acme`, { headers });
    const stream = await fetch(`${url}/board/events?team=acme`, { headers: { cookie: await boardCookie(url, bob) } });

    expect(titles(own)).toEqual([]);
    expect(own.lastEventAt).toBeNull();
    expect([foreign.status, stream.status]).toEqual([403, 403]);
  });

  test('updates live, within half a second, and only for its team (SEC-1)', async () => {
    const { url, alice, bob, push } = await start();
    const stream = await openStream(url, await boardCookie(url, alice));
    const atFirst = await stream.next();

    await push([wpCreated('globex', 'WP09', 'Theirs', '9b2f6c1e-0d44-4f0a-8a51-5f6f0a7c9d20')], bob);
    await push([wpCreated('acme', 'WP01', '<script>alert(1)</script>')]);
    const stored = performance.now();
    const update = await stream.next();

    expect(stream.response.headers.get('content-type')).toBe('text/event-stream');
    expect(titles(atFirst)).toEqual([]);
    expect(titles(update)).toEqual(['<script>alert(1)</script>']);
    expect(performance.now() - stored).toBeLessThan(500);
    await stream.close();
  });

  test('stops streaming once the reader has signed out', async () => {
    const { url, alice, push } = await start();
    const cookie = await boardCookie(url, alice);
    const stream = await openStream(url, cookie);
    await stream.next();

    await fetch(`${url}/board/session`, { method: 'DELETE', headers: { cookie } });
    await push([wpCreated('acme', 'WP01', 'Not for you any more')]);

    await expect(stream.next()).rejects.toThrow('The stream ended.');
  });
});
