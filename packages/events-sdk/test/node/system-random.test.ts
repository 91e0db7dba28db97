/** Ids are drawn from the system's generator, by whatever way it is to be had. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect, onTestFinished, test } from 'vitest';

import { createUlidFactory } from '../../src/id/ulid.ts';
import { systemRandom } from '../../src/node/system-random.ts';

function scratch(name: string, bytes: Uint8Array): string {
  const folder = mkdtempSync(join(tmpdir(), 'random-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
}

const draw = (random: () => number, count: number): number[] => Array.from({ length: count }, () => random());

test.each([
  ['as a file', undefined],
  ['not as a file', '/nowhere/urandom'],
  ['as a file that gives too little', 'short'],
])('where the system gives chance %s, every byte comes up, and no two blocks are alike', (_where, source) => {
  const file = source === 'short' ? scratch('short', new Uint8Array([7, 7, 7])) : source;
  const numbers = draw(systemRandom(file), 8_192);

  expect(new Set(numbers).size).toBe(256);
  expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true);
  expect(numbers.slice(0, 512)).not.toEqual(numbers.slice(512, 1_024));
});

test('its bytes are the file’s, each used once', () => {
  const bytes = Uint8Array.from({ length: 512 }, (_, at) => at % 256);

  expect(draw(systemRandom(scratch('bytes', bytes)), 512)).toEqual([...bytes].map((byte) => byte / 256));
});

test('two factories over it make no id twice', () => {
  const ids = [0, 1].flatMap(() => {
    const next = createUlidFactory({ time: { now: () => 1_700_000_000_000 }, random: systemRandom() });
    return Array.from({ length: 2_000 }, () => next());
  });

  expect(new Set(ids).size).toBe(ids.length);
});
