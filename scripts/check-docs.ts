/**
 * Refuses documentation that points nowhere: every relative link of our pages and every path in backticks that looks
 * like a source file of this repository must exist. Exit code 1 with one line for each that does not.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { brokenReferences } from './doc-references.ts';

const root = join(import.meta.dirname, '..');
const docs = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).map((file) => join('docs', file));
const pages = [...docs, ...readdirSync(root)].filter((file) => file.endsWith('.md'));

const broken = pages.flatMap((page) =>
  brokenReferences(page, readFileSync(join(root, page), 'utf8'), (path) => existsSync(join(root, path))),
);
for (const { page, reference } of broken) console.error(`${page}: ${reference} does not exist`);
console.log(`${pages.length} pages read, ${broken.length} broken references`);
process.exitCode = broken.length === 0 && pages.length > 0 ? 0 : 1;
