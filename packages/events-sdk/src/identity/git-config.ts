/**
 * Reads the few values needed from a repository's `config` text without starting git (2.5 ms a call).
 * Pure. Text that draws on other files says so, and the caller asks git instead.
 */

/** What was found in one config text. */
export interface GitConfigFacts {
  /** First `remote.origin.url`; may hold credentials, so it only goes to `parseRemote`. */
  readonly originUrl: string | null;
  /** `core.worktree`, as written. */
  readonly worktree: string | null;
  /** `extensions.refStorage`; null means plain files. */
  readonly refStorage: string | null;
  /** True when the text includes other files or uses syntax that is not read here. */
  readonly isPartial: boolean;
}

const SECTION = /^\s*\[\s*([A-Za-z0-9.-]+)(?:\s+"((?:[^"\\]|\\.)*)")?\s*\]\s*(.*)$/;
const ENTRY = /^\s*([A-Za-z][A-Za-z0-9-]*)\s*(?:=\s*(.*))?$/;

/** Reads a git config text. Never throws. */
export function readGitConfig(text: string): GitConfigFacts {
  const found = new Map<string, string>();
  let section = '';
  let isPartial = false;

  for (const line of text.split(/\r?\n/)) {
    let rest = line;
    const header = SECTION.exec(line);
    if (header !== null) {
      const name = (header[1] ?? '').toLowerCase();
      section = header[2] === undefined ? name : `${name}.${header[2]}`;
      if (name === 'include' || name === 'includeif') isPartial = true;
      rest = header[3] ?? '';
    }
    if (/^\s*(?:[#;]|$)/.test(rest)) continue;
    const entry = ENTRY.exec(rest);
    if (entry === null) {
      isPartial = true;
      continue;
    }
    const value = plainValue(entry[2] ?? '');
    if (value === null) isPartial = true;
    const key = `${section}.${(entry[1] ?? '').toLowerCase()}`;
    if (value !== null && !found.has(key)) found.set(key, value);
  }
  return {
    originUrl: found.get('remote.origin.url') ?? null,
    worktree: found.get('core.worktree') ?? null,
    refStorage: found.get('extensions.refstorage') ?? null,
    isPartial,
  };
}

/** The value, or null where quotes inside, escapes or a continued line call for git's own reader. */
function plainValue(text: string): string | null {
  const quoted = /^"([^"\\]*)"\s*(?:[#;].*)?$/.exec(text);
  if (quoted !== null) return quoted[1] ?? '';
  if (/["\\]/.test(text)) return null;
  return text.replace(/[#;].*$/, '').trim();
}
