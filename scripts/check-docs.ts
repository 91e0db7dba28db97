/**
 * Refuses documentation that points nowhere: every relative link of our pages and every path in backticks that looks
 * like a source file of this repository must exist, and every promise of docs/guarantees.md and SECURITY.md must name files with tests.
 * Exit code 1 with one line for each that does not.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { brokenReferences, unprovenPromises } from './doc-references.ts';

const root = join(import.meta.dirname, '..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const docs = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).map((file) => join('docs', file));
const ofPackages = ['packages', 'examples'].flatMap((group) =>
  readdirSync(join(root, group)).map((name) => join(group, name, 'README.md')),
);
const pages = [...docs, ...readdirSync(root), ...ofPackages.filter((page) => existsSync(join(root, page)))].filter(
  (file) => file.endsWith('.md'),
);

const PROMISES = ['docs/guarantees.md', 'SECURITY.md'];
const broken = [
  ...pages.flatMap((page) => brokenReferences(page, read(page), (path) => existsSync(join(root, path)))),
  ...PROMISES.flatMap((page) =>
    unprovenPromises(page, read(page), (path) => (existsSync(join(root, path)) ? read(path) : undefined)),
  ),
];
for (const { page, reference } of broken) console.error(`${page}: ${reference} does not exist`);
console.log(`${pages.length} pages read, ${broken.length} broken references`);
process.exitCode = broken.length === 0 && pages.length > 0 ? 0 : 1;
