/** Tables of the page. Pure. */

/** A table; `left` says for the first columns that they are text (`l`), the others are aligned right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], left = 'l'): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const rule = `|${head.map((_, index) => (left[index] === 'l' || head[index] === '' ? '---' : '--:')).join('|')}|`;
  return [line(head), rule, ...rows.map(line)].join('\n');
}

/** `10,000`. */
export function whole(value: number): string {
  return Math.round(value).toLocaleString('en');
}
