import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { projectIdentityBlock } from '../../src/identity/project-identity.ts';
import { parseServerUrl } from '../../src/auth/server-url.ts';
import { readClockFile, writeClockMirror } from '../../src/node/clock-file.ts';
import { readSyncConfig, setServerUrl } from '../../src/node/config-file.ts';
import { resolveHome } from '../../src/node/home.ts';
import { currentUsername, deriveNodeId } from '../../src/node/node-id.ts';
import {
  deriveNewIdentity,
  readPlainProject,
  readProjectIdentity,
  readYamlProject,
} from '../../src/node/project-identity.ts';
import { temporaryDirectory } from './setup.ts';

const UUID = '3f1c9a52-7f0e-4c55-9d0b-2a6c1b7e4d10';

describe('node id', () => {
  test.each([
    ['vm', 'root', 'b805cd5cee74'],
    ['laptop', 'alice', '9417b43226d4'],
    ['build-01.example.org', 'josé', '596cfee51cdd'],
  ])("of %s:%s is the contract's (FR-007)", (hostname, username, id) => {
    expect(deriveNodeId({ hostname, username })).toBe(id);
  });

  test('of another home of the same user differs', () => {
    const parts = { hostname: 'laptop', username: 'alice' };

    expect(
      new Set([deriveNodeId(parts), deriveNodeId({ ...parts, homeId: 'a' }), deriveNodeId({ ...parts, homeId: 'b' })])
        .size,
    ).toBe(3);
  });

  test("takes the user from the environment in the contract's order (FR-007)", () => {
    expect(currentUsername({ USERNAME: 'd', LNAME: 'c', USER: 'b', LOGNAME: '' })).toBe('b');
    expect(currentUsername({})).not.toBe('');
  });
});

describe('clock.json', () => {
  test('is written byte for byte as the contract says (FR-005)', () => {
    const path = join(temporaryDirectory(), 'home', 'clock.json');

    writeClockMirror(path, { value: 7, nodeId: '9417b43226d4', now: Date.UTC(2026, 1, 7, 18, 4, 5, 120) });

    expect(readFileSync(path, 'utf8')).toBe(
      '{\n  "value": 7,\n  "node_id": "9417b43226d4",\n  "updated_at": "2026-02-07T18:04:05.120000+00:00"\n}',
    );
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(path, '..'))).toEqual(['clock.json']);
  });

  test('leaves out a fraction of zero', () => {
    const path = join(temporaryDirectory(), 'clock.json');
    writeClockMirror(path, { value: 1, nodeId: 'n', now: 0 });
    expect(readFileSync(path, 'utf8')).toContain('"1970-01-01T00:00:00+00:00"');
  });

  test('never goes down (FR-005)', () => {
    const path = join(temporaryDirectory(), 'clock.json');
    writeClockMirror(path, { value: 9, nodeId: 'n', now: 0 });

    expect(writeClockMirror(path, { value: 3, nodeId: 'n', now: 1 })).toBe(9);
    expect(readClockFile(path)).toEqual({ kind: 'clock', value: 9, nodeId: 'n' });
  });

  test('missing keys read as nothing known', () => {
    const path = join(temporaryDirectory(), 'clock.json');
    expect(readClockFile(path)).toBeNull();
    writeFileSync(path, '{}');
    expect(readClockFile(path)).toEqual({ kind: 'clock', value: 0, nodeId: null });
  });

  test.each(['', '{"value": 7', '[]', 'null', '{"value": "7"}', '{"value": 1.5}', '{"value": -1}', '{"value": 1e300}'])(
    'is called broken when it says %s, and is written anew',
    (text) => {
      const path = join(temporaryDirectory(), 'clock.json');
      writeFileSync(path, text);

      expect(readClockFile(path)).toMatchObject({ kind: 'broken' });
      expect(writeClockMirror(path, { value: 4, nodeId: 'n', now: 0 })).toBe(4);
    },
  );
});

describe('project identity', () => {
  const setupProject = (text: string): string => {
    const root = temporaryDirectory();
    mkdirSync(join(root, '.kittify'));
    writeFileSync(join(root, '.kittify', 'config.yaml'), text);
    return root;
  };

  test('is read as init writes it, without a YAML parser (FR-028c, FR-003)', async () => {
    const identity = deriveNewIdentity('/x/My_Repo x', null);
    const text = projectIdentityBlock({ ...identity, nodeId: '12345678e901' });

    expect(readPlainProject(text, 'd')).not.toBeNull();
    expect(await readProjectIdentity(setupProject(text))).toMatchObject({
      kind: 'identity',
      identity: { uuid: identity.uuid, slug: 'my-repo-x', nodeId: '12345678e901' },
    });
  });

  test('keeps a node id that YAML would read as a number (FR-028c)', async () => {
    const root = setupProject(
      `vcs: {type: git}\nproject:\n  uuid: ${UUID.toUpperCase()}\n  node_id: 123456789012\nsync: {enabled: false, auto_start: off}\n`,
    );

    expect(await readProjectIdentity(root)).toEqual({
      kind: 'identity',
      identity: { uuid: UUID, slug: basename(root).toLowerCase(), nodeId: '123456789012' },
      settings: { syncEnabled: false, autoStart: false },
    });
  });

  test.each([
    ['project:\n  slug: a\n  uuid: not-one\n', 'line 3'],
    ['project: [\n', 'not valid YAML'],
    ['project: text\n', '"project" is not a mapping'],
    [`project:\n  uuid: ${UUID}\nsync:\n  enabled: flase\n`, 'line 4'],
  ])('names what is broken in %j and the remedy', async (text, expected) => {
    const read = await readProjectIdentity(setupProject(text));

    expect(read.kind).toBe('broken');
    expect(read.kind === 'broken' ? read.message : '').toContain('.kittify/config.yaml');
    expect(read.kind === 'broken' ? read.message : '').toContain(expected);
  });

  test('is missing without a file and without a project section', async () => {
    expect(await readProjectIdentity(temporaryDirectory())).toEqual({ kind: 'missing' });
    expect(await readProjectIdentity(setupProject('vcs: {type: git}\n'))).toEqual({ kind: 'missing' });
  });

  test.each(['sync: {enabled: false}', 'sync: { enabled: false }', 'sync:\n  enabled: false'])(
    'is kept on this machine by %j',
    async (sync) => {
      const read = await readProjectIdentity(setupProject(`project:\n  uuid: ${UUID}\n${sync}\n`));

      expect(read).toMatchObject({ kind: 'identity', settings: { syncEnabled: false } });
    },
  );

  test('is the same whether read fast or by the YAML parser (FR-028c)', async () => {
    const line = fc.constantFrom(
      'project:',
      'sync:',
      'agents:',
      `  uuid: ${UUID}`,
      '  slug: demo',
      '  slug: "a b"',
      '  node_id: 123456789012',
      '  node_id: 1e5 # x',
      '  team_slug: null',
      '  repo_slug: a/b',
      '  enabled: false',
      '  enabled: no',
      '  auto_start: false',
      '  delivery: inline',
      '    deep: x',
      '  list: [a, b]',
      '  list:',
      '    - a',
      '  - a',
      '- a',
      '# note',
      '',
      '  more',
      'x: {a: b}',
      'sync: {enabled: false}',
      'project: {uuid: a}',
      '  slug: [a]',
      "  slug: 'q'",
      '  slug: a: b',
      '  slug:',
      '\tt: 1',
      ' odd: 1',
    );
    let answered = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 9 }), async (lines) => {
        const text = `project:\n  uuid: ${UUID}\n${lines.join('\n')}\n`;
        const fast = readPlainProject(text, 'd');
        if (fast === null) return;
        answered += 1;
        expect(fast).toEqual(await readYamlProject(text, 'd'));
      }),
      { numRuns: 3_000 },
    );
    expect(answered).toBeGreaterThan(20);
  });
});

describe('home', () => {
  test('is ~/.spec-kitty unless SPEC_KITTY_HOME moves all of it', () => {
    const normal = resolveHome({ HOME: '/h/joe' });
    const moved = resolveHome({ HOME: '/h/joe', SPEC_KITTY_HOME: '/t/box' });

    expect([normal.clockJson, normal.isDefault, normal.display(normal.queueDb)]).toEqual([
      '/h/joe/.spec-kitty/clock.json',
      true,
      '~/.spec-kitty/queue.db',
    ]);
    expect([moved.clockJson, moved.isDefault, moved.display(moved.queueDb)]).toEqual([
      '/t/box/clock.json',
      false,
      '$SPEC_KITTY_HOME/queue.db',
    ]);
    expect(resolveHome({ HOME: '/h/joe', SPEC_KITTY_HOME: '~/.spec-kitty' }).isDefault).toBe(true);
  });
});

describe('config.toml', () => {
  const setupConfig = (text?: string) => {
    const path = join(temporaryDirectory(), 'config.toml');
    if (text !== undefined) writeFileSync(path, text);
    return { path, shownAs: '~/.spec-kitty/config.toml', checkServerUrl: parseServerUrl };
  };

  test('gives server and settings (FR-027)', async () => {
    const source = setupConfig(
      '[sync]\nserver_url = "https://Team.example/"\nmax_queue_size = 5\noverflow = "evict-oldest"\nqueue_driver = "sqljs"\ndelivery = "inline"\n',
    );

    expect(await readSyncConfig(source, {})).toEqual({
      config: {
        serverUrl: 'https://team.example',
        maxQueueSize: 5,
        overflow: 'evict-oldest',
        queueDriver: 'sqljs',
        delivery: 'inline',
      },
      warnings: [],
    });
  });

  test('has defaults without a file; delivery is off in CI unless asked (FR-027)', async () => {
    const source = setupConfig();
    const delivery = async (env: Record<string, string>) => (await readSyncConfig(source, env)).config.delivery;

    expect((await readSyncConfig(source, {})).config).toEqual({
      serverUrl: null,
      maxQueueSize: 10_000,
      overflow: 'refuse-new',
      queueDriver: 'auto',
      delivery: 'courier',
    });
    expect([await delivery({ CI: 'true' }), await delivery({ CI: 'true', SPEC_KITTY_DELIVERY: 'inline' })]).toEqual([
      'off',
      'inline',
    ]);
  });

  test('is overridden by the environment, and a bad address leads nowhere else (FR-027)', async () => {
    const source = setupConfig('[sync]\nserver_url = "https://a.example"\n');

    expect(
      (await readSyncConfig(source, { SPEC_KITTY_SERVER: 'https://b.example', SPEC_KITTY_QUEUE_DRIVER: 'sqljs' }))
        .config,
    ).toMatchObject({
      serverUrl: 'https://b.example',
      queueDriver: 'sqljs',
    });
    const bad = await readSyncConfig(source, { SPEC_KITTY_SERVER: 'http://b.example' });
    expect([bad.config.serverUrl, bad.warnings.length]).toEqual([null, 1]);
  });

  test.each([
    ['[sync]\nserver_url = \n', 'line 2'],
    ['[sync]\n# x\nmax_queue_size = "many"\ndelivery = "offf"\n', 'line 3: sync.max_queue_size'],
    ['sync = 1\n', 'not a section'],
  ])('warns once about %j', async (text, expected) => {
    const { warnings } = await readSyncConfig(setupConfig(text), {});

    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain(expected);
  });

  test('that was not understood switches automatic delivery off', async () => {
    expect((await readSyncConfig(setupConfig('[sync]\ndelivery = "offf"\n'), {})).config.delivery).toBe('off');
    expect((await readSyncConfig(setupConfig('[sync\n'), {})).config.delivery).toBe('off');
  });

  test.each([
    ['', '[sync]\nserver_url = "https://n.example"\n'],
    ['# mine\n[other]\na = 1 # b\n', '# mine\n[other]\na = 1 # b\n\n[sync]\nserver_url = "https://n.example"\n'],
    ['[sync] # s\ndelivery = "off"\n', '[sync] # s\nserver_url = "https://n.example"\ndelivery = "off"\n'],
    [
      '[sync]\nserver_url = "https://o.example" # old\n[z]\nserver_url = "x"\n',
      '[sync]\nserver_url = "https://n.example" # old\n[z]\nserver_url = "x"\n',
    ],
  ])('keeps comments and other sections when the server of %j changes (FR-027)', async (before, after) => {
    const source = setupConfig(before);

    expect(await setServerUrl(source, 'https://N.example/')).toBe('https://n.example');

    expect(readFileSync(source.path, 'utf8')).toBe(after);
  });

  test.each(['[sync\n', 'sync = { delivery = "off" }\n'])(
    'is left as it is when %j cannot be edited safely',
    async (text) => {
      const source = setupConfig(text);

      await expect(setServerUrl(source, 'https://n.example')).rejects.toMatchObject({ code: 'FILE_UNUSABLE' });

      expect(readFileSync(source.path, 'utf8')).toBe(text);
    },
  );
});
