/**
 * The small files of a home as no program of ours would write them: torn, flipped, cut and mixed bytes. Each reader answers
 * with what is there, with nothing and a word to the person, or with one of our own errors; none crashes, none shows a
 * token, and what is written next is whole. `SPEC_KITTY_STORM_FILES` sets how many texts each reader gets,
 * `SPEC_KITTY_STORM_SEED` repeats them.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { tellStorm } from '@spec-kitty/storm';
import { expect, onTestFinished, test } from 'vitest';

import { parseServerUrl } from '../../src/auth/server-url.ts';
import { isEventsSdkError } from '../../src/errors.ts';
import { systemTime } from '../../src/internal/time.ts';
import { readClockFile, writeClockMirror } from '../../src/node/clock-file.ts';
import { readSyncConfig, setServerUrl } from '../../src/node/config-file.ts';
import { createCredentialsFile } from '../../src/node/credentials-file.ts';
import { nameToOwner, ownerToName } from '../../src/node/process-owner.ts';
import { textToSpill } from '../../src/node/spill-file.ts';
import { createRandom } from '../../src/testing/seeded-random.ts';
import { between } from './random.ts';

const COUNT = Number(process.env['SPEC_KITTY_STORM_FILES'] ?? 300);
const SEED = Number(process.env['SPEC_KITTY_STORM_SEED'] ?? Date.now() % 1_000_000);
const TOKEN = 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ.c2VjcmV0';

/** What mutations start from. */
const GOOD = {
  credentials: `[tokens]\naccess = "${TOKEN}"\nrefresh = "${TOKEN}"\naccess_expires_at = "2026-03-01T09:00:00+00:00"\nrefresh_expires_at = "2026-04-01T09:00:00+00:00"\n\n[user]\nusername = "ada@example.com"\nteam_slug = "acme"\n\n[server]\nurl = "https://one.example"\n`,
  config:
    '[sync]\nserver_url = "https://one.example"\nmax_queue_size = 100\noverflow = "evict-oldest"\ndelivery = "off"\n\n[other]\nkept = [1, 2]\n',
  clock: '{\n  "value": 42,\n  "node_id": "9417b43226d4",\n  "updated_at": "2026-02-07T18:04:05+00:00"\n}',
  spill: '{"version":1,"events":[{"envelope":{"event_id":"x"},"state":"queued","reason":null,"server":null,"projectRoot":null,"enqueuedAt":1,"projectTeam":null}]}', // prettier-ignore
  owner: 'owner,4711,boot1.7,here,1770000000000,1.abc',
};

const PIECES = ['"', "'", '"""', '\n', '\r\n', '\0', '\uFEFF', '[', ']', '{', '}', ',', '=', '.', '#', '\\', '\\u0000', '-1', '1e999', '9007199254740993', 'nan', 'true', 'null', '[sync]', '[tokens]', '__proto__', '"__proto__":{}', '🎉', '\u2028']; // prettier-ignore

function mutated(text: string, random: () => number): Buffer {
  let bytes = Buffer.from(text);
  for (let left = between(random, 1, 5); left > 0; left -= 1) {
    const [from, to] = [between(random, 0, bytes.length), between(random, 0, bytes.length)].toSorted((a, b) => a - b);
    const [head, tail] = [bytes.subarray(0, from), bytes.subarray(to)];
    const piece = Buffer.from(PIECES[between(random, 0, PIECES.length - 1)] ?? '');
    switch (between(random, 0, 5)) {
      case 0:
        bytes = Buffer.concat([head, piece, bytes.subarray(from)]);
        break;
      case 1:
        bytes = Buffer.concat([head, tail]);
        break;
      case 2:
        // Torn: the rest was never written.
        bytes = random() < 0.5 ? Buffer.from(head) : Buffer.concat([head, Buffer.alloc(bytes.length - (from ?? 0))]);
        break;
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, to), bytes.subarray(from)]);
        break;
      default:
        if (from !== undefined && from < bytes.length) bytes[from] = (bytes[from] ?? 0) ^ (1 << between(random, 0, 7));
    }
  }
  return bytes;
}

interface Place {
  readonly path: string;
  readonly bytes: Buffer;
  /** What a person is told. */
  warn(message: string): void;
}

/** Each reader, and the next write to the same file. */
const READERS: Readonly<Record<keyof typeof GOOD, (place: Place) => Promise<void> | void>> = {
  async credentials({ path, warn }) {
    const file = createCredentialsFile({ path, time: systemTime, logger: { warn: (_code, text) => warn(text), debug() {} } }); // prettier-ignore
    const found = await file.load();
    // What was readable is what the next writer finds.
    expect(await file.update(async (present) => ({ answer: present }))).toEqual(found);
    if (found !== null) {
      await file.update(async (present) => ({ answer: undefined, next: present }));
      expect(await file.load()).toEqual(found);
    }
  },
  async config({ path, warn }) {
    const source = { path, shownAs: 'config.toml', checkServerUrl: (text: string) => parseServerUrl(text) };
    const { config, warnings } = await readSyncConfig(source, {});
    for (const text of warnings) warn(text);
    expect(config.maxQueueSize).toBeGreaterThan(0);
    try {
      await setServerUrl(source, 'https://two.example');
    } catch (error) {
      if (!isEventsSdkError(error)) throw error;
      warn(error.message);
      return;
    }
    const after = (await readSyncConfig(source, {})).config;
    expect(after).toEqual({ ...config, serverUrl: 'https://two.example', delivery: after.delivery });
  },
  clock({ path, warn }) {
    const found = readClockFile(path);
    if (found?.kind === 'broken') warn(found.message);
    const value = writeClockMirror(path, { value: 7, nodeId: '9417b43226d4', now: 1_770_000_000_000 });
    expect(value).toBeGreaterThanOrEqual(found?.kind === 'clock' ? found.value : 7);
    expect(readClockFile(path)).toEqual({ kind: 'clock', value, nodeId: '9417b43226d4' });
  },
  spill({ bytes }) {
    expect(['events', 'foreign', 'broken']).toContain(textToSpill(bytes.toString()).kind);
  },
  owner({ bytes }) {
    const owner = nameToOwner(bytes.toString());
    if (owner !== undefined) expect(nameToOwner(ownerToName(owner))).toMatchObject({ pid: owner.pid });
  },
};

/** Gives a reader texts until one makes it break a promise; says which, with what replays it. */
async function findBreach(
  name: keyof typeof GOOD,
  count: number,
  read: (place: Place) => Promise<void> | void = READERS[name],
): Promise<{ readonly breach?: string; readonly told: number }> {
  const random = createRandom(SEED);
  const folder = mkdtempSync(join(tmpdir(), 'storm-files-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const path = join(folder, name);
  let told = 0;
  for (let at = 0; at < count; at += 1) {
    const bytes = mutated(GOOD[name], random);
    writeFileSync(path, bytes);
    try {
      const words: string[] = [];
      await read({ path, bytes, warn: (text) => void words.push(text) });
      if (words.length > 0) told += 1;
      expect(words.filter((text) => text.includes(TOKEN.slice(0, 12)) || text.includes(TOKEN.slice(-6)))).toEqual([]);
    } catch (cause) {
      return { told, breach: `SPEC_KITTY_STORM_SEED=${SEED}, ${name} ${at}, ${JSON.stringify(bytes.toString('latin1'))}: ${String(cause)}` }; // prettier-ignore
    }
  }
  return { told };
}

// Object.keys of an object literal that is written above.
test.for(Object.keys(GOOD) as (keyof typeof GOOD)[])(
  `%s of any bytes is read right or refused in words, and written whole again (FR-029, ${COUNT} texts, seed ${SEED})`,
  { timeout: 120_000 + COUNT * 20 },
  async (name, { task }) => {
    const { breach, told } = await findBreach(name, COUNT);

    expect(breach).toBeUndefined();
    tellStorm(task, {
      storm: 'files',
      variant: name,
      seed: SEED,
      counts: { texts: COUNT, 'told to the person': told },
    });
  },
);

test.for<readonly [string, keyof typeof GOOD, (place: Place) => void]>([
  ['takes whatever parses for a clock', 'clock', ({ bytes }) => void (JSON.parse(bytes.toString()) as unknown)],
  ['quotes the text it cannot read', 'credentials', ({ bytes, warn }) => warn(`Cannot read ${bytes.toString()}`)],
])('the same texts find a reader out that %s', async ([mistake, name, read], { task }) => {
  expect((await findBreach(name, 500, read)).breach).toBeDefined();
  tellStorm(task, { storm: 'files', caught: [`a reader that ${mistake}`] });
});
