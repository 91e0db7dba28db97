/**
 * Takes out of free text what must not travel or be shown: secrets, mail addresses, home directories.
 * It masks what looks like a secret, and rather too much than too little; it cannot know every secret,
 * so nothing that is known to be one may be passed in the hope that this file catches it.
 */

/** What to mask beyond the patterns, and how much to keep. */
export interface RedactOptions {
  /** The person's home directory; shown as `~`. Usual home directories are recognised without it. */
  readonly home?: string;
  /** True for a text that only its own person sees, such as a remedy with an example address in it. Default false. */
  readonly keepsMail?: boolean;
  /** Longest result in UTF-16 units. Default 2000. */
  readonly maxLength?: number;
}

const MASK = '[redacted]';
const DEFAULT_MAX_LENGTH = 2_000;
const MAX_STACK_FRAMES = 20;
const MAX_STACK_LENGTH = 4_000;
/** A message may hold lines that look like frames and have no end. */
const MAX_FRAME_LENGTH = 1_000;

/** Names whose value is a secret, wherever they stand: `api_key=…`, `"password": "…"`, `--token …`. */
const SECRET_NAME = String.raw`[\w-]{0,40}(?:password|passwd|passphrase|secret|token|api[-_]?key|private[-_]?key|authorization|cookie)[\w-]{0,40}`;

/** Applied in this order: the specific before the general, so that the general sees what is left. */
const RULES: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, MASK],
  [/\beyJ[\w-]{4,}\.[\w-]{4,}(?:\.[\w-]*)?/g, MASK],
  [/\b(bearer|basic)\s+(?=[\w.~+/=-]*[\d=._~+/-])[\w.~+/=-]{6,}/gi, `$1 ${MASK}`],
  [/\b(bearer)\s+[\w.~+/=-]{16,}/gi, `$1 ${MASK}`],
  // A bare `git@` names no person; any other user part may be a token.
  [/\b([a-z][a-z0-9+.-]{1,20}:\/\/)(?!git@)[^\s/?#]*@/gi, `$1${MASK}@`],
  [/\b(?:gh[pousr]_|github_pat_|glpat-|gldt-|glrt-|npm_|pypi-|hf_|dop_v1_|shpat_|xox[abeprs]-|ATATT)[\w-]{10,}/g, MASK],
  [/\b(?:sk|rk|pk)[-_][\w-]{16,}/g, MASK],
  [/\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g, MASK],
  [/\bAIza[\w-]{30,}/g, MASK],
  [new RegExp(String.raw`(--${SECRET_NAME}(?:=|\s+))(?!\[redacted\])("[^"]*"|'[^']*'|\S+)`, 'gi'), `$1${MASK}`],
  [
    new RegExp(
      String.raw`(\b${SECRET_NAME}["']?\s*[:=]\s*(?:(?:bearer|basic)\s+)?)(?!\[redacted\]|bearer |basic )("[^"]*"|'[^']*'|[^\s,;&"'}]+)`,
      'gi',
    ),
    `$1${MASK}`,
  ],
  // 40 digits are a commit id, which people need to see.
  [/\b(?![0-9a-f]{40}\b)[0-9a-f]{32,}\b/gi, MASK],
];

const MAIL_ADDRESS = /\b(?!git@)[\w.+-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){0,8}\.[a-z]{2,}\b/gi;

/** Long runs of base64 letters; only those that mix kinds of characters as chance does are secrets. */
const BASE64_RUN = /[\w+/-]{32,}={0,2}/g;

/** `text` without token-shaped parts, mail addresses and home directories, and no longer than asked. */
export function redactText(text: string, options: RedactOptions = {}): string {
  const maxLength = options.maxLength ?? DEFAULT_MAX_LENGTH;
  let result = firstWholeWords(text, maxLength * 2);
  result = hideHomes(result, options.home);
  for (const [pattern, replacement] of RULES) result = result.replace(pattern, replacement);
  if (options.keepsMail !== true) result = result.replace(MAIL_ADDRESS, '[mail address]');
  result = result.replace(BASE64_RUN, (run) => (looksRandom(run) ? MASK : run));
  return cutTo(result, maxLength);
}

/**
 * A stack fit to send: the message redacted, each frame's file relative to its package, at most 20 frames.
 * Files outside any package keep only their name.
 */
export function trimStack(stack: string, options: RedactOptions = {}): string {
  const lines = stack.split('\n');
  const firstFrame = lines.findIndex((line) => isFrame(line));
  const message = (firstFrame === -1 ? lines : lines.slice(0, firstFrame)).join('\n');
  const frames = firstFrame === -1 ? [] : lines.slice(firstFrame).filter((line) => isFrame(line));
  const kept = frames.slice(0, MAX_STACK_FRAMES).map((line) => trimFrame(cutTo(line, MAX_FRAME_LENGTH)));
  if (frames.length > kept.length) kept.push(`    … ${frames.length - kept.length} more`);
  const trimmed = [redactText(message, options), ...kept.map((line) => redactText(line, options))].join('\n');
  return cutTo(trimmed, options.maxLength ?? MAX_STACK_LENGTH);
}

function isFrame(line: string): boolean {
  return /^\s+at /.test(line);
}

/** `at f (file:///x/node_modules/pkg/dist/a.js:1:2)` → `at f (pkg/dist/a.js:1:2)`. */
function trimFrame(line: string): string {
  return line.replace(
    /(?<=[\s(])(?:file:\/\/)?((?:\/|[A-Za-z]:[\\/])[^()]*?)(:\d+:\d+)?(?=\)?$)/,
    (_whole, path: string, place?: string) => {
      return packageRelative(path.replaceAll('\\', '/')) + (place ?? '');
    },
  );
}

function packageRelative(path: string): string {
  for (const marker of ['/node_modules/', '/packages/']) {
    const at = path.lastIndexOf(marker);
    if (at !== -1) return path.slice(at + marker.length);
  }
  // The innermost one: folders above it name people and places.
  const inPackage = /.*\/((?:dist|src|bin)\/.*)$/.exec(path);
  return inPackage?.[1] ?? path.slice(path.lastIndexOf('/') + 1);
}

function hideHomes(text: string, home: string | undefined): string {
  let result = text;
  // A root directory as home (some containers) would turn every path into `~`.
  if (home !== undefined && home.length > 1) result = result.replaceAll(home, '~');
  return result
    .replace(/(?<![\w.~-])\/(?:home|Users)\/[^/\s:'")]+/g, '~')
    .replace(/(?<![\w.~/-])\/root(?=[/\s:'")]|$)/g, '~')
    .replace(/\b[A-Za-z]:[\\/]Users[\\/][^\\/\s:'")]+/g, '~');
}

function looksRandom(run: string): boolean {
  const count = (pattern: RegExp): number => run.match(pattern)?.length ?? 0;
  return count(/[A-Z]/g) >= 3 && count(/[a-z]/g) >= 3 && count(/[0-9]/g) >= 3;
}

/** The beginning of `text`, never ending inside a word: half a token would no longer look like one. */
function firstWholeWords(text: string, length: number): string {
  if (text.length <= length) return text;
  return text.slice(0, length).replace(/\S+$/, '…');
}

function cutTo(text: string, length: number): string {
  if (text.length <= length) return text;
  return `${text.slice(0, Math.max(0, length - 1)).replace(/[\uD800-\uDBFF]$/, '')}…`;
}
