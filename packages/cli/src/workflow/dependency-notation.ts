/**
 * How people write "this package waits for those". Pure. Only three notations count, free prose never does:
 * a line `Depends on WP01, WP02`, a line `Dependencies: WP01–WP03`, and bullets below a `Dependencies` heading.
 */
import { readWpId } from './wp-id.ts';

/** What one line declares. */
export interface DeclaredDependencies {
  /** In the order written, ranges expanded, without repetition. Empty for "None". */
  readonly ids: readonly string[];
  /** Ids after a parenthesis or full stop, where reading stopped: `WP06` of `WP05 (a), WP06 (b)`. */
  readonly unread: readonly string[];
}

const ID = String.raw`WP\d{1,2}(?![0-9A-Za-z])`;
/** `WP01-WP04`, or `WP01-04` without blanks: `WP01 - 3 days` is no range. */
const RANGE = String.raw`${ID}(?:\s*[-–—]\s*${ID}|[-–—]\d{2}(?![0-9A-Za-z]))?`;
/** `WP01, WP02 and WP04–WP06`, from the start of the text. */
const LIST = new RegExp(String.raw`^${RANGE}(?:\s*(?:,\s*and\b|,|&|\+|\band\b)\s*${RANGE})*`, 'i');
const NOTHING = /^(?:none\b|no dependencies\b|nothing\b|\[\s*\]|n\/a\b|-+\s*$)/i;
const UNREAD_AFTER = new RegExp(String.raw`^\s*\([^)]*\)\s*(?:,|and\b|&|\+)\s*(?:and\s+)?(${ID}.*)$`, 'i');

/** What a line declares, wherever it stands in a section; undefined when it is no declaration. */
export function readDependencyLine(line: string): DeclaredDependencies | undefined {
  const text = withoutMarks(line);
  const statement = /^depends?\s+on\b\s*:?\s*(.*)$/i.exec(text);
  if (statement !== null) return readList(statement[1] ?? '');
  const labelled = /^dependenc(?:ies|y)\s*:\s*(.*)$/i.exec(text);
  return labelled === null ? undefined : readList(withoutLeadIn(labelled[1] ?? ''));
}

/** What a bullet below a `Dependencies` heading declares; undefined for prose. */
export function readDependencyBullet(line: string): DeclaredDependencies | undefined {
  if (!/^\s*[-*+]\s/.test(line)) return undefined;
  return readDependencyLine(line) ?? readList(withoutMarks(line));
}

/** `Depends on …` right after a label is the same statement twice. */
function withoutLeadIn(text: string): string {
  return text.replace(/^(?:requires|depends?\s+on)\b\s*:?\s*/i, '');
}

function readList(text: string): DeclaredDependencies | undefined {
  if (NOTHING.test(text)) return { ids: [], unread: [] };
  const list = LIST.exec(text)?.[0];
  if (list === undefined) return undefined;
  const rest = UNREAD_AFTER.exec(text.slice(list.length))?.[1] ?? '';
  return { ids: expand(list), unread: expand(LIST.exec(rest)?.[0] ?? '') };
}

function expand(list: string): readonly string[] {
  const ids: string[] = [];
  for (const part of list.matchAll(new RegExp(RANGE, 'gi'))) {
    const [first, last] = part[0].split(/[-–—]/).map((end) => readWpId(end) ?? readWpId(`WP${end}`));
    if (first === undefined) continue;
    const from = numberOf(first);
    const to = last === undefined ? from : numberOf(last);
    for (let n = from; n <= to; n += 1) ids.push(`WP${String(n).padStart(2, '0')}`);
  }
  return [...new Set(ids)];
}

function numberOf(id: string): number {
  return Number(id.slice(2));
}

function withoutMarks(line: string): string {
  return line
    .trim()
    .replace(/^[-*+]\s+/, '')
    .replaceAll(/[*_`]/g, '')
    .trim();
}
