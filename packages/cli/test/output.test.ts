/** What a run of the program prints and how it ends, whatever happens. Real processes of the built program. */
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { writtenPage } from '../scripts/docs.ts';
import { buildProgram, type Ended, type Program } from './support/program.ts';

let program: Program;
let ids: readonly string[];

beforeAll(async () => {
  program = await buildProgram();
  const manifest = JSON.parse(readFileSync(join(program.root, 'oclif.manifest.json'), 'utf8')) as { commands: object };
  ids = Object.keys(manifest.commands);
});

afterAll(() => program.remove());

const session = { server: 'https://kitty.example.com', username: 'alice@example.com', teamSlug: 'acme' };
const methods = (ended: Ended): readonly string[] => ended.calls.map(([method]) => method);
const emitted = (ended: Ended): readonly { type: string; payload: Record<string, unknown> }[] =>
  ended.calls
    .filter(([method]) => method === 'emitAll')
    .flatMap(([, drafts]) => drafts as { type: string; payload: Record<string, unknown> }[]);

describe('one JSON document', () => {
  const paths: readonly (readonly [name: string, words: readonly string[], code: number])[] = [
    ['a result', ['sync', 'status', '--json'], 0],
    ['a result with the switch in front', ['--json', 'sync', 'status'], 0],
    ['a refusal', ['probe', 'refuse', '--json'], 1],
    ['a crash', ['probe', 'crash', '--json'], 1],
    ['a crash outside the command', ['probe', 'async-crash', '--json'], 1],
    ['an unknown flag', ['sync', 'status', '--json', '--nonsense'], 2],
    ['a missing argument', ['probe', '--json'], 2],
    ['a superfluous argument', ['sync', 'status', 'x', '--json'], 2],
    ['a flag without its value', ['auth', 'login', '--json', '--server'], 2],
    ['an unknown command', ['nonsense', '--json'], 2],
    ['an unknown command behind the switch', ['--json', 'nonsense'], 2],
    ['an unknown command of a topic', ['sync', 'nonsense', '--json'], 2],
    ['help of an unknown command', ['nonsense', '--help', '--json'], 2],
    ['help', ['--help', '--json'], 0],
    ['help of a command', ['sync', 'now', '--help', '--json'], 0],
    ['help of a topic', ['sync', '--json'], 0],
    ['help asked for by name', ['help', 'sync', 'now', '--json'], 0],
    ['a number that is none', ['implement', 'WP01', '--shell-pid', 'x', '--json'], 2],
    ['nothing but the switch', ['--json'], 0],
    ['the version', ['--version', '--json'], 0],
  ];

  test.for(paths)('is all there is on stdout for %s', async ([, words, code]) => {
    const ended = await program.run(words);

    expect(ended.code).toBe(code);
    const document = JSON.parse(ended.stdout) as Record<string, unknown>;
    expect(typeof document).toBe('object');
    expect('error' in document).toBe(code !== 0);
    expect(ended.stderr).toBe('');
    if (code === 2) expect(document['code']).toBe('usage');
  });

  test('of a refusal names code and remedy', async () => {
    const { stdout } = await program.run(['probe', 'refuse', '--json']);

    expect(JSON.parse(stdout)).toEqual({
      error: 'WP07 is not ready.\nIt has open subtasks.',
      code: 'not-ready',
      remedy: 'Finish T001.',
    });
  });
});

describe('a usage error', () => {
  test('names neither this machine nor what was typed as a value', async () => {
    const secret = 'hunter2 is my password';
    const runs = await Promise.all([
      program.run(['sync', 'status', '--nonsense=hunter2', '--json']),
      program.run(['sync', 'status', secret, '--json']),
      program.run([`/opt/${secret}`, '--json']),
      program.run(['auth', 'login', '-p', secret]),
      program.run(['implement', 'WP01', '--shell-pid', secret, '--json']),
    ]);

    for (const { code, stdout, stderr } of runs) {
      expect(code).toBe(2);
      expect(stdout + stderr).not.toContain('hunter2');
      expect(stdout + stderr).not.toContain(program.root);
      expect(stdout + stderr).not.toContain('argv');
    }
  });

  test('is said on stderr with a way on, and nothing on stdout', async () => {
    const ended = await program.run(['sync', 'stauts']);

    expect(ended.stdout).toBe('');
    expect(ended.stderr).toBe('Error: Unknown command: sync stauts\nDid you mean `spec-kitty sync status`?\n');
  });

  test('opens no client and logs no error event', async () => {
    const ended = await program.run(['probe', 'ok', '--nonsense']);

    expect(ended.code).toBe(2);
    expect(ended.calls).toEqual([]);
  });

  test('does not wait for a pipe that stays open when an optional argument is missing', async () => {
    const ended = await program.run(['sync', 'server'], {
      script: { server: 'https://kitty.example.com' },
      during: () => {},
    });

    expect(ended.stdout).toBe('https://kitty.example.com\n');
  });
});

describe('help', () => {
  test('of every command has an example and no path of this machine, and opens nothing', async () => {
    expect(ids.length).toBeGreaterThan(6);
    for (const id of ids) {
      const ended = await program.run([...id.split(':'), '--help']);

      expect(ended.code, id).toBe(0);
      expect(ended.stdout, id).toContain('EXAMPLES');
      expect(ended.stdout, id).toContain(`spec-kitty ${id.replaceAll(':', ' ')}`);
      expect(ended.stdout, id).not.toMatch(/\/(?:home|tmp|root|work|Users)\//);
      expect(ended.stderr, id).toBe('');
      expect(ended.calls, id).toEqual([]);
    }
  });

  test('of every command reads its flags: an unknown one is refused', async () => {
    for (const id of ids) {
      const ended = await program.run([...id.split(':'), '--no-such-flag', '--json']);

      expect(ended.code, id).toBe(2);
      expect(JSON.parse(ended.stdout), id).toMatchObject({ code: 'usage' });
    }
  });
});

describe('after an emitting command', () => {
  const cases = [
    ['connected', '[Connected] 3 events waiting; the courier delivers in the background'],
    ['reconnecting', '[Reconnecting] 3 events waiting; the courier delivers in the background'],
    ['offline', '[Offline] 3 events waiting; the courier delivers in the background'],
    ['offline-batch', '[Offline - Batch Mode] 3 events waiting; the courier delivers in the background'],
  ] as const;

  test.for(cases)('the link state %s is shown on stderr as %s (FR-038)', async ([state, line]) => {
    const ended = await program.run(['probe', 'ok'], {
      script: { session, status: { queued: 2, held: { project: 1 }, connection: { state, evidence: '', at: null } } },
    });

    expect(ended).toMatchObject({ code: 0, stdout: 'done\n', stderr: `${line}\n` });
    expect(methods(ended)).toEqual(['emitAll', 'nudge', 'status', 'close']);
  });

  test('nothing is shown when nobody is signed in and nothing waits', async () => {
    const ended = await program.run(['probe', 'ok']);

    expect(ended.stderr).toBe('');
  });

  test('waiting events of someone signed out name the way to deliver them', async () => {
    const ended = await program.run(['probe', 'ok'], { script: { status: { queued: 1 } } });

    expect(ended.stderr).toBe('[Offline] 1 event waiting; sign in to deliver: spec-kitty auth login --server URL\n');
  });

  test('the link state is left out under --json, delivery is not', async () => {
    const ended = await program.run(['probe', 'ok', '--json'], { script: { session } });

    expect(ended.stderr).toBe('');
    expect(methods(ended)).toEqual(['emitAll', 'nudge', 'close']);
  });

  test('delivery is handed to the courier program of this very build', async () => {
    const ended = await program.run(['probe', 'ok'], { script: { session } });

    expect(ended.calls).toContainEqual(['nudge', { hasScript: true }]);
  });

  test('a warning is said once, on stderr (FR-030)', async () => {
    const ended = await program.run(['probe', 'ok', '--json'], { script: { warning: 'the queue is nearly full' } });

    expect(ended).toMatchObject({ code: 0, stderr: 'Warning: the queue is nearly full\n' });
  });

  test.for(['open', 'emitAll', 'status', 'nudge', 'close'])(
    'a broken %s changes neither result nor exit code (FR-029)',
    async (method) => {
      const ended = await program.run(['probe', 'ok'], { script: { session, broken: [method] } });

      expect(ended).toMatchObject({ code: 0, stdout: 'done\n' });
      expect(ended.stderr).not.toContain('    at ');
    },
  );

  test('steps that never answer are left behind', async () => {
    const ended = await program.run(['probe', 'ok'], { script: { session, stuck: ['status', 'nudge', 'close'] } });

    expect(ended).toMatchObject({ code: 0, stdout: 'done\n', stderr: '' });
  });

  test('--debug says which step failed', async () => {
    const ended = await program.run(['probe', 'ok', '--debug'], { script: { session, broken: ['nudge'] } });

    expect(ended.stderr).toContain('closing.nudge nudge broke');
  });
});

describe('a failed emitting command', () => {
  test('logs its refusal with the true first line and the package it is about (FR-014)', async () => {
    const ended = await program.run(['probe', 'refuse'], { script: { session } });

    expect(ended.code).toBe(1);
    expect(emitted(ended)[1]).toMatchObject({
      type: 'ErrorLogged',
      payload: { error_type: 'validation', error_message: 'WP07 is not ready.', wp_id: 'WP07' },
    });
    expect(emitted(ended)[1]?.payload).not.toHaveProperty('stack_trace');
    expect(ended.stderr).toBe('Error: WP07 is not ready.\nIt has open subtasks.\nFinish T001.\n[Offline]\n');
  });

  test('logs a crash without home folder, token or absolute frame (SEC-2)', async () => {
    const ended = await program.run(['probe', 'crash', '--quiet'], { script: { session } });

    expect(ended.code).toBe(1);
    const [event] = emitted(ended);
    expect(event?.payload['error_message']).toBe('Unexpected error: cannot read ~/secret [redacted]');
    expect(event?.payload['stack_trace']).toMatch(/\n {4}at \S+ \(dist\/commands\/probe\.js:\d+:\d+\)/);
    expect(JSON.stringify(event)).not.toContain(program.root);
    expect(ended.stderr).toContain(
      'Error: Unexpected error: cannot read ~/secret [redacted]\nRun the command again with --debug',
    );
    expect(ended.stderr).not.toContain('    at ');
  });

  test('shows where it crashed when asked', async () => {
    const { stderr } = await program.run(['probe', 'crash', '--debug']);

    expect(stderr).toMatch(/\n {4}at /);
  });
});

describe('Ctrl-C', () => {
  const interruptWhenSaid = (text: string) => (child: import('node:child_process').ChildProcess) => {
    child.stderr?.on('data', (chunk: Buffer) => {
      if (chunk.toString().includes(text)) child.kill('SIGINT');
    });
  };

  test('ends a command that does not stop by itself with 130, the client closed and no error event', async () => {
    const ended = await program.run(['probe', 'hang', '--json'], {
      script: { session },
      during: interruptWhenSaid('hanging'),
    });

    expect(ended.code).toBe(130);
    expect(JSON.parse(ended.stdout)).toEqual({ error: 'Interrupted.', code: 'interrupted' });
    expect(emitted(ended).map(({ type }) => type)).toEqual(['HistoryAdded']);
    expect(methods(ended).at(-1)).toBe('close');
  });

  test('lets a sync stop and report what it did, and still exits with 130', async () => {
    const ended = await program.run(['sync', 'now'], {
      script: { session, stuck: ['syncNow'] },
      during: interruptWhenSaid('offered'),
    });

    expect(ended.code).toBe(130);
    expect(ended.stdout).toContain('Stopped before everything was sent. The rest is kept.');
  });
});

describe('help on a terminal', () => {
  /** Stands in for a terminal of this width: nothing else of one changes the text. */
  const terminal = async (columns: number): Promise<string> => {
    const file = join(program.root, `terminal-${columns}.mjs`);
    await writeFile(file, `Object.defineProperty(process.stdout, 'columns', { value: ${columns} });`);
    return file;
  };

  test('of 40 columns fits it, broken between words', async () => {
    const nodeOptions = ['--import', await terminal(40)];
    const places = [[], ['sync'], ['agent', 'tasks'], ...ids.filter((id) => id !== 'probe').map((id) => id.split(':'))];
    const wide = await Promise.all(
      [[], ['sync'], ['agent', 'tasks']].map((words) => program.run([...words, '--help'])),
    );
    const text = wide.map(({ stdout }) => stdout).join(' ') + (await writtenPage());
    const known = new Set(text.split(/\s+/));
    // No line has room for these.
    const long = [...known].filter((word) => word.length > 34);

    for (const words of places) {
      const { stdout } = await program.run([...words, '--help'], { nodeOptions });

      expect(stdout.split('\n').filter((line) => line.length > 40)).toEqual([]);
      // What a shell goes on with in the next line is the one word that is added.
      const shown = stdout.split(/\s+/).filter((word) => word !== '' && word !== '\\');
      expect(shown.filter((word) => !known.has(word) && !long.some((each) => each.includes(word)))).toEqual([]);
    }
  });

  test('is the same wherever it is piped to, and under --json', async () => {
    const nodeOptions = ['--import', await terminal(40)];
    const piped = await program.run(['sync', 'status', '--help']);
    const json = await program.run(['sync', 'status', '--help', '--json'], { nodeOptions });

    expect((JSON.parse(json.stdout) as { readonly help: string }).help).toBe(piped.stdout.trim());
  });
});

describe('colour', () => {
  test('is left out of results, help and failures where NO_COLOR is set, on a terminal too', async () => {
    const file = join(program.root, 'colourful-terminal.mjs');
    await writeFile(
      file,
      `for (const stream of [process.stdout, process.stderr]) {
         Object.defineProperty(stream, 'isTTY', { value: true });
         stream.getWindowSize = () => [80, 24];
       }`,
    );
    const asked = [
      ['sync', 'status'],
      ['sync', 'now', '--help'],
      ['probe', 'refuse'],
      ['sync', 'stauts'],
    ];

    for (const words of asked) {
      const ended = await program.run(words, {
        nodeOptions: ['--import', file],
        env: { NO_COLOR: '1', TERM: 'xterm' },
      });

      expect(ended.stdout + ended.stderr).not.toContain('\u001B[');
    }
    const painted = await program.run(['probe', 'refuse'], { nodeOptions: ['--import', file], env: { TERM: 'xterm' } });
    expect(painted.stderr).toContain('\u001B[31m');
  });

  test('is left out off a terminal, and written when forced', async () => {
    const off = await program.run(['probe', 'refuse']);
    const forced = await program.run(['probe', 'refuse'], { env: { FORCE_COLOR: '1' } });

    expect(off.stderr).not.toContain('\u001B[');
    expect(forced.stderr).toContain('\u001B[31mError:\u001B[39m');
  });
});
