/** The script as cron starts it: a process of its own, over a home with events and a real server. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { wpStatusChanged } from '@spec-kitty/events-sdk';
import { openNodeClient } from '@spec-kitty/events-sdk/node';
import { createContractServer } from '@spec-kitty/events-sdk/testing';
import { expect, onTestFinished, test } from 'vitest';

const SCRIPT = fileURLToPath(new URL('../sync.ts', import.meta.url));

/** A home with three events of a project, and a server that knows its owner. */
async function setup() {
  const folder = mkdtempSync(join(tmpdir(), 'batch-sync-'));
  const server = await createContractServer();
  onTestFinished(async () => {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  await server.accounts.addUser({ username: 'ada', password: 'analytical', team: 'acme' });
  const url = await server.listen();
  const { access } = await server.signIn('ada');
  const project = join(folder, 'project');
  mkdirSync(join(project, '.kittify'), { recursive: true });
  writeFileSync(
    join(project, '.kittify', 'config.yaml'),
    'project:\n  uuid: 3f1c9a52-7f0e-4c55-9d0b-2a6c1b7e4d10\n  slug: demo\n  node_id: 9417b43226d4\n',
  );
  const env = {
    SPEC_KITTY_HOME: join(folder, 'home'),
    SPEC_KITTY_TOKEN: access,
    SPEC_KITTY_TEAM: 'acme',
    SPEC_KITTY_SERVER: url,
  };
  const client = openNodeClient({ cwd: project, env });
  const ids: string[] = [];
  for (const wpId of ['WP01', 'WP02', 'WP03']) {
    const outcome = await client.emit(wpStatusChanged({ wpId, previousStatus: 'planned', newStatus: 'doing' }));
    if (outcome.status === 'queued') ids.push(outcome.envelope.event_id);
  }
  await client.close();
  expect(ids).toHaveLength(3);
  return { server, ids, env, delivered: () => server.events().map(({ envelope }) => envelope.event_id) };
}

interface Ended {
  readonly code: number;
  readonly report: unknown;
  readonly stderr: string;
}

function runScript(env: Readonly<Record<string, string>>): Promise<Ended> {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('SPEC_KITTY_'));
  return new Promise((resolve) => {
    // Somewhere without a project: the events know theirs.
    const options = { env: { ...Object.fromEntries(kept), ...env }, cwd: tmpdir() };
    const child = execFile(process.execPath, [SCRIPT], options, (_error, stdout, stderr) => {
      resolve({ code: child.exitCode ?? -1, report: JSON.parse(stdout), stderr });
    });
  });
}

test('delivers what waits and exits with 0, also when there is nothing left', async () => {
  const { env, ids, delivered } = await setup();

  const [first, second] = [await runScript(env), await runScript(env)];

  expect(first).toMatchObject({ code: 0, report: { stoppedBy: 'drained', sent: 3, remaining: 0 } });
  expect(second).toMatchObject({ code: 0, report: { stoppedBy: 'drained', sent: 0 } });
  expect(delivered()).toEqual(ids);
});

test('exits with 3 while the server is gone, and keeps everything', async () => {
  const { env, server } = await setup();
  await server.close();

  expect(await runScript(env)).toMatchObject({ code: 3, report: { stoppedBy: 'unreachable', sent: 0, remaining: 3 } });
});

test('exits with 1 and names the event that was rejected; the others are delivered', async () => {
  const { env, server, ids, delivered } = await setup();
  const [first = '', refused = '', last = ''] = ids;
  server.poison([refused]);

  const { code, report, stderr } = await runScript(env);

  expect(code).toBe(1);
  expect(report).toMatchObject({ stoppedBy: 'drained', sent: 2, rejected: 1 });
  expect(stderr).toContain(`${refused} rejected: `);
  expect(delivered()).toEqual([first, last]);
});

test('exits with 4 without a token, and with one the server does not accept', async () => {
  const { env, server, delivered } = await setup();
  server.revokeTokens('access');

  const revoked = await runScript(env);
  const { SPEC_KITTY_TOKEN: _token, ...without } = env;

  expect(revoked).toMatchObject({ code: 4, report: { stoppedBy: 'unauthorized', remaining: 3 } });
  expect(await runScript(without)).toMatchObject({ code: 4, report: { stoppedBy: 'logged-out', remaining: 3 } });
  expect(delivered()).toEqual([]);
  expect(revoked.stderr).not.toContain(env.SPEC_KITTY_TOKEN);
});

test('is twenty lines of code at most', () => {
  const lines = readFileSync(SCRIPT, 'utf8').split('\n');

  expect(lines.filter((line) => line.trim() !== '' && !/^\s*(?:\/\/|\/?\*)/.test(line)).length).toBeLessThanOrEqual(20);
});
