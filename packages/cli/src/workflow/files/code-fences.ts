/** Code fences of Markdown. What stands inside one is an example, never content. Pure. */

/**
 * The lines with those of code fences emptied, so that line numbers stay. A fence below a bullet ends with the bullet at
 * the latest. A fence that never closes hides nothing: it is a slip of the pen, and hiding the rest would cost more.
 */
export function withoutFences(lines: readonly string[]): readonly string[] {
  const visible = [...lines];
  for (let start = 0; start < lines.length; start += 1) {
    const end = fenceEnd(lines, start);
    if (end === undefined) continue;
    visible.fill('', start, end);
    start = end - 1;
  }
  return visible;
}

/** The line after the fence that opens at `start`; undefined when none opens there, or it never ends. */
function fenceEnd(lines: readonly string[], start: number): number | undefined {
  const { indent = '', mark } = openingFence(lines[start] ?? '');
  if (mark === undefined) return undefined;
  for (let line = start + 1; line < lines.length; line += 1) {
    const text = lines[line] ?? '';
    if (isClosing(text, mark)) return line + 1;
    if (indent !== '' && /^\S/.test(text)) return line;
  }
  return undefined;
}

/** At any indent. Backticks that close on their line are inline code. */
function openingFence(line: string): { readonly indent?: string; readonly mark?: string } {
  const match = /^(\s*)(?:(`{3,})[^`]*|(~{3,}).*)$/s.exec(line);
  const mark = match?.[2] ?? match?.[3];
  return mark === undefined ? {} : { indent: match?.[1] ?? '', mark };
}

/** As long as the opening one or longer, and nothing behind it: "```js" inside a fence closes nothing. */
function isClosing(line: string, mark: string): boolean {
  const text = line.trim();
  return text.startsWith(mark) && text === (mark[0] ?? '').repeat(text.length);
}
