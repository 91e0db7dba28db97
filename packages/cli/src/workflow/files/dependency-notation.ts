/**
 * How people write "this package waits for those". Pure. Only three notations count, free prose never does:
 * a line `Depends on WP01, WP02`, a line `Dependencies: WP01–WP03`, and bullets below a `Dependencies` heading
 * (docs/decisions/0003).
 */
import { readWpId } from '../rules/wp-id.ts';

/** What one line declares. */
export interface DeclaredDependencies {
  /** In the order written, ranges expanded, without repetition. Empty for "None". */
  readonly ids: readonly string[];
  /** Ids after a parenthesis that never closes, where reading stopped: `WP06` of `WP05 (a, WP06`. */
  readonly unread: readonly string[];
}

const ID = String.raw`WP\d{1,2}(?![0-9A-Za-z])`;
/** `WP01-WP04`, or `WP01-04` without blanks: `WP01 - 3 days` is no range. */
const RANGE = String.raw`${ID}(?:\s*[-–—]\s*${ID}|[-–—]\d{2}(?![0-9A-Za-z]))?`;
/** `WP01, WP02 and WP04–WP06`, from the start of the text. */
const LIST = new RegExp(String.raw`^${RANGE}(?:\s*(?:,\s*and\b|,|&|\+|\band\b)\s*${RANGE})*`, 'i');
const NOTHING = /^(?:none\b|no dependencies\b|nothing\b|\[\s*\]|n\/a\b|-+\s*$)/i;
/** What joins two entries of a list. */
const JOIN = /^\s*(?:,\s*and\b|,|&|\+|\band\b)\s*/i;

/** What a line declares, wherever it stands in a section; undefined when it is no declaration. */
export function readDependencyLine(line: string): DeclaredDependencies | undefined {
  const text = withoutMarks(line);
  const statement = /^depends?\s+on\b\s*:?\s*(.*)$/i.exec(text);
  if (statement !== null) return readList(statement[1] ?? '');
  const labelled = /^dependenc(?:ies|y)\s*:\s*(.*)$/i.exec(text);
  return labelled === null ? undefined : readList(withoutLeadIn(labelled[1] ?? ''));
}

/** What a bullet below a `Dependencies` heading declares; undefined for prose. There, `Requires:` says it too. */
export function readDependencyBullet(line: string): DeclaredDependencies | undefined {
  if (!/^\s*[-*+]\s/.test(line)) return undefined;
  return readDependencyLine(line) ?? readList(withoutLeadIn(withoutMarks(withoutBoldLabel(line))));
}

/** True for a line `Depends on …` about packages whose ids cannot be read, like `Depends on all earlier WPs`. */
export function isUnreadStatement(line: string): boolean {
  return isAboutPackages(line) && readDependencyLine(line) === undefined;
}

function isAboutPackages(line: string): boolean {
  return /^depends?\s+on\b.*\b(?:WP\d{1,2}|WPs?|work packages?|(?:all|every|other|prior|previous|earlier|preceding) packages?)\b/i.test(
    withoutMarks(line),
  );
}

/** `- **Blocked**: Depends on WP01` says what it would without its label; any other label may mean the opposite. */
function withoutBoldLabel(line: string): string {
  return line.replace(/^\s*[-*+]\s+(\*\*|__)[^*_]+\1\s*:?\s*(?=[*_`]*depends?\s+on\b)/i, '');
}

/** `Depends on …` right after a label is the same statement twice. */
function withoutLeadIn(text: string): string {
  return text.replace(/^(?:requires|depends?\s+on)\b\s*:?\s*/i, '');
}

function readList(text: string): DeclaredDependencies | undefined {
  if (NOTHING.test(text)) return { ids: [], unread: [] };
  const lists: string[] = [];
  let rest = text;
  for (;;) {
    const list = LIST.exec(rest)?.[0];
    if (list === undefined) break;
    lists.push(list);
    const after = rest.slice(list.length).trimStart();
    const reason = openingParenthesis(after);
    if (reason === undefined) {
      // It never closes: nobody can say where the reason ends, so what follows is reported, not taken.
      if (lists.length > 0 && after.startsWith('(')) return { ids: expand(lists.join()), unread: expand(after) };
      break;
    }
    const more = JOIN.exec(after.slice(reason.length))?.[0];
    if (more === undefined) break;
    rest = after.slice(reason.length + more.length);
  }
  return lists.length === 0 ? undefined : { ids: expand(lists.join()), unread: [] };
}

/** The parenthesis a text begins with, up to its matching end; undefined when there is none or it never closes. */
function openingParenthesis(text: string): string | undefined {
  if (!text.startsWith('(')) return undefined;
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '(') depth += 1;
    else if (text[at] === ')') depth -= 1;
    if (depth === 0) return text.slice(0, at + 1);
  }
  return undefined;
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
