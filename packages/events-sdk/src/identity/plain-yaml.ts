/**
 * Reads the plain part of YAML that `init` writes, so that the usual command need not load a YAML parser
 * (11 ms). It answers only for text in which every line has one of a few unmistakable shapes, and then
 * says what a YAML parser would; for anything else it answers null and the parser is asked.
 */

/** A mapping of text to text or to further mappings. Lists and flow maps are checked, but not read. */
export interface PlainMap {
  readonly [key: string]: string | PlainMap | null | typeof UNREAD;
}

/** Stands for a list or flow map: something is there, and only the parser knows what. */
export const UNREAD: unique symbol = Symbol('unread');

const KEY = String.raw`[A-Za-z_][A-Za-z0-9_-]*`;
/** No colon, no hash, no quote inside; not starting like any YAML syntax. */
const WORD = String.raw`[A-Za-z0-9_][A-Za-z0-9_./+-]*`;
const LINE = new RegExp(
  String.raw`^(?<indent> *)(?<key>${KEY}):(?: +(?:(?<plain>${WORD}(?: ${WORD})*)|"(?<double>[A-Za-z0-9_./+ :-]*)"|'(?<single>[A-Za-z0-9_./+ :-]*)'|(?<flow>\[(?:${WORD}(?:, ${WORD})*)?\]|\{${KEY}: ${WORD}\})))?(?: +#[ -~]*)?$`,
);
const ITEM = new RegExp(String.raw`^(?<indent> *)- ${WORD}(?: +#[ -~]*)?$`);
const BLANK = /^ *(?:#[ -~]*)?$/;

interface Level {
  readonly indent: number;
  readonly map: Record<string, string | PlainMap | null | typeof UNREAD>;
}

/** The mapping in `text`, every scalar as its text; null when any line is not of a plain shape. */
export function readPlainYaml(text: string): PlainMap | null {
  const root: Level = { indent: 0, map: Object.create(null) as Level['map'] };
  const levels: Level[] = [root];
  /** The last key, while it has no value: it may be followed by a deeper mapping or by a list. */
  let open: { readonly level: Level; readonly key: string } | null = null;
  let listIndent: number | null = null;

  for (const line of text.split(/\r?\n/)) {
    if (BLANK.test(line)) continue;

    const item = ITEM.exec(line);
    if (item !== null) {
      const indent = item.groups?.['indent']?.length ?? 0;
      const isFirst = open !== null && indent > open.level.indent;
      if (isFirst && open !== null) open.level.map[open.key] = UNREAD;
      if (!isFirst && indent !== listIndent) return null;
      listIndent = indent;
      open = null;
      continue;
    }

    const groups = LINE.exec(line)?.groups;
    const key = groups?.['key'];
    if (groups === undefined || key === undefined) return null;
    const indent = groups['indent']?.length ?? 0;
    let level = levels.at(-1) ?? root;
    if (indent > level.indent) {
      // Deeper than before: only under a key that has no value yet.
      if (open === null) return null;
      const map = Object.create(null) as Level['map'];
      open.level.map[open.key] = map;
      level = { indent, map };
      levels.push(level);
    } else {
      while (level.indent > indent) {
        levels.pop();
        level = levels.at(-1) ?? root;
      }
      if (level.indent !== indent) return null;
    }
    if (key in level.map) return null;
    listIndent = null;
    const value = groups['plain'] ?? groups['double'] ?? groups['single'] ?? null;
    level.map[key] = groups['flow'] === undefined ? value : UNREAD;
    open = value === null && groups['flow'] === undefined ? { level, key } : null;
  }
  return root.map;
}
