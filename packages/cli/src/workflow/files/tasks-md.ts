/**
 * The one reader of tasks.md, used by every command: which work packages there are, what each declares to
 * wait for, and its subtask boxes. Pure; line numbers are zero-based. Code fences are not read.
 */
import { withoutFences } from './code-fences.ts';
import { isUnreadStatement, readDependencyBullet, readDependencyLine } from './dependency-notation.ts';
import type { DeclaredDependencies } from './dependency-notation.ts';
import { readBox } from './subtask-box.ts';
import { readWpId } from '../rules/wp-id.ts';

/** A checkbox of a work package. */
export interface Subtask {
  /** `T001`. One id may stand in more than one package: then it is ambiguous. */
  readonly id: string;
  readonly text: string;
  readonly checked: boolean;
  readonly line: number;
}

/** The section of one work package. */
export interface WpSection {
  readonly id: string;
  readonly title: string;
  /** Line of the heading, and the line after the last one. */
  readonly start: number;
  readonly end: number;
  /** Sorted, without repetition. Meaningful only when `depsDeclared`. */
  readonly deps: readonly string[];
  /** False when the section says nothing (that we read) about dependencies; true for "None". */
  readonly depsDeclared: boolean;
  /** Ids written where reading stops, e.g. after a parenthesis: worth a warning. */
  readonly unreadDeps: readonly string[];
  /** Lines `Depends on …` about packages that name them in words, not ids: worth a warning too. */
  readonly unreadLines: readonly number[];
  readonly subtasks: readonly Subtask[];
}

/** A tasks.md, read. */
export interface TasksDocument {
  readonly wps: readonly WpSection[];
  /** Subtask ids with a box in more than one place. */
  readonly ambiguousSubtasks: readonly string[];
}

/** A box that is not ticked, of a subtask or of anything else. */
export interface OpenBox {
  /** The line without its indent, e.g. `- [ ] T001 Write it`. */
  readonly text: string;
  /** `T001`, where the box is the only one with that id. */
  readonly id: string | undefined;
}

interface Heading {
  readonly level: number;
  readonly text: string;
  readonly wp: { readonly id: string; readonly title: string } | undefined;
}

// A bullet or a number; `[](link)` is no box.
const OPEN_BOX = /^\s*(?:[-*+]\s*|\d+[.)]\s+)\[\s*\](?!\()/;

/** Reads a tasks.md of any line ending, with or without a byte order mark. Never fails. */
export function parseTasksMd(source: string): TasksDocument {
  const lines = withoutFences(source.replace(/^\uFEFF/, '').split(/\r?\n/));
  const headings = lines.map(readHeading);
  const wps: WpSection[] = [];
  for (const [start, heading] of headings.entries()) {
    if (heading?.wp === undefined) continue;
    const end = sectionEnd(headings, start, heading.level);
    wps.push(readSection(heading.wp, lines, headings, { start, end }));
  }
  return { wps, ambiguousSubtasks: repeated(wps.flatMap((wp) => wp.subtasks.map((task) => task.id))) };
}

/** Every open box of a tasks.md, in any list and any section, those of no package included. */
export function openBoxes(source: string): readonly OpenBox[] {
  const lines = withoutFences(source.replace(/^\uFEFF/, '').split(/\r?\n/));
  const twice = repeated(lines.flatMap((line) => readBox(line)?.id ?? []));
  return lines
    .filter((line) => OPEN_BOX.test(line))
    .map((line) => ({ text: line.trim(), id: readBox(line)?.id }))
    .map(({ text, id }) => ({ text, id: id === undefined || twice.includes(id) ? undefined : id }));
}

/** Ids that have more than one section. */
export function repeatedSections(document: TasksDocument): readonly string[] {
  return repeated(document.wps.map((wp) => wp.id));
}

function readHeading(line: string): Heading | undefined {
  const match = /^(#{1,6})[ \t]+(.*?)[ \t]*#*$/.exec(line);
  if (match === null) return undefined;
  const [, marks = '', text = ''] = match;
  return { level: marks.length, text, wp: marks.length < 2 || marks.length > 4 ? undefined : readWpHeading(text) };
}

/** The id must be the first word, so that `## WP02 follows WP01` is no section of WP01. */
function readWpHeading(text: string): Heading['wp'] {
  const match = /^(?:work\s+package\s+)?[*_`]*(WP\d{2})\b[*_`]*\s*(.*)$/i.exec(text);
  const id = match === null ? undefined : readWpId(match[1] ?? '');
  if (match === null || id === undefined) return undefined;
  const rest = match[2] ?? '';
  if (rest !== '' && !/^[:\-–—([]/.test(rest)) return undefined;
  return { id, title: titleOf(rest) };
}

function titleOf(rest: string): string {
  return rest
    .replace(/^[:\-–—]\s*/, '')
    .replace(/\s*[([]\s*priority\b[^)\]]*[)\]]\s*$/i, '')
    .replaceAll('**', '')
    .trim();
}

/** At the next package, or at a heading of equal or higher level. */
function sectionEnd(headings: readonly (Heading | undefined)[], start: number, level: number): number {
  for (let line = start + 1; line < headings.length; line += 1) {
    const heading = headings[line];
    if (heading !== undefined && (heading.wp !== undefined || heading.level <= level)) return line;
  }
  return headings.length;
}

function readSection(
  wp: NonNullable<Heading['wp']>,
  lines: readonly string[],
  headings: readonly (Heading | undefined)[],
  range: { readonly start: number; readonly end: number },
): WpSection {
  const subtasks: Subtask[] = [];
  const declared: DeclaredDependencies[] = [];
  const unreadLines: number[] = [];
  let belowDependencies = false;
  for (let line = range.start + 1; line < range.end; line += 1) {
    const text = lines[line] ?? '';
    const heading = headings[line];
    if (heading !== undefined) {
      belowDependencies = /^[*_]*dependenc(?:ies|y)[*_]*:?[*_]*$/i.test(heading.text);
      continue;
    }
    const found = belowDependencies ? readDependencyBullet(text) : readDependencyLine(text);
    if (found !== undefined) declared.push(found);
    else if (isUnreadStatement(text)) unreadLines.push(line);
    const box = readBox(text);
    if (box !== undefined) subtasks.push({ id: box.id, text: box.text, checked: box.checked, line });
  }
  return {
    ...wp,
    ...range,
    deps: [...new Set(declared.flatMap((one) => one.ids))].toSorted(),
    depsDeclared: declared.length > 0,
    unreadDeps: [...new Set(declared.flatMap((one) => one.unread))],
    unreadLines,
    subtasks,
  };
}

function repeated(ids: readonly string[]): readonly string[] {
  return [...new Set(ids.filter((id, index) => ids.indexOf(id) !== index))];
}
