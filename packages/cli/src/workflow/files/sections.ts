/** Sections of a Markdown text, found by their `## ` heading outside code fences. Pure; line endings are kept. */
import { withoutFences } from './code-fences.ts';
import { lineEnding } from './frontmatter.ts';

/**
 * The text with the body of `## heading` replaced, up to the next heading of that level or higher. Without such a
 * section it is made, in front of `## before` where that exists, else at the end.
 */
export function replaceSection(
  text: string,
  section: { readonly heading: string; readonly before: string; readonly body: string },
): string {
  const eol = lineEnding(text);
  const lines = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const headings = headingLines(lines);
  const body = section.body.trim().split(/\r?\n/).join(eol);
  const block = [`## ${section.heading}${eol}`, eol, `${body}${eol}`, eol];
  const at = headings.find(({ title, level }) => level === 2 && title === section.heading)?.line;
  if (at !== undefined) {
    const next = headings.find(({ line, level }) => line > at && level <= 2)?.line ?? lines.length;
    const [heading = '', ...rest] = block;
    const kept = lines[at] ?? heading;
    return [...lines.slice(0, at), kept.endsWith('\n') ? kept : heading, ...rest, ...lines.slice(next)].join('');
  }
  const before = headings.find(({ title, level }) => level === 2 && title === section.before)?.line ?? lines.length;
  const above = lines.slice(0, before).join('');
  const gap = above === '' || /\n\r?\n$/.test(above) ? '' : above.endsWith('\n') ? eol : eol + eol;
  return above + gap + block.join('') + lines.slice(before).join('');
}

interface HeadingLine {
  readonly line: number;
  readonly level: number;
  readonly title: string;
}

function headingLines(lines: readonly string[]): readonly HeadingLine[] {
  return withoutFences(lines.map((line) => line.trimEnd())).flatMap((text, line) => {
    const match = /^(#{1,6})[ \t]+(.*?)[ \t]*$/.exec(text);
    return match === null ? [] : [{ line, level: match[1]?.length ?? 0, title: match[2] ?? '' }];
  });
}
