/**
 * Homes in bad shape: an emitting command does its work with the exit code and output it always has, says in one
 * warning what helps, and once the home is well again, everything that was called recorded is delivered.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, readdirSync, statSync, mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { createContractServer, type ContractServer } from '@spec-kitty/events-sdk/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { canActAsPlainUser, isRoot, makeMachine, type Machine } from './plain-user.ts';
import { ADA, DRIVERS } from './world.ts';

const EMIT = ['agent', 'feature', 'finalize-tasks', '--emit'];

interface Case {
  readonly name: string;
  /** Puts the home into trouble; returns what makes it well again. */
  readonly spoil: (home: string, machine: Machine) => () => void;
  /** What the one warning says; null: there is nothing to warn of. */
  readonly helps: RegExp | null;
  /** What is said besides, once for each other file that cannot be used. Default: nothing. */
  readonly besides?: RegExp;
  /** Needs rights that only root has: mounting, and files of another user. */
  readonly needsRoot?: boolean;
}

/** A feature and its one package, announced again. */
const EVENTS_EACH = 2;

const NOTHING = (): void => {};
const REWRITE =
  (name: string, text: string): Case['spoil'] =>
  (home, machine) => {
    const path = join(home, name);
    writeFileSync(path, text);
    return () => {
      // A command may have put it right already; what is put back is what was there before.
      rmSync(path, { force: true, recursive: true });
      execFileSync('cp', [join(machine.healthyHome, name), path]);
      machine.own(home);
    };
  };
/** Changes a named value of the home's store. */
const SET_VALUE =
  (key: string, value: string): Case['spoil'] =>
  (home, machine) => {
    const db = new DatabaseSync(join(home, 'queue.db'));
    db.prepare('INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)').run(`value.${key}`, value);
    db.close();
    machine.own(home);
    return NOTHING;
  };

const CASES: readonly Case[] = [
  {
    name: 'a home nobody may enter',
    spoil(home) {
      chmodSync(home, 0);
      return () => chmodSync(home, 0o700);
    },
    helps: /not recorded.*EACCES.*[Cc]heck/,
    besides: /(?:config\.toml|credentials) cannot be read \(EACCES\)/,
  },
  {
    name: 'a home that cannot be written',
    spoil(home) {
      chmodSync(home, 0o500);
      return () => chmodSync(home, 0o700);
    },
    helps: /not recorded.*[Cc]heck/,
  },
  {
    name: 'a home on a file system mounted read-only',
    needsRoot: true,
    spoil(home) {
      execFileSync('mount', ['--bind', home, home]);
      execFileSync('mount', ['-o', 'remount,ro,bind', home]);
      return () => execFileSync('umount', [home]);
    },
    helps: /not recorded.*[Cc]heck/,
  },
  {
    name: 'a home on a full disk',
    needsRoot: true,
    spoil(home, machine) {
      const aside = `${home}.aside`;
      renameSync(home, aside);
      mkdirSync(home);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=512k,mode=700', 'tmpfs', home]);
      execFileSync('sh', ['-c', 'cp -a "$0"/. "$1"/; cat /dev/zero > "$1"/ballast 2>/dev/null || true', aside, home]);
      machine.own(home);
      return () => {
        rmSync(join(home, 'ballast'));
        execFileSync('sh', ['-c', 'cp -a "$0"/. "$1"/', home, aside]);
        execFileSync('umount', [home]);
        rmSync(home, { recursive: true });
        renameSync(aside, home);
      };
    },
    helps: /not recorded.*(?:disk is full|free space)/i,
  },
  {
    name: 'a home of another user',
    needsRoot: true,
    spoil(home, machine) {
      execFileSync('chown', ['-R', '0:0', home]);
      chmodSync(home, 0o755);
      return () => {
        machine.own(home);
        chmodSync(home, 0o700);
      };
    },
    helps: /not recorded.*EACCES.*[Cc]heck/,
    besides: /credentials cannot be read \(EACCES\)/,
  },
  {
    name: 'a file where the home should be',
    spoil(home) {
      renameSync(home, `${home}.aside`);
      writeFileSync(home, 'not a directory');
      return () => {
        rmSync(home);
        renameSync(`${home}.aside`, home);
      };
    },
    helps: /not recorded.*[Cc]heck/,
  },
  {
    name: 'a clock.json that is no JSON',
    spoil: REWRITE('clock.json', '{"value": 7,'),
    helps: /clock\.json is not usable.*written anew/,
  },
  {
    name: 'credentials that are no TOML',
    spoil: REWRITE('credentials', '[tokens\naccess ='),
    helps: /[Ss]ign in again|auth login/,
    // What follows from it.
    besides: /kept on this machine: no team is signed in/,
  },
  {
    name: 'a config.toml that is no TOML',
    spoil: (home, machine) => {
      writeFileSync(join(home, 'config.toml'), '[sync\nserver_url = ');
      machine.own(home);
      return () => rmSync(join(home, 'config.toml'));
    },
    helps: /config\.toml.*not valid TOML.*corrected/,
  },
  {
    name: 'a lock that a process left which is gone',
    spoil(home, machine) {
      const lock = join(home, 'queue.db.lock');
      mkdirSync(lock);
      writeFileSync(join(lock, 'owner,4194304,00000000.1,elsewhere~1,1,1.abcdefgh'), '');
      machine.own(home);
      return NOTHING;
    },
    helps: null,
  },
  {
    name: 'a lock without an owner, as old as yesterday',
    spoil(home, machine) {
      const lock = join(home, 'queue.db.lock');
      mkdirSync(lock);
      machine.own(home);
      utimesSync(lock, Date.now() / 1000 - 86_400, Date.now() / 1000 - 86_400);
      return NOTHING;
    },
    helps: null,
  },
  {
    name: 'a lease of a process that is gone',
    spoil: SET_VALUE(
      'drainer_lease',
      JSON.stringify({
        owner: { pid: 4_194_304, startedAt: '00000000.1', host: 'here', role: 'courier' },
        token: 'x',
        since: 1,
        heartbeatAt: 1,
      }),
    ),
    helps: null,
  },
  { name: 'a lease that cannot be read', spoil: SET_VALUE('drainer_lease', '{"owner": 7'), helps: null },
];

const canRun = canActAsPlainUser();
if (!canRun) console.warn('SKIPPED: no user but root can run the program here; homes in bad shape are not tested.');
if (canRun && !isRoot)
  console.warn('SKIPPED: only root can mount and change owners; some homes in bad shape are not tested.');
const isCi = process.env['CI'] === 'true';

describe.each(DRIVERS)('with the %s store', (driver) => {
  let server: ContractServer;
  let machine: Machine;
  let usual: { readonly text: string; readonly json: string };

  beforeAll(async () => {
    server = await createContractServer();
    await server.accounts.addUser(ADA);
    await server.listen();
    machine = await makeMachine(driver, server);
    const home = machine.freshHome('usual');
    const text = (await machine.specKitty(home, EMIT)).stdout;
    usual = { text, json: (await machine.specKitty(home, [...EMIT, '--json'])).stdout };
    await machine.specKitty(home, ['sync', 'now']);
  });
  afterAll(async () => {
    machine.remove();
    await server.close();
  });

  /** Runs the command and tells what a person and a script see of it, and how many events it says it recorded. */
  async function emit(home: string, json: boolean, umask?: string) {
    const ended = await machine.specKitty(
      home,
      json ? [...EMIT, '--json'] : EMIT,
      umask === undefined ? {} : { umask },
    );
    const warnings = ended.stderr.split('\n').filter((line) => line.startsWith('Warning:'));
    const recorded = Number(
      /"events_emitted": (\d+)|(\d+) events recorded/.exec(ended.stdout)?.slice(1).find(Boolean) ?? 0,
    );
    return { code: ended.code, seen: withoutEvents(ended.stdout), warnings, recorded, stderr: ended.stderr };
  }

  test.for(CASES)(
    '$name costs an emitting command one warning at most, and nothing that it called recorded is lost (FR-029, FR-030, SC-008)',
    async ({ name, spoil, helps, besides, needsRoot = false }, { skip }) => {
      skip(!isCi && (!canRun || (needsRoot && !isRoot)), 'not possible on this machine');
      const home = machine.freshHome(name);
      const before = server.events().length;
      const heal = spoil(home, machine);
      const inTrouble = [];
      try {
        inTrouble.push(await emit(home, false), await emit(home, true));
      } finally {
        heal();
      }

      const healed = await emit(home, false);
      const sync = await machine.specKitty(home, ['sync', 'now']);

      expect(inTrouble.map(({ code }) => code)).toEqual([0, 0]);
      expect(inTrouble.map(({ seen }) => seen)).toEqual([usual.text, usual.json].map(withoutEvents));
      const others = inTrouble.map(({ warnings }) => warnings.filter((line) => besides?.test(line) !== true));
      // What the first command has put right is no trouble for the second.
      expect(others.map(({ length }) => length <= (helps === null ? 0 : 1) || others)).toEqual([true, true]);
      if (helps !== null) expect(others[0]).toEqual([expect.stringMatching(helps)]);
      for (const { warnings, stderr } of inTrouble) {
        expect(new Set(warnings).size).toBe(warnings.length);
        expect(stderr).not.toContain(machine.root);
      }
      // What the others could not record was noted beside the repository: the next command tells it too.
      const missed = inTrouble.reduce((sum, run) => sum + EVENTS_EACH - run.recorded, 0);
      expect(healed).toMatchObject({ code: 0, recorded: EVENTS_EACH + missed, warnings: [] });
      expect(sync).toMatchObject({ code: 0 });
      const recorded = [...inTrouble, healed].reduce((sum, run) => sum + run.recorded, 0);
      expect(server.events().length - before).toBe(recorded);
    },
  );

  test('under umask 000 a new home is its owner’s alone: folders 0700, files 0600 (SEC-2)', async ({ skip }) => {
    skip(!canRun, 'not possible on this machine');
    const home = join(machine.root, 'höme of Zoë 家', ' new');
    mkdirSync(dirname(home));
    machine.own(dirname(home));

    const runs = [await signIn(home, '000'), await emit(home, false, '000')];
    await machine.specKitty(home, ['sync', 'server', server.url], { umask: '000' });

    expect(runs).toMatchObject([{ code: 0 }, { code: 0, warnings: [], recorded: 2 }]);
    const modes = readdirSync(home).map((name) => `${name} ${modeOf(join(home, name))}`);
    expect([modeOf(home), ...modes]).toEqual([
      '700',
      'clock.json 600',
      'config.toml 600',
      'credentials 600',
      'queue.db 600',
    ]);
  });

  test('under a umask that takes even the owner’s rights away commands record and sign in all the same (FR-029)', async ({
    skip,
  }) => {
    skip(!canRun, 'not possible on this machine');
    const home = join(machine.root, 'umask');

    const runs = [await signIn(home, '777'), await emit(home, false, '777'), await emit(home, true)];

    expect(runs).toMatchObject([{ code: 0 }, ...[1, 2].map(() => ({ code: 0, warnings: [], recorded: 2 }))]);
    const before = server.events().length;
    expect(await machine.specKitty(home, ['sync', 'now'])).toMatchObject({ code: 0 });
    expect(server.events().length - before).toBe(4);
  });

  const signIn = async (home: string, umask: string) =>
    machine.specKitty(home, ['auth', 'login', '--server', server.url, '--username', ADA.username, '--password-stdin'], {
      input: `${ADA.password}\n`,
      umask,
    });
});

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

/** What a command prints, without what it says of its events: that must be true, not unchanged. */
function withoutEvents(stdout: string): string {
  return stdout
    .replace(/\d+ events (?:not )?recorded/, 'N events')
    .replace(/"events_(emitted|dropped)": \d+/g, '"events_$1": N')
    .replace(/"causation_id": .*/, '"causation_id": ID');
}
