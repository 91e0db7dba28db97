/**
 * The activity log of a work package file: one line per thing that happened, newest last, in a format other
 * tools read too. Pure text in, text out; line endings are kept.
 */
import { lineEnding } from './frontmatter.ts';

/** One line of the log. */
export interface LogEntry {
  /** UTC, whole seconds: `2026-03-01T09:00:00Z`. */
  readonly at: string;
  readonly agent: string;
  readonly shellPid?: string;
  readonly lane: string;
  readonly note: string;
}

const HEADING = /^##[ \t]+Activity Log[ \t]*$/;
// En dash or hyphen between blanks. The agent may itself hold hyphens, so it is read up to `shell_pid=` or `lane=`.
const ENTRY =
  /^[ \t]*-[ \t]+([\dT:-]+Z)[ \t]+[–-][ \t]+(.+?)[ \t]+[–-][ \t]+(?:shell_pid=(\S*)[ \t]+[–-][ \t]+)?lane=([a-z_]+)[ \t]+[–-](?:[ \t]+(.*))?$/;

/** The time of a log line. */
export function logTime(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 19)}Z`;
}

/** The entries of every log section of a file's body, in file order. Lines of another shape are skipped. */
export function readLog(body: string): readonly LogEntry[] {
  const lines = body.split(/\r?\n/);
  const entries: LogEntry[] = [];
  let inLog = false;
  for (const line of lines) {
    if (line.startsWith('## ')) inLog = HEADING.test(line);
    const match = inLog ? ENTRY.exec(line) : null;
    if (match === null) continue;
    const [, at = '', agent = '', pid, lane = '', note = ''] = match;
    entries.push({ at, agent, ...(pid ? { shellPid: pid } : {}), lane, note });
  }
  return entries;
}

/** The body with one more entry at the end of its (first) log section; the section is made when there is none. */
export function appendLog(body: string, entry: LogEntry): string {
  const eol = lineEnding(body);
  // Every line keeps the ending it has, also in a file that mixes them.
  const lines = body.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const heading = headingLine(lines);
  const added = formatEntry(entry) + eol;
  if (heading === -1) {
    const text = body.trimEnd();
    return `${text === '' ? '' : text + eol + eol}## Activity Log${eol}${eol}${added}`;
  }
  const next = lines.findIndex((line, index) => index > heading && line.startsWith('## '));
  let last = (next === -1 ? lines.length : next) - 1;
  while (last > heading && (lines[last] ?? '').trim() === '') last -= 1;
  const kept = lines.slice(0, last + 1).join('');
  // A list goes on without a blank line; anything else gets one before the entry.
  const gap = ENTRY.test((lines[last] ?? '').trimEnd()) ? '' : eol;
  const rest = lines.slice(last + 1).join('');
  return (kept.endsWith('\n') ? kept : kept + eol) + gap + added + (next !== -1 && rest === '' ? eol : rest);
}

/** One entry as it stands in the file. Line breaks in a note become ` / `. */
export function formatEntry(entry: LogEntry): string {
  const pid = entry.shellPid === undefined || entry.shellPid === '' ? '' : `shell_pid=${entry.shellPid} – `;
  const note = entry.note.trim().replaceAll(/\s*\r?\n\s*/g, ' / ');
  const agent = entry.agent.replaceAll(/\s+/g, ' ').trim();
  return `- ${entry.at} – ${agent} – ${pid}lane=${entry.lane} – ${note}`;
}

/** Outside code fences only: a prompt may show the format in one. */
function headingLine(lines: readonly string[]): number {
  let isFenced = false;
  return lines.findIndex((line) => {
    if (/^ {0,3}(?:```|~~~)/.test(line)) isFenced = !isFenced;
    return !isFenced && HEADING.test(line.trimEnd());
  });
}
