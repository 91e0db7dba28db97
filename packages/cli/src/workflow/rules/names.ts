/**
 * Names that arrive with a repository and end in paths, in git's arguments, in branches and in commands that people and
 * agents copy. What is none of these is not used, wherever it was read. Pure.
 */

/** A feature's directory: three digits and a name of letters, digits and `. _ + -`, as a branch can be called. */
export function isFeatureSlug(text: string): boolean {
  return /^\d{3}-[\p{L}\p{N}][\p{L}\p{N}\p{M}._+-]{0,150}$/u.test(text) && isBranchName(text);
}

/** A work package id of the contract: `WP01` to `WP99`. */
export function isWpId(text: string): boolean {
  return /^WP(?!00)\d\d$/.test(text);
}

/** What git takes for a branch (git-check-ref-format(1)), and for no option of its own. */
export function isBranchName(text: string): boolean {
  return (
    text !== '' &&
    text !== '@' &&
    text.length <= 250 &&
    !/[\s\p{C}~^:?*[\\]|\.\.|@\{|\/\/|^[-/]|[/.]$/u.test(text) &&
    text.split('/').every((part) => !part.startsWith('.') && !part.endsWith('.lock'))
  );
}

/** A commit in full. */
export function isCommitId(text: string): boolean {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text);
}
