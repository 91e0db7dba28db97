/** Code fences of Markdown. What stands inside one is an example, never content. Pure. */

/** The lines with those of code fences emptied, so that line numbers stay. A fence that never closes runs to the end. */
export function withoutFences(lines: readonly string[]): readonly string[] {
  let fence: string | undefined;
  return lines.map((line) => {
    if (fence === undefined) {
      fence = openingFence(line);
      return fence === undefined ? line : '';
    }
    const text = line.trim();
    if (text.startsWith(fence) && text === (fence[0] ?? '').repeat(text.length)) fence = undefined;
    return '';
  });
}

/** At any indent, because a fence below a bullet is indented. Backticks that close on their line are inline code. */
function openingFence(line: string): string | undefined {
  return /^\s*(?:(`{3,})[^`]*$|(~{3,}))/.exec(line)?.slice(1).find(Boolean);
}
