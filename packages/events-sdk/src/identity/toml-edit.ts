/**
 * Edits a TOML text line by line, so that comments and other sections stay as a person wrote them. Pure. It
 * only proposes: the caller parses each proposal and takes the first that changes exactly what it should.
 */

/** Texts with `[sync] server_url` set, the least invasive first. */
export function serverUrlEdits(text: string, address: string): readonly string[] {
  const newline = text.includes('\r\n') ? '\r\n' : '\n';
  const lines = text.split(/\r?\n/);
  const entry = `server_url = ${JSON.stringify(address)}`;
  const proposals: string[] = [];

  const present = keyLine(text, 'server_url');
  if (present !== null) {
    const old = lines[present - 1] ?? '';
    const comment = /^\s*server_url\s*=\s*(?:"[^"]*"|'[^']*')(\s*#.*)$/.exec(old)?.[1] ?? '';
    const indent = /^\s*/.exec(old)?.[0] ?? '';
    proposals.push(lines.with(present - 1, `${indent}${entry}${comment}`).join(newline));
  }
  const header = lines.findIndex((line) => SYNC_HEADER.test(line));
  if (header !== -1) proposals.push(lines.toSpliced(header + 1, 0, entry).join(newline));
  const body = text === '' || text.endsWith('\n') ? text : text + newline;
  proposals.push(`${body}${body === '' ? '' : newline}[sync]${newline}${entry}${newline}`);
  return proposals;
}

/** Number of the line that sets `key` in `[sync]`, counted from 1; null when it is not written there plainly. */
export function keyLine(text: string, key: string): number | null {
  let isInSync = false;
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (/^\s*\[/.test(line)) isInSync = SYNC_HEADER.test(line);
    else if (isInSync && line.trimStart().startsWith(key) && /^\s*[\w-]+\s*=/.test(line)) {
      if (/^\s*([\w-]+)/.exec(line)?.[1] === key) return index + 1;
    }
  }
  return null;
}

const SYNC_HEADER = /^\s*\[\s*sync\s*\]\s*(?:#.*)?$/;
