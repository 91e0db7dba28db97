/** Finds what a Markdown page refers to inside this repository, as a pure function. */
import { posix } from 'node:path';

/** A reference to something that is not there. */
export interface BrokenReference {
  readonly page: string;
  readonly reference: string;
}

const LINK = /\]\((?!https?:|mailto:|#)([^)\s#]+)(?:#[^)]*)?\)/g;
// A path from the repository's root to a file with an ending; globs, braces and folders are prose.
const SOURCE_PATH = /`((?:packages|examples|bench|scripts|docs)\/[\w./-]+\.(?:ts|mjs|js|md|json|tsv))`/g;

/** The references of one page that `exists` denies; a table row marked `planned` may name a file of tomorrow. */
export function brokenReferences(
  page: string,
  text: string,
  exists: (path: string) => boolean,
): readonly BrokenReference[] {
  const folder = posix.dirname(page.replaceAll('\\', '/'));
  return text.split('\n').flatMap((line) => {
    if (/\|\s*planned\s*\|\s*$/.test(line)) return [];
    const links = [...line.matchAll(LINK)].map(([, target = '']) => posix.join(folder, target));
    const paths = [...line.matchAll(SOURCE_PATH)].map(([, path = '']) => path);
    return [...links, ...paths].filter((path) => !exists(path)).map((reference) => ({ page, reference }));
  });
}
