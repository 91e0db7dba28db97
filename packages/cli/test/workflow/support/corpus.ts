/**
 * Real feature directories written by people and agents. The corpus is not part of the package: SPEC_KITTY_CORPUS
 * names it, else it is looked for beside the repository.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

export const CORPUS =
  process.env['SPEC_KITTY_CORPUS'] ?? resolve(import.meta.dirname, '../../../../../../shared/corpus');

/** True where the tests over it have to be skipped. */
export const isCorpusAbsent = !existsSync(join(CORPUS, 'kitty-specs'));
if (isCorpusAbsent) console.warn('SKIPPED: the corpus is absent; set SPEC_KITTY_CORPUS to run the corpus tests.');
