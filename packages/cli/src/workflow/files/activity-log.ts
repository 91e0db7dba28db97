/**
 * The activity log of a work package file: one line per thing that happened, newest last, in a format other
 * tools read too. Pure text in, text out; line endings are kept.
 */
import { withoutFences } from './code-fences.ts';
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

const HEADING = /^##[ \t]+Activity Log\s*$/;
// En dash or hyphen between blanks. The agent may itself hold hyphens, so it is read up to `shell_pid=` or `lane=`.
const ENTRY =
  /^[ \t]*-[ \t]+([\dT:-]+Z)[ \t]+[–-][ \t]+(.+?)[ \t]+[–-][ \t]+(?:shell_pid=(\S*)[ \t]+[–-][ \t]+)?lane=([a-z_]+)[ \t]+[–-](?:[ \t]+(.*))?$/s;

/** The time of a log line. */
export function logTime(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 19)}Z`;
}

/** The entries of every log section of a file's body, in file order. Lines of another shape are skipped. */
export function readLog(body: string): readonly LogEntry[] {
  const lines = body.split(/\r?\n/);
  const visible = withoutFences(lines);
  return logSections(visible).flatMap(({ start, end }) =>
    visible.slice(start + 1, end).flatMap((line) => {
      const match = ENTRY.exec(line);
      if (match === null) return [];
      const [, at = '', agent = '', pid, lane = '', note = ''] = match;
      return [{ at, agent, ...(pid ? { shellPid: pid } : {}), lane, note }];
    }),
  );
}

/**
 * The body with one more entry at the end of its log section; of the last one where there are several, so that the
 * newest entry is the last to be read. The section is made when there is none.
 */
export function appendLog(body: string, entry: LogEntry): string {
  const eol = lineEnding(body);
  // Every line keeps the ending it has, also in a file that mixes them.
  const lines = body.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const section = logSections(withoutFences(lines.map((line) => line.trimEnd()))).at(-1);
  const added = formatEntry(entry) + eol;
  if (section === undefined) {
    const text = body.trimEnd();
    return `${text === '' ? '' : text + eol + eol}## Activity Log${eol}${eol}${added}`;
  }
  let last = section.end - 1;
  while (last > section.start && (lines[last] ?? '').trim() === '') last -= 1;
  const kept = lines.slice(0, last + 1).join('');
  // A list goes on without a blank line; anything else gets one before the entry.
  const gap = ENTRY.test((lines[last] ?? '').trimEnd()) ? '' : eol;
  return (kept.endsWith('\n') ? kept : kept + eol) + gap + added + lines.slice(last + 1).join('');
}

/** One entry as it stands in the file. Line breaks in a note become ` / `. */
export function formatEntry(entry: LogEntry): string {
  const pid = entry.shellPid === undefined || entry.shellPid === '' ? '' : `shell_pid=${entry.shellPid} – `;
  const note = entry.note.trim().replaceAll(/\s*[\r\n]\s*/g, ' / ');
  const agent = entry.agent.replaceAll(/\s+/g, ' ').trim();
  return `- ${entry.at} – ${agent} – ${pid}lane=${entry.lane} – ${note}`;
}

/** From each heading up to the next one of its level. `visible`: without code fences, where a prompt shows the format. */
function logSections(visible: readonly string[]): readonly { readonly start: number; readonly end: number }[] {
  return visible.flatMap((line, start) => {
    if (!HEADING.test(line)) return [];
    const next = visible.findIndex((other, index) => index > start && /^##(?:\s|$)/.test(other));
    return [{ start, end: next === -1 ? visible.length : next }];
  });
}
