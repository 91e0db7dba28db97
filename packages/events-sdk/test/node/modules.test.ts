/** What an emission loads: every module costs each command milliseconds (DESIGN §5). */
import { expect, test } from 'vitest';

import { makeWorld } from './world.ts';

interface Loaded {
  readonly status: string;
  readonly handOff: string;
  readonly builtins: readonly string[];
  readonly files: readonly string[];
}

test('an emission loads no network, zlib, wasm, yaml, toml or child process module (FR-029)', async () => {
  const world = makeWorld();
  const child = world.start('modules');
  expect(await child.ended).toEqual({ code: 0, signal: null, stderr: '' });
  // Written by the fixture in exactly this shape.
  const loaded = JSON.parse(child.lines()[0] ?? '{}') as Loaded;

  expect(loaded).toMatchObject({ status: 'held', handOff: 'none' });
  expect(loaded.files.some((file) => file.endsWith('/storage/node-sqlite/index.ts'))).toBe(true);
  expect(loaded.builtins).toContain('sqlite');
  // `crypto` is not among them: an id takes random numbers.
  const costly =
    /^(?:_?http|https|http2|net|tls|dgram|dns|zlib|child_process|worker_threads|inspector|internal\/deps\/undici)/;
  expect(loaded.builtins.filter((name) => costly.test(name))).toEqual([]);
  expect(
    loaded.files.filter((file) =>
      /\/node_modules\/(?:.*\/)?(?:ky|@opentelemetry|sql\.js|yaml|smol-toml|ws|isomorphic-ws|jose|ajv)\//.test(file),
    ),
  ).toEqual([]);
  expect(
    loaded.files.filter((file) =>
      /\/src\/(?:engine\/(?:background|sync-engine|pass|delivery)|queue\/release|transport\/http|transport\/websocket|storage\/sqljs|storage\/memory|testing)[./-]/.test(
        file,
      ),
    ),
  ).toEqual([]);
});
