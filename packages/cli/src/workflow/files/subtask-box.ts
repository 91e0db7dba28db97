/** One line of tasks.md that is the checkbox of a subtask: `- [ ] T001 Create the writer`. Pure. */

/** A box, read. */
export interface SubtaskBox {
  /** `T001` */
  readonly id: string;
  readonly text: string;
  readonly checked: boolean;
  /** Offsets within the line of what stands between the square brackets. */
  readonly mark: { readonly start: number; readonly end: number };
}

// Any bullet; a blank, nothing, `x` or `X` in the box; the id plain, bold or in backticks. `T001b` is no id.
const BOX =
  /^(\s*[-*+]\s*\[)(\s*[xX]?\s*)\]\s*(?:\*\*|__|`)?(T\d{3,})(?![0-9A-Za-z])(?:\*\*|__|`)?:?(?:\*\*|__|`)?\s*(.*)$/s;

/** The box on a line without its line end; undefined when the line is something else. */
export function readBox(line: string): SubtaskBox | undefined {
  const match = BOX.exec(line);
  if (match === null) return undefined;
  const [, before = '', mark = '', id = '', text = ''] = match;
  const start = before.length;
  return { id, text, checked: mark.trim() !== '', mark: { start, end: start + mark.length } };
}
