/** Flips the boxes of subtasks in a tasks.md and changes not a byte besides them. Pure. */
import { withoutFences } from './code-fences.ts';
import { readBox } from './subtask-box.ts';
import { parseTasksMd } from './tasks-md.ts';

/** One box of the file. */
export interface BoxPlace {
  /** `T001` */
  readonly id: string;
  /** The package whose section holds the box; undefined outside of all sections. */
  readonly wpId: string | undefined;
  /** Zero-based. */
  readonly line: number;
}

/** What became of each id asked for. Every id is in exactly one of the four lists. */
export interface BoxesSet {
  /** The file: `source` itself when nothing was flipped. */
  readonly text: string;
  readonly flipped: readonly BoxPlace[];
  /** Boxes that stood that way before; all of an id's boxes when it has several. */
  readonly already: readonly BoxPlace[];
  readonly notFound: readonly string[];
  /** Ids with several boxes, not all of them as wanted. Nobody can say which is meant: none was touched. */
  readonly ambiguous: readonly { readonly id: string; readonly places: readonly BoxPlace[] }[];
}

interface FoundBox extends BoxPlace {
  readonly checked: boolean;
  /** Offsets within the file of what stands between the square brackets. */
  readonly start: number;
  readonly end: number;
}

/** How the boxes shall stand. */
export interface WantedBoxes {
  readonly checked: boolean;
  /** Look only at the section of this package: for an id that stands in several. */
  readonly wpId?: string;
}

/** The file with the boxes of these subtasks checked or cleared. Boxes inside code fences do not count. Never fails. */
export function setBoxes(source: string, ids: readonly string[], { checked, wpId }: WantedBoxes): BoxesSet {
  const boxes = findBoxes(source).filter((box) => wpId === undefined || box.wpId === wpId);
  const flips: FoundBox[] = [];
  const already: BoxPlace[] = [];
  const notFound: string[] = [];
  const ambiguous: { readonly id: string; readonly places: readonly BoxPlace[] }[] = [];
  for (const id of new Set(ids)) {
    const own = boxes.filter((box) => box.id === id);
    const [only] = own;
    if (only === undefined) notFound.push(id);
    else if (own.every((box) => box.checked === checked)) already.push(...own.map(placeOf));
    else if (own.length > 1) ambiguous.push({ id, places: own.map(placeOf) });
    else flips.push(only);
  }
  return { text: flip(source, flips, checked), flipped: flips.map(placeOf), already, notFound, ambiguous };
}

function flip(source: string, boxes: readonly FoundBox[], checked: boolean): string {
  // From the end, so that the offsets before stay right.
  return boxes
    .toSorted((a, b) => b.start - a.start)
    .reduce((text, box) => text.slice(0, box.start) + (checked ? 'x' : ' ') + text.slice(box.end), source);
}

function findBoxes(source: string): readonly FoundBox[] {
  const { wps } = parseTasksMd(source);
  const found: FoundBox[] = [];
  let offset = source.startsWith('\uFEFF') ? 1 : 0;
  const lines = source.slice(offset).split('\n');
  const outside = withoutFences(lines.map((line) => line.replace(/\r$/, '')));
  for (const [line, text] of lines.entries()) {
    const box = readBox(outside[line] ?? '');
    if (box !== undefined) {
      const wpId = wps.find((wp) => line >= wp.start && line < wp.end)?.id;
      const [start, end] = [offset + box.mark.start, offset + box.mark.end];
      found.push({ id: box.id, wpId, line, checked: box.checked, start, end });
    }
    offset += text.length + 1;
  }
  return found;
}

function placeOf({ id, wpId, line }: FoundBox): BoxPlace {
  return { id, wpId, line };
}
