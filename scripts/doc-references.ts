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

const PROOF_LINE = /^ {2}Proof: (.*)$/m;

/**
 * The promises of a page that nothing proves: list items that begin in bold, below a heading that begins with
 * "Promised", without a line `Proof:`, or with a file named there in which `read` finds no test.
 */
export function unprovenPromises(
  page: string,
  text: string,
  read: (path: string) => string | undefined,
): readonly BrokenReference[] {
  const sections = text.split(/^(?=## )/m).filter((section) => section.startsWith('## Promised'));
  return sections.flatMap((section) =>
    section
      .split(/^(?=- \*\*)/m)
      .slice(1)
      .flatMap((promise) => {
        const title = /^- \*\*(.*?)\*\*/.exec(promise)?.[1] ?? promise;
        const files = [...(PROOF_LINE.exec(promise)?.[1] ?? '').matchAll(LINK)].map(([, target = '']) =>
          posix.join(posix.dirname(page), target),
        );
        const empty = files.filter((file) => !/\btest(?:\.\w+)*\(/.test(read(file) ?? ''));
        if (files.length === 0) return [{ page, reference: `a proof of "${title}"` }];
        return empty.map((file) => ({ page, reference: `a test in ${file}` }));
      }),
  );
}
