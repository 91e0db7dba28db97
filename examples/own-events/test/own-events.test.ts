/** The example is run as a person runs it, and its wrong programs are refused by the compiler. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import { expect, onTestFinished, test } from 'vitest';

const root = join(import.meta.dirname, '..');

async function run(args: readonly string[]): Promise<{ readonly code: number | null; readonly said: string }> {
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said += String(text)));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, said };
}

/** Where the compiler finds fault with a program: each line once. */
async function faultsOf(program: string): Promise<readonly string[]> {
  const folder = mkdtempSync(join(import.meta.dirname, '.compile-'));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  writeFileSync(join(folder, 'program.ts'), program.replaceAll("'../src/", "'../../src/"));
  const config = { extends: join(root, 'tsconfig.json'), files: ['program.ts'], include: [] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
  const { said } = await run([compiler, '-p', folder, '--pretty', 'false']);
  const faults = said.split('\n').filter((line) => line.includes('error TS'));
  return [...new Set(faults.map((fault) => fault.replace(/,\d+\).*/, ')')))];
}

test('an event map of its own goes from memory and from disk to servers, and the program ends by itself', async () => {
  const { code, said } = await run(['src/main.ts']);

  expect({ code, said }).toMatchObject({ code: 0, said: expect.stringContaining('Everything arrived, in order.') });
  expect(said).toContain('"$schema": "https://json-schema.org/draft/2020-12/schema"');
  expect(said).toContain('site not in the cache: changed');
  expect(said).toContain('close: {"delivered":4,"pending":0,"rejected":0}, dropped: CacheMissed: invalid');
});

test('wrong types, payloads and readings of these events are compile errors', async () => {
  const source = readFileSync(join(import.meta.dirname, 'wrong-programs.ts'), 'utf8');
  const directives = source.match(/@ts-expect-error/g) ?? [];

  expect(directives).toHaveLength(8);
  expect(await faultsOf(source)).toEqual([]);
  // Without the directives every expected error shows: the test above is able to fail.
  expect(await faultsOf(source.replaceAll('@ts-expect-error', 'expected'))).toHaveLength(directives.length);
});
