/** Numbers and times as people read them. Pure. */

/** `1 event`, `3 events`, `10,000 events`. */
export function events(count: number): string {
  return `${amount(count)} ${count === 1 ? 'event' : 'events'}`;
}

/** A number with thousands separators, the same in every locale. */
export function amount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

const UNITS = [
  ['d', 86_400],
  ['h', 3_600],
  ['m', 60],
  ['s', 1],
] as const;

/** A length of time in its two largest units, cut off: `2s`, `3m 12s`, `2h 5m`, `1d 4h`. */
export function duration(milliseconds: number): string {
  let rest = Math.max(0, Math.floor(milliseconds / 1000));
  const parts: string[] = [];
  for (const [unit, seconds] of UNITS) {
    if (parts.length === 2) break;
    const whole = Math.floor(rest / seconds);
    rest -= whole * seconds;
    if (whole > 0) parts.push(`${whole}${unit}`);
    // Never `1d 5s`: the second unit is the one right below the first, or none.
    else if (parts.length === 1) break;
  }
  return parts.length === 0 ? '0s' : parts.join(' ');
}

/** `3m 12s ago`. */
export function ago(then: number, now: number): string {
  return `${duration(now - then)} ago`;
}

/** `2026-02-07 18:04:05 UTC`. */
export function utc(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** ISO 8601 for documents, null kept. */
export function iso(epochMs: number | null): string | null {
  return epochMs === null ? null : new Date(epochMs).toISOString();
}

/** Label and value in two columns. */
export function rows(pairs: readonly (readonly [label: string, value: string])[]): string {
  const width = Math.max(0, ...pairs.map(([label]) => label.length));
  return pairs.map(([label, value]) => `${label.padEnd(width)}  ${value}`).join('\n');
}

/** The text without characters a terminal would obey, each as `\uXXXX`; line breaks stay. JSON text keeps its meaning. */
export function visible(text: string): string {
  return text.replace(/[^\P{C}\n]/gu, (hidden) =>
    hidden
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}

/** The styles of `paint.ts`: what turns one on, and what turns it off. */
const STYLE = /^\[(?:(?<on>1|2|31|32|33)|22|39)m$/;
const ALL_OFF = '\u001B[22m\u001B[39m';

/**
 * A whole text fit for a terminal: what comes from files, servers and agents may hold characters that move the cursor,
 * hide what follows, change the window's title or turn the direction of writing. They are spelled out; line breaks and tabs
 * stay, and our own five styles where the text `isPainted`, none of which outlives it.
 */
export function harmless(text: string, isPainted: boolean): string {
  let open = 0;
  const shown = text
    .replaceAll('\r\n', '\n')
    .replace(/(\p{Cc})(\[[\d;]*m)?|[\u202A-\u202E\u2066-\u2069]/gu, (found, control?: string, colour?: string) => {
      if (found === '\n' || found === '\t') return found;
      const style = isPainted && control === ESCAPE ? STYLE.exec(colour ?? '') : null;
      if (style !== null) {
        open += style.groups?.['on'] === undefined ? -1 : 1;
        return found;
      }
      // A control character may stand in front of something that only looks like a colour.
      const first = colour === undefined ? found : (control ?? '');
      if (first === '\n' || first === '\t') return found;
      return `\\u${first.charCodeAt(0).toString(16).padStart(4, '0')}${colour ?? ''}`;
    });
  return open > 0 ? `${shown}${ALL_OFF}` : shown;
}

const ESCAPE = '\u001B';
