/** A payload of the wrong type is a compile error: proven by running the compiler over wrong programs. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import { afterEach, expect, test } from 'vitest';

const packageRoot = join(import.meta.dirname, '..', '..');
const source = readFileSync(join(import.meta.dirname, 'fixtures', 'wrong-payloads.ts'), 'utf8');
const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

/** Compiles one program beside the sources and answers the compiler's complaints, one a line. */
function complaintsAbout(program: string): readonly string[] {
  // Below the fixtures folder, so that the program's relative imports and the package's types resolve.
  const folder = mkdtempSync(join(import.meta.dirname, '.compile-'));
  folders.push(folder);
  writeFileSync(join(folder, 'program.ts'), program);
  const config = {
    extends: join(packageRoot, 'tsconfig.json'),
    compilerOptions: { noEmit: true },
    files: ['program.ts'],
    include: [],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
  const run = spawnSync(process.execPath, [compiler, '-p', folder, '--pretty', 'false'], { encoding: 'utf8' });
  return run.stdout.split('\n').filter((line) => line.includes('error TS'));
}

test('a wrong payload of each of the eight events is a compile error (TECH-1, FR-008..FR-015)', () => {
  const directives = source.match(/@ts-expect-error/g) ?? [];

  expect(directives.length).toBeGreaterThanOrEqual(10);
  expect(complaintsAbout(source)).toEqual([]);
  // Without the directives every expected error shows: the test above is able to fail.
  expect(complaintsAbout(source.replaceAll('@ts-expect-error', 'expected'))).toHaveLength(directives.length);
});

test('a right payload of an event compiles (FR-008)', () => {
  const program =
    source.slice(0, source.indexOf('// @ts-expect-error')) +
    `
export const draft: Draft<SpecKittyEvents, 'WPStatusChanged'> = wpStatusChanged({ wpId: 'WP01', previousStatus: 'planned', newStatus: 'doing' });
export type Seen = EventEnvelope<SpecKittyEvents>;
void [dependencyResolved, errorLogged, featureCompleted, featureCreated, historyAdded, wpAssigned, wpCreated];
`;

  expect(complaintsAbout(program)).toEqual([]);
});
