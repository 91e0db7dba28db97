/** Breaks long lines between words. Pure. */

// oxlint-disable-next-line no-control-regex -- colours are control characters
const COLOURS = /\u001B\[[\d;]*m/g;

/** `text` with no line wider than `width`, as far as its words allow; what follows a break is indented as its line was. */
export function fold(text: string, width: number): string {
  return text
    .split('\n')
    .map((line) => (shown(line) <= width ? line : foldLine(line, width)))
    .join('\n');
}

function foldLine(line: string, width: number): string {
  const indent = /^ */.exec(line)?.[0] ?? '';
  const lines: string[] = [];
  let current = indent;
  for (const word of line.trim().split(' ')) {
    const longer = current === indent ? indent + word : `${current} ${word}`;
    if (shown(longer) > width && current !== indent) {
      lines.push(current);
      current = indent + word;
    } else current = longer;
  }
  return [...lines, current].join('\n');
}

const shown = (text: string): number => text.replaceAll(COLOURS, '').length;
