/**
 * Writes test/package/exports.txt: every name every entry of the built library exports. A change there is a change of
 * what others may build upon; test/package/exports.test.ts fails until it is written down: `node scripts/exports.ts`.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { exportedNames } from './exported-names.ts';
import { entries, packageRoot } from './measure.ts';

const page = join(packageRoot, 'test', 'package', 'exports.txt');

/** The file as it should be. */
export function exportsPage(): string {
  const sections = [...entries()].map(([name, { types: file }]) => {
    const { values, types } = exportedNames(join(packageRoot, file));
    const lines = [...values.map((each) => `  ${each}\n`), ...types.map((each) => `  type ${each}\n`)];
    return `${name}\n${lines.join('')}`;
  });
  return sections.join('\n');
}

/** The file as it is; empty when there is none. */
export async function writtenExports(): Promise<string> {
  return await readFile(page, 'utf8').catch(() => '');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeFile(page, exportsPage());
