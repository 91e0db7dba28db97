/**
 * Refuses an import against the layers: `node scripts/check-layers.ts [root]`. Exit code 1 with one line per broken
 * rule; reads `packages/*`, `examples/*`, `tools/*` and `bench`, without their tests.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

import { importsOf } from './imports.ts';
import { findViolations } from './layers.ts';

const root = process.argv[2] ?? join(import.meta.dirname, '..');

function sourceFolders(): readonly string[] {
  const groups = ['packages', 'examples', 'tools'].flatMap((group) => {
    const folder = join(root, group);
    return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name, 'src')) : [];
  });
  return [...groups, join(root, 'bench', 'src')].filter((folder) => existsSync(folder));
}

const imports = new Map<string, readonly string[]>();
for (const folder of sourceFolders()) {
  for (const entry of readdirSync(folder, { recursive: true, encoding: 'utf8' }).toSorted()) {
    if (!/\.(ts|js|mjs)$/.test(entry) || entry.includes('node_modules')) continue;
    const path = join(folder, entry);
    imports.set(relative(root, path).split(sep).join('/'), importsOf(readFileSync(path, 'utf8')));
  }
}

const violations = findViolations(imports);
for (const { file, specifier, rule } of violations) console.error(`${file} → ${specifier || '(itself)'}: ${rule}`);
console.log(`${imports.size} files read, ${violations.length} imports against the layers`);
process.exitCode = violations.length === 0 && imports.size > 0 ? 0 : 1;
